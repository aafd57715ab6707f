"""`/emulator/stream`: what can be watched, as server-sent events.

Nothing is queued for a reader. It gets the present state of everything that has changed since its last batch. So a slow
reader needs no memory here, and it gets the number of entries that it missed.
"""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio
import anyio.to_thread
import msgspec
from sse_starlette import EventSourceResponse
from starlette.requests import Request
from starlette.responses import Response

from wwspec_devtools.emulator.display.selection import Selection
from wwspec_devtools.emulator.display.views import row
from wwspec_devtools.emulator.http.reads import Watch
from wwspec_devtools.emulator.state.traffic.changes import Changes
from wwspec_devtools.emulator.state.traffic.record import Traffic

VERSION = 1
BATCH_SECONDS = 0.1
"""Seconds between two batches, unless there is more than one batch holds. A change after a pause is sent at once."""
BUSY_SECONDS = 1.0
"""The longest pause between two batches, in seconds. The pause grows with the number of rows: a row that changes twice
is then sent once, and the page is drawn less often."""
BUSY_ROWS = 1000
"""Rows of a batch after which the pause is the longest."""
BATCH_ROWS = 2000
PING_SECONDS = 15
SEND_SECONDS = 30.0
"""Seconds after which a reader that takes nothing is cut off. It may connect again, and go on."""
RETRY_MS = 1000
"""Milliseconds after which a browser connects again."""
MAX_READERS = 32
"""Most readers at once; a browser has a connection for each page."""


class Streams:
    """The readers of one emulator.

    Args:
        watch: Reads what the readers get.
        changes: Wakes when something has changed.
    """

    def __init__(self, watch: Watch, changes: Changes) -> None:
        self._watch = watch
        self._changes = changes
        self._wakers: set[asyncio.Event] = set()
        self._readers = 0
        self._ended = False

    def respond(self, request: Request, selection: Selection) -> Response:
        """Return the response that streams to one reader."""
        if self._readers >= MAX_READERS:
            return Response("too many readers of the stream\n", 503, media_type="text/plain")
        last = request.headers.get("last-event-id") or request.query_params.get("last_event_id", "")
        return _Response(
            self._events(_Reader(self._watch, selection, last)), ping=PING_SECONDS, send_timeout=SEND_SECONDS
        )

    def end(self) -> None:
        """Let every stream end; on the loop."""
        self._ended = True
        for each in self._wakers:
            each.set()

    async def _events(self, reader: "_Reader") -> AsyncIterator[bytes]:
        happened, loop = asyncio.Event(), asyncio.get_running_loop()
        is_awake = threading.Event()  # since the last batch: once is enough

        def wake() -> None:
            if not is_awake.is_set():
                is_awake.set()
                with contextlib.suppress(RuntimeError):  # the loop has ended
                    loop.call_soon_threadsafe(happened.set)

        self._changes.add(wake)
        self._wakers.add(happened)
        self._readers += 1
        try:
            while not self._ended:
                happened.clear()
                is_awake.clear()
                for event in await anyio.to_thread.run_sync(reader.events):
                    yield event
                if reader.is_behind:
                    continue
                if not self._ended:
                    share = min(1.0, reader.sent_rows / BUSY_ROWS)
                    await anyio.sleep(BATCH_SECONDS + share * (BUSY_SECONDS - BATCH_SECONDS))
                await happened.wait()
        finally:
            self._readers -= 1
            self._changes.remove(wake)
            self._wakers.discard(happened)


class _Reader:
    """What one reader has received.

    Args:
        watch: Reads what the reader gets.
        selection: Which rows it wants: `since`, kinds, an ability.
        last_id: Of the last event that it has; empty when it has none.
    """

    def __init__(self, watch: Watch, selection: Selection, last_id: str) -> None:
        self._watch = watch
        self._selection = selection
        self._session, self._revision, self._seen = _parsed(last_id)
        self._record: Traffic | None = None
        self._sent_states: dict[str, bytes] = {}
        self.is_behind = False
        """Whether more waits than the last batch had."""
        self.sent_rows = 0
        """The number of rows in the last batch."""

    def events(self) -> list[bytes]:
        """Return the new events; on a thread, since large bodies may have to be read."""
        record = self._watch.record
        is_new = record is not self._record
        events = [self._hello(record)] if is_new else []
        states: tuple[tuple[str, Callable[[], Any], Any], ...] = (
            ("clock", self._watch.clock, self._watch.clock_state),
            ("faults", self._watch.faults, None),
            ("program", self._watch.program, None),
        )
        for name, state, key in states:
            shown = msgspec.json.encode(state())
            compared = shown if key is None else msgspec.json.encode(key())
            if self._sent_states.get(name) != compared:
                self._sent_states[name] = compared
                events.append(_event(name, shown))
        return [*events, *self._rows(record, always=is_new)]

    def _hello(self, record: Traffic) -> bytes:
        goes_on = record.session == self._session
        if not goes_on:
            self._revision = 0
            self._seen = max(self._selection.since if self._record is None else 0, record.bounds.first - 1)
        self._record, self._session, self._sent_states = record, record.session, {}
        hello = {"version": VERSION, "session": record.session, "goes_on": goes_on}
        return _event("hello", msgspec.json.encode(hello), f"retry: {RETRY_MS}\n")

    def _rows(self, record: Traffic, *, always: bool) -> list[bytes]:
        """Return the rows that changed, as an event; with `always` also when there are none."""
        self.sent_rows = 0
        changed = record.changed(self._revision, BATCH_ROWS)
        self.is_behind = changed.more
        missed = max(0, changed.bounds.first - 1 - self._seen)
        if not (always or changed.entries or missed):
            return []
        self._revision = changed.revision
        self._seen = max([self._seen + missed, *(entry.number for entry in changed.entries)])
        since = self._selection.since
        chosen = self._selection.choose(entry for entry in changed.entries if entry.number > since)
        shown = [row(entry) for entry in chosen]
        rows = {"rows": shown, "first": changed.bounds.first, "missed": missed, "more": self.is_behind}
        self.sent_rows = len(shown)
        last_id = f"{record.session}-{self._revision}-{self._seen}"
        return [_event("entries", msgspec.json.encode(rows), f"id: {last_id}\n")]


class _Response(EventSourceResponse):
    """Ends with its generator.

    The base class checks twice a second for a signal to the process, and does not notice a server that ends without
    one.
    """

    @staticmethod
    async def _listen_for_exit_signal() -> None:
        await anyio.sleep_forever()


def _event(name: str, data: bytes, fields: str = "") -> bytes:
    """Return an event. JSON without line breaks is one field of it, whole."""
    return b"%bevent: %b\ndata: %b\n\n" % (fields.encode(), name.encode(), data)


def _parsed(last_id: str) -> tuple[str, int, int]:
    """Return session, revision and number of an event's id; empty values for a malformed one."""
    session, *numbers = last_id.split("-")
    if len(numbers) != 2 or not all(each.isascii() and each.isdecimal() and len(each) < 19 for each in numbers):
        return "", 0, 0
    return session, int(numbers[0]), int(numbers[1])
