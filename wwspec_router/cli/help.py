"""Pages of help that are too long for one list of options."""

from collections.abc import Collection, Mapping
from typing import ClassVar

import click

from wwspec_router.config import Topic, settings


class SectionedCommand(click.Command):
    """A verb whose `--help` has its options in sections."""

    sections: ClassVar[Mapping[str, Collection[str]]] = {}
    """The parameters of each section, by its title; `--NAME-file` stands beside `--NAME`. All others come first."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the sections."""
        rows: dict[str, list[tuple[str, str]]] = {"Options": [], **{title: [] for title in self.sections}}
        for parameter in self.get_params(ctx):
            if isinstance(parameter, click.Argument):  # the usage has it
                continue
            name = (parameter.name or "").removesuffix("_file")
            title = next((title for title, names in self.sections.items() if name in names), "Options")
            row = parameter.get_help_record(ctx)
            if row is not None:
                rows[title].append(row)
        for title, section in rows.items():
            if section:
                with formatter.section(title):
                    formatter.write_dl(section)


class SettingsCommand(SectionedCommand):
    """A verb that takes the settings of a program, by their topic."""

    sections = {topic: [each.name for each in settings().values() if each.topic is topic] for topic in Topic}
