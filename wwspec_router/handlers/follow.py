"""Follows what a paged API returns: each run gets what has come since the last one that ended well.

The place where a run ended is a kept value, so it is stored with the end of the run. One run at a time has the lease of
a name. The core knows neither threads nor the event loop.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from secrets import token_hex
from time import time
from typing import Any, Generic, Literal

import msgspec
from msgspec import UNSET

from wwspec_contracts.backoff import Backoff
from wwspec_contracts.base import OutputT, PagedRequest
from wwspec_contracts.decoding import UNREADABLE
from wwspec_contracts.errors import ApiError, KeptValueError
from wwspec_contracts.support.printable import short
from wwspec_router.envelope import Call
from wwspec_router.handlers.kept import KeptWrites
from wwspec_router.handlers.run import JobRun
from wwspec_router.handlers.tasks import ASK_LATER
from wwspec_router.stores.once import OnceClaim, corp_hash

WINDOW = 5 * 24 * 3600
"""Seconds that WeCom keeps records [99824]."""
TOKEN_LIFETIME = 600.0
"""Seconds that the token of an event is valid [99853]."""
MOST = 1000
"""Records of a page [99824]."""
BAD_CURSOR = 710611
"""The errcode for a cursor that WeCom does not know."""
MARGIN = 600
"""Seconds before a time from which records are asked for again: they may arrive late."""
BEFORE_NOW = 60
"""Seconds before an event at which "now" begins: the message that raised it was sent before it."""
QUIET = 60
"""Seconds. A run that finds nothing new stores its place only if the stored one is older: most runs write nothing."""
BUSY = Backoff(first=0.1, longest=2.0, jitter=0.5)
"""The pauses of a job while another run has its lease."""
LIMITED = Backoff(first=1.0, longest=60.0, jitter=0.5)
"""The pauses of a job while WeCom limits its frequency."""

SPACE = "follow"

Start = Literal["now", "oldest"] | datetime | int
"""Where the first run of a name begins: about now, with the oldest record that WeCom has, or about a time."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FollowGap:
    """A time from which records may be missing: no run was made, and WeCom keeps them for 5 days [99824].

    Examples:
        >>> from wwspec_router import FollowGap
        >>> def missing(gap: FollowGap) -> str:
        ...     return f"{gap.until - gap.since} may be missing"
    """

    since: datetime
    """UTC. All records from before were given."""
    until: datetime
    """UTC. Records from after it can still be read."""


class _Place(msgspec.Struct, frozen=True):
    """Where a run ended."""

    cursor: str
    until: int
    """Unix time; all records from before it were given."""


_decode_place = msgspec.json.Decoder(_Place).decode
_encode_place = msgspec.json.Encoder().encode


class FollowedPages(msgspec.Struct, Generic[OutputT], kw_only=True, eq=False, dict=True):
    """The pages of one run, one after another."""

    request: Any
    """The first, without cursor; then the one to send next, None after the last."""
    name: str
    """The name of what follows; together with the API, corp and app it has one place."""
    api: str
    """The API's name."""
    start: Start
    """Where to begin without a place."""
    call: Call
    """The event or call that is worked on."""
    run: JobRun
    """Its run."""
    writes: KeptWrites
    """Where the place is noted."""
    invoke: Callable[[Any, PagedRequest[OutputT]], OutputT]
    """Requests a page; raises ApiError for an errcode other than 0."""
    following: Callable[[PagedRequest[OutputT], OutputT], PagedRequest[OutputT] | None]
    """Returns the request of the page after one; None after the last."""

    def __post_init__(self) -> None:
        if getattr(self.request, "limit", 0) is UNSET:
            self.request = msgspec.structs.replace(self.request, limit=MOST)
        self.gap: FollowGap | None = None
        self._key = f"{self.api}:{self.name}"
        self._place: _Place | None = None
        self._until = 0
        self._asked = 0
        self._page: Any = None
        self._has_begun = False
        self._is_resumed = False

    def next(self, client: Any) -> OutputT | None:
        """Return the next page, after the one before counts as processed; None after the last. Blocks.

        Args:
            client: The SDK client that the page is requested with.
        """
        if self._has_begun:
            self.keep()
        else:
            self._begin()
            self._has_begun = True
        if self.request is None:
            return None
        page = self._pull(client)
        self._is_resumed = False
        self._page, self.request = page, self.following(self.request, page)
        return page

    def keep(self) -> None:
        """Let the page that was given last count as processed: the place after it is noted."""
        page, self._page = self._page, None
        if page is None:
            return
        before = self._place
        cursor = page.next_cursor or (before.cursor if before else "")
        if not cursor:  # nothing was there yet, and WeCom gave no place
            return
        self._until = max(self._until, *_times(page)) if page.has_more else self._asked
        place = _Place(cursor, self._until)
        if before and before.cursor == cursor and self._until - before.until < QUIET:
            return
        self.writes.note(SPACE, self._key, _encode_place(place).decode(), unchanged=True)
        self._place = place

    def _begin(self) -> None:
        self.run.lease(_claim(self.call, self._key), f"another run follows {self.name!r}", BUSY)
        self._place = self._read()
        now = int(time())
        if self._place is None:
            begin = self._first_time()
            self._until = now - WINDOW if begin is UNSET else begin
            self.request = msgspec.structs.replace(self.request, **_begin_time(begin))
            return
        self._until = self._place.until
        self._is_resumed = True
        self.request = msgspec.structs.replace(self.request, cursor=self._place.cursor)
        if now - self._until > WINDOW:
            self.gap = gap = FollowGap(_utc(self._until), _utc(now - WINDOW))
            text = "follow %s of %s: records from %s to %s UTC may be missing, WeCom keeps them for 5 days"
            log.warning(text, short(self.name, 64), self.api, f"{gap.since:%F %T}", f"{gap.until:%F %T}")

    def _read(self) -> _Place | None:
        text = self.writes.read(SPACE, self._key)
        try:
            return None if text is None else _decode_place(text)
        except UNREADABLE as error:
            raise KeptValueError(self._key, str(error)) from None

    def _first_time(self) -> Any:
        """Return the time from which records are asked for at the first use; UNSET for all."""
        match self.start:
            case "oldest":
                return UNSET
            case "now":
                return _time_of(self.call, self.run.age) - BEFORE_NOW
            case datetime():
                return int(self.start.timestamp())
            case _:
                return self.start

    def _pull(self, client: Any) -> OutputT:
        if self.request.token and self.run.age > TOKEN_LIFETIME:
            self.request = msgspec.structs.replace(self.request, token=UNSET)
        while True:
            self._asked = int(time())
            try:
                return self.invoke(client, self.request)
            except ApiError as error:
                self.request = self._other_request(error)

    def _other_request(self, error: ApiError) -> Any:
        """Return the request to send in place of one that WeCom refused.

        Raises:
            PostponedError: WeCom limits the frequency, or is busy.
            ApiError: There is no other request.
        """
        if error.errcode in ASK_LATER:
            raise self.run.postpone(f"{self.api} is limited ({error.errcode})", LIMITED) from error
        if error.errcode != BAD_CURSOR and self.request.token:  # WeCom's pages do not name the errcode of a token
            return msgspec.structs.replace(self.request, token=UNSET)
        if error.errcode != BAD_CURSOR or not self._is_resumed:
            raise error
        self._is_resumed = False
        begin = UNSET if self.gap else self._until - MARGIN
        text = "follow %s of %s: WeCom refuses the cursor; records from %s UTC on come again"
        since = self._until - MARGIN if self.gap is None else int(time()) - WINDOW
        log.warning(text, short(self.name, 64), self.api, f"{_utc(since):%F %T}")
        return msgspec.structs.replace(self.request, cursor=UNSET, **_begin_time(begin))


class _Pages(Generic[OutputT]):
    def __init__(self, pages: FollowedPages[OutputT]) -> None:
        self._pages = pages

    @property
    def gap(self) -> FollowGap | None:
        """The time from which records may be missing; None when there is none. It is known with the first page."""
        return self._pages.gap

    def keep(self) -> None:
        """Let the page that was given last count as processed, before a `break`.

        Without it a page counts when the next one is asked for, so that a page which the loop was left in comes again.
        """
        self._pages.keep()


class Follow(_Pages[OutputT]):
    """The pages of `Context.follow`: iterate over it once.

    Examples:
        >>> from wwspec_router import EventContext, Follow
        >>> from wwspec_contracts import sync_msg
        >>> def count(pages: Follow[sync_msg.Response], ctx: EventContext) -> int:
        ...     messages = 0
        ...     for page in pages:
        ...         messages += len(page.msg_list)
        ...         if ctx.remaining is not None and ctx.remaining < 1.0:
        ...             pages.keep()  # the page is counted; the next event goes on after it
        ...             break
        ...     return messages
    """

    def __init__(self, pages: FollowedPages[OutputT], client: Any) -> None:
        super().__init__(pages)
        self._client = client

    def __iter__(self) -> "Follow[OutputT]":
        return self

    def __next__(self) -> OutputT:
        page = self._pages.next(self._client)
        if page is None:
            raise StopIteration
        return page


class AsyncFollow(_Pages[OutputT]):
    """The pages of `AsyncContext.follow`: iterate over it once, with `async for`.

    Examples:
        >>> from wwspec_router import AsyncFollow
        >>> from wwspec_contracts import sync_msg
        >>> async def count(pages: AsyncFollow[sync_msg.Response]) -> int:
        ...     return sum([len(page.msg_list) async for page in pages])
    """

    def __init__(self, pages: FollowedPages[OutputT], on_thread: Callable[[Callable[[Any], Any]], Any]) -> None:
        super().__init__(pages)
        self._on_thread = on_thread

    def __aiter__(self) -> "AsyncFollow[OutputT]":
        return self

    async def __anext__(self) -> OutputT:
        page: OutputT | None = await self._on_thread(self._pages.next)
        if page is None:
            raise StopAsyncIteration
        return page


class _Event(msgspec.Struct):
    timestamp: int = 0


_decode_event = msgspec.json.Decoder(_Event).decode


def _time_of(call: Call, age: float) -> int:
    """Return when an event happened by its own timestamp, or when a call was accepted, as Unix time."""
    try:
        happened = 0 if call.is_async else _decode_event(call.data).timestamp
    except UNREADABLE:
        happened = 0
    return happened or int(time() - age)


def _begin_time(time_: Any) -> dict[str, Any]:
    return {} if time_ is UNSET else {"begin_time": max(0, time_)}


def _times(page: Any) -> list[int]:
    """Return when the messages of a page were sent, and 0, in case it does not say so."""
    details = (getattr(each, "msg_detail", each) for each in getattr(page, "msg_list", ()))
    return [0, *(sent for each in details if isinstance(sent := getattr(each, "send_time", 0), int))]


def _claim(call: Call, key: str) -> OnceClaim:
    parts = msgspec.json.encode([call.corpid, call.agentid, SPACE, key])
    digest = sha256(parts).hexdigest()
    return OnceClaim(key=digest, token=token_hex(32), request=digest, corp=corp_hash(call.corpid))


def _utc(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
