"""Requests and responses: calls of the app, calls and events for the program, SDK calls, and callbacks [100042].

Entries are numbered in the order in which they began. Secrets are masked when entries are shown, and never otherwise,
so that a recorded call can be sent again. Bounded in entries and in bytes. Knows nothing of HTTP. Safe under threads.
"""

import threading
from sys import getsizeof
from typing import Any

import msgspec

from wwspec_router.contracts.decoding import decode_json
from wwspec_router.emulator.bounded import MIB, BoundedDict, Kept
from wwspec_router.emulator.standin.wwspec_standin.seal import CallContent
from wwspec_router.emulator.state.clock import Clock
from wwspec_router.emulator.state.tickets import Notification
from wwspec_router.errors import JsonError

__all__ = ["APP", "CALL", "CALLBACK", "EVENT", "KINDS", "SDK", "Entry", "Traffic"]

APP, CALL, EVENT, SDK, CALLBACK = "app", "call", "event", "sdk", "callback"
KINDS = (APP, CALL, EVENT, SDK, CALLBACK)
"""An API that the app calls, a call of the program, an event for it, an SDK API, a `program_notify`."""

KEPT_ENTRIES = 1000
KEPT_BYTES = 32 * MIB
"""Of all entries, as they are in memory; the oldest make room."""
SHOWN_BYTES = 16 * 1024
"""A longer request or reply is not kept, only how long it was."""
REPLAYED_BYTES = 256 * 1024
"""A call of the program that is longer can't be sent again. Both in UTF-8."""
_ENTRY_BYTES = 1024
"""Without its texts."""

_MASK = "***"
_SECRETS = frozenset(
    "access_token code corpsecret debug_token encoding_aes_key encrypted_secret_key job_info permanent_code secret "
    "secret_key suite_access_token suite_secret suite_ticket token user_doc_ticket".split()
)
_MAX_DEPTH = 64


class Entry(msgspec.Struct, kw_only=True):
    """One exchange."""

    number: int
    time: int
    """Unix seconds of the emulator's clock."""
    kind: str
    """One of `KINDS`."""
    name: str
    """API, ability ID, event type, or `program_notify`."""
    request: str = ""
    reply: str = ""
    outcome: str = ""
    """`ok`, the errcode or return code, what became of a callback; empty while the exchange is under way."""
    faults: tuple[str, ...] = ()
    """Ids of the faults that were put in its way."""
    call: CallContent | None = None
    notification: Notification | None = None

    @property
    def size(self) -> int:
        """Bytes that it takes."""
        replayed = 0 if self.call is None else getsizeof(self.call.data)
        return _ENTRY_BYTES + getsizeof(self.request) + getsizeof(self.reply) + replayed

    def shown(self) -> dict[str, Any]:
        """Return the entry as it is shown, with its secrets masked."""
        outcome = self.outcome
        if not outcome and self.notification is not None:
            outcome = self.notification.state
        return {
            "number": self.number,
            "time": self.time,
            "kind": self.kind,
            "name": self.name,
            "outcome": outcome,
            "faults": list(self.faults),
            "request": _shown(self.request),
            "reply": _shown(self.reply),
        }


class Traffic:
    """The latest exchanges.

    Args:
        clock: Stamps them.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._entries = BoundedDict[int, Entry](KEPT_BYTES, KEPT_ENTRIES)
        """By number."""
        self._count = 0

    def begin(
        self,
        kind: str,
        name: str,
        request: str | bytes = "",
        *,
        call: CallContent | None = None,
        notification: Notification | None = None,
    ) -> Entry:
        """Record that an exchange begins.

        Args:
            kind: One of `KINDS`.
            name: What is called, or the event's type.
            request: What is sent.
            call: What is sent to the program, to be sent again.
            notification: What the app gets; its state is the entry's outcome.
        """
        if call is not None and _bytes(call.data) > REPLAYED_BYTES:
            call = None
        kept = _kept(request)
        with self._lock:
            self._count += 1
            entry = Entry(
                number=self._count,
                time=self._clock.seconds(),
                kind=kind,
                name=name,
                request=kept,
                call=call,
                notification=notification,
            )
            self._entries.put(entry.number, entry, entry.size)
        return entry

    def end(self, entry: Entry, outcome: int | str, reply: str | bytes = "") -> None:
        """Record how it ended; 0 is shown as `ok`."""
        entry.reply = _kept(reply)
        entry.outcome = "ok" if outcome == 0 else str(outcome)
        with self._lock:
            self._entries.resize(entry.number, entry.size)

    def entries(self, since: int = 0, kind: str = "") -> list[dict[str, Any]]:
        """Return what is shown of the entries after a number, oldest first."""
        with self._lock:
            entries = [entry for entry in self._entries.values() if entry.number > since and kind in ("", entry.kind)]
        return [entry.shown() for entry in entries]

    @property
    def kept(self) -> Kept:
        """How full the record is."""
        with self._lock:
            return self._entries.kept

    def call(self, number: int) -> CallContent | None:
        """Return what was sent to the program, or None when the number is of another kind or too old."""
        entry = self._entry(number)
        return None if entry is None else entry.call

    def name(self, number: int) -> str:
        """Return the name of an entry, or "" when it is too old."""
        entry = self._entry(number)
        return "" if entry is None else entry.name

    def _entry(self, number: int) -> Entry | None:
        with self._lock:
            return self._entries.get(number)


def _kept(text: str | bytes) -> str:
    length = _bytes(text)
    if length > SHOWN_BYTES:
        return msgspec.json.encode({"not kept, bytes": length}).decode()
    return text if isinstance(text, str) else text.decode(errors="replace")


def _bytes(text: str | bytes) -> int:
    return len(text) if isinstance(text, bytes) else len(text.encode(errors="surrogatepass"))


def _shown(text: str) -> Any:
    """Return the JSON value of a text, masked; a text that is not JSON stays a text."""
    try:
        return _masked(decode_json(text), 0)
    except JsonError:
        return "" if not text else f"not JSON, {len(text)} characters"


def _masked(value: Any, depth: int) -> Any:
    if depth > _MAX_DEPTH:
        return _MASK
    if isinstance(value, dict):
        return {
            key: _MASK if key in _SECRETS and isinstance(item, str) and item else _masked(item, depth + 1)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_masked(item, depth + 1) for item in value]
    if isinstance(value, str) and value[:1] in ("{", "["):
        return _masked_text(value, depth)
    return value


def _masked_text(text: str, depth: int) -> str:
    """Mask inside JSON that travels as text, such as request_data; left as it is when nothing is secret in it."""
    try:
        value = decode_json(text)
    except JsonError:
        return text
    masked = _masked(value, depth + 1)
    return text if masked == value else msgspec.json.encode(masked).decode()
