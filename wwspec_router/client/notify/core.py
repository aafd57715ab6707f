"""The receiver without I/O: the way of a notification until it is handled.

It is made of generators that yield `Ask`: call a function, plain or `async def`, and go on with what it returned or
raised. A driver runs them, on threads or on an event loop.
"""

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from threading import Lock
from typing import Any

from wwspec_router.callbacks import Callback
from wwspec_router.client.calls import Ability, read_reply
from wwspec_router.client.errors import PlatformError, ZoneClientError
from wwspec_router.client.notify.events import typed
from wwspec_router.client.notify.intake import Intake, ReceiveId
from wwspec_router.client.notify.models import Key, Notification, NotifyEvent, Pending, Stage
from wwspec_router.client.notify.policy import NotifyPolicy
from wwspec_router.client.notify.stores import PendingStore
from wwspec_router.client.steps import Steps, ask
from wwspec_router.contracts import Contract
from wwspec_router.errors import ConfigurationError, StoreError

__all__ = ["ReceiverCore"]

_UNKNOWN_NOTIFY_ID = 710646
"""The errcode of a notify_id that WeCom does not know, or not any more [100042]."""
_PRUNE_EVERY = 60.0
_ALL = 2**31
"""More rows than there are."""

_log = logging.getLogger("wwspec_router.notify")


class ReceiverCore:
    """What both receivers share; the arguments are those of `NotifyReceiver`.

    Args:
        token: The callback's Token.
        encoding_aes_key: The callback's EncodingAESKey.
        receive_id: Whose callbacks are taken.
        store: Keeps notifications.
        ability_id: The ability that returns events.
        program_id: The program that is asked; the client's when empty.
        kinds: The types of the program's own notifications.
        policy: Bounds and pauses.
        clock: Returns Unix time in seconds.
        on_other: Takes all other callbacks; None when nothing does.

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
        self._busy: dict[Key, Stage] = {}
        self._lock = Lock()
        self._pruned = 0.0
        self.ring: Callable[[], None] = _nothing
        """Called when there is something to do; the driver wakes its workers."""
        self.running = False
        """Whether the receiver has been started and not stopped."""

    def _note(self, notification: Notification) -> Steps[bool]:
        if not self.running:
            return False
        now = self._clock()
        if (yield from ask(partial(self.store.add, Pending(notification=notification, noted=now, due=now)))):
            _log.info("notification %s: noted", notification.notify_id)
            self.ring()
        return True

    def worker(self, stage: Stage, work: "Callable[[Pending], Steps[None]]", idle: Callable[[], Any]) -> Steps[None]:
        """Do the work of a stage, row by row, until the receiver stops.

        Args:
            stage: Of the rows.
            work: What is done with one.
            idle: Returns a function that waits until there may be something to do. It is called before the store is
                asked, so that nothing that comes in between is missed.
        """
        while self.running or not self.store.durable:  # at the end nothing may be left in memory
            wait = idle()
            row = yield from self.claim(stage)
            if row is None:
                if not self.running and not self._is_fetching():
                    return
                yield from ask(wait)
                continue
            try:
                yield from work(row)
            except Exception as error:
                known = isinstance(error, StoreError)
                _log.error("notification %s: %s", row.notification.notify_id, error, exc_info=None if known else error)
                yield from ask(wait)
            finally:
                self.release(row)

    def claim(self, stage: Stage) -> Steps[Pending | None]:
        """Return the next row of a stage, which nobody else gets until it is released; None when there is none."""
        try:
            row: Pending | None = yield from ask(partial(self._claim, stage))
        except StoreError as error:
            _log.error("%s", error)
            return None
        return row

    def release(self, row: Pending) -> None:
        """Let a row be claimed again."""
        with self._lock:
            self._busy.pop(row.notification.key, None)

    def _is_fetching(self) -> bool:
        with self._lock:
            return Stage.NOTED in self._busy.values()

    def _claim(self, stage: Stage) -> Pending | None:
        if not self.store.lead():
            return None
        with self._lock:
            now = self._clock()
            self._prune(now)
            for row in self.store.due(stage, now, len(self._busy) + 1):
                if row.notification.key not in self._busy:
                    self._busy[row.notification.key] = stage
                    return row
        return None

    def _prune(self, now: float) -> None:
        if abs(now - self._pruned) < _PRUNE_EVERY:
            return
        self._pruned = now
        # longer than a copy of the callback is accepted, so that it is recognised
        self.store.prune(Stage.DONE, now - self.policy.lifetime - 2 * self.policy.replay_window)
        if dropped := self.store.prune(Stage.FAILED, now - self.policy.keep_failed):
            _log.error("%d notifications that had failed are dropped: nobody has tried them again in time", dropped)

    def fetch(self, row: Pending, client_of: Callable[[Notification], Any]) -> Steps[None]:
        """Fetch the event of a notification, or arrange for the next attempt."""
        notify_id, name = row.notification.notify_id, f"sync_call_program of {self._ability.ability_id}"
        options = {"program_id": self._program_id} if self._program_id else {}
        try:
            client = client_of(row.notification)
            call = partial(client.call, self._ability.ability_id, {}, raw=True, retry_unsafe=True, **options)
            text: str = yield from ask(partial(call, notify_id=notify_id))
            read_reply(name, self._ability, text)
        except Exception as error:
            if not isinstance(error, ZoneClientError):
                _log.exception("notification %s: its event can't be fetched", notify_id)
            unknown = isinstance(error, PlatformError) and error.errcode == _UNKNOWN_NOTIFY_ID
            yield from self._again(row, error, final=unknown or self._clock() > row.noted + self.policy.lifetime)
            return
        changed = replace(row, stage=Stage.FETCHED, event=text, attempts=0, due=self._clock(), reason="")
        yield from ask(partial(self.store.put, changed))
        self.ring()

    def handle(self, row: Pending, handler: Callable[[NotifyEvent], Any] | None) -> Steps[None]:
        """Hand an event to a function."""
        assert handler is not None  # noqa: S101 - without one there is no worker
        try:
            yield from ask(partial(handler, self.event_of(row)))
        except Exception as error:
            _log.warning("notification %s: its handler failed", row.notification.notify_id, exc_info=error)
            yield from self._again(row, error, final=row.attempts + 1 >= self.policy.handler_attempts)
        else:
            yield from self.done(row)

    def done(self, row: Pending) -> Steps[None]:
        """Note that an event is handled."""
        changed = replace(row, stage=Stage.DONE, event="", due=self._clock(), reason="")
        yield from ask(partial(self.store.put, changed))

    def event_of(self, row: Pending) -> NotifyEvent:
        """Return what is handed out."""
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

    def _again(self, row: Pending, error: Exception, *, final: bool) -> Steps[None]:
        attempts, now = row.attempts + 1, self._clock()
        reason = f"{type(error).__name__}: {error}"
        if final:
            work = "fetch" if row.stage is Stage.NOTED else "handle"
            text = "notification %s is given up after %d attempts to %s it; retry() tries again: %s"
            _log.error(text, row.notification.notify_id, attempts, work, reason)
            changed = replace(row, stage=Stage.FAILED, attempts=attempts, due=now, reason=reason)
        else:
            due = now + self.policy.pause(attempts)
            _log.info("notification %s: attempt %d: %s", row.notification.notify_id, attempts, reason)
            changed = replace(row, attempts=attempts, due=due, reason=reason)
        yield from ask(partial(self.store.put, changed))

    def check_for_events(self, handler: object) -> None:
        """Raise ConfigurationError when `events()` can't work."""
        if handler is not None:
            raise ConfigurationError("events() is for a receiver without a handler")
        if not self.running:
            raise ConfigurationError("start the receiver before events(): with `with`, `async with`, or start()")

    def failed(self) -> list[Pending]:
        """Return what is given up."""
        return list(self.store.due(Stage.FAILED, self._clock(), _ALL))

    def retry(self, notification: Notification) -> bool:
        """Let a notification that is given up be tried again; return whether there is such a one."""
        row = self.store.get(notification.key)
        if row is None or row.stage is not Stage.FAILED:
            return False
        stage, now = (Stage.FETCHED if row.event else Stage.NOTED), self._clock()
        self.store.put(replace(row, stage=stage, attempts=0, due=now, reason=""))
        return True

    def report_left(self) -> None:
        """Log what a store in memory still has at the end."""
        left = [] if self.store.durable else [*self._left(Stage.NOTED), *self._left(Stage.FETCHED)]
        if left:
            _log.error("%d notifications were not handled, and the store keeps them in this process only", len(left))

    def _left(self, stage: Stage) -> Sequence[Pending]:
        return self.store.due(stage, math.inf, _ALL)


def _nothing() -> None:
    """Wake nobody: there is no driver yet."""
