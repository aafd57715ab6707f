"""The command `wwspec`: its verbs, a module each in `verbs`.

Errors that a person can fix are one message on standard error and exit code 1. Wrong usage is exit code 2, and so is a
verb without the extra that it needs.
"""

import errno
import gc
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from wwspec_contracts.errors import ExtraMissingError, WWSpecError
from wwspec_contracts.support.lifeline import given_end, watch
from wwspec_contracts.support.printable import printable
from wwspec_router import __version__
from wwspec_router.cli.language import LANGUAGES, VARIABLE, is_chinese, text, translated, wants_chinese
from wwspec_router.entry_points import EntryPoint, entry_points

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


GROUPS = START, WRITE, EMULATE, CALL, DELIVER = "Start", "Write", "Emulate", "Call", "Deliver"
"""What verbs are for; `wwspec --help` shows the groups in this order."""


_LONGEST_NAME = 100
"""Characters that are shown of a file's name when it is too long for any file."""


class Verb(NamedTuple):
    """One row of `VERBS`."""

    group: str
    """One of `GROUPS`."""
    help: str
    examples: tuple[str, ...]
    """One to three command lines that work in the folder of a new program. `wwspec --help` shows the first of them."""


VERBS = {
    "new": Verb(START, "Make the folder of a new program.", ("wwspec new shop", "wwspec new shop --from examples")),
    "doctor": Verb(
        START,
        "Say what keeps the program from running here, or in production.",
        ("wwspec doctor", "wwspec doctor --production"),
    ),
    "config": Verb(
        START,
        "List every setting, its value, and where that comes from.",
        ("wwspec config", "wwspec config --json", "wwspec config --config production.toml"),
    ),
    "completion": Verb(
        START,
        "Let bash, zsh or fish complete verbs, options and ability IDs.",
        ("wwspec completion bash", "wwspec completion zsh", "wwspec completion fish"),
    ),
    "check": Verb(WRITE, "Check the application and its registry file.", ("wwspec check", "wwspec check --app shop")),
    "abilities": Verb(WRITE, "List what the program answers.", ("wwspec abilities", "wwspec abilities --json")),
    "contracts": Verb(
        WRITE,
        "Print what to register in the admin console.",
        ("wwspec contracts chat_digest", "wwspec contracts --diff console", "wwspec contracts --client client"),
    ),
    "fuzz": Verb(
        WRITE,
        "Search for requests that the application answers badly.",
        ("wwspec fuzz", "wwspec fuzz chat_digest --examples 2000", "wwspec fuzz --seed 7"),
    ),
    "dev": Verb(
        EMULATE,
        "Run program and emulator; restart the program on changes.",
        ("wwspec dev", "wwspec dev --port 8081 --emulator-port 9081"),
    ),
    "demo": Verb(
        EMULATE,
        "Play the documented flow, from an event to the last message.",
        ("wwspec demo --once", "wwspec demo"),
    ),
    "emulate": Verb(
        EMULATE,
        "Run the emulator of the platform.",
        ("wwspec emulate", "wwspec emulate --program 'python app.py'"),
    ),
    "standin": Verb(EMULATE, "Print where the emulator's stand-in for WeCom's Java SDK is.", ("wwspec standin java",)),
    "zone": Verb(
        EMULATE,
        "Control a running emulator: clock, faults, traffic.",
        ("wwspec zone tail", "wwspec zone advance 600", "wwspec zone fault sdk latency 2 --api sync_msg"),
    ),
    "fire": Verb(
        EMULATE,
        "Let the emulator send an event to the program.",
        ("wwspec fire conversation_new_message", "wwspec fire auth_knowledge_base --set knowledge_base_name=Prices"),
    ),
    "call": Verb(
        CALL,
        "Call an ability through the emulator, or WeCom.",
        ("wwspec call chat_digest '{\"limit\": 10}'", "wwspec call @last_week", "wwspec call --async chat_digest"),
    ),
    "task": Verb(
        CALL,
        "Print the result of an asynchronous call.",
        ("wwspec task jobid_1", "wwspec task jobid_1 --wait 60"),
    ),
    "job": Verb(
        CALL,
        "List what failed for good, and run it again or drop it.",
        ("wwspec job list", "wwspec job retry 0f9a4c9d3be04f5b8a7f2d6c1e5b7a90"),
    ),
    "forget": Verb(
        CALL,
        "Remove all that the program has stored for a corp.",
        ("wwspec forget wwcorp", "wwspec forget wwcorp --machines 3"),
    ),
    "app": Verb(
        CALL,
        "Check an enterprise app at WeCom, and print its notifications.",
        (
            "wwspec app check",
            "wwspec app check --ability chat_digest --request '{\"limit\": 1}'",
            "wwspec app tail --url http://127.0.0.1:9080",
        ),
    ),
    "keys": Verb(
        CALL,
        "Make, rotate and list the app's private keys.",
        ("wwspec keys new", "wwspec keys rotate --no-register", "wwspec keys list"),
    ),
    "shapes": Verb(
        CALL,
        "Compare what WeCom answers with contracts and emulator.",
        ("wwspec shapes record shapes.json", "wwspec shapes compare shapes.json"),
    ),
    "serve": Verb(
        DELIVER,
        "Serve the program to the channel.",
        ("wwspec serve", "wwspec serve --sdk emulator --port 8081", "wwspec serve --workers 2 --log-json"),
    ),
    "metrics": Verb(
        DELIVER,
        "Serve the program's figures for Prometheus, outside of the zone.",
        ("wwspec metrics", "wwspec metrics --listen 127.0.0.1:9465 --ability figures"),
    ),
    "image": Verb(
        DELIVER,
        "Build the image of the program, or check its tar.",
        (
            "wwspec image",
            "wwspec image --base MIRROR/python:3.12-slim-bookworm --index-url URL",
            "wwspec image --check dist/zone-image.tar",
        ),
    ),
}
"""Every verb, in the order of `wwspec --help`. The module of a verb is imported when the verb is used."""

OWN = ("serve", "config", "doctor")
"""The verbs of this package; wwspec-devtools has all others."""

_INSTALL = "install its wheel, or packages/devtools of the clone, of the same version"

GROUP = "wwspec.verbs"
"""The group of entry points that name the commands of other verbs, those of a team among them."""


def command_of(verb: str) -> click.Command | None:
    """Return the command of a verb; None for one that no installed package has.

    Raises:
        ExtraMissingError: It is one of wwspec-devtools, which is not installed.
    """
    if verb in OWN:
        return importlib.import_module(f"wwspec_router.cli.verbs.{verb}").command  # type: ignore[no-any-return]  # a command
    if (found := other_verbs().get(verb)) is not None:
        return found.load()  # type: ignore[no-any-return]  # a command, too
    if verb not in VERBS:
        return None
    missing = text("wwspec {} needs wwspec-devtools, which is not installed: {}")
    raise ExtraMissingError(missing.format(verb, text(_INSTALL)))


@cache
def other_verbs() -> dict[str, EntryPoint]:
    """Return the verbs of other packages that are installed, by name."""
    return {each.name: each for each in entry_points(GROUP) if each.name not in OWN}


class _MissingExtraError(click.ClickException):
    exit_code = click.UsageError.exit_code


class _Verbs(click.Group):
    def main(self, args: Sequence[str] | None = None, *others: Any, **extra: Any) -> Any:
        # None: no such module. It is httpx's own command line, whose rich, where installed, takes a fifth of a start.
        sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
        args = sys.argv[1:] if args is None else args
        if not wants_chinese(args, os.environ):
            return super().main(args, *others, **extra)
        from wwspec_router.cli.chinese import speaking  # here, since an English run needs none of it

        with speaking():
            return super().main(args, *others, **extra)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*VERBS, *(name for name in other_verbs() if name not in VERBS)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name != "serve":  # its parent process has no second thread, and watches by itself
            watch(given_end())
        gc.disable()  # modules stay: a collection would take longer, and a forked process would copy them
        try:
            command = command_of(cmd_name)
        finally:
            gc.freeze()
            gc.enable()
        if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:  # see `__main__`; a verb cleans up
            signal.signal(signal.SIGINT, signal.default_int_handler)
        if command is not None and cmd_name in VERBS:
            command.epilog = _examples(VERBS[cmd_name].examples)
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            misplaced = text("no option {0} here: options go behind the verb: wwspec VERB {0}")
            raise click.UsageError(misplaced.format(error.option_name), ctx) from None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in VERBS and name not in other_verbs():
            from wwspec_router.cli.help import require_command  # here, since it reads the settings

            require_command(ctx, name, self.list_commands(ctx))
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem[str]]":
        from click.shell_completion import CompletionItem  # here, since no other run needs it

        verbs = [CompletionItem(name, help=verb.help) for name, verb in VERBS.items() if name.startswith(incomplete)]
        return [*verbs, *click.Command.shell_complete(self, ctx, incomplete)]  # click's own imports every verb

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        found = other_verbs()
        known = {name: verb for name, verb in VERBS.items() if name in OWN or name in found}
        width = max(map(len, (*known, *found)))
        for group in GROUPS:
            if rows := [(name, verb) for name, verb in known.items() if verb.group == group]:
                with formatter.section(group):
                    for name, verb in rows:
                        formatter.write(f"  {name:{width}}  {text(verb.help)}\n  {'':{width}}  $ {verb.examples[0]}\n")
        if more := sorted(found.keys() - VERBS.keys()):
            with formatter.section(text("Of other packages")):
                formatter.write("".join(f"  {name:{width}}  {found[name].value}\n" for name in more))
        if missing := [name for name in VERBS if name not in known]:
            with formatter.section(text("Of wwspec-devtools, which is not installed")):
                formatter.write_text(f"{', '.join(missing)}\n\n{text(_INSTALL)}")

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.NoSuchOption as error:
            if error.option_name != "--lang":
                raise
            raise click.UsageError(text("--lang goes before the verb: wwspec --lang zh VERB"), error.ctx) from None
        except click.ClickException as error:
            vars(error)["message"] = translated(error.message)  # click declares it final
            raise
        except WWSpecError as error:
            shown = _MissingExtraError if isinstance(error, ExtraMissingError) else click.ClickException
            message = str(error)
            if is_chinese():
                from wwspec_router.cli.chinese import with_fix  # here, since an English run needs none of it

                message = with_fix(error)
            raise shown("\n".join(map(printable, message.split("\n")))) from None
        except OSError as error:
            if error.errno != errno.ENAMETOOLONG:
                raise
            name = printable(str(error.filename))
            fault = f"{name[:_LONGEST_NAME]}…: the name of this file is too long"
            raise click.ClickException(translated(fault)) from None


def _examples(lines: tuple[str, ...]) -> str:
    """Return the last part of a verb's help. It begins with click's mark for text whose line breaks stay."""
    head = "Example:" if len(lines) == 1 else "Examples:"
    return "\n".join(["\b", text(head), *(f"  $ {line}" for line in lines)])


@click.group(
    cls=_Verbs,
    subcommand_metavar="VERB [OPTION]...",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--lang",
    type=click.Choice(LANGUAGES),
    envvar=VARIABLE,
    show_envvar=True,
    is_eager=True,
    expose_value=False,
    help="Language of help and of most errors.  [default: that of the locale]",
)
@click.version_option(__version__, prog_name="wwspec")
def main() -> None:
    """Write, check and run zone programs for WeCom's Data & Intelligence Zone.

    Each verb explains itself, with examples: wwspec VERB --help
    """
