"""The receiver without I/O: the way of a notification until it is handled.

It is made of generators that yield `Ask` (call a function of the store, and continue with its result or error) or
`Watched` (call a function of the app, and continue with its outcome). A driver runs them, on threads or on an event
loop.
"""

import logging
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from wwspec_router.callbacks import Callback
from wwspec_router.client.calls import Ability, read_reply
from wwspec_router.client.errors import PlatformError, ZoneClientError
from wwspec_router.client.notify.claims import Claims
from wwspec_router.client.notify.events import typed
from wwspec_router.client.notify.failures import log_failure, reason_of
from wwspec_router.client.notify.intake import Intake, ReceiveId
from wwspec_router.client.notify.models import Key, Notification, NotifyEvent, Pending, Stage
from wwspec_router.client.notify.policy import NotifyPolicy
from wwspec_router.client.notify.stores import PendingStore
from wwspec_router.client.notify.watch import Outcome, watched
from wwspec_router.client.steps import Steps, ask
from wwspec_router.contracts import Contract
from wwspec_router.errors import ConfigurationError, StoreError
from wwspec_router.logs.printable import printable
from wwspec_router.logs.stacks import is_a

_UNKNOWN_NOTIFY_ID = 710646
"""The errcode of a notify_id that WeCom does not know, or no longer knows [100042]."""
_MOST_HANGS = 6
"""How often the handler may take too long with one event; each time it may keep a thread."""
_ENDED = "the process ended while the event was handled"
_ALL = 2**31
"""A limit above any number of rows."""

_log = logging.getLogger("wwspec_router.notify")


class ReceiverCore:
    """What both receivers share; the arguments are those of `NotifyReceiver`.

    Args:
        token: The callback's Token.
        encoding_aes_key: The callback's EncodingAESKey.
        receive_id: The receivers whose callbacks are accepted.
        store: Keeps notifications.
        ability_id: The ability that returns events.
        program_id: The program that is asked; the client's when empty.
        kinds: The types of the program's own notifications.
        policy: Bounds and pauses.
        clock: Returns Unix time in seconds.
        on_other: Called with all other callbacks; may be None.
        on_failed: Called with each notification that is given up; may be None.

    Raises:
        ConfigurationError: Token, key or receive ID is missing or malformed.
    """

    def __init__(
        self,
        *,
        token: str,
        encoding_aes_key: str,
        receive_id: ReceiveId,
        store: PendingStore,
        ability_id: str,
        program_id: str,
        kinds: Mapping[str, type[Contract]],
        policy: NotifyPolicy,
        clock: Callable[[], float],
        on_other: Callable[[Callback], Any] | None,
        on_failed: Callable[[Pending], Any] | None,
    ) -> None:
        self.intake = Intake(
            token, encoding_aes_key, receive_id, note=self._note, on_other=on_other, policy=policy, clock=clock
        )
        self.store = store
        self.policy = policy
        self._ability = Ability(ability_id, "{}", dict[str, Any])
        self._program_id = program_id
        self._kinds = kinds
        self._clock = clock
        self._on_failed = on_failed
        self._hangs: dict[Key, int] = {}
        self.claims = Claims(store, policy)
        self.ring: Callable[[], None] = _nothing
        """Called when there is something to do; the driver wakes its workers."""
        self._pid = 0

    @property
    def running(self) -> bool:
        """Whether the receiver was started in this process, not in its parent, and not stopped."""
        return self._pid == os.getpid()

    @running.setter
    def running(self, running: bool) -> None:
        self._pid = os.getpid() if running else 0

    def _note(self, notification: Notification) -> Steps[bool]:
        if not self.running:
            return False
        now = self._clock()
        if (yield from ask(partial(self.store.add, Pending(notification=notification, noted=now, due=now)))):
            _log.info("%s: noted", _name(notification))
            self.ring()
        return True

    def worker(self, stage: Stage, work: "Callable[[Pending], Steps[None]]", idle: Callable[[], Any]) -> Steps[None]:
        """Do the work of a stage, row by row, until the receiver stops.

        Args:
            stage: Of the rows.
            work: What is done with one.
            idle: Returns a function that waits until there may be something to do. It is called before the store is
                asked, so that no arrival in between is missed.
        """
        while self.running or not self.store.durable:  # at the end nothing may be left in memory
            wait = idle()
            row = yield from self.claim(stage)
            if row is None:
                if not self.running and not self.claims.is_fetching():
                    return
                yield from ask(wait)
                continue
            try:
                yield from work(row)
            except StoreError as error:
                _log.error("%s: %s", _name(row.notification), error)
                yield from ask(wait)
            except Exception as error:
                log_failure(f"{_name(row.notification)}: its state was not stored", error)
                yield from ask(wait)
            finally:
                self.claims.release(row)

    def claim(self, stage: Stage) -> Steps[Pending | None]:
        """Return the next row of a stage; no other worker gets it until it is released. None when there is none."""
        try:
            row: Pending | None = yield from ask(partial(self.claims.claim, stage, self._clock()))
        except StoreError as error:
            _log.error("%s", error)
            return None
        return row

    def fetch(self, row: Pending, client_of: Callable[[Notification], Any]) -> Steps[None]:
        """Fetch the event of a notification, or plan the next attempt."""
        outcome = yield from self._fetched(row, client_of)
        error = outcome.error
        if error is None:
            changed = replace(row, stage=Stage.FETCHED, event=outcome.result, attempts=0, due=self._clock(), reason="")
            yield from ask(partial(self.store.put, changed))
            self.ring()
            return
        if not is_a(error, ZoneClientError):
            log_failure(f"{_name(row.notification)}: its event can't be fetched", error)
        unknown = is_a(error, PlatformError) and error.errcode == _UNKNOWN_NOTIFY_ID
        final = unknown or self._clock() > row.noted + self.policy.lifetime
        yield from self._again(replace(row, attempts=row.attempts + 1, reason=reason_of(error)), final=final)

    def _fetched(self, row: Pending, client_of: Callable[[Notification], Any]) -> Steps[Outcome]:
        """Return the text of an event, or the error."""
        options = {"program_id": self._program_id} if self._program_id else {}
        options["notify_id"] = row.notification.notify_id
        outcome = yield from self._watched(partial(client_of, row.notification), "the choice of the client", row)
        if outcome.error is not None:
            return outcome
        try:
            call = partial(outcome.result.call, self._ability.ability_id, {}, raw=True, retry_unsafe=True, **options)
            outcome = yield from self._watched(call, "the fetch", row)
            if outcome.error is None:
                read_reply(f"sync_call_program of {self._ability.ability_id}", self._ability, outcome.result)
        except Exception as error:
            return Outcome(error=error)
        return outcome

    def handle(self, row: Pending, handler: Callable[[NotifyEvent], Any] | None) -> Steps[None]:
        """Call a function with an event. The attempt is counted before, since the function may end the process."""
        assert handler is not None  # noqa: S101 - without one there is no worker
        if row.attempts >= self.policy.handler_attempts:
            yield from self._again(row, final=True)
            return
        attempts = row.attempts + 1
        due = self._clock() + self.policy.pause(attempts)
        tried = replace(row, attempts=attempts, due=due, reason=_ENDED)
        yield from ask(partial(self.store.put, tried))
        try:
            outcome = yield from self._watched(partial(handler, self.event_of(row)), "the handler", row)
        except Exception as error:
            outcome = Outcome(error=error)
        if outcome.error is None:
            yield from self.done(row)
            return
        if attempts == 1:
            log_failure(f"{_name(row.notification)}: its handler failed", outcome.error, level=logging.WARNING)
        final = attempts >= self.policy.handler_attempts or (outcome.hangs and self._hangs_too_often(row))
        yield from self._again(replace(tried, reason=reason_of(outcome.error)), final=final)

    def _watched(self, function: Callable[[], Any], name: str, row: Pending) -> Steps[Outcome]:
        notify_id = printable(row.notification.notify_id)
        return watched(function, f"{name} of notification {notify_id}", self.policy.handler_limit, notify_id)

    def _hangs_too_often(self, row: Pending) -> bool:
        hangs = self._hangs[row.notification.key] = self._hangs.get(row.notification.key, 0) + 1
        return hangs >= _MOST_HANGS

    def done(self, row: Pending) -> Steps[None]:
        """Note that an event is handled."""
        self._hangs.pop(row.notification.key, None)
        changed = replace(row, stage=Stage.DONE, event="", due=self._clock(), reason="")
        yield from ask(partial(self.store.put, changed))

    def event_of(self, row: Pending) -> NotifyEvent:
        """Return the event that the handler gets."""
        raw: dict[str, Any] = read_reply("the kept event", self._ability, row.event)
        event_type, timestamp = raw.get("event_type"), raw.get("timestamp")
        data = typed(raw, self._kinds)
        return NotifyEvent(
            notification=row.notification,
            event_type=event_type if isinstance(event_type, str) else "",
            timestamp=timestamp if isinstance(timestamp, int) else 0,
            data=raw if data is None else data,
            raw=raw,
            attempt=row.attempts + 1,
        )

    def _again(self, row: Pending, *, final: bool) -> Steps[None]:
        """Plan the next attempt, or give up; `row` has its count and its reason."""
        now, name = self._clock(), _name(row.notification)
        if not final:
            _log.info("%s: attempt %d: %s", name, row.attempts, row.reason)
            yield from ask(partial(self.store.put, replace(row, due=now + self.policy.pause(row.attempts))))
            return
        work = "fetch" if row.stage is Stage.NOTED else "handle"
        text = "%s is given up after %d attempts to %s it; retry() tries again: %s"
        _log.error(text, name, row.attempts, work, row.reason)
        self._hangs.pop(row.notification.key, None)
        changed = replace(row, stage=Stage.FAILED, due=now)
        yield from ask(partial(self.store.put, changed))
        if self._on_failed is not None:
            outcome = yield from self._watched(partial(self._on_failed, changed), "on_failed", row)
            if outcome.error is not None:
                log_failure(f"{name}: on_failed failed", outcome.error)

    def check_for_events(self, handler: object) -> None:
        """Raise ConfigurationError when `events()` can't work."""
        if handler is not None:
            raise ConfigurationError("events() is for a receiver without a handler")
        if not self.running:
            raise ConfigurationError("start the receiver before events(): with `with`, `async with`, or start()")

    def failed(self) -> list[Pending]:
        """Return the rows that were given up."""
        return failed_rows(self.store, self._clock())

    def retry(self, notification: Notification) -> bool:
        """Try a notification again that was given up; return False when it was not given up."""
        return try_again(self.store, notification, self._clock())

    def report_left(self) -> None:
        """Log which rows a store in memory still has at the end."""
        left = [] if self.store.durable else [*self._left(Stage.NOTED), *self._left(Stage.FETCHED)]
        if left:
            _log.error("%d notifications were not handled, and the store keeps them in this process only", len(left))

    def _left(self, stage: Stage) -> Sequence[Pending]:
        return self.store.due(stage, math.inf, _ALL)


def failed_rows(store: PendingStore, now: float) -> list[Pending]:
    """Return the rows that were given up.

    Raises:
        StoreError: The store can't be read.
    """
    return list(store.due(Stage.FAILED, now, _ALL))


def try_again(store: PendingStore, notification: Notification, now: float) -> bool:
    """Let a receiver try a notification again that was given up; return False when it was not given up.

    Raises:
        StoreError: The store can't be read or written.
    """
    row = store.get(notification.key)
    if row is None or row.stage is not Stage.FAILED:
        return False
    store.put(replace(row, stage=Stage.FETCHED if row.event else Stage.NOTED, attempts=0, due=now, reason=""))
    return True


def _name(notification: Notification) -> str:
    return f"notification {printable(notification.notify_id)}"


def _nothing() -> None:
    """Wake nobody: there is no driver yet."""
