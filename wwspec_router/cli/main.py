"""The command `wwspec`: one module a verb.

Errors that a person can fix are one message on standard error and exit code 1. Wrong usage is exit code 2, and so is a
verb without the extra that it needs.
"""

import gc
import importlib
from typing import Any

import click

from wwspec_router import __version__
from wwspec_router.errors import ExtraMissingError, WWSpecError

__all__ = ["main"]

VERBS = {
    "abilities": "List what the program answers.",
    "call": "Call an ability through the emulator.",
    "check": "Check the application and its registry file.",
    "contracts": "Print what to register in the admin console.",
    "demo": "Play the documented flow, from an event to the last message.",
    "dev": "Run the program and the emulator, and restart the program on changes.",
    "doctor": "Say what keeps the program from running here, or in production.",
    "emulate": "Run the emulator of the platform.",
    "fire": "Let the emulator send an event to the program.",
    "job": "Print the result of an asynchronous call.",
    "new": "Make the folder of a new program.",
    "serve": "Serve the program to the channel.",
    "zone": "Control a running emulator: clock, faults, traffic.",
}
"""Every verb and its help line. A verb's module is imported when it is used, so that `--help` is quick."""


class _MissingExtraError(click.ClickException):
    exit_code = click.UsageError.exit_code


class _Verbs(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        gc.disable()  # modules stay: a collection would take longer, and a forked process would copy them
        try:
            module = importlib.import_module(f"wwspec_router.cli.{cmd_name}")
        finally:
            gc.freeze()
            gc.enable()
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except WWSpecError as error:
            shown = _MissingExtraError if isinstance(error, ExtraMissingError) else click.ClickException
            raise shown(str(error)) from None


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="wwspec")
def main() -> None:
    """Write, check and run zone programs for WeCom's Data & Intelligence Zone."""
