"""Commands below a verb, as `wwspec zone` has them."""

import re
from collections.abc import Collection, Mapping
from typing import ClassVar

import click

from wwspec_router.cli.help import paragraph, require_command
from wwspec_router.cli.language import text


class CommandGroup(click.Group):
    """Commands below a verb, such as those of `wwspec zone`."""

    sections: ClassVar[Mapping[str, Collection[str]]] = {}
    """The commands of each section of the help, by its title; without sections they are one list."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command; refuse one that does not exist, and say which one is like it."""
        require_command(ctx, args[0], self.commands)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands with the whole first sentence of each, in the language of this run."""
        for title, names in (self.sections or {"Commands": self.list_commands(ctx)}).items():
            with formatter.section(title):
                formatter.write_dl([(name, _first_sentence(self.commands[name])) for name in names])


def _first_sentence(command: click.Command) -> str:
    """Return what a command does."""
    first_paragraph = paragraph((command.help or "").strip().partition("\n\n")[0])
    return re.split(r"。|\.(?: |$)", text(first_paragraph))[0]
