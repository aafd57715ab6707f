"""`wwspec zone fault`, `faults`, `clear` and `answer`: what goes another way than the emulator would let it."""

import sys
from collections.abc import Callable
from operator import itemgetter
from pathlib import Path
from typing import Any

import click

from wwspec_contracts.decoding import decode_json
from wwspec_contracts.errors import JsonError
from wwspec_devtools.cli.candidates import api_names, fault_targets, fault_values
from wwspec_devtools.cli.emulator_options import with_emulator
from wwspec_devtools.cli.tables import json_option, print_list
from wwspec_devtools.emulator.http.client import EmulatorClient
from wwspec_router.cli.options import print_json

EFFECTS = ("errcode", "return_code", "latency", "timeout", "drop", "late", "twice", "never")
SIDES = ("app", "sdk", "program", "callback")


class _FaultValue(click.ParamType[float]):
    name = "value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            return float(value)
        except ValueError:
            self.fail(f"must be a code such as 45009, or a number of seconds such as 2.5, not {value!r}", param, ctx)


@click.command(context_settings={"ignore_unknown_options": True})  # VALUE may be negative
@click.argument("on", type=click.Choice(SIDES))
@click.argument("effect", type=click.Choice(EFFECTS))
@click.argument("value", type=_FaultValue(), default=0.0, shell_complete=fault_values)
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


@click.command()
@json_option
@with_emulator
def faults(emulator: EmulatorClient, as_json: bool) -> None:
    """List the faults that still work."""
    cells: dict[str, Callable[[Any], str]] = {
        "value": lambda row: f"{row['value']:g}",
        "api": lambda row: row["api"] or "all",
        "left": lambda row: "until cleared" if row["count"] is None else str(row["count"] - row["taken"]),
        "worked": itemgetter("taken"),
    }
    print_list(emulator.faults(), ("id", "on", "effect", "value", "api", "left", "worked"), as_json, cells)


@click.command()
@click.argument("fault_id", metavar="[FAULT]", default="")
@with_emulator
def clear(emulator: EmulatorClient, fault_id: str) -> None:
    """Take FAULT away, or all of them."""
    cleared = emulator.clear_faults(fault_id)
    if fault_id and not cleared:
        raise click.ClickException(f"there is no fault {fault_id}")
    print_json({"cleared": cleared})


@click.command()
@click.argument("api", metavar="[API]", default="", shell_complete=api_names)
@click.argument(
    "file",
    metavar="[FILE]",
    required=False,
    type=click.Path(path_type=Path, dir_okay=False, exists=True, allow_dash=True),
)
@click.option("--times", type=click.IntRange(1), help="How often.  [default: until it is cleared]")
@click.option("--clear", "clears", is_flag=True, help="Take the answers of API away, or all of them.")
@with_emulator
def answer(emulator: EmulatorClient, api: str, file: Path | None, times: int | None, clears: bool) -> None:
    """Answer the SDK API by hand: the program gets the JSON object in FILE as the reply. Prints the answer's id.

    FILE may be - for standard input.

    The API may be one that the emulator lacks; the program can call it while an answer is set. Answers with --times
    come first, in their order. The record says of each call that it was answered by hand.
    """
    if clears:
        if file is not None or times is not None:
            raise click.UsageError("--clear takes no FILE and no --times")
        print_json({"cleared": emulator.clear_answers(api)})
        return
    if file is None:
        raise click.UsageError("name an API and the FILE with its reply, or --clear")
    try:
        content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        reply = decode_json(content, dict[str, Any])
    except (JsonError, OSError) as error:
        raise click.UsageError(f"{file}: the reply of {api} is a JSON object: {error}") from None
    answer = emulator.answer(api, reply, times=times)
    if answer["note"]:
        click.echo(f"note: {answer['note']}", err=True)
    print_json({"id": answer["id"]})
