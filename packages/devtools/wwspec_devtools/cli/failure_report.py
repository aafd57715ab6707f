"""Why a call or an event failed, in a few lines below its answer: what the program reports to the emulator."""

import shlex
from collections.abc import Iterator
from contextlib import suppress
from time import monotonic, sleep
from typing import Any

import click

from wwspec_contracts.support.printable import printable
from wwspec_devtools.cli.dev_note import noted_url
from wwspec_devtools.cli.exchange import own_frames
from wwspec_devtools.emulator.http.client import DEFAULT_URL, EmulatorClient, EmulatorError

Json = dict[str, Any]

PATIENCE = 1.0
"""Seconds to wait for the program's report, which comes in the background; other frameworks send none."""
_PAUSE = 0.05


def print_why(emulator: EmulatorClient, since: int, ability_id: str) -> None:
    """Print on standard error what the call of an ability raised, and where all of it is; nothing when nothing was.

    Args:
        emulator: Where it was called.
        since: The number of the last entry before the call.
        ability_id: What was called.
    """
    with suppress(EmulatorError):  # the answer is there, and says more than this would
        entry = _only_call(emulator, since, ability_id)
        if entry is None:
            return
        kind = "job" if entry["call"]["is_async"] else "call"
        ends = monotonic() + PATIENCE
        while not (found := _traces(entry, kind)) and monotonic() < ends:
            sleep(_PAUSE)
            entry = emulator.entry(entry["number"])
        failure = _last_failure(found)
        if failure and own_frames(failure):  # others are of the framework, such as of a request that does not fit
            _print([*_failure(failure), f"all of it: {_places(emulator, entry['number'])}"])


def print_event(emulator: EmulatorClient, number: int) -> None:
    """Print on standard error where to see what the program does on an event, and its error when there is one already.

    Args:
        emulator: What fired it.
        number: Of its entry.
    """
    with suppress(EmulatorError):
        entry = emulator.entry(number)
        failure = _last_failure(_traces(entry, "job")) if entry["code"] == "failed" else None
        lines = _failure(failure) if failure else ()
        _print([*lines, f"what becomes of it: {_places(emulator, number)}"])


def _only_call(emulator: EmulatorClient, since: int, ability_id: str) -> Json | None:
    """Return the entry of the call that was just made; None when others called the same meanwhile."""
    rows = [row for row in emulator.traffic(since, "call", bodies=False, wait=False) if row["name"] == ability_id]
    return emulator.entry(rows[0]["number"]) if len(rows) == 1 else None


def _traces(entry: Json, kind: str) -> list[Json]:
    return [trace for trace in entry["traces"] if trace["kind"] == kind]


def _last_failure(traces: list[Json]) -> Json | None:
    return next((trace["failure"] for trace in reversed(traces) if trace["failure"]), None)


def _failure(failure: Json) -> Iterator[str]:
    """Yield the error, and the innermost line of the application that it came through."""
    yield from f"{failure['name']}: {failure['text']}".removesuffix(": ").splitlines()
    for place in own_frames(failure)[:1]:
        yield f"  {place['file']}:{place['line']} {place['function']}: {place['code'].strip()}"


def _places(emulator: EmulatorClient, number: int) -> str:
    where = "" if emulator.url == (noted_url() or DEFAULT_URL) else f" --url {shlex.quote(emulator.url)}"
    return f"`wwspec zone show {number}{where}`, {emulator.url}/#/timeline/{number}"


def _print(lines: list[str]) -> None:
    for line in lines:
        click.echo(printable(line), err=True)
