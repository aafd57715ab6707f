"""Groups of commands, and pages of help that are too long for one list of options."""

from collections.abc import Collection, Mapping
from typing import ClassVar

import click

from wwspec_router.config import Topic, settings
from wwspec_router.errors import did_you_mean


class CommandGroup(click.Group):
    """Commands below a verb, such as those of `wwspec zone`."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command; refuse one that does not exist, and say which one is like it."""
        require_command(ctx, args[0], self.commands)
        return super().resolve_command(ctx, args)


def require_command(ctx: click.Context, name: str, known: Collection[str]) -> None:
    """Refuse a verb, or a command below one, that does not exist; an option in its place is left to click.

    Raises:
        UsageError: It is not known.
    """
    if name in known or name.startswith("-") or ctx.resilient_parsing:
        return
    path = name if ctx.parent is None else f"{ctx.info_name} {name}"
    ctx.fail(f"there is no verb {path!r}; {did_you_mean(name, known, f'{ctx.command_path} --help lists them')}")


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
