"""Unknown verbs, and pages of help that are too long for one list of options."""

import re
from collections.abc import Collection, Mapping
from typing import ClassVar

import click

from wwspec_contracts.errors import did_you_mean
from wwspec_router.cli.language import text
from wwspec_router.config import Topic, settings


def require_command(ctx: click.Context, name: str, known: Collection[str]) -> None:
    """Refuse a verb, or a command below one, that does not exist; an option in its place is left to click.

    Raises:
        UsageError: It is not known.
    """
    if name in known or name.startswith("-") or ctx.resilient_parsing:
        return
    path = name if ctx.parent is None else f"{ctx.info_name} {name}"
    lists = text("{} --help lists them").format(ctx.command_path)
    meant = did_you_mean(name, known, lists, text("did you mean {}?"))
    ctx.fail(text("there is no verb {!r}; {}").format(path, meant))


def paragraph(block: str) -> str:
    """Return a paragraph of a help text in one line; one whose line breaks stay keeps them, without click's mark."""
    return block[2:] if block.startswith("\b\n") else " ".join(block.split())


def option_parts(row: str) -> tuple[str, list[str]]:
    """Return what `--help` says of an option as its meaning, and its limits such as `default: 8080`."""
    found = _LIMITS.search(row)
    return _LIMITS.sub("", row), re.split(r"; |\]\s+\[", found[1]) if found else []


_LIMITS = re.compile(r"\s*\[((?:env var|default|required|\d|x).*)\]$")


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
