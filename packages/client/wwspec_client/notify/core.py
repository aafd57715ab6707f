"""The receiver without I/O: the way of a notification until it is handled.

It is made of generators that yield `Ask` (call a function of the store, and continue with its result or error) or
`Watched` (call a function of the app, and continue with its outcome). A driver runs them, on threads or on an event
loop.
"""

import logging
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import InitVar, dataclass, replace
from functools import partial
from typing import Any

from wwspec_client.arguments import check_has
from wwspec_client.calls import Ability, read_reply
from wwspec_client.errors import PlatformError, ZoneClientError
from wwspec_client.notify.claims import Claims
from wwspec_client.notify.events import typed
from wwspec_client.notify.failures import log_failure, reason_of
from wwspec_client.notify.intake import Intake, ReceiveId
from wwspec_client.notify.models import Key, Notification, NotifyEvent, Pending, Stage, callback_row
from wwspec_client.notify.policy import NotifyPolicy
from wwspec_client.notify.stores import PendingStore
from wwspec_client.notify.watch import Outcome, call_watched
from wwspec_client.notify.workers import FETCHERS
from wwspec_client.steps import Steps, ask
from wwspec_contracts.base import Contract
from wwspec_contracts.callbacks import Callback
from wwspec_contracts.errors import ConfigurationError, StoreError
from wwspec_contracts.support.printable import printable
from wwspec_contracts.support.stacks import is_a

_UNKNOWN_NOTIFY_ID = 710646
"""The errcode of a notify_id that WeCom does not know, or no longer knows [100042]."""
_MOST_HANGS = 6
"""How often the handler may take too long with one event; each time it may keep a thread."""
_ENDED = "the process ended while the event was handled"
_ALL = 2**31
"""A limit above any number of rows."""

Handler = Callable[[NotifyEvent], Any]
Work = Callable[[Callable[[], Any]], Steps[None]]
"""Of a worker; given the function that is called before each look for work, and returns how to wait."""

_log = logging.getLogger("wwspec_client.notify")


@dataclass(eq=False, kw_only=True, repr=False)
class ReceiverCore:
    """What both receivers share; the fields are the arguments of `NotifyReceiver`.

    Raises:
        ConfigurationError: Token, key or receive ID is missing or malformed, or the store is none.
    """

    token: InitVar[str]
    encoding_aes_key: InitVar[str]
    receive_id: InitVar[ReceiveId]
    store: PendingStore
    ability_id: InitVar[str]
    program_id: str
    kinds: Mapping[str, type[Contract]]
    policy: NotifyPolicy
    clock: Callable[[], float]
    on_other: Callable[[Callback], Any] | None
    on_failed: Callable[[Pending], Any] | None
    wake: Callable[[], None]
    """Called when there is something to do: wakes the driver's workers."""

    def __post_init__(self, token: str, encoding_aes_key: str, receive_id: ReceiveId, ability_id: str) -> None:
        check_has(
            "claim",
            self.store,
            "store is a PendingStore, such as SqlitePendingStore(path) or SqlPendingStore(engine), or an object with "
            "all methods of PendingStore, claim, renew and release among them",
        )
        self.intake: Intake = Intake(
            token,
            encoding_aes_key,
            receive_id,
            note=self._note,
            has_on_other=self.on_other is not None,
            policy=self.policy,
            clock=self.clock,
        )
        self.claims: Claims = Claims(self.store, self.policy, self.clock)
        self._ability = Ability(ability_id, "{}", dict[str, Any])
        self._hangs: dict[Key, int] = {}
        self._pid = 0

    @property
    def running(self) -> bool:
        """Whether the receiver was started in this process, not in its parent, and not stopped."""
        return self._pid == os.getpid()

    @running.setter
    def running(self, running: bool) -> None:
        self._pid = os.getpid() if running else 0

    def open(self) -> Steps[None]:
        """Open the store, and accept callbacks from now on."""
        yield from ask(self.store.open)
        self.running = True

    def close(self) -> Steps[None]:
        """Let others claim what is not done, log what a store in memory still has, and close the store."""
        try:
            yield from self.claims.release_all()
        except StoreError as error:
            _log.error("%s", error)
        if not self.store.durable:
            left = 0
            for stage in (Stage.NOTED, Stage.FETCHED, Stage.RECEIVED):
                left += len((yield from ask(partial(self.store.due, stage, math.inf, _ALL))))
            if left:
                _log.error("%d notifications were not handled, and the store keeps them in this process only", left)
        yield from ask(self.store.close)

    def _note(self, found: Notification | Callback) -> Steps[bool]:
        if not self.running:
            return False
        now = self.clock()
        if isinstance(found, Callback):
            row = callback_row(found, now)
        else:
            row = Pending(notification=found, noted=now, due=now)
        if (yield from ask(partial(self.store.add, row))):
            _log.info("%s: noted", row.name)
            self.wake()
        elif isinstance(found, Notification):
            yield from self._begin_anew(row)
        return True

    def _begin_anew(self, repeat: Pending) -> Steps[None]:
        """Try a notification again that was given up: a program repeats one whose event nobody has fetched."""
        row: Pending | None = yield from ask(partial(self.store.get, repeat.key))
        if row is not None and row.stage is Stage.FAILED:
            yield from ask(partial(self.store.put, replace(_anew(row, repeat.due), noted=repeat.noted)))
            _log.info("%s: it came again after it was given up, and is tried again", row.name)
            self.wake()

    def works(self, client_of: Callable[[Notification], Any], handler: Handler | None, concurrency: int) -> list[Work]:
        """Return what each worker of a receiver does; see `worker`.

        Args:
            client_of: Returns the client for a notification.
            handler: Called with events; may be None.
            concurrency: How many workers there are for it, and how many for `on_other`.
        """
        works: list[Work] = [partial(self.worker, Stage.NOTED, partial(self.fetch, client_of=client_of))] * FETCHERS
        if handler is not None:
            works += [partial(self.worker, Stage.FETCHED, partial(self.handle, handler=handler))] * concurrency
        if self.on_other is not None:
            handle = partial(self.handle_other, on_other=self.on_other)
            works += [partial(self.worker, Stage.RECEIVED, handle)] * concurrency
        return [*works, self._renewals]

    def _renewals(self, idle: Callable[[], Any]) -> Steps[None]:
        """Renew what this process has claimed, until the receiver stops and nothing is claimed."""
        while self.running or not self.claims.is_empty():
            wait = idle()
            try:
                yield from self.claims.renew()
            except StoreError as error:
                _log.error("%s", error)
            yield from ask(wait)

    def worker(self, stage: Stage, work: Callable[[Pending], Steps[None]], idle: Callable[[], Any]) -> Steps[None]:
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
                    break
                yield from ask(wait)
                continue
            if not (yield from self._do_work(work, row)):
                yield from ask(wait)
        self.wake()  # for the renewals, which end with the last worker

    def _do_work(self, work: Callable[[Pending], Steps[None]], row: Pending) -> Steps[bool]:
        """Do the work of a row and release it; return False when the store has failed."""
        stored = False
        try:
            yield from work(row)
            stored = True
        except StoreError as error:
            _log.error("%s: %s", row.name, error)
        except Exception as error:
            log_failure(f"{row.name}: its state was not stored", error)
        finally:
            if self.running:  # otherwise `close` releases it, if this ends here
                self.claims.drop(row)
        return (yield from self.release(row)) and stored

    def release(self, row: Pending) -> Steps[bool]:
        """Let others claim a row; return False when the store has failed."""
        try:
            yield from self.claims.release(row)
        except StoreError as error:
            _log.error("%s: %s", row.name, error)
            return False
        return True

    def claim(self, stage: Stage) -> Steps[Pending | None]:
        """Return the next row of a stage; no other worker gets it until it is released. None when there is none."""
        try:
            return (yield from self.claims.claim(stage))
        except StoreError as error:
            _log.error("%s", error)
            return None

    def fetch(self, row: Pending, client_of: Callable[[Notification], Any]) -> Steps[None]:
        """Fetch the event of a notification, or plan the next attempt."""
        outcome = yield from self._fetch_event(row, client_of)
        error = outcome.error
        if error is None:
            changed = replace(row, stage=Stage.FETCHED, event=outcome.result, attempts=0, due=self.clock(), reason="")
            yield from self.claims.put(changed)
            self.wake()
            return
        if not is_a(error, ZoneClientError):
            log_failure(f"{row.name}: its event can't be fetched", error)
        unknown = is_a(error, PlatformError) and error.errcode == _UNKNOWN_NOTIFY_ID
        final = unknown or self.clock() > row.noted + self.policy.lifetime
        yield from self._again(replace(row, attempts=row.attempts + 1, reason=reason_of(error)), final=final)

    def _fetch_event(self, row: Pending, client_of: Callable[[Notification], Any]) -> Steps[Outcome]:
        """Return the text of an event, or the error."""
        options = {"program_id": self.program_id} if self.program_id else {}
        options["notify_id"] = row.notification.notify_id
        outcome = yield from self._call(partial(client_of, row.notification), "the choice of the client", row)
        if outcome.error is not None:
            return outcome
        try:
            call = partial(outcome.result.call, self._ability.ability_id, {}, raw=True, retry_unsafe=True, **options)
            outcome = yield from self._call(call, "the fetch", row)
            if outcome.error is None:
                read_reply(f"sync_call_program of {self._ability.ability_id}", self._ability, outcome.result)
        except Exception as error:
            return Outcome(error=error)
        return outcome

    def handle(self, row: Pending, handler: Handler) -> Steps[None]:
        """Call a function with an event."""
        return self._call_handler(row, handler, partial(self.event_of, row), "the handler")

    def handle_other(self, row: Pending, on_other: Callable[[Callback], Any]) -> Steps[None]:
        """Call a function with a callback that is no notification."""
        return self._call_handler(row, on_other, lambda: row.callback, "on_other")

    def _call_handler(
        self, row: Pending, function: Callable[[Any], Any], read: Callable[[], Any], name: str
    ) -> Steps[None]:
        """Call a function of the app. The attempt is counted before, since the function may end the process."""
        if row.attempts >= self.policy.handler_attempts:
            yield from self._again(row, final=True)
            return
        attempts = row.attempts + 1
        due = self.clock() + self.policy.pause(attempts)
        tried = replace(row, attempts=attempts, due=due, reason=_ENDED)
        if not (yield from self.claims.put(tried)):
            return
        try:
            outcome = yield from self._call(partial(function, read()), name, row)
        except Exception as error:
            outcome = Outcome(error=error)
        if outcome.error is None:
            yield from self.done(row)
            return
        if attempts == 1:
            log_failure(f"{row.name}: {name} failed", outcome.error, level=logging.WARNING)
        final = attempts >= self.policy.handler_attempts or (outcome.hangs and self._hangs_too_often(row))
        yield from self._again(replace(tried, reason=reason_of(outcome.error)), final=final)

    def _call(self, function: Callable[[], Any], name: str, row: Pending) -> Steps[Outcome]:
        notify_id = printable(row.notification.notify_id)
        return call_watched(function, f"{name} of {row.name}", self.policy.handler_limit, notify_id)

    def _hangs_too_often(self, row: Pending) -> bool:
        hangs = self._hangs[row.key] = self._hangs.get(row.key, 0) + 1
        return hangs >= _MOST_HANGS

    def done(self, row: Pending) -> Steps[None]:
        """Note that an event is handled."""
        self._hangs.pop(row.key, None)
        changed = replace(row, stage=Stage.DONE, event="", due=self.clock(), reason="")
        yield from self.claims.put(changed)

    def event_of(self, row: Pending) -> NotifyEvent:
        """Return the event that the handler gets."""
        raw: dict[str, Any] = read_reply("the kept event", self._ability, row.event)
        event_type, timestamp = raw.get("event_type"), raw.get("timestamp")
        data = typed(raw, self.kinds)
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
        now, name = self.clock(), row.name
        if not final:
            _log.info("%s: attempt %d: %s", name, row.attempts, row.reason)
            yield from self.claims.put(replace(row, due=now + self.policy.pause(row.attempts)))
            return
        work = "fetch" if row.stage is Stage.NOTED else "handle"
        text = "%s is given up after %d attempts to %s it; retry() tries again: %s"
        _log.error(text, name, row.attempts, work, row.reason)
        self._hangs.pop(row.key, None)
        stage = Stage.FAILED_CALLBACK if row.stage is Stage.RECEIVED else Stage.FAILED
        changed = replace(row, stage=stage, due=now)
        if (yield from self.claims.put(changed)) and self.on_failed is not None:
            outcome = yield from self._call(partial(self.on_failed, changed), "on_failed", row)
            if outcome.error is not None:
                log_failure(f"{name}: on_failed failed", outcome.error)

    def check_for_events(self, handler: object) -> None:
        """Raise ConfigurationError when `events()` can't work."""
        if handler is not None:
            raise ConfigurationError("events() is for a receiver without a handler")
        if not self.running:
            raise ConfigurationError("start the receiver before events(): with `with`, `async with`, or start()")

    def failed(self) -> Steps[list[Pending]]:
        """Return the rows that were given up."""
        return failed_rows(self.store, self.clock())

    def retry(self, notification: Notification) -> Steps[bool]:
        """Try again what was given up; return False when it was not given up."""
        found = yield from try_again(self.store, notification, self.clock())
        self.wake()
        return found


def failed_rows(store: PendingStore, now: float) -> Steps[list[Pending]]:
    """Return the rows that were given up.

    Raises:
        StoreError: The store can't be read.
    """
    rows: list[Pending] = []
    for stage in (Stage.FAILED, Stage.FAILED_CALLBACK):
        rows += yield from ask(partial(store.due, stage, now, _ALL))
    return rows


def try_again(store: PendingStore, notification: Notification, now: float) -> Steps[bool]:
    """Let a receiver try again what was given up; return False when it was not given up.

    Raises:
        StoreError: The store can't be read or written.
    """
    row: Pending | None = yield from ask(partial(store.get, notification.key))
    if row is None or row.stage not in (Stage.FAILED, Stage.FAILED_CALLBACK):
        return False
    yield from ask(partial(store.put, _anew(row, now)))
    return True


def _anew(row: Pending, now: float) -> Pending:
    """Return a row that was given up as it is tried again."""
    stage = Stage.FETCHED if row.event else Stage.NOTED
    if row.stage is Stage.FAILED_CALLBACK:
        stage = Stage.RECEIVED
    return replace(row, stage=stage, attempts=0, due=now, reason="")
