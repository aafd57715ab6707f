"""Small values that an application keeps: how a handler reads and writes them.

What a run writes is only noted here. It is stored when the run has ended well: by the kernel after a synchronous call,
by the journal together with the end of a job. Values belong to the corp and the app of the call.
"""

import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from math import inf
from secrets import token_hex
from typing import TypeVar

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from wwspec_contracts.decoding import decode_json
from wwspec_contracts.errors import CallError, JsonError, KeptConflictError, KeptValueError, NotStoredError, StoreError
from wwspec_router.stores.kept import LARGEST_VALUE, KeptKey, KeptStore, KeptWrite, merged

T = TypeVar("T")

LONGEST_KEY = 256
"""Bytes."""
MOST_WRITES = 1000
"""Keys that one run can change."""

_LARGEST_COUNT = 2**53  # Redis adds floating-point numbers

APP = "app"
"""The space of an application's own values."""


class KeptWrites:
    """What one run reads, and the changes that it notes.

    Args:
        store: Has the values.
        corpid: The corp of the call.
        agentid: The app of the call.
    """

    def __init__(self, store: KeptStore, corpid: str, agentid: int) -> None:
        self._store = store
        self._corpid = corpid
        self._agentid = agentid
        self._version = token_hex(16)
        self._read: dict[KeptKey, str | None] = {}
        self._writes: dict[KeptKey, KeptWrite] = {}
        self._lock = threading.Lock()
        self._is_over = False

    def read(self, space: str, name: str) -> str | None:
        """Return the text under a key, as this run has changed it; None when there is none.

        Raises:
            CallError: The store failed.
            ValueError: The key is empty, too long, or not valid Unicode.
        """
        key = self._key(space, name)
        with self._lock:
            noted = self._writes.get(key)
        if noted is not None and noted.counts is None:
            return noted.text
        try:
            value = self._store.read_kept(key)
        except StoreError as error:
            raise CallError("a kept value could not be read", detail=str(error)) from error
        with self._lock:
            self._read[key] = None if value is None else value.version
        text = None if value is None else value.text
        return text if noted is None or noted.counts is None else _merged(name, text, noted.counts, noted.most)

    def note(self, space: str, name: str, text: str | None, *, ttl: float | None = None, unchanged: bool) -> None:
        """Note a change; a text of None removes the value. For the arguments and errors see `Kept.set`."""
        key = self._key(space, name)
        if text is not None and len(text.encode()) > LARGEST_VALUE:
            raise ValueError(f"kept value {name!r}: it has more than {LARGEST_VALUE} bytes of JSON")
        with self._lock:
            noted = self._noted(key)
            if (noted is None or noted.counts is not None) and unchanged and key not in self._read:
                raise ValueError(f"kept value {name!r}: read it with get() before you write it with unchanged=True")
            expected = UNSET if noted is None else noted.expected
            if unchanged and expected is UNSET:
                expected = self._read.get(key, UNSET)
            self._writes[key] = KeptWrite(key=key, text=text, version=self._version, ttl=ttl, expected=expected)

    def add(self, space: str, name: str, counts: Mapping[str, int], *, ttl: float | None, most: int) -> None:
        """Note counts to add. For the arguments and errors see `Kept.add`."""
        key = self._key(space, name)
        with self._lock:
            noted = self._noted(key)
            write = KeptWrite(key=key, text=None, version=self._version, ttl=ttl, counts=counts, most=most)
            if noted is not None and noted.counts is not None:
                write = replace(write, counts=Counter(noted.counts) + Counter(counts))
            elif noted is not None:  # a value that this run has set or removed
                text = _merged(name, noted.text, counts, most)
                write = replace(noted, text=text, ttl=ttl)
            self._writes[key] = write

    def _noted(self, key: KeptKey) -> KeptWrite | None:
        """Return the change of a key that is noted, if another one may be noted now; the caller has the lock.

        Raises:
            ValueError: There are too many.
            CallError: The call is over.
        """
        if self._is_over:
            raise CallError("the call is over: what it keeps now is not stored")
        if key not in self._writes and len(self._writes) >= MOST_WRITES:
            raise ValueError(f"one call can change at most {MOST_WRITES} kept values")
        return self._writes.get(key)

    def end(self) -> Sequence[KeptWrite]:
        """Return the changes. None can be noted after that."""
        with self._lock:
            self._is_over = True
            return tuple(self._writes.values())

    def store(self) -> None:
        """Store the changes.

        Raises:
            NotStoredError: They could not be stored; nothing was.
        """
        if not (writes := self.end()):
            return
        try:
            self._store.write_kept(writes)
        except KeptConflictError as error:
            raise NotStoredError("a kept value was changed by another call meanwhile: call again") from error
        except StoreError as error:
            raise NotStoredError(detail=str(error)) from error

    def _key(self, space: str, name: str) -> KeptKey:
        return KeptKey(self._corpid, self._agentid, space, checked_key("the key of a kept value", name))


class _Keeper:
    """The part that needs no store: changes are only noted."""

    def __init__(self, writes: KeptWrites) -> None:
        self._writes = writes

    def set(
        self, key: str, value: object, *, expires: float | timedelta | None = None, unchanged: bool = False
    ) -> None:
        """Keep a value from the end of this run on, if it ends well; `get` of this run returns it at once.

        Args:
            key: 1 to 256 bytes. Values under it belong to the corp and the app of the call.
            value: A `Contract`, a msgspec Struct, or anything else that msgspec writes as JSON: at most 64 KiB.
            expires: How long it is kept, in seconds or as a timedelta; None for ever.
            unchanged: Store it only if the value is still the one that this run has read with `get`. Else a job runs
                again, and a synchronous call is answered with an error; nothing that the run wrote is stored.

        Raises:
            ValueError: The key, the time, or the size of the value is out of its limits; or `unchanged` without `get`.
            TypeError: The value can't be written as JSON.
            CallError: The call is over: a task of the handler outlived it.
        """
        self._writes.note(
            APP, key, encoded(f"kept value {key!r}", value), ttl=_seconds(key, expires), unchanged=unchanged
        )

    def add(
        self, key: str, counts: Mapping[str, int], *, expires: float | timedelta | None = None, most: int = 500
    ) -> None:
        """Add to counts, such as messages by sender, at the end of this run, if it ends well.

        Runs of other events, calls and processes may add to them at the same time: nothing is lost, and no run is
        repeated. `get(key, dict[str, int])` returns them, with what this run has added. To count by day, let the day
        be a part of the key.

        Args:
            key: 1 to 256 bytes. Values under it belong to the corp and the app of the call.
            counts: What is added, from 0 on. A name has 1 to 256 bytes.
            expires: How long all of them are kept from now on, in seconds or as a timedelta; None for ever.
            most: How many are kept: the largest, and no more than 64 KiB of JSON have room for.

        Raises:
            ValueError: The key, the time, a name, a count or `most` is out of its limits.
            KeptValueError: What this run has set under the key are no counts. If the store has something else there,
                the run fails at its end.
            CallError: The call is over: a task of the handler outlived it.
        """
        for name, count in counts.items():
            checked_key(f"a name in kept value {key!r}", name)
            if not 0 <= count <= _LARGEST_COUNT:
                raise ValueError(f"kept value {key!r}: a count is from 0 to 2**53")
        if most < 1:
            raise ValueError(f"kept value {key!r}: most is a positive number")
        self._writes.add(APP, key, dict(counts), ttl=_seconds(key, expires), most=most)

    def delete(self, key: str, *, unchanged: bool = False) -> None:
        """Remove a value at the end of this run, if it ends well; it need not be there. For the rest see `set`."""
        self._writes.note(APP, key, None, unchanged=unchanged)


class Kept(_Keeper):
    """Small values that an application keeps for each corp and app: `ctx.kept`.

    What a run writes counts with the run: it is stored when the handler has returned and its answer is kept, all or
    nothing. A run that failed, timed out, or was taken over by another process stores nothing.

    Examples:
        >>> from wwspec_router import Contract, EventContext
        >>> from wwspec_contracts.events import hit_keyword
        >>> class Seen(Contract):
        ...     hits: int = 0
        >>> def on_hit(event: hit_keyword.Event, ctx: EventContext) -> None:
        ...     seen = ctx.kept.get("seen", Seen) or Seen()
        ...     ctx.kept.set("seen", Seen(hits=seen.hits + 1), unchanged=True)
    """

    def get(self, key: str, type: type[T]) -> T | None:  # noqa: A002 - msgspec's word
        """Return the value under a key, as this run has changed it; None when there is none.

        Args:
            key: 1 to 256 bytes.
            type: What the value is read as, such as a `Contract`, `int` or `list[str]`.

        Raises:
            KeptValueError: The stored value does not fit the type; the text names the key and the place.
            CallError: The store failed.
            ValueError: The key is empty or too long.
        """
        return _decode(key, self._writes.read(APP, key), type)


class AsyncKept(_Keeper):
    """Small values that an application keeps, in an `async def` handler: `get` is awaited, the others are not.

    All else is as `Kept` has it.

    Examples:
        >>> from wwspec_router import AsyncEventContext
        >>> from wwspec_contracts.events import hit_keyword
        >>> async def on_hit(event: hit_keyword.Event, ctx: AsyncEventContext) -> None:
        ...     hits = await ctx.kept.get("hits", int) or 0
        ...     ctx.kept.set("hits", hits + 1, unchanged=True)
    """

    def __init__(
        self, writes: KeptWrites, on_thread: Callable[[Callable[[], str | None]], Awaitable[str | None]]
    ) -> None:
        super().__init__(writes)
        self._on_thread = on_thread

    async def get(self, key: str, type: type[T]) -> T | None:  # noqa: A002 - msgspec's word
        """Return the value under a key without blocking the event loop; see `Kept.get`."""
        return _decode(key, await self._on_thread(lambda: self._writes.read(APP, key)), type)


def checked_key(what: str, key: str) -> str:
    """Return a key.

    Raises:
        ValueError: It is empty, too long, or not valid Unicode.
    """
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        raise ValueError(f"{what} holds a lone surrogate, which is not valid Unicode") from None
    if not 1 <= size <= LONGEST_KEY:
        raise ValueError(f"{what} has 1 to {LONGEST_KEY} bytes, not {size}")
    return key


def encoded(what: str, value: object) -> str:
    """Return a value as JSON text.

    Raises:
        TypeError: msgspec can't write it.
        ValueError: It holds text that is not valid Unicode, or is nested too deeply.
    """
    try:
        return msgspec.json.encode(value).decode()
    except (TypeError, msgspec.MsgspecError) as error:
        raise TypeError(f"{what}: it can't be written as JSON: {error}") from None
    except (UnicodeError, RecursionError):
        raise ValueError(f"{what}: it holds text that is not valid Unicode, or is nested too deeply") from None


def _seconds(key: str, expires: float | timedelta | None) -> float | None:
    seconds = expires.total_seconds() if isinstance(expires, timedelta) else expires
    if seconds is not None and not 0 < seconds < inf:
        raise ValueError(f"kept value {key!r}: expires is a positive number of seconds, or a positive timedelta")
    return seconds


def _merged(key: str, text: str | None, counts: Mapping[str, int], most: int) -> str:
    try:
        return merged(text, counts, most)
    except JsonError as error:
        raise KeptValueError(key, str(error)) from None


def _decode(key: str, text: str | None, type_: type[T]) -> T | None:
    if text is None:
        return None
    try:
        return decode_json(text, type_)
    except JsonError as error:
        raise KeptValueError(key, str(error)) from None
