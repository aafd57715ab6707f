"""Accepts what is answered before the work is done: events (call_type 2), and asynchronous calls. Notifies apps.

An event is stored under a fresh notify_id, then the app is notified. The order is a promise: the app learns a notify_id
only when its content is stored durably, and an event that could not be stored or notified is answered as failed; that
WeCom sends it again is not documented. When an event has a handler, the job of the handler is stored in the same
transaction. WeCom tries the app's callback three times within moments, and nobody repeats what a handler passes to
`ctx.notify` and what it returns. So these are stored as jobs, which notify the app again until it fetches. An
asynchronous call is answered as accepted only when the journal has it. Nothing here knows HTTP, or how jobs are run.
"""

import logging
import secrets
from collections.abc import Callable, Mapping
from time import time
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from wwspec_contracts.backoff import Backoff
from wwspec_contracts.base import Contract
from wwspec_contracts.decoding import UNREADABLE
from wwspec_contracts.errors import ApiError, CallError, InputError, KeptConflictError, NotifyNotFoundError, StoreError
from wwspec_contracts.support.printable import short
from wwspec_contracts.support.rare_lines import LineLimiter
from wwspec_contracts.support.stacks import describe
from wwspec_router.codecs.bounds import bounded
from wwspec_router.envelope import Call
from wwspec_router.handlers.base import KeepOnce
from wwspec_router.handlers.events import event_key_of
from wwspec_router.kernel.observer import current_observation
from wwspec_router.registry.events import EventTarget, NotificationKind
from wwspec_router.registry.table import AbilityTable
from wwspec_router.sdk.base import Sdk, SdkClient
from wwspec_router.stores.base import JobJournal, Store
from wwspec_router.stores.job import Job
from wwspec_router.stores.kept import KeptKey, KeptWrite

log = logging.getLogger(__name__)

NOTIFY_API = "spec_notify_app"
HIGHEST_SCENE = 255

ONCE_TTL = 432_000.0
"""Seconds for which it is known that an event with `once` has come: 5 days, the time for which WeCom has the messages
that it is about [100142]."""

NOTIFY_PAUSES = Backoff(first=10.0, longest=600.0)
"""The pauses after which the app is notified again while it has not fetched: the platform itself repeats a callback
within moments only, so that an app that restarts misses it."""

_ACCEPTED = '{"errcode":0,"errmsg":"ok"}'


class _Outcome(msgspec.Struct, gc=False):
    """The part of a reply of the platform that is read."""

    errcode: int = 0
    errmsg: str = ""


_decode_outcome = msgspec.json.Decoder(bounded(_Outcome)).decode


def notify_app(client: SdkClient, notify_id: str, scene: int) -> None:
    """Tell the app of an SDK client which notify_id it can fetch, through the SDK API `spec_notify_app` [99849].

    Raises:
        ApiError: The platform refused.
        CallError: It could not be asked, or its reply is not readable.
    """
    request = msgspec.json.encode({"notify_id": notify_id, "notify_scene": scene}).decode()
    reply = client.invoke(NOTIFY_API, request)
    try:
        outcome = _decode_outcome(reply)
    except UNREADABLE:
        raise CallError(f"{NOTIFY_API}: the platform's reply is not readable") from None
    if outcome.errcode != 0:
        raise ApiError(NOTIFY_API, outcome.errcode, outcome.errmsg)


def first_pause(notify_for: float) -> float:
    """Return the seconds after which the app is notified again of what it has not fetched."""
    return min(NOTIFY_PAUSES.first, notify_for)


def notify_first(client: SdkClient, notification: Job, limiter: LineLimiter) -> None:
    """Notify the app of what a job notifies it of again. Never raises."""
    try:
        notify_app(client, notification.notify_id, notification.scene)
    except BaseException as error:  # the job notifies it, whatever went wrong
        log_not_notified(notification, error, limiter)


def log_not_notified(notification: Job, error: BaseException, limiter: LineLimiter) -> None:
    """Log that the app could not be notified; it is tried again."""
    name = short(notification.name, 64)
    if (ending := limiter.ending(name)) is not None:
        detail = f" ({error.detail})" if isinstance(error, CallError) and error.detail else ""
        what = f"{type(error).__name__}{detail}" if isinstance(error, CallError) else describe(error)
        text = "job %s of %s: the app is not told, %s; it will be tried again%s"
        log.warning(text, short(notification.job_id), name, what, ending)


class _AnyEvent(msgspec.Struct, gc=False):
    """What every event has [100057]."""

    event_type: str


def _job_of(call: Call, **fields: Any) -> Job:
    """Return a new job for the corp and app of a call."""
    return Job(job_id=secrets.token_hex(16), corpid=call.corpid, agentid=call.agentid, **fields)


class _ClearFailure:
    """Raises a CallError with a clear message when the store fails within its `with` block.

    It is made once for each message: a generator for each event would cost a fifth of the intake.
    """

    def __init__(self, message: str) -> None:
        self._message = message

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, StoreError) and not isinstance(error, KeptConflictError):
            raise CallError(self._message, detail=str(error)) from error


_storing_event = _ClearFailure("the event could not be stored")
_reading_event = _ClearFailure("the event could not be read")
_storing_notification = _ClearFailure("the notification could not be stored")
_storing_job = _ClearFailure("the job could not be stored")


class EventIntake:
    """Stores events, and returns them to the app.

    Args:
        sdk: Makes notify_ids and notifies the app.
        store: Keeps the events, and the jobs of those that have a handler.
        table: Has the handlers of events, the codec by which events are returned, and how long they are kept.
        wake: Called after each event that has a handler, so that its job is claimed at once. It must not block.
    """

    def __init__(self, sdk: Sdk, store: Store, table: AbilityTable, wake: Callable[[], None]) -> None:
        program = table.registry.program
        self._sdk = sdk
        self._store = store
        self._ttl = program.notify_ttl
        self.notify_for = program.told_for
        """Seconds for which the app is notified while it does not fetch."""
        self._scenes = table.registry.notify_scenes
        self._output = table.stored_events
        self._handled = table.event_targets
        self._wake = wake
        self._limiter = LineLimiter()
        self._event = msgspec.json.Decoder(_AnyEvent)
        self._listed = self._event.decode if self._output is None else self._output.strictly

    def accept(self, call: Call) -> str:
        """Store one event and notify the app.

        Returns:
            The reply's text.

        Raises:
            CallError: It is not an event, it could not be stored, or the app could not be notified.
        """
        try:
            event_type: str | UnsetType = self._listed(call.data).event_type
        except UNREADABLE:
            event_type = UNSET
        if event_type is UNSET:
            event_type = self._unlisted_type(call.data)
        if event_type in self._handled:
            return self._accept_handled(call, self._handled[event_type])
        notify_id = self._sdk.new_notify_id()
        with _storing_event:
            self._store.put(call.corpid, call.agentid, notify_id, call.data, self._ttl)
        self._notify(call, notify_id, event_type)
        if log.isEnabledFor(logging.DEBUG):
            log.debug("event %s stored and notified as %s", short(event_type, 40), short(notify_id))
        return _ACCEPTED

    def _accept_handled(self, call: Call, target: EventTarget) -> str:
        """Store one event as the job of its handler; also for the app, if the app is notified now."""
        when = target.row.notify
        job = _job_of(
            call,
            event_type=target.event_type,
            notify=when,
            data=call.data,
            # The emulator knows an event by this id, also where the app is never given it.
            notify_id="" if when == "never" and not self._sdk.is_emulated else self._sdk.new_notify_id(),
        )
        writes = [_first_coming(job)] if target.row.once else []
        try:
            with _storing_event:
                if when == "now":
                    self._store.put_with_job(job, self._ttl, writes)
                else:
                    self._store.add(job, writes)
        except KeptConflictError:  # it has come before; or else its key has just expired
            return _ACCEPTED if self._notify_again(job) else self._accept_handled(call, target)
        self._wake()
        if when == "now":
            self._notify(call, job.notify_id, target.event_type)
        log.debug("event %s stored as job %s", short(target.event_type, 40), short(job.job_id))
        return _ACCEPTED

    def _notify_again(self, repeat: Job) -> bool:
        """Notify the app again of an event that has come before, if it is stored for the app now.

        With `notify = "after"` it is when the handler has ended.

        Args:
            repeat: The job of the repeat, which is not stored.

        Returns:
            False when the event has not come before.
        """
        with _reading_event:
            first = self._store.read_kept(_once_key(repeat))
            if first is None:
                return False
            is_delivered = self._is_delivered(repeat, first.text, first.version)
        if is_delivered:
            self._notify(repeat, first.text, repeat.event_type)
        if (observation := current_observation.get()) is not None:
            observation.is_repeat = True
        log.debug("event %s has come before: its code does not run again", short(repeat.event_type, 40))
        return True

    def deliver(self, job: Job, result: str, *, is_retried: bool = False) -> None:
        """Store the event of a job for the app, with the result of its handler, and notify the app until it fetches.

        Args:
            job: The job of an event; the app is notified after the handler has run.
            result: JSON text; "" when there is none.
            is_retried: Whether the job was set aside before: what the app was given then is not replaced.

        Raises:
            CallError: It could not be stored.
        """
        text, target = job.data, self._handled.get(job.event_type)
        if result and target is not None and target.result_key is not None:
            keys = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
            text = msgspec.json.encode(keys | {target.result_key: msgspec.Raw(result.encode())}).decode()
        notification = Job(
            job_id=_notification_of(job.job_id),
            corpid=job.corpid,
            agentid=job.agentid,
            unfetched=job.event_type,
            scene=self._scenes.get(job.event_type, 0),
            data=text,
            notify_id=job.notify_id,
        )
        with _storing_event:
            if (job.outcome is not None or is_retried) and self._is_delivered(job, job.notify_id, job.job_id):
                if not is_retried:  # by a process that has died
                    return
                notification = replace(notification, job_id=secrets.token_hex(16), notify_id=self._sdk.new_notify_id())
            self._store.add(notification, delay=first_pause(self.notify_for))
        notify_first(self._sdk.client(job.corpid, job.agentid, "", ""), notification, self._limiter)

    def _is_delivered(self, owner: Job, notify_id: str, job_id: str) -> bool:
        """Return whether an event is stored for the app, which may have fetched it.

        Args:
            owner: A job of the same corp and app.
            notify_id: That of the event.
            job_id: That of its job.
        """
        if self._store.has_job(_notification_of(job_id)):
            return True
        return bool(notify_id) and self._store.get(owner.corpid, owner.agentid, notify_id) is not None

    def renew_notify_id(self, notification: Job, age: float) -> Job:
        """Return a notification with a fresh notify_id.

        Args:
            notification: As it was.
            age: Its age in seconds.
        """
        return replace(notification, notify_id=self._sdk.new_notify_id(), id_made=int(age))

    def notify(self, notification: Job) -> None:
        """Notify the app of what it has not fetched.

        Raises:
            ApiError: The platform refused.
            CallError: It could not be asked, or its reply is not readable.
        """
        self._sdk.trace(notification.reference)
        client = self._sdk.client(notification.corpid, notification.agentid, "", "")
        notify_app(client, notification.notify_id, notification.scene)

    def fetch(self, call: Call, notify_id: str) -> str:
        """Return the text of the event that is stored under a notify_id for the call's corp and app.

        Raises:
            NotifyNotFoundError: There is none, it has expired, or it is another corp's or app's.
            CallError: The store failed.
        """
        if not notify_id:
            raise NotifyNotFoundError("the call carries no notify_id")
        with _reading_event:
            text = self._store.fetch(call.corpid, call.agentid, notify_id, self._ttl)
        if text is None:
            raise NotifyNotFoundError()
        return text

    def _notify(self, owner: Call | Job, notify_id: str, event_type: str) -> None:
        client = self._sdk.client(owner.corpid, owner.agentid, "", "")
        notify_app(client, notify_id, self._scenes.get(event_type, 0))

    def _unlisted_type(self, text: str) -> str:
        """Return the type of an event that fits no contract, and log which of its fields replies will leave out."""
        try:
            event_type = self._event.decode(text).event_type
        except UNREADABLE:
            raise InputError("$.event_type", "an event is a JSON object with a string") from None
        if self._output is not None:
            self._output.report_unlisted(text)
        return event_type


def _notification_of(job_id: str) -> str:
    """Return the id of the job that notifies the app of the event of a job."""
    return f"{job_id}-notify"


def _first_coming(job: Job) -> KeptWrite:
    """Return the write that keeps the notify_id of an event that comes for the first time."""
    return KeptWrite(key=_once_key(job), text=job.notify_id, version=job.job_id, ttl=ONCE_TTL, expected=None)


def _once_key(job: Job) -> KeptKey:
    """Return what the first notify_id of an event is kept under."""
    name = event_key_of(job.corpid, job.agentid, job.data)
    return KeptKey(corpid=job.corpid, agentid=job.agentid, space="event", name=name)


class AppNotifications(msgspec.Struct, frozen=True):
    """Sends what handlers pass to `ctx.notify`."""

    sdk: Sdk
    """Makes notify_ids, and notifies the app."""
    store: Store
    """Keeps the payloads."""
    ttl: float
    """Seconds for which one is kept where no jobs run."""
    notify_for: float | None
    """Seconds for which the app is notified while it does not fetch; None where no jobs run, and it is notified
    once."""
    kinds: Mapping[type[Contract], NotificationKind]
    """From a payload's type to its kind."""
    limiter: LineLimiter = msgspec.field(default_factory=LineLimiter)

    def send(self, call: Call, payload: Contract, scene: int, keep: KeepOnce | None = None) -> str:
        """Store a payload, notify the call's app, and return the notify_id; see `Context.notify`.

        Where jobs run, what is stored is a job that notifies the app again until it fetches; so the first notification
        is made at once, and its failure only logged.

        Args:
            call: The call that is worked on.
            payload: What the app fetches.
            scene: The notify_scene.
            keep: Stores it once; None for a notification without `once`.
        """
        kind = self.kinds.get(type(payload))
        if kind is None:
            name = f"{type(payload).__module__}:{type(payload).__qualname__}"
            raise TypeError(f'no row [notifications.<kind>] of the registry file has contract = "{name}"')
        if scene not in range(HIGHEST_SCENE + 1):
            raise ValueError(f"a scene is a whole number from 0 to {HIGHEST_SCENE}")
        content = {
            "event_type": kind.name,
            "timestamp": int(time()),
            kind.name: msgspec.Raw(kind.output.encode(payload).encode()),
        }
        data, notify_id = msgspec.json.encode(content).decode(), self.sdk.new_notify_id()
        notification = _job_of(call, unfetched=kind.name, scene=scene, data=data, notify_id=notify_id)
        client = self.sdk.client(call.corpid, call.agentid, call.ability_id, call.job_info)
        if self.notify_for is None:
            with _storing_notification:
                self.store.put(call.corpid, call.agentid, notify_id, data, self.ttl)
            notify_app(client, notify_id, scene)
            return notify_id
        first, delay = notify_id, first_pause(self.notify_for)
        with _storing_notification:
            if keep is None:
                self.store.add(notification, delay=delay)
            else:
                first = keep(notification, delay)
        if first == notify_id:  # else the app was notified by an earlier call, or will be by its job
            notify_first(client, notification, self.limiter)
        return first


class JobIntake:
    """Puts asynchronous calls into the journal.

    Args:
        journal: Keeps them.
        wake: Called after each, so that a job is claimed at once. It must not block.
    """

    def __init__(self, journal: JobJournal, wake: Callable[[], None]) -> None:
        self._journal = journal
        self.wake = wake

    def accept(self, call: Call) -> str:
        """Put one call into the journal; durable when this returns.

        Returns:
            The reply's text.

        Raises:
            CallError: It could not be stored.
        """
        job = _job_of(
            call, ability_id=call.ability_id, job_info=call.job_info, data=call.data, notify_id=call.notify_id
        )
        with _storing_job:
            self._journal.add(job)
        log.debug("job %s of %s accepted", short(job.job_id), short(call.ability_id, 64))
        self.wake()
        return _ACCEPTED
