"""The emulator's state in one place, and the lock that guards it.

Hold `lock` while state is read or changed, and never while something is sent or waited for. `Channel` is the way to the
program: the state knows no HTTP.
"""

import logging
import random
import secrets
import threading
from collections.abc import Callable, Mapping
from functools import partial
from itertools import count
from typing import Any, Protocol

import msgspec

from wwspec_contracts.errors import WWSpecError
from wwspec_devtools.emulator.answers import OR_EARLIER_LIFE, Answer, RefusedError
from wwspec_devtools.emulator.bounded import BoundedDict, Kept
from wwspec_devtools.emulator.settings import EmulatorSettings
from wwspec_devtools.emulator.standin.wwspec_standin import seal
from wwspec_devtools.emulator.state.accounts import Accounts, App
from wwspec_devtools.emulator.state.authorisations import CHAT, KNOWLEDGE, PERMISSIONS, Authorisation, granted_at
from wwspec_devtools.emulator.state.clock import Clock
from wwspec_devtools.emulator.state.conversations import Message
from wwspec_devtools.emulator.state.corps import Corp
from wwspec_devtools.emulator.state.deliveries import Deliver, Deliveries
from wwspec_devtools.emulator.state.faults import Faults
from wwspec_devtools.emulator.state.jobs import Jobs
from wwspec_devtools.emulator.state.keys import MessageKeys
from wwspec_devtools.emulator.state.logins import Logins
from wwspec_devtools.emulator.state.machines import Machines
from wwspec_devtools.emulator.state.page_logins import PageLogins
from wwspec_devtools.emulator.state.page_tickets import PageTickets
from wwspec_devtools.emulator.state.programs import LinkedProgram
from wwspec_devtools.emulator.state.seeds import make_conversations
from wwspec_devtools.emulator.state.suites import Suite
from wwspec_devtools.emulator.state.tickets import (
    EVENT_TOKEN_SECONDS,
    NOTIFY_ID_SECONDS,
    PROGRAM_NOTIFY,
    Command,
    Marks,
    Notification,
    PullLimit,
    Tickets,
)
from wwspec_devtools.emulator.state.timers import Timers
from wwspec_devtools.emulator.state.traffic.record import Traffic

ARCHIVE_SECONDS = 335 * 86400
"""Seconds left of the paid year when the emulator starts."""
TRIAL_SECONDS = 29 * 86400
"""Seconds left of the trial when the emulator starts."""

_log = logging.getLogger(__name__)


class ChannelConnectError(WWSpecError):
    """The program could not be connected to."""


class ChannelTimeoutError(WWSpecError):
    """Reading from or writing to the program took too long, or was cut off."""


class ChannelLostError(ChannelTimeoutError):
    """The connection ended before the reply."""


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
        command: Delivers a command to the provider's command URL; None without a URL.
        zone_key: The key that seals calls; None makes a new one.
        on_change: Called after each change that can be watched, without a lock.
    """

    def __init__(
        self,
        settings: EmulatorSettings,
        clock: Clock,
        channel: Channel,
        deliver: Deliver[Notification] | None = None,
        zone_key: bytes | None = None,
        on_change: Callable[[], None] = lambda: None,
        command: Deliver[Command] | None = None,
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
        self.apps = make_apps(settings, self.started)
        """The app at each corp."""
        self.app = self.apps[0]
        """That of the first corp."""
        self.accounts = Accounts(self.apps)
        self.suite = Suite(
            suite_id=settings.suite_id,
            secret=settings.suite_secret,
            first_ticket=settings.suite_ticket,
            changes_ticket=bool(settings.app_type),
            started=self.started,
            key=self.ids.randbytes(32),
            apps={} if settings.app_type == "self" else {app.corpid: app for app in self.apps},
        )
        sources = {app.corpid: self._source(app) for app in self.apps}
        self.conversations = {
            corpid: make_conversations(source, clock.seconds(), settings.messages, settings.scene)
            for corpid, source in sources.items()
        }
        self.event_tokens = Tickets(EVENT_TOKEN_SECONDS)
        self.notify_ids = Tickets(NOTIFY_ID_SECONDS, renews=settings.renew_notify_ids)
        self.page_tickets = PageTickets()
        self.page_logins = PageLogins(self.ids)
        self.pull_limit = PullLimit(settings.tokenless_pulls)
        self.logins = Logins(self.ids)
        self.timers = Timers(clock)
        self.jobs = Jobs(self.ids)
        self.traffic = Traffic(clock, on_change)
        self.faults = Faults(on_change)
        self.notifications = Deliveries[Notification](self.lock, self.traffic, self.faults, self.timers, deliver)
        self.commands = Deliveries[Command](self.lock, self.traffic, self.faults, self.timers, command)
        self.on_change = on_change
        self.on_event: Callable[[App, str, dict[str, Any], Message | None], None] | None = None
        """Gets the events that the platform raises by itself. It must not lock or send anything."""
        self.corps = {
            corpid: Corp(sources[corpid], self.ids, chats, clock.seconds(), partial(self._announce_hit, corpid))
            for corpid, chats in self.conversations.items()
        }
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

    def kept(self, app: App) -> dict[str, Kept]:
        """Return the size of each part that is bounded in bytes, those of the app's corp; needs the lock."""
        corp = self.corp(app)
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
            "logins": self.logins.issued,
            "page_logins": self.page_logins.logins,
            "frames": self.page_logins.frames,
            "sealed_keys": app.keys.wrapped,
        }
        return {"traffic": self.traffic.kept} | {name: each.kept for name, each in bounded.items()}

    def raise_event(self, app: App, event_type: str, fields: dict[str, Any], message: Message | None = None) -> None:
        """Queue an event for the program that receives the app's events.

        It is dropped with a line in the log when there is none, or the app may not get it. May be called with or
        without the lock.

        Args:
            app: Whose event it is.
            event_type: One of the nine.
            fields: The event's own object, whole.
            message: The message that caused it, if one did.
        """
        if app.receiver is None or self.on_event is None:
            _log.info("event %s is dropped: no program receives events", event_type)
        elif why := self.withheld(app, event_type):
            _log.info("event %s is dropped: %s", event_type, why)
        else:
            self.on_event(app, event_type, fields, message)

    def withheld(self, app: App, event_type: str) -> str:
        """Return why an app gets no event of a type; empty when it may get it."""
        permission = KNOWLEDGE if "knowledge_base" in event_type else CHAT
        if app.authorisation.has(permission, self.clock.now()):
            return ""
        return f"the app has no data permission for it ({permission})"

    def app_of(self, corpid: str) -> App:
        """Return the app of a corp that a test names; that of the first corp without a name.

        Raises:
            RefusedError: 40013.
        """
        found = next((app for app in self.apps if app.corpid == (corpid or self.app.corpid)), None)
        if found is None:
            raise RefusedError(40013, f"corp: there are {', '.join(app.corpid for app in self.apps)}")
        return found

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

    @property
    def program(self) -> LinkedProgram:
        """The program of the settings. Its use needs the lock."""
        return self.app.programs[self.settings.program_id]

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

    def _announce_hit(self, corpid: str, message: Message) -> None:
        """Queue an event for the program: a message hit a keyword rule. It needs the lock."""
        app = self.app_of(corpid)
        self.raise_event(app, "hit_keyword", {"token": self.issue_event_token(app)}, message)

    def _source(self, app: App) -> random.Random:
        """Return the random source of a corp's people and messages."""
        if app is self.app:
            return self.rng
        return random.Random(f"{self.settings.seed}:{app.corpid}")  # noqa: S311 - the same seed, the same data

    def notify(self, notification: Notification) -> None:
        """Make a notify_id valid and pass its notification on, unless a fault prevents it; needs no lock.

        Raises:
            RefusedError: 710646.
        """
        corpid, agentid, notify_id = notification.corpid, notification.agentid, notification.notify_id
        with self.lock:
            is_valid = self.notify_ids.add(corpid, agentid, notify_id, self.clock.now())
        if not is_valid:
            raise RefusedError(710646, "it was made more than 10 minutes ago")
        request = {"notify_id": notify_id, "notify_scene": notification.notify_scene}
        self.notifications.send(notification, PROGRAM_NOTIFY, msgspec.json.encode(request), corpid, agentid)

    def wait_delivered(self, seconds: float) -> bool:
        """Wait until no notification and no command is on its way; return whether that is so. It needs no lock."""
        return self.notifications.wait_delivered(seconds) and self.commands.wait_delivered(seconds)


def make_apps(settings: EmulatorSettings, now: float) -> list[App]:
    """Return the app at each corp. One program serves all of them, as that of a provider does."""
    program = LinkedProgram(
        program_id=settings.program_id,
        machines=Machines(settings.program_url, settings.machines),
        contracts=settings.contracts,
        debug_url=settings.debug_url,
    )
    programs = {program.program_id: program}
    return [_make_app(settings, number, programs, now) for number in range(1, settings.corps + 1)]


def _make_app(settings: EmulatorSettings, number: int, programs: dict[str, LinkedProgram], now: float) -> App:
    first = number == 1
    corpid = settings.corpid if first else corpid_of(settings.corpid, number)
    secret, permanent_code = settings.secret, settings.permanent_code
    if not first:
        secret, permanent_code = f"{secret}-{number}", f"{permanent_code}-{number}"
    return App(
        corpid=corpid,
        corp_name=f"模拟企业{number}",
        agentid=settings.agentid,
        secret={"custom": permanent_code, "third": "", "external": ""}.get(settings.app_type, secret),
        keys=MessageKeys(settings.seed if first else f"{settings.seed}:{corpid}"),
        authorisation=Authorisation(
            permanent_code=permanent_code, grants=dict.fromkeys(PERMISSIONS, granted_at(settings.app_type, now))
        ),
        authorised=settings.authorised,
        programs=programs,
    )


def corpid_of(first: str, number: int) -> str:
    """Return the corpid of a further corp: the first one's with a higher number at its end."""
    head = first.rstrip("0123456789")
    digits = first[len(head) :]
    return f"{head}{int(digits) + number - 1:0{len(digits)}d}" if digits else f"{first}-{number}"
