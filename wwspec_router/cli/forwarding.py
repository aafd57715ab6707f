"""Options that one verb hands on to another, which it starts; and their sections in `--help`."""

from collections.abc import Collection, Mapping
from typing import ClassVar

import click
from click.core import ParameterSource

__all__ = ["SectionedCommand", "forwarded"]


def forwarded(context: click.Context, names: Collection[str]) -> tuple[list[str], dict[str, str]]:
    """Return those options of a verb that were given, as another verb takes them.

    Args:
        context: Of the verb that they were given to.
        names: Which of its parameters.

    Returns:
        Options, and environment variables: a command line shows its secrets to every user of the machine.
    """
    options: list[str] = []
    environment: dict[str, str] = {}
    for parameter in context.command.params:
        name = parameter.name or ""
        if name not in names or context.get_parameter_source(name) is ParameterSource.DEFAULT:
            continue
        value = context.params[name]
        if isinstance(parameter.envvar, str):
            environment |= {parameter.envvar: str(value), f"{parameter.envvar}_FILE": ""}
        elif isinstance(value, bool):
            options += parameter.opts[:1] if value else parameter.secondary_opts[:1]
        elif isinstance(value, tuple):
            options += [f"{parameter.opts[0]}={each}" for each in value]
        else:
            options.append(f"{parameter.opts[0]}={value}")
    return options, environment


class SectionedCommand(click.Command):
    """A verb whose `--help` has its options in sections."""

    sections: ClassVar[Mapping[str, Collection[str]]] = {}
    """From the title of a section to its parameters, each with the file that it may be in; all others come first."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the sections."""
        rows: dict[str, list[tuple[str, str]]] = {"Options": [], **{title: [] for title in self.sections}}
        for parameter in self.get_params(ctx):
            name = (parameter.name or "").removesuffix("_file")
            title = next((title for title, names in self.sections.items() if name in names), "Options")
            row = parameter.get_help_record(ctx)
            if row is not None:
                rows[title].append(row)
        for title, section in rows.items():
            if section:
                with formatter.section(title):
                    formatter.write_dl(section)
