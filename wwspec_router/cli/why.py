"""Why a call or an event failed, in a few lines below its answer: what the program tells the emulator of its work."""

import shlex
from collections.abc import Iterator
from contextlib import suppress
from time import monotonic, sleep
from typing import Any

import click

from wwspec_router.cli.dev_note import noted_url
from wwspec_router.emulator.http.client import DEFAULT_URL, EmulatorClient, EmulatorError
from wwspec_router.logs.printable import printable

Json = dict[str, Any]

PATIENCE = 1.0
"""Seconds to wait for what the program tells in the background; one of another framework tells nothing."""
_PAUSE = 0.05


def print_why(emulator: EmulatorClient, since: int, ability_id: str) -> None:
    """Print on standard error what the call of an ability raised, and where all of it is; nothing when nothing was.

    Args:
        emulator: Where it was called.
        since: The number of the last entry before the call.
        ability_id: What was called.
    """
    with suppress(EmulatorError):  # the answer is there, and says more than this would
        entry = _only(emulator, since, "call", ability_id)
        if entry is None:
            return
        kind = "job" if entry["call"]["is_async"] else "call"
        ends = monotonic() + PATIENCE
        while not (found := _traces(entry, kind)) and monotonic() < ends:
            sleep(_PAUSE)
            entry = emulator.entry(entry["number"])
        failure = _last_failure(found)
        if failure and _own_frames(failure):  # others are of the framework, such as of a request that does not fit
            _print([*_failure(failure), f"all of it: {_places(emulator, entry['number'])}"])


def print_event(emulator: EmulatorClient, since: int, event_type: str) -> None:
    """Print on standard error where to see what the program does on an event, and its error when there is one already.

    Args:
        emulator: What fired it.
        since: The number of the last entry before the event.
        event_type: Of the event.
    """
    with suppress(EmulatorError):
        entry = _only(emulator, since, "event", event_type)
        if entry is not None:
            failure = _last_failure(_traces(entry, "job")) if entry["code"] == "failed" else None
            lines = _failure(failure) if failure else ()
            _print([*lines, f"what becomes of it: {_places(emulator, entry['number'])}"])


def _only(emulator: EmulatorClient, since: int, kind: str, name: str) -> Json | None:
    """Return the entry of what was just done; None when others did the same meanwhile."""
    rows = [row for row in emulator.traffic(since, kind, bodies=False, wait=False) if row["name"] == name]
    return emulator.entry(rows[0]["number"]) if len(rows) == 1 else None


def _traces(entry: Json, kind: str) -> list[Json]:
    return [trace for trace in entry["traces"] if trace["kind"] == kind]


def _last_failure(traces: list[Json]) -> Json | None:
    return next((trace["failure"] for trace in reversed(traces) if trace["failure"]), None)


def _own_frames(failure: Json) -> list[Json]:
    return [frame for frame in failure["frames"] if frame["own"]]


def _failure(failure: Json) -> Iterator[str]:
    """Yield the error, and the innermost line of the application that it came through."""
    yield from f"{failure['name']}: {failure['text']}".removesuffix(": ").splitlines()
    for place in _own_frames(failure)[-1:]:
        yield f"  {place['file']}:{place['line']} {place['function']}: {place['code'].strip()}"


def _places(emulator: EmulatorClient, number: int) -> str:
    where = "" if emulator.url == (noted_url() or DEFAULT_URL) else f" --url {shlex.quote(emulator.url)}"
    return f"`wwspec zone show {number}{where}`, {emulator.url}/#/timeline/{number}"


def _print(lines: list[str]) -> None:
    for line in lines:
        click.echo(printable(line), err=True)
