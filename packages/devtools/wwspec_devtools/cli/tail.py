"""How `wwspec zone tail` prints an emulator's stream: a line for each exchange, under the one that caused it."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import click
import msgspec

from wwspec_contracts.support.printable import printable, printable_json
from wwspec_devtools.cli.tables import moment, styled
from wwspec_devtools.emulator.display.reasons import FAILURES, POSTPONED, UNDER_WAY
from wwspec_devtools.emulator.http.reading import StreamEndedError, StreamEvent
from wwspec_router.cli.language import is_chinese

StreamRow = dict[str, Any]
Read = Callable[[str], Iterator[StreamEvent]]
"""Reads the stream after the event of an id; see `EmulatorClient.stream`."""

RETRY_SECONDS = 0.5
DEEPEST = 8
"""Levels that are indented."""
_REMEMBERED = 10_000
KIND_COLOURS = {
    "app": "blue", "call": "cyan", "event": "magenta", "sdk": "yellow", "callback": "green", "clock": "white"
}  # fmt: skip


def follow(read: Read, print_event: Callable[[StreamEvent], None]) -> None:
    """Read the stream for ever. When the emulator has been away, go on once it is back.

    Args:
        read: Reads it.
        print_event: Takes each event.
    """
    last_id, said = "", False
    while True:
        try:
            for event in read(last_id):
                last_id, said = event.id, False
                print_event(event)
        except StreamEndedError as error:
            if not said:
                click.echo(f"the stream ended ({error}): waiting for the emulator", err=True)
            said = True
        time.sleep(RETRY_SECONDS)


def json_lines(event: StreamEvent) -> Iterator[str]:
    """Yield each row of an event as one line of JSON."""
    if event.name == "entries":
        for row in event.data["rows"]:
            yield printable_json(msgspec.json.encode(row).decode())


class Lines:
    """Makes the lines of one terminal."""

    def __init__(self) -> None:
        self._depths: dict[int, int] = {}
        """How deep entries are, by number."""
        self._session = ""

    def of(self, event: StreamEvent) -> Iterator[str]:
        """Yield the lines to print for an event."""
        if event.name == "hello":
            yield from self._hello(event.data)
        elif event.name == "entries":
            if missed := event.data["missed"]:
                yield styled(f"-- {missed} entries came too fast to be shown", fg="yellow")
            for row in sorted(event.data["rows"], key=_number):
                yield self._line(row)

    def _hello(self, hello: StreamRow) -> Iterator[str]:
        if self._session and hello["session"] != self._session:
            self._depths.clear()
            yield styled("-- the emulator began anew", bold=True)
        self._session = hello["session"]

    def _line(self, row: StreamRow) -> str:
        depth = min(self._depths.get(row["parent"] or 0, -1) + 1, DEEPEST)
        self._depths[row["number"]] = depth
        if len(self._depths) > _REMEMBERED:
            del self._depths[next(iter(self._depths))]
        at = moment(row["time_ms"] // 1000, row["time_ms"] % 1000)
        took = "" if row["duration_ms"] is None else f"{row['duration_ms']:.1f} ms"
        name = f"{'  ' * depth}{printable(row['name'])}"
        kind = styled(f"{row['kind']:<8}", fg=KIND_COLOURS.get(row["kind"]))
        return f"{row['number']:>6}  {at}  {took:>10}  {kind}  {name:<40}  {ending(row)}"


def ending(row: StreamRow) -> str:
    """Return how an exchange ended, and why."""
    verdict, reason = row["verdict"], printable(row["reason"][is_chinese()])
    parts = [f"{verdict}: {reason}" if reason else verdict]
    if row["kind"] == "app" and row["ability"]:
        parts.append(printable(row["ability"]))
    if verdict == POSTPONED:
        parts.append(f"attempt {row['attempts']} failed, runs again")
    text = "  ".join([*parts, *row["faults"]])
    if verdict in FAILURES:
        return styled(text, fg="red")
    return styled(text, dim=True) if verdict == UNDER_WAY else text


def _number(row: StreamRow) -> int:
    return int(row["number"])
