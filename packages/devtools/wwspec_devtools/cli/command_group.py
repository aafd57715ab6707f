"""Commands below a verb, as `wwspec zone` has them."""

import click

from wwspec_router.cli.help import paragraph, require_command
from wwspec_router.cli.language import is_chinese, text


class CommandGroup(click.Group):
    """Commands below a verb, such as those of `wwspec zone`."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command; refuse one that does not exist, and say which one is like it."""
        require_command(ctx, args[0], self.commands)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands with the first sentence of each; click's own knows where an English one ends."""
        if not is_chinese():
            super().format_commands(ctx, formatter)
            return
        with formatter.section("Commands"):
            formatter.write_dl([(name, _first_sentence(self.commands[name])) for name in self.list_commands(ctx)])


def _first_sentence(command: click.Command) -> str:
    """Return what a command does, in Chinese."""
    first_paragraph = paragraph((command.help or "").strip().partition("\n\n")[0])
    return text(first_paragraph).partition("。")[0]
