"""`wwspec zone traffic`, `tail`, `show`, `test` and `notifications`: what the emulator has recorded."""

from heapq import nlargest
from typing import Any

import click

from wwspec_contracts.support.signals import until_interrupted
from wwspec_devtools.cli.candidates import ability_ids, errcodes
from wwspec_devtools.cli.emulator_candidates import entry_numbers
from wwspec_devtools.cli.emulator_options import with_emulator
from wwspec_devtools.cli.exchange import lines
from wwspec_devtools.cli.failure_report import summary_lines
from wwspec_devtools.cli.option_types import options
from wwspec_devtools.cli.tables import json_option, moment, print_list
from wwspec_devtools.cli.tail import Lines, follow, json_lines
from wwspec_devtools.emulator.http.client import EmulatorClient
from wwspec_devtools.emulator.http.reading import StreamEvent
from wwspec_devtools.emulator.http.summary import kept
from wwspec_router.cli.options import print_json

KINDS = ("app", "call", "event", "sdk", "callback", "clock")
SUMMARISED = ("call", "event", "callback")
"""What `tail --failed` prints in ten lines."""
SHOWN_AT_START = 10
"""Exchanges that `tail` begins with."""
SLOWEST = 10
"""Exchanges of `--slowest` without a number."""


filter_options = options(
    click.option("--kind", "kinds", type=click.Choice(KINDS), multiple=True, help="Only this kind; may be repeated."),
    click.option("--ability", default="", shell_complete=ability_ids, help="Only what is about this ability ID."),
    click.option(
        "--errcode", type=int, shell_complete=errcodes, help="Only what ended with it: the platform's or the program's."
    ),
    click.option("--failed", is_flag=True, help="Only what failed."),
    click.option("--text", default="", help="Only what has this text in its name, request or reply."),
)
"""They choose exchanges."""

number_argument = click.argument("number", type=click.IntRange(1), shell_complete=entry_numbers)


@click.command()
@click.option("--since", type=click.IntRange(0), default=0, help="Only entries after this number.")
@filter_options
@click.option(
    "--slowest",
    type=click.IntRange(1),
    is_flag=False,
    flag_value=SLOWEST,
    metavar="[N]",
    help=f"Only the N that took longest, the slowest first; {SLOWEST} without N.",
)
@json_option
@with_emulator
def traffic(emulator: EmulatorClient, since: int, slowest: int | None, as_json: bool, **chosen: Any) -> None:
    """Print requests and responses, indented under what caused them. Secrets are masked.

    JSON has their bodies too. `wwspec zone show` prints one; `wwspec zone tail` goes on with what comes.
    """
    kinds = chosen.pop("kinds")
    rows = emulator.traffic(since, kinds, bodies=as_json, **chosen)
    if slowest is not None:
        rows = nlargest(slowest, rows, key=lambda row: row["duration_ms"] or 0)
    if as_json:
        print_json(rows)
        return
    for shown in [rows] if slowest is None else ([row] for row in rows):  # `Lines` sorts what it gets by number
        for line in Lines().of(StreamEvent("entries", {"rows": shown, "missed": 0}, "")):
            click.echo(line)


@click.command()
@click.option("--since", type=click.IntRange(0), help="Begin after this number.  [default: the last 10]")
@filter_options
@json_option
@with_emulator
def tail(emulator: EmulatorClient, since: int | None, as_json: bool, **chosen: Any) -> None:
    """Print requests and responses as they come, indented under what caused them. Ctrl-C ends it.

    An exchange that takes a moment is printed as under way, and again when it ends. Where the emulator is started
    again, so is this. With --failed, each call, event and callback comes with the lines of `wwspec zone show`.
    """
    since = max(0, emulator.last_number() - SHOWN_AT_START) if since is None else since
    shown = json_lines if as_json else Lines().of

    def print_event(event: StreamEvent) -> None:
        for line in shown(event):
            click.echo(line)
        if event.name == "entries" and chosen["failed"] and not as_json:
            for row in event.data["rows"]:
                if row["kind"] in SUMMARISED and (entry := kept(emulator, row["number"])) is not None:
                    click.echo("\n".join(summary_lines(emulator, entry)))

    with until_interrupted():
        follow(lambda last_id: emulator.stream(since, last_id=last_id, **chosen), print_event)


@click.command()
@number_argument
@click.option("--json", "as_json", is_flag=True, help="All of it as JSON.")
@click.option("--all", "shows_all", is_flag=True, help="Print all of it, as text.")
@with_emulator
def show(emulator: EmulatorClient, number: int, as_json: bool, shows_all: bool) -> None:
    """Print an exchange in ten lines: how it ended and why, and what to do next. Secrets are masked.

    NUMBER is that of `wwspec zone traffic`. Why is what the program tells of its own work: the error with the lines of
    your code, what it logged, and where the time went. With --all there is also what caused it, its whole request and
    reply, and each run of a job. A program that runs with the vendor's SDK tells nothing of its work.
    """
    entry = emulator.entry(number)
    if as_json:
        print_json(entry)
        return
    rest = lines(entry, kept(emulator, entry["parent"])) if shows_all else ()
    click.echo("\n".join([*summary_lines(emulator, entry), *rest]))


@click.command()
@number_argument
@click.option(
    "--asserts",
    type=click.Choice(("values", "shape")),
    help="What of the reply is compared.  [default: values, or the shape of what the emulator makes up]",
)
@with_emulator
def test(emulator: EmulatorClient, number: int, asserts: str | None) -> None:
    """Print a pytest test that does the same as an exchange.

    NUMBER is that of `wwspec zone traffic`. The test expects the same outcome; of an exchange in which your code failed
    it expects that the code runs without an error. It takes the fixture `zone`. A value that is masked in the record
    is left for you to fill in.
    """
    written = emulator.test_of(number, asserts)
    if written is None:
        raise click.ClickException(
            f"no test repeats entry {number}: name an event, a call of an ability, or another POST of the app"
        )
    click.echo(written["source"], nl=not written["source"].endswith("\n"))
    if written["is_incomplete"]:
        click.echo("fill in the values that are masked", err=True)
    if asserts and not written["has_reply"]:
        click.echo("there is no reply to compare, so --asserts changes nothing", err=True)


@click.command()
@json_option
@with_emulator
def notifications(emulator: EmulatorClient, as_json: bool) -> None:
    """Print what the app is notified of, oldest first, and whether that reached its callback URL."""
    cells = {"time": lambda row: moment(row["create_time"]), "scene": lambda row: row["notify_scene"]}
    print_list(emulator.notifications(), ("time", "notify_id", "scene", "state", "attempts"), as_json, cells)
