"""The emulator's state in one place, and the lock that guards it.

`lock` is held while state is read or changed, and never while anything is sent or waited for. How the program
is reached is behind `Channel`: the state knows no HTTP.
"""

import random
import secrets
import threading
from collections import deque
from collections.abc import Callable, Mapping
from itertools import count
from typing import Protocol

import msgspec

from wwspec_router.emulator import seal
from wwspec_router.emulator.accounts import Accounts, App, Program
from wwspec_router.emulator.answers import RefusedError
from wwspec_router.emulator.clock import Clock
from wwspec_router.emulator.conversations import Conversations
from wwspec_router.emulator.keys import MessageKeys
from wwspec_router.emulator.settings import EmulatorSettings
from wwspec_router.emulator.tickets import (
    EVENT_TOKEN_SECONDS,
    NOTIFY_ID_SECONDS,
    Marks,
    Notification,
    PullLimit,
    Tickets,
)
from wwspec_router.errors import WWSpecError

KEPT_NOTIFICATIONS = 1000


class ChannelConnectError(WWSpecError):
    """The program could not be connected to."""


class ChannelTimeoutError(WWSpecError):
    """Reading from or writing to the program took too long, or was cut off."""


class ProgramReply(msgspec.Struct, frozen=True):
    """What came back from the program, still sealed."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Channel(Protocol):
    """The way to the program. Blocks."""

    def post(self, url: str, headers: Mapping[str, str], body: str) -> ProgramReply:
        """Send one sealed call.

        Raises:
            ChannelConnectError: No connection.
            ChannelTimeoutError: No reply in time.
        """
        ...


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """In whose name a program calls an SDK API: the arguments of the vendor's `ChatDataSDK`."""

    corpid: str
    agentid: int
    ability_id: str = ""
    job_info: str = ""


class World:
    """All state of one emulator.

    Args:
        settings: How to build it.
        clock: What everything is timed by.
        channel: The way to the program.
        deliver: Takes each notification that has a callback URL to go to; None when there is no URL.
    """

    def __init__(
        self,
        settings: EmulatorSettings,
        clock: Clock,
        channel: Channel,
        deliver: Callable[[Notification], None] | None = None,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.channel = channel
        self.lock = threading.Lock()
        self.rng = random.Random(settings.seed)  # noqa: S311 - the same seed, the same data
        # Not from the seed: the program listens on every interface, and whoever knows the key can call it.
        self.zone_key = secrets.token_bytes(seal.KEY_BYTES)
        self.marks = Marks(self.rng.randbytes(32))
        self.app = _make_app(settings)
        self.accounts = Accounts([self.app])
        self.conversations = {
            settings.corpid: Conversations(self.rng, clock.seconds(), settings.messages),
        }
        self.event_tokens = Tickets(EVENT_TOKEN_SECONDS)
        self.notify_ids = Tickets(NOTIFY_ID_SECONDS)
        self.pull_limit = PullLimit(settings.tokenless_pulls)
        self.notifications: deque[Notification] = deque(maxlen=KEPT_NOTIFICATIONS)
        self._deliver = deliver
        self._serial = count(1)

    def reference(self) -> str:
        """Return a fresh `<time>_<number>` for hints and request ids."""
        return f"{self.clock.seconds()}_{next(self._serial)}"

    def caller_app(self, caller: Caller) -> App:
        """Return the app in whose name a program calls; needs the lock.

        Raises:
            RefusedError: 710641.
        """
        return self.accounts.app(caller.corpid, caller.agentid)

    def issue_event_token(self, app: App) -> str:
        """Return a fresh event token, valid 10 minutes; needs the lock."""
        token = f"ENC{self.rng.getrandbits(160):040x}"
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
                raise RefusedError(40058, "token is unknown or expired (valid 10 minutes)")
        elif not self.pull_limit.admit(app.corpid, now):
            raise RefusedError(45009, f"without a token: {self.settings.tokenless_pulls} pulls in 60 seconds")

    def notify(self, notification: Notification) -> None:
        """Record a notification and pass it to the courier; needs no lock."""
        if self._deliver is not None:
            notification.state = "waiting"
        with self.lock:
            now = self.clock.now()
            self.notify_ids.add(notification.corpid, notification.agentid, notification.notify_id, now)
            self.notifications.append(notification)
        if self._deliver is not None:
            self._deliver(notification)

    def settle(self, notification: Notification, state: str, attempts: int) -> None:
        """Note what became of a notification; needs no lock."""
        with self.lock:
            notification.state = state
            notification.attempts = attempts


def _make_app(settings: EmulatorSettings) -> App:
    program = Program(
        program_id=settings.program_id,
        url=settings.program_url,
        contracts=settings.contracts,
    )
    return App(
        corpid=settings.corpid,
        agentid=settings.agentid,
        secret=settings.secret,
        keys=MessageKeys(settings.seed),
        authorised=settings.authorised,
        programs={program.program_id: program},
    )
