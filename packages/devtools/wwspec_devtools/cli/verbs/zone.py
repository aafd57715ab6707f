"""`wwspec zone`: control of a running emulator."""

import inspect
import math
import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, get_args, get_origin

import click

from wwspec_contracts.decoding import decode_json
from wwspec_contracts.errors import JsonError
from wwspec_contracts.support.printable import printable
from wwspec_devtools.cli.candidates import ability_ids
from wwspec_devtools.cli.command_group import CommandGroup
from wwspec_devtools.cli.emulator_candidates import entry_numbers, groups, people
from wwspec_devtools.cli.emulator_options import with_corp, with_emulator
from wwspec_devtools.cli.tables import json_option, moment, print_list
from wwspec_devtools.cli.verbs.zone_authorisation import ACTS
from wwspec_devtools.cli.verbs.zone_faults import answer, clear, fault, faults
from wwspec_devtools.cli.verbs.zone_page import page
from wwspec_devtools.cli.verbs.zone_record import notifications, show, tail, test, traffic
from wwspec_devtools.cli.wecom import SUITE
from wwspec_devtools.emulator.http.client import EmulatorClient
from wwspec_devtools.emulator.http.control_rows import ControlRow, controls
from wwspec_devtools.emulator.state.authorisations import ORDERS, PERMISSIONS
from wwspec_router.cli.options import app_options, print_json
from wwspec_router.config import registry_path, variable

SHOWN = "folder agentid app_type seed call_timeout program_url callback_url messages now corps".split()
SHOWN += "employees customers robots groups knowledge_bases".split()
"""What `wwspec zone info` shows without `--json`, besides the variables of an app."""
MOST_SHOWN = 5
"""Ids of a kind that it shows."""
NOW = "now"
"""Back to the real time."""
_UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86400, "w": 604800}
_LENGTH = re.compile(rf"(\d+(?:\.\d+)?)({'|'.join(_UNITS)})?")

KNOWN: dict[str, dict[str, Any]] = {
    "sender": {"shell_complete": people},
    "to": {"shell_complete": people, "metavar": "ID"},
    "group": {"shell_complete": groups, "metavar": "CHATID"},
    "permissions": {"type": click.Choice(PERMISSIONS)},
    "info_type": {"type": click.Choice(ORDERS)},
}
"""What the command line knows of arguments besides their type, by name."""


class Move(click.ParamType[float | datetime | str]):
    """Seconds, a number with a unit, a date (of this machine's time zone when it names none), or `now`."""

    name = "TIME"

    def convert(
        self, value: str | float | datetime, param: click.Parameter | None, ctx: click.Context | None
    ) -> float | datetime | str:
        """Return seconds, the date with its time zone, or `NOW`."""
        if not isinstance(value, str) or value == NOW:
            return value
        length = _LENGTH.fullmatch(value)
        if length is not None and math.isfinite(seconds := float(length[1]) * _UNITS[length[2] or "s"]):
            return seconds
        try:
            return datetime.fromisoformat(value).astimezone()
        except (ValueError, OverflowError, OSError):
            self.fail(
                f"{value!r} is no time. Write seconds (600), a number with its unit s, min, h, d or w (7d), "
                "a date (2026-12-05 or 2026-12-05T09:00), or `now` to go back to the real time",
                param,
                ctx,
            )


def control_verb(row: ControlRow) -> click.Command:
    """Return the verb of a control. Arguments without a default are arguments, all others options."""
    docstring = re.sub(r" \[[\d, ]+\]", "", inspect.getdoc(row.function) or "")  # numbers of WeCom's documents
    begin, *others = re.split(r"\n\n(Args|Returns|Raises):\n", docstring)
    sections = dict(zip(others[::2], others[1::2], strict=True))
    texts = dict(re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", sections.get("Args", ""), re.MULTILINE))
    params = [_parameter(each, row, texts.get(each.name, "")) for each in row.parameters]
    does, *paragraphs = begin.split("\n\n")
    does += f" Prints {_within(sections['Returns'])}" if "Returns" in sections else ""
    required = [each for each in params if each.required and each.name in texts]
    paragraphs.append(" ".join(f"{each.metavar} is {_within(texts[str(each.name)])}" for each in required))

    @(with_corp if row.of_corp else with_emulator)
    def run(emulator: Any, **given: Any) -> None:
        chosen = {name: value for name, value in given.items() if value not in (None, ())}
        answer = getattr(emulator, row.function.__name__)(**chosen)
        if answer is not None:
            print_json({row.answer: answer} if row.answer else dict(_shown(answer)))

    return click.command(row.verb, params=params, help="\n\n".join([does, *filter(None, paragraphs)]))(run)


def _parameter(parameter: inspect.Parameter, row: ControlRow, text: str) -> click.Parameter:
    name, default, annotation = row.names.get(parameter.name, parameter.name), parameter.default, parameter.annotation
    limits = getattr(annotation, "__metadata__", ())
    known = {"type": click.IntRange(limits[0].ge, limits[0].le) if limits else None, **KNOWN.get(parameter.name, {})}
    if default is parameter.empty:
        return click.Argument([parameter.name], metavar=name.replace("_", "").upper(), **known)
    meaning, _, left_out = " ".join(text.split()).removesuffix(".").partition("; None for ")
    is_list = any(get_origin(each) is Sequence for each in (annotation, *get_args(annotation)))
    return click.Option(
        [f"--{name.removesuffix('s') if is_list else name}".replace("_", "-"), parameter.name],
        default=default,
        show_default=bool(default),
        multiple=is_list,
        help=f"{meaning}{'; may be repeated' if is_list else ''}.{f'  [default: {left_out}]' if left_out else ''}",
        **known,
    )


def _within(text: str) -> str:
    """Return a text as the end of a sentence."""
    return text.strip()[0].lower() + " ".join(text.split())[1:]


def _shown(answer: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield what is printed of an answer: an object in it as its fields."""
    for name, value in answer.items():
        if isinstance(value, dict):
            yield from value.items()
        elif name not in ("errcode", "errmsg"):
            yield name, value


class _Verbs(CommandGroup):
    """The commands under `zone`. Each takes `--url` itself, as `wwspec call` and `wwspec fire` do."""

    sections: ClassVar = {
        "Look": ("info", "traffic", "tail", "show", "messages", "notifications", "rules", "page"),
        "Clock and faults": ("advance", "reset", "fault", "faults", "clear", "answer", "expire-tokens"),
        "People and messages": ("say", "recall"),
        "Authorisations": (
            *("authorisations", "authorize", "cancel", "change", "expire", "renew", "order"),
            *("public-key", "push-ticket", "reset-code", "verify-callback"),
        ),
        "Machines and programs": ("machine", "deploy", "register", "link"),
        "Record": ("replay", "test"),
    }

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


for each in (traffic, tail, show, test, notifications, fault, faults, clear, answer, page, *ACTS):
    command.add_command(each)
for row in controls(EmulatorClient):
    if row.verb:
        command.add_command(control_verb(row))


@command.command()
@click.option("--json", "as_json", is_flag=True, help="All of it as JSON.")
@with_corp
def info(emulator: EmulatorClient, as_json: bool) -> None:
    """Print who and what there is, and the time. First the variables of an app, as a shell takes them."""
    found = emulator.info()
    if as_json:
        print_json(found)
        return
    secrets = {"corpsecret": found["secret"]} if found["secret"] else {name: found[name] for name in SUITE}
    of_app = {"base_url": found["url"], "corpid": found["corpid"], **secrets, "program_id": found["program_id"]}
    for name, value in of_app.items():
        click.echo(f"{variable(name)}={value}")
    for name, value in {**found, "now": moment(found["now"])}.items():
        if name in SHOWN:
            click.echo(f"{name:<15} {_some(value)}")


def _some(value: Any) -> str:
    """Return a value, or the first of some ids, a line each, with their names if they have any."""
    named = value if isinstance(value, dict) else dict.fromkeys(value if isinstance(value, list) else [value], "")
    rows = [f"{each} {name['name'] if isinstance(name, dict) else name}".rstrip() for each, name in named.items()]
    more = [f"and {len(rows) - MOST_SHOWN} more: --json"] if len(rows) > MOST_SHOWN else []
    return f"\n{'':<15} ".join(map(printable, [*rows[:MOST_SHOWN], *more])) or "-"


@command.command()
@click.option("--command-url", "of_commands", is_flag=True, help="Verify the suite's command URL instead.")
@with_emulator
def verify_callback(emulator: EmulatorClient, of_commands: bool) -> None:
    """Verify the app's callback URL. WeCom does so when it is saved: a GET with an echostr. Prints the URL.

    The emulator does this at its start and after a reset, too, and only warns when it fails.
    """
    print_json({"verified": emulator.verify_callback(of_commands=of_commands)})


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
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True, help="How many.")
@click.option("--before", type=click.IntRange(0), help="Only those before this position.  [default: the newest]")
@click.option("--text", default="", help="Only those that hold this.")
@json_option
@with_corp
def messages(emulator: EmulatorClient, limit: int, before: int | None, text: str, as_json: bool) -> None:
    """Print what was said, newest first."""
    cells: dict[str, Callable[[Any], str]] = {
        "time": lambda row: moment(row["send_time"]),
        "from": lambda row: f"{row['from']} ({row['name']})",
        "to": lambda row: row["chatid"] or ", ".join(row["to"]),
    }
    found = emulator.messages(before, limit, text)["messages"]
    print_list(found, ("position", "time", "from", "to", "text"), as_json, cells)


@command.command()
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True, help="How many.")
@click.option("--after", type=click.IntRange(0), default=0, help="Only those after this serial.")
@json_option
@with_corp
def rules(emulator: EmulatorClient, limit: int, after: int, as_json: bool) -> None:
    """Print the keyword rules, oldest first."""
    cells = {"time": lambda row: moment(row["create_time"])}
    print_list(emulator.rules(after, limit)["rules"], ("serial", "time", "rule_id", "name"), as_json, cells)


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


@command.command()
@click.argument("order", type=click.Choice(("stop", "start", "wipe")))
@click.argument("number", type=click.IntRange(1))
@with_emulator
def machine(emulator: EmulatorClient, order: str, number: int) -> None:
    """Stop, start or wipe machine NUMBER of a program that runs on several. Prints all machines.

    While it is stopped, calls and events go to the others; without any, calls get 710674. It keeps its disk. Wipe is a
    new deployment: the machine loses its store and its files, as WeCom's disk is temporary, and starts.

    The processes are those of `wwspec dev --machines` or of a test. An emulator that did not start them only sends
    nothing to a machine that is stopped, and refuses to wipe one.
    """
    {"stop": emulator.machines.stop, "start": emulator.machines.start, "wipe": emulator.machines.wipe}[order](number)
    print_json(emulator.machines.states())


@command.command()
@with_emulator
def deploy(emulator: EmulatorClient) -> None:
    """Deploy the program anew: each machine with an empty disk, one after the other. Prints all machines."""
    emulator.machines.deploy()
    print_json(emulator.machines.states())
