"""`wwspec zone`: control of a running emulator."""

import shlex
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import click
import msgspec

from wwspec_router.cli.candidates import ability_ids, fault_targets
from wwspec_router.cli.emulator_options import url_option
from wwspec_router.cli.options import app_options, needs, print_json
from wwspec_router.cli.tail import Lines, ending, follow, json_lines
from wwspec_router.config import registry_path
from wwspec_router.contracts.decoding import decode_json
from wwspec_router.emulator.http.client import EmulatorClient
from wwspec_router.emulator.http.reading import StreamEvent
from wwspec_router.errors import JsonError
from wwspec_router.host.private_files import restrict_to_owner
from wwspec_router.host.signals import until_interrupted
from wwspec_router.logs.printable import printable

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])

EFFECTS = ("errcode", "return_code", "latency", "timeout", "drop", "late", "twice", "never")
SIDES = ("app", "sdk", "program", "callback")
SHOWN_AT_START = 10
"""Exchanges that `tail` begins with."""
KINDS = ("app", "call", "event", "sdk", "callback", "clock")


class _Verbs(click.Group):
    """The commands under `zone`. Each takes `--url` itself, as `wwspec call` and `wwspec fire` do."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command; an option in its place belongs behind it."""
        name, equals, url = args[0].partition("=")
        if name == "--url":
            url, *rest = (url, *args[1:]) if equals else args[1:] or ("URL",)
            fixed = shlex.join(["wwspec", "zone", *(rest[:1] or ["COMMAND"]), "--url", url, *rest[1:]])
            raise click.UsageError(f"--url belongs behind the command: {fixed}", ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=_Verbs, context_settings={"ignore_unknown_options": True})
def command() -> None:
    """Look at a running emulator and control it: its clock, faults, the record of its traffic.

    Exit code of each command: 0 when it is done, 1 when the emulator or the program refused or did not answer, 2 for
    wrong usage.
    """


def with_emulator(function: FunctionT) -> FunctionT:
    """Give a command `--url`, and the client of the emulator there as its first argument; its `--help` needs none."""

    @wraps(function)
    @needs("emulator")
    def connected(*arguments: Any, url: str, **options: Any) -> Any:
        with EmulatorClient(url) as emulator:
            return function(emulator, *arguments, **options)

    return url_option(cast(FunctionT, connected))


@command.command()
@with_emulator
def info(emulator: EmulatorClient) -> None:
    """Print who and what there is, and the time. People, groups, knowledge bases, the app and its secret."""
    print_json(emulator.info())


@command.command()
@with_emulator
def verify_callback(emulator: EmulatorClient) -> None:
    """Verify the app's callback URL. WeCom does so when it is saved: a GET with an echostr. Prints the URL.

    The emulator does this at its start and after a reset, too, and only warns when it fails.
    """
    print_json({"verified": emulator.verify_callback()})


@command.command()
@click.argument("seconds", type=click.FloatRange(0))
@with_emulator
def advance(emulator: EmulatorClient, seconds: float) -> None:
    """Put the clock forward. What becomes due is done first; prints the new time."""
    print_json({"now": emulator.advance(seconds)})


@command.command()
@with_emulator
def expire_tokens(emulator: EmulatorClient) -> None:
    """Let all access tokens expire. The app's next call is refused with 42001; prints how many there were.

    Time does the same after two hours, but to event tokens and notify_ids as well.
    """
    print_json({"expired": emulator.expire_tokens()})


@command.command(context_settings={"ignore_unknown_options": True})  # VALUE may be negative
@click.argument("on", type=click.Choice(SIDES))
@click.argument("effect", type=click.Choice(EFFECTS))
@click.argument("value", type=float, default=0.0)
@click.option(
    "--api", default="", shell_complete=fault_targets, help="One API, ability ID or event type.  [default: all]"
)
@click.option("--count", type=click.IntRange(1), help="How often.  [default: until it is cleared]")
@with_emulator
def fault(emulator: EmulatorClient, on: str, effect: str, value: float, api: str, count: int | None) -> None:
    """Set a fault. Prints its id.

    \b
    app | sdk    errcode CODE     refuse with CODE: 40014 is a refused token
    sdk          return_code N    fail with the SDK's return code, -10001 to -10009
    program      errcode CODE     710674 program down, 710675 timeout, 710676 HTTP
                                  status, 710677 seal, 790013 and 790014 its reply
    app | sdk | program           latency SECONDS, timeout SECONDS, or drop
    callback                      late SECONDS, twice, or never
    """  # noqa: D301 - click's own mark for a paragraph that keeps its lines
    print_json({"id": emulator.add_fault(on, effect, api, value, count)})


@command.command()
@with_emulator
def faults(emulator: EmulatorClient) -> None:
    """List the faults that still work."""
    print_json(emulator.faults())


@command.command()
@click.argument("fault_id", metavar="[FAULT]", default="")
@with_emulator
def clear(emulator: EmulatorClient, fault_id: str) -> None:
    """Take FAULT away, or all of them."""
    cleared = emulator.clear_faults(fault_id)
    if fault_id and not cleared:
        raise click.ClickException(f"there is no fault {fault_id}")
    print_json({"cleared": cleared})


@command.command()
@click.option("--since", type=click.IntRange(0), default=0, help="Only entries after this number.")
@click.option("--kind", type=click.Choice(KINDS), default=None, help="Only entries of this kind.")
@click.option("--json", "as_json", is_flag=True, help="With requests and replies, as JSON.")
@with_emulator
def traffic(emulator: EmulatorClient, since: int, kind: str | None, as_json: bool) -> None:
    """Print requests and responses, with secrets masked."""
    entries = emulator.traffic(since, kind or "")
    if as_json:
        print_json(entries)
        return
    for entry in entries:
        click.echo(_line(entry))


@command.command()
@click.option("--since", type=click.IntRange(0), help="Begin after this number.  [default: the last 10]")
@click.option("--kind", "kinds", type=click.Choice(KINDS), multiple=True, help="Only this kind; may be repeated.")
@click.option("--ability", default="", shell_complete=ability_ids, help="Only what is about this ability ID.")
@click.option("--json", "as_json", is_flag=True, help="A line of JSON for each exchange.")
@with_emulator
def tail(emulator: EmulatorClient, since: int | None, kinds: tuple[str, ...], ability: str, as_json: bool) -> None:
    """Print requests and responses as they come, indented under what caused them. Ctrl-C ends it.

    An exchange that takes a moment is printed as under way, and again when it ends. Where the emulator is started
    again, so is this.
    """
    start = max(0, emulator.last_number() - SHOWN_AT_START) if since is None else since
    lines = json_lines if as_json else Lines().of

    def print_event(event: StreamEvent) -> None:
        for line in lines(event):
            click.echo(line)

    with until_interrupted():
        follow(lambda last_id: emulator.stream(start, kinds, ability, last_id), print_event)


@command.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@with_emulator
def export(emulator: EmulatorClient, file: Path) -> None:
    """Save everything that is recorded in FILE, which the console opens, also without an emulator.

    Tokens, secrets and keys are masked; what people said is not, so other users of this machine can't read FILE. It
    is only replaced as a whole.
    """
    session = emulator.session()
    draft = file.with_name(f"{file.name}.part")
    try:
        draft.touch(mode=0o600)
        restrict_to_owner(draft)
        draft.write_bytes(msgspec.json.encode(session))
        draft.replace(file)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise click.ClickException(f"{file}: can't be written: {error.strerror}") from None
    click.echo(f"{file}: {len(session['entries'])} exchanges")


@command.command()
@click.argument("sender", metavar="FROM")
@click.argument("text")
@click.option("--to", multiple=True, metavar="ID", help="A receiver of a single chat; may be repeated.")
@click.option("--group", default="", metavar="CHATID", help="The group, instead of --to.")
@click.option("--msgtype", type=click.IntRange(0, 28), default=1, show_default=True, help="The kind of message.")
@with_emulator
def say(emulator: EmulatorClient, sender: str, text: str, to: tuple[str, ...], group: str, msgtype: int) -> None:
    """Let FROM, an employee, a customer or a robot, say TEXT. Prints the msgid; the program gets an event."""
    print_json({"msgid": emulator.say(sender, text, to=to, group=group, msgtype=msgtype)})


@command.command()
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True, help="How many.")
@click.option("--before", type=click.IntRange(0), help="Only those before this position.  [default: the newest]")
@click.option("--text", default="", help="Only those that hold this.")
@with_emulator
def messages(emulator: EmulatorClient, limit: int, before: int | None, text: str) -> None:
    """Print what was said, newest first."""
    print_json(emulator.messages(before, limit, text)["messages"])


@command.command()
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True, help="How many.")
@click.option("--after", type=click.IntRange(0), default=0, help="Only those after this serial.")
@with_emulator
def rules(emulator: EmulatorClient, limit: int, after: int) -> None:
    """Print the keyword rules, oldest first."""
    print_json(emulator.rules(after, limit)["rules"])


@command.command()
@app_options
@with_emulator
def register(emulator: EmulatorClient, app: Path, registry: Path | None) -> None:
    """Register the application's abilities, as is done by hand in WeCom's admin console. Prints how many.

    From then on calls are checked against their contracts, and the console makes forms of them. `wwspec dev` and
    `wwspec demo` do this by themselves.
    """
    from wwspec_router.registry.examples import described_contracts
    from wwspec_router.registry.table import build_table

    contracts = described_contracts(build_table(app, registry_path(app, registry)), app)
    emulator.register(contracts)
    print_json({"registered": len(contracts)})


@command.command()
@click.argument("program_id", metavar="PROGRAM")
@click.argument("program_url", metavar="URL")
@with_emulator
def link(emulator: EmulatorClient, program_id: str, program_url: str) -> None:
    """Link another program, or a model.

    The tasks of create_program_task and create_model_task call what is linked.
    """
    emulator.point_to(program_url, program_id)
    print_json({"program_id": program_id, "program_url": program_url})


@command.command()
@click.argument("number", type=click.IntRange(1))
@click.option("--data", help="JSON text instead of the recorded one.")
@click.option("--ability-id", help="Instead of the recorded one.")
@click.option("--notify-id", help="Instead of the recorded one.")
@click.option("--times", type=click.IntRange(1, 1000), default=1, show_default=True, help="How often.")
@with_emulator
def replay(
    emulator: EmulatorClient, number: int, data: str | None, ability_id: str | None, notify_id: str | None, times: int
) -> None:
    """Send a recorded call or event again. NUMBER is that of `wwspec zone traffic`; prints the last reply."""
    reply = emulator.replay(number, times=times, data=data, ability_id=ability_id, notify_id=notify_id)
    try:
        print_json(decode_json(reply))
    except JsonError:
        click.echo(reply)
        raise click.ClickException("the program's reply is not JSON") from None
    from wwspec_router.testing.answer import read_reply  # here, since `--help` needs no extra

    read_reply(f"entry {number}", reply).raise_for_error()


@command.command()
@with_emulator
def reset(emulator: EmulatorClient) -> None:
    """Go back to the state and the time of the start. Prints that time.

    Where the program listens, its console contracts, and that it receives events stay as they are.
    """
    print_json({"now": emulator.reset()})


def _line(entry: dict[str, Any]) -> str:
    return f"{entry['number']:>6}  {entry['time']}  {entry['kind']:<8}  {printable(entry['name']):<32}  {ending(entry)}"
