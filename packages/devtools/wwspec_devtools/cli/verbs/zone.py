"""`wwspec zone`: control of a running emulator."""

import shlex
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from wwspec_contracts.decoding import decode_json
from wwspec_contracts.errors import JsonError
from wwspec_contracts.support.private_files import restrict_to_owner
from wwspec_devtools.cli.candidates import ability_ids
from wwspec_devtools.cli.control_verbs import control_verb
from wwspec_devtools.cli.emulator_candidates import entry_numbers
from wwspec_devtools.cli.emulator_options import with_corp, with_emulator
from wwspec_devtools.cli.time_option import Move
from wwspec_devtools.cli.verbs.zone_authorisation import ACTS
from wwspec_devtools.cli.verbs.zone_faults import answer, clear, fault, faults
from wwspec_devtools.cli.verbs.zone_machines import deploy, machine
from wwspec_devtools.cli.verbs.zone_page import page
from wwspec_devtools.cli.verbs.zone_record import notifications, show, tail, test, traffic
from wwspec_devtools.emulator.http.client import EmulatorClient
from wwspec_devtools.emulator.http.control_rows import controls
from wwspec_router.cli.help import CommandGroup
from wwspec_router.cli.options import app_options, print_json
from wwspec_router.cli.tables import json_option, moment, print_list
from wwspec_router.config import registry_path


class _Verbs(CommandGroup):
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


for each in (traffic, tail, show, test, notifications, fault, faults, clear, answer, machine, deploy, page, *ACTS):
    command.add_command(each)
for row in controls(EmulatorClient):
    if row.verb:
        command.add_command(control_verb(row))


@command.command()
@with_corp
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


@command.command(context_settings={"ignore_unknown_options": True})  # TIME may be negative, which Move refuses
@click.argument("time", type=Move())
@with_emulator
def advance(emulator: EmulatorClient, time: float | datetime | str) -> None:
    """Put the clock forward. What becomes due is done first; prints the new time.

    TIME is seconds (600), a number with its unit s, min, h, d or w (7d), or a date (2026-12-05 or 2026-12-05T09:00).
    With `now` the clock goes back to the real time, or to that of --clock-start; what was done stays.
    """
    if isinstance(time, str):
        print_json({"now": emulator.restore_clock()})
        return
    if isinstance(time, datetime):
        now = datetime.fromtimestamp(emulator.info()["now"]).astimezone()
        if time < now:
            raise click.BadParameter(
                f"the emulator's clock is at {now:%Y-%m-%d %H:%M:%S}, after {time:%Y-%m-%d %H:%M:%S}. "
                "It goes only forward, or back by `wwspec zone advance now`",
                param_hint="'TIME'",
            )
        time = (time - now).total_seconds()
    print_json({"now": emulator.advance(time)})


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
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True, help="How many.")
@click.option("--before", type=click.IntRange(0), help="Only those before this position.  [default: the newest]")
@click.option("--text", default="", help="Only those that hold this.")
@json_option
@with_corp
def messages(emulator: EmulatorClient, limit: int, before: int | None, text: str, as_json: bool) -> None:
    """Print what was said, newest first."""
    columns: dict[str, Callable[[Any], str]] = {
        "position": lambda row: str(row["position"]),
        "time": lambda row: moment(row["send_time"]),
        "from": lambda row: f"{row['from']} ({row['name']})",
        "to": lambda row: row["chatid"] or ", ".join(row["to"]),
        "text": lambda row: row["text"],
    }
    print_list(emulator.messages(before, limit, text)["messages"], columns, as_json)


@command.command()
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True, help="How many.")
@click.option("--after", type=click.IntRange(0), default=0, help="Only those after this serial.")
@json_option
@with_corp
def rules(emulator: EmulatorClient, limit: int, after: int, as_json: bool) -> None:
    """Print the keyword rules, oldest first."""
    columns: dict[str, Callable[[Any], str]] = {
        "serial": lambda row: str(row["serial"]),
        "time": lambda row: moment(row["create_time"]),
        "rule_id": lambda row: row["rule_id"],
        "name": lambda row: row["name"],
    }
    print_list(emulator.rules(after, limit)["rules"], columns, as_json)


@command.command()
@app_options
@with_emulator
def register(emulator: EmulatorClient, app: Path, registry: Path | None) -> None:
    """Register the application's abilities, as is done by hand in WeCom's admin console. Prints how many.

    From then on calls are checked against their contracts, and the console makes forms of them. `wwspec dev` and
    `wwspec demo` do this by themselves.
    """
    from wwspec_devtools.console_contracts.described import described_contracts
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
@click.argument("number", type=click.IntRange(1), shell_complete=entry_numbers)
@click.option("--data", help="JSON text instead of the recorded one.")
@click.option("--ability-id", shell_complete=ability_ids, help="Instead of the recorded one.")
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
    from wwspec_devtools.testing.answer import read_reply  # here, since `--help` needs no extra

    read_reply(f"entry {number}", reply).raise_for_error()


@command.command()
@with_emulator
def reset(emulator: EmulatorClient) -> None:
    """Go back to the state and the time of the start. Prints that time.

    Where the program listens, its console contracts, and that it receives events stay as they are.
    """
    print_json({"now": emulator.reset()})
