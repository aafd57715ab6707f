"""Pulls messages from the place where the last pull ended, without I/O: requests, kept places, and gaps."""

import logging
import math
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import count
from typing import TypedDict

import msgspec

from wwspec_client import calls
from wwspec_client.arguments import Timeout, check_has
from wwspec_client.calls import Ability, CallOptions
from wwspec_client.core import Core
from wwspec_client.cursors import CursorRefusedError, CursorStore, Position
from wwspec_client.errors import SdkApiError, ZoneClientError
from wwspec_client.models import MessageGap
from wwspec_client.paging import CursorWalk
from wwspec_client.retries import RetryPolicy
from wwspec_client.steps import Ask, Asked, Pause, Steps, ask
from wwspec_contracts import sync_msg
from wwspec_contracts.base import UNSET
from wwspec_contracts.errors import ConfigurationError, WWSpecError
from wwspec_contracts.messages import Message

WINDOW = 5 * 24 * 3600
"""Seconds that WeCom keeps records [99824]."""
BETWEEN_PAGES = 3600
"""Seconds that may pass between two pages of a pull without a gap: their records are asked for meanwhile."""
TOKEN_LIFETIME = 600.0
"""Seconds that the token of an event is valid [99853]."""
MOST = 1000
"""Messages of a page [99824]."""
QUIET = 60
"""Seconds after which a pull without news is stored: not each of them writes to the disk."""

_BAD_CURSOR = 710611

PATIENCE: RetryPolicy = RetryPolicy(attempts=1000, first_pause=1.0, longest_pause=60.0, deadline=900.0)
"""How long to wait for one page."""

log: logging.Logger = logging.getLogger(__name__)


class MessageGapError(WWSpecError):
    """Messages may be missing, and `messages()` has no `on_gap`.

    Attributes:
        gap: The time from which they are missing.
    """

    def __init__(self, gap: MessageGap) -> None:
        super().__init__(
            f"messages that were sent from {gap.since:%Y-%m-%d %H:%M:%S} to {gap.until:%Y-%m-%d %H:%M:%S} UTC may be "
            "missing: the last pull was before, and WeCom keeps them for 5 days. To go on with what it still has, give "
            "messages() a function as on_gap="
        )
        self.gap = gap


class PullOptions(TypedDict, total=False):
    """How messages are pulled. A pull only reads, so it is sent again though it may have run."""

    program_id: str
    """Another program than the client's."""
    notify_id: str
    """From a notification."""
    timeout: Timeout
    """Seconds for the answer of one call; the client's when absent."""
    token: str | Asked[str]
    """Of a conversation_new_message event. Without one, WeCom limits the frequency of pulls strictly [99824]. A
    function is called before each page, so that it can return a newer token; an empty text means none."""
    ability: str
    """The ability ID that calls sync_msg; by default the API's name behind the prefix."""
    limit: int
    """Messages of a page, 1 to 1000; 1000 by default, since the number of pulls is limited."""
    on_gap: Callable[[MessageGap], object] | None
    """Called when messages may be missing; without it, a `MessageGapError` is raised. May be `async def` with
    `AsyncZoneClient`."""
    patience: RetryPolicy
    """How long a page is waited for while WeCom is busy or can't be reached, on top of the client's own retries: 15
    minutes by default, with pauses from 1 to 60 seconds."""
    max_pages: int
    """The most pages that this pull asks WeCom for. Then it ends as after the last one; the next pull goes on."""
    deadline: float
    """Seconds from the first page's request after which no other page is asked for, nor waited for."""
    begin_time: datetime | int
    """Leave out messages from before: a time with its zone, or Unix seconds. Without a kept place the pull also begins
    near it, instead of 5 days ago."""


@dataclass
class Pulled:
    """A page of messages, and the place that is stored when the page is kept."""

    messages: list[Message]
    before: Position | None
    after: Position
    is_last: bool
    kept: bool = False


class Pull:
    """One pull of messages, page by page; see `ZoneClient.messages`.

    Args:
        core: Sends the requests.
        cursors: Where the last pull ended.
        options: How it is done.

    Raises:
        ConfigurationError: A bound is out of its range, begin_time has no time zone, or no program is named.
    """

    def __init__(self, core: Core, cursors: CursorStore, options: PullOptions) -> None:
        calls.check_options(options, PullOptions)
        check_has("load", cursors, "cursors is a CursorStore, such as SqlCursor(connection, name=corpid)")
        self._limit = options.get("limit", MOST)
        if not 1 <= self._limit <= MOST:
            raise ConfigurationError(f"limit is 1 to {MOST} messages, not {self._limit}")
        core.program_of(options.get("program_id", ""))
        self._max_pages, self._deadline = options.get("max_pages"), options.get("deadline")
        for called, bound in (("max_pages", self._max_pages), ("deadline", self._deadline)):
            if bound is not None and not bound > 0:
                raise ConfigurationError(f"{called} is more than 0, not {bound:g}")
        self._begin_time = _unix(options.get("begin_time", 0))
        self._until = math.inf
        self._asked_pages = 0
        self._core = core
        self._cursors = cursors
        self._ability = options.get("ability", f"{core.prefix}sync_msg")
        self._calls: CallOptions = {"retry_unsafe": True}
        for name in ("program_id", "notify_id", "timeout"):
            if name in options:
                self._calls[name] = options[name]
        self._on_gap = options.get("on_gap")
        self._token = _EventToken(options.get("token", ""))
        self._patience = options.get("patience", PATIENCE)
        self._name = secrets.token_hex(8)
        self._walk: CursorWalk | None = None
        self._latest: Position | None = None
        self._pending: Pulled | None = None

    def next(self) -> Steps[Pulled | None]:
        """Return the next page that has messages, after the one before is kept; None after the last one."""
        if self._walk is None:
            self._latest = yield Ask(self._cursors.load, same_thread=self._cursors.same_thread)
            self._walk = CursorWalk(self._latest.cursor if self._latest else "")
            if self._deadline is not None:
                self._until = time.monotonic() + self._deadline
        while True:
            if self._pending is not None:
                if not self._pending.kept:
                    yield from self._keep(self._pending, commit=True)
                if self._pending.is_last or self._is_over():
                    return None
            page = self._pending = yield from self._following(self._walk)
            if page.messages:
                return page
            page.kept = page.is_last and _is_as_good_as(page.before, page.after)

    def _is_over(self) -> bool:
        return self._asked_pages == self._max_pages or time.monotonic() >= self._until

    def keep(self, page: Pulled) -> Steps[None]:
        """Store where a page ends, in the app's own transaction where the store has one."""
        return self._keep(page, commit=False)

    def _keep(self, page: Pulled, *, commit: bool) -> Steps[None]:
        store = partial(self._cursors.keep, page.before, page.after, commit=commit)
        yield Ask(store, same_thread=self._cursors.same_thread)
        page.kept = True

    def _following(self, walk: CursorWalk) -> Steps[Pulled]:
        before, now = self._latest, int(time.time())
        covered = before.covered_until if before else now
        is_gap = now - covered > WINDOW + (BETWEEN_PAGES if self._pending else 0)
        if is_gap:
            gap = MessageGap(_utc(covered), _utc(now - WINDOW))
            if self._on_gap is None:
                raise MessageGapError(gap)
            yield Ask(partial(self._on_gap, gap), same_thread=True)
            covered = now - WINDOW
        reply = yield from self._pull_page(before.cursor if before else "", is_gap=is_gap)
        self._asked_pages += 1
        cursor = reply.next_cursor
        if reply.has_more:
            walk.follow(self._ability, cursor)
            covered = max(covered, max((each.send_time for each in reply.msg_list), default=0))
        else:
            covered = now
        pages = before.pages + 1 if before else 1
        self._latest = Position(cursor or (before.cursor if before else ""), covered, pages, self._name)
        messages = [each for each in reply.msg_list if each.send_time >= self._begin_time]
        return Pulled(messages, before, self._latest, is_last=not reply.has_more)

    def _pull_page(self, cursor: str, *, is_gap: bool) -> Steps[sync_msg.Response]:
        try:
            return (yield from self._wait_for(cursor))
        except SdkApiError as error:
            if not cursor or error.errcode != _BAD_CURSOR:
                raise
            if not is_gap:
                raise CursorRefusedError(
                    f"WeCom refuses the cursor of {self._cursors!r} with errcode {_BAD_CURSOR}: use one store for each "
                    "corp; if it is the right one, remove what it holds to pull all of the last 5 days once more (an "
                    "emulator refuses the cursors from before its last start or reset)"
                ) from error
        return (yield from self._wait_for(""))

    def _wait_for(self, cursor: str) -> Steps[sync_msg.Response]:
        """Pull one page; try again while WeCom is busy."""
        began = time.monotonic()
        for attempt in count(1):
            token = yield from self._token.current()
            try:
                return (yield from self._once(cursor, token))
            except ZoneClientError as error:
                if token and _may_be_of_token(error):
                    self._token.drop()
                    continue
                pause = self._patience.pause(error, attempt, time.monotonic() - began, retry_unsafe=True)
                if pause is None or time.monotonic() + pause > self._until:
                    raise
                log.warning("%s; the next attempt is in %.1f s", error, pause)
            yield Pause(pause)
        raise AssertionError  # count does not end

    def _once(self, cursor: str, token: str) -> Steps[sync_msg.Response]:
        begin_time = UNSET if cursor else self._begin_time or UNSET
        request = sync_msg.Request(
            cursor=cursor or UNSET, token=token or UNSET, limit=self._limit, begin_time=begin_time
        )
        text = calls.wrapped(self._core, "sync_msg", msgspec.json.encode(request).decode())
        ability = Ability(
            self._ability, text, sync_msg.Response, "sync_msg", self._core.errcodes, unwraps=self._core.is_func
        )
        reply: sync_msg.Response = yield from calls.call(self._core, ability, self._calls, raw=False)
        return reply


class _EventToken:
    """The token of the latest event, as long as WeCom takes it."""

    def __init__(self, source: str | Asked[str]) -> None:
        self._source = source
        self._token = ""
        self._until = 0.0

    def current(self) -> Steps[str]:
        """Return the token; empty when there is none that is valid."""
        token = self._source if isinstance(self._source, str) else (yield from ask(self._source))
        if token != self._token:
            self._token, self._until = token, time.monotonic() + TOKEN_LIFETIME
        return token if time.monotonic() < self._until else ""

    def drop(self) -> None:
        """Do not use this token any more."""
        self._until = 0.0


def _is_as_good_as(before: Position | None, after: Position) -> bool:
    """Return whether a pull brought so little that it need not be stored."""
    return before is not None and before.cursor == after.cursor and after.covered_until - before.covered_until < QUIET


def _may_be_of_token(error: ZoneClientError) -> bool:
    """Return whether WeCom may have refused a pull because of its token. WeCom's pages do not name the errcode."""
    return isinstance(error, SdkApiError) and not error.retryable and error.errcode != _BAD_CURSOR


def _unix(begin: datetime | int) -> int:
    if not isinstance(begin, datetime):
        return begin
    if begin.tzinfo is None:
        raise ConfigurationError("begin_time needs a time zone, such as datetime.now(UTC)")
    return math.ceil(begin.timestamp())


def _utc(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
