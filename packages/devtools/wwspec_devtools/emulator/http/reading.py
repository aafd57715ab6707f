"""Reads `/emulator/stream`: server-sent events, one after the other. Imports httpx in functions only."""

from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from wwspec_contracts.decoding import decode_json
from wwspec_contracts.errors import JsonError, WWSpecError

if TYPE_CHECKING:
    import httpx

SILENCE = 45.0
"""Seconds without a byte after which the emulator counts as gone. It sends something every 15."""


class StreamEndedError(WWSpecError):
    """The stream ended. Once the emulator is back, a reader can go on after the id of the last event."""


class StreamEvent(msgspec.Struct, frozen=True):
    """One event of the stream."""

    name: str
    """`hello`, `entries`, `clock`, `faults` or `program`."""
    data: dict[str, Any]
    id: str
    """The id to go on after this event; the id of an earlier event when it has none."""


def read_stream(http: "httpx.Client", query: str, last_id: str = "") -> Generator[StreamEvent, None, None]:
    """Yield events as they come, for as long as the emulator runs.

    Args:
        http: A client of the emulator.
        query: The query that chooses the entries.
        last_id: Of the last event that was read; empty for none.

    Raises:
        StreamEndedError: The emulator ended, or can't be reached.
    """
    import httpx

    headers = {"accept": "text/event-stream", **({"last-event-id": last_id} if last_id else {})}
    timeout = httpx.Timeout(SILENCE)
    try:
        with http.stream("GET", f"/emulator/stream?{query}", headers=headers, timeout=timeout) as response:
            if response.headers.get("content-type", "").partition(";")[0] != "text/event-stream":
                response.read()
                raise StreamEndedError(f"no stream: HTTP status {response.status_code}: {response.text[:200]}")
            yield from _events(response.iter_lines(), last_id)
    except httpx.HTTPError as error:
        raise StreamEndedError(type(error).__name__) from None
    raise StreamEndedError("the emulator ended it")


def _events(lines: Iterable[str], last_id: str) -> Iterator[StreamEvent]:
    name, data = "", list[str]()
    for line in lines:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "data":
            data.append(value)
        elif field == "id":
            last_id = value
        elif not line:
            if data:
                yield StreamEvent(name, _decoded("\n".join(data)), last_id)
            name, data = "", []


def _decoded(text: str) -> dict[str, Any]:
    try:
        return decode_json(text, dict[str, Any])
    except JsonError as error:
        raise StreamEndedError(f"an event is not JSON: {error}") from None


def selection(
    since: int, kinds: Sequence[str], ability: str, errcode: int | None, failed: bool, text: str
) -> list[tuple[str, str]]:
    """Return the parameters of a query that choose entries."""
    chosen = [("since", str(since)), ("ability", ability), ("text", text), ("failed", str(failed).lower())]
    return [*chosen, *(("kind", kind) for kind in kinds), *([] if errcode is None else [("errcode", str(errcode))])]
