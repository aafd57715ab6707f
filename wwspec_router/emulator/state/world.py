"""The emulator's state in one place, and the lock that guards it.

Hold `lock` while state is read or changed, and never while something is sent or waited for. `Channel` is the way to the
program: the state knows no HTTP.
"""

import logging
import random
import secrets
import threading
from collections import deque
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any, Protocol

import msgspec

from wwspec_router.emulator.answers import OR_EARLIER_LIFE, Answer, RefusedError
from wwspec_router.emulator.bounded import BoundedDict, Kept
from wwspec_router.emulator.settings import EmulatorSettings
from wwspec_router.emulator.standin.wwspec_standin import seal
from wwspec_router.emulator.state.accounts import Accounts, App, Suite
from wwspec_router.emulator.state.clock import Clock
from wwspec_router.emulator.state.conversations import Message
from wwspec_router.emulator.state.corps import Corp
from wwspec_router.emulator.state.faults import LATE, NEVER, TWICE, Faults
from wwspec_router.emulator.state.jobs import Jobs
from wwspec_router.emulator.state.keys import MessageKeys
from wwspec_router.emulator.state.machines import Machines
from wwspec_router.emulator.state.programs import LinkedProgram
from wwspec_router.emulator.state.seeds import make_conversations
from wwspec_router.emulator.state.tickets import (
    EVENT_TOKEN_SECONDS,
    NOTIFY_ID_SECONDS,
    Marks,
    Notification,
    PullLimit,
    Tickets,
)
from wwspec_router.emulator.state.timers import Timers
from wwspec_router.emulator.state.traffic.entries import CALLBACK, Attempt
from wwspec_router.emulator.state.traffic.record import Traffic
from wwspec_router.errors import WWSpecError

KEPT_NOTIFICATIONS = 1000
ARCHIVE_SECONDS = 335 * 86400
"""Seconds left of the paid year when the emulator starts."""
TRIAL_SECONDS = 29 * 86400
"""Seconds left of the trial when the emulator starts."""

_log = logging.getLogger(__name__)


class ChannelConnectError(WWSpecError):
    """The program could not be connected to."""


class ChannelTimeoutError(WWSpecError):
    """Reading from or writing to the program took too long, or was cut off."""


class ProgramReply(msgspec.Struct, frozen=True):
    """The program's reply, still sealed."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Channel(Protocol):
    """The way to the program. Blocks."""

    def post(self, url: str, headers: Mapping[str, str], body: str, limit: float | None = None) -> ProgramReply:
        """Send one sealed call, and wait `limit` seconds for each read and write; its own limit when None.

        Raises:
            ChannelConnectError: No connection.
            ChannelTimeoutError: No reply in time.
        """
        ...


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """The corp and app that a program calls an SDK API for: the arguments of the vendor's `ChatDataSDK`."""

    corpid: str
    agentid: int
    ability_id: str = ""
    job_info: str = ""
    request_id: str = ""
    """The request_id of the call or event that the program works on, when the stand-in knows it."""
    pid: int | None = None
    """The program's process."""
    machine: int = 0
    """The program's machine; 0 when there is only one, or the program does not say."""


class World:
    """All state of one emulator.

    Args:
        settings: How to build it.
        clock: The clock of all its times.
        channel: The way to the program.
        deliver: Delivers a notification to the callback URL; None without a URL.
        zone_key: The key that seals calls; None makes a new one.
        on_change: Called after each change that can be watched, without a lock.
    """

    def __init__(
        self,
        settings: EmulatorSettings,
        clock: Clock,
        channel: Channel,
        deliver: Callable[[Notification], None] | None = None,
        zone_key: bytes | None = None,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.channel = channel
        self.lock = threading.Lock()
        self.rng = random.Random(settings.seed)  # noqa: S311 - the same seed, the same data
        self.rng.randbytes(32)  # each seed gives the same data as in earlier versions
        self.ids = random.SystemRandom()
        """Makes the strings that programs and apps send back. A start or a reset must make earlier ones unknown."""
        # Not from the seed: the program may listen on every interface, and the key is enough to call it.
        self.zone_key = zone_key or secrets.token_bytes(seal.KEY_BYTES)
        self.started = clock.now()
        """Unix seconds."""
        self.archive_ends = self.started + ARCHIVE_SECONDS
        """When the corp's paid year of the chat archive ends."""
        self.trial_ends = self.started + TRIAL_SECONDS
        """When the corp's trial of the document archive ends."""
        self.marks = Marks(self.ids.randbytes(32))
        self.app = _make_app(settings)
        self.accounts = Accounts([self.app])
        self.suite = Suite(
            suite_id=settings.suite_id,
            secret=settings.suite_secret,
            ticket=settings.suite_ticket,
            permanent_code=settings.permanent_code,
            app=self.app,
        )
        self.conversations = {
            settings.corpid: make_conversations(self.rng, clock.seconds(), settings.messages, settings.scene),
        }
        self.event_tokens = Tickets(EVENT_TOKEN_SECONDS)
        self.notify_ids = Tickets(NOTIFY_ID_SECONDS)
        self.pull_limit = PullLimit(settings.tokenless_pulls)
        self.notifications: deque[Notification] = deque(maxlen=KEPT_NOTIFICATIONS)
        self.notified = 0
        """How many there were."""
        self.timers = Timers(clock)
        self.jobs = Jobs(self.ids)
        self.traffic = Traffic(clock, on_change)
        self.faults = Faults(on_change)
        self.on_change = on_change
        self.on_event: Callable[[str, dict[str, Any], Message | None], None] | None = None
        """Gets the events that the platform raises by itself. It must not lock or send anything."""
        self.corps = {
            corpid: Corp(self.rng, self.ids, chats, clock.seconds(), self._announce_hit)
            for corpid, chats in self.conversations.items()
        }
        self._delivered = threading.Condition(self.lock)
        self._deliver = deliver
        self._serial = count(self.ids.randrange(10**9, 9 * 10**9))

    def reference(self) -> str:
        """Return a fresh `<time>_<number>` for hints and request ids."""
        return f"{self.clock.seconds()}_{next(self._serial)}"

    def answered(self, work: Callable[[], Answer]) -> Answer:
        """Return the answer of `work`, or its refusal; needs no lock."""
        try:
            return work()
        except RefusedError as error:
            return error.answer(self.reference())

    def kept(self) -> dict[str, Kept]:
        """Return the size of each part that is bounded in bytes; needs the lock."""
        corp = self.corp(self.app)
        bounded: dict[str, BoundedDict[Any, Any]] = {
            "media": corp.media.files,
            "exports": corp.exports.results,
            "codes": corp.exports.codes,
            "messages": corp.chats.archive,
            "hits": corp.rules.hits,
            "jobs": self.jobs.jobs,
            "tasks": corp.tasks.tasks,
            "event_tokens": self.event_tokens.tickets,
            "notify_ids": self.notify_ids.tickets,
            "sealed_keys": self.app.keys.wrapped,
        }
        return {"traffic": self.traffic.kept} | {name: each.kept for name, each in bounded.items()}

    def raise_event(self, event_type: str, fields: dict[str, Any], message: Message | None = None) -> None:
        """Queue an event for the program that receives events; dropped with a line in the log when there is none.

        May be called with or without the lock.

        Args:
            event_type: One of the nine.
            fields: The event's own object, whole.
            message: The message that caused it, if one did.
        """
        if self.app.receiver is None or self.on_event is None:
            _log.info("event %s is dropped: no program receives events", event_type)
            return
        self.on_event(event_type, fields, message)

    def calling_app(self, access_token: str) -> App:
        """Return the app that calls an HTTP API; it needs no lock.

        Raises:
            RefusedError: 40014, 42001 or 48002.
        """
        with self.lock:
            return self.accounts.app_of_token(access_token, self.clock.now())

    def caller_app(self, caller: Caller) -> App:
        """Return the app that a program calls for; needs the lock.

        Raises:
            RefusedError: 710641.
        """
        return self.accounts.app(caller.corpid, caller.agentid)

    def corp(self, app: App) -> Corp:
        """Return the state of the app's corp. Both this and the use of the state need the lock."""
        return self.corps[app.corpid]

    def issue_event_token(self, app: App) -> str:
        """Return a fresh event token, valid 10 minutes; needs the lock."""
        token = f"ENC{self.ids.getrandbits(160):040x}"
        self.event_tokens.add(app.corpid, app.agentid, token, self.clock.now())
        return token

    def admit_pull(self, app: App, token: str) -> None:
        """Check the event token of a pull, or count a pull without one; needs the lock.

        Raises:
            RefusedError: 40058 for the token, 45009 for the frequency.
        """
        now = self.clock.now()
        if token:
            if not self.event_tokens.valid(app.corpid, app.agentid, token, now):
                raise RefusedError(40058, f"token is unknown or expired (valid 10 minutes), {OR_EARLIER_LIFE}")
        elif not self.pull_limit.admit(app.corpid, now):
            raise RefusedError(45009, f"without a token: {self.settings.tokenless_pulls} pulls in 60 seconds")

    def _announce_hit(self, message: Message) -> None:
        """Queue an event for the program: a message hit a keyword rule. It needs the lock."""
        self.raise_event("hit_keyword", {"token": self.issue_event_token(self.app)}, message)

    def notify(self, notification: Notification) -> None:
        """Make a notify_id valid and pass its notification on, unless a fault prevents it; needs no lock."""
        with self.lock:
            now = self.clock.now()
            self.notify_ids.add(notification.corpid, notification.agentid, notification.notify_id, now)
        request = {"notify_id": notification.notify_id, "notify_scene": notification.notify_scene}
        entry = self.traffic.begin(
            CALLBACK,
            "program_notify",
            msgspec.json.encode(request),
            keys=(notification.notify_id,),
            notification=notification,
            corpid=notification.corpid,
            agentid=notification.agentid,
        )
        met = self.faults.apply(CALLBACK, "", entry)
        if NEVER in met:
            notification.state = "withheld"
        elif LATE in met:
            notification.state = "late"
            self.timers.schedule(met[LATE].value, lambda: self._pass_on(notification, twice=TWICE in met))
        else:
            self._pass_on(notification, twice=TWICE in met)
        if notification.state in ("recorded", "withheld"):
            self.traffic.end(entry, "")
        else:
            self.traffic.update(entry)

    def _pass_on(self, notification: Notification, *, twice: bool) -> None:
        for _ in range(2 if twice else 1):
            with self.lock:
                deliver = self._deliver
                notification.state = "recorded" if deliver is None else "waiting"
                self.notifications.append(notification)
                self.notified += 1
                self._delivered.notify_all()
            if deliver is not None:
                deliver(notification)
        entry = self.traffic.find(notification.notify_id)
        if entry is not None:
            self.traffic.update(entry)

    def deliver_by(self, deliver: Callable[[Notification], None] | None) -> None:
        """Deliver notifications by another function from now on; None without a URL. It needs no lock."""
        with self.lock:
            self._deliver = deliver

    def record_callback(
        self, notification: Notification, state: str, attempts: int, last: Attempt | None = None
    ) -> None:
        """Record the outcome of a notification; needs no lock."""
        with self.lock:
            notification.state = state
            notification.attempts = attempts
            self._delivered.notify_all()
        entry = self.traffic.find(notification.notify_id)
        if entry is not None:
            if last is not None:
                entry.head, entry.sealed = last.head, last.body
            self.traffic.end(entry, "", came_back=None if last is None else last.reply)

    def notifications_after(self, number: int, seconds: float) -> tuple[list[Notification], int]:
        """Return the notifications after a number, oldest first, and the number of the last; wait for one.

        It needs no lock.
        """
        with self.lock:
            self._delivered.wait_for(lambda: self.notified != number, seconds)
            known = number if number <= self.notified else 0  # a larger number is of the time before a reset
            return list(self.notifications)[max(0, len(self.notifications) + known - self.notified) :], self.notified

    def wait_delivered(self, seconds: float) -> bool:
        """Wait until no notification is on its way to the callback URL; return whether that is so. It needs no lock."""
        with self.lock:
            return self._delivered.wait_for(
                lambda: all(each.state != "waiting" for each in self.notifications), seconds
            )


def _make_app(settings: EmulatorSettings) -> App:
    program = LinkedProgram(
        program_id=settings.program_id,
        machines=Machines(settings.program_url, settings.machines),
        contracts=settings.contracts,
        debug_url=settings.debug_url,
    )
    return App(
        corpid=settings.corpid,
        agentid=settings.agentid,
        secret=settings.secret,
        keys=MessageKeys(settings.seed),
        authorised=settings.authorised,
        programs={program.program_id: program},
    )
