"""Strings that the platform issues and recognises later: event tokens, notify_ids, cursors and page ids.

Event tokens and notify_ids are remembered until they expire. Cursors and page ids are not: each has its meaning and a
check value in it. Plain state: the caller holds the emulator's lock.
"""

import hashlib
import hmac
from collections import deque
from collections.abc import Mapping
from sys import getsizeof

import msgspec

from wwspec_contracts.callbacks import XmlValue
from wwspec_devtools.emulator.bounded import MIB, BoundedDict

EVENT_TOKEN_SECONDS = 600
NOTIFY_ID_SECONDS = 600
PULL_WINDOW_SECONDS = 60

KEPT_BYTES = 16 * MIB
"""The most bytes of the ids of one kind. With a stopped clock they do not expire; the oldest are dropped."""


class Tickets:
    """Ids that belong to one app and expire.

    Args:
        lifetime: Seconds that an id is valid.
        renews: Whether an id that is added again is valid for as long from then on. Otherwise it stays known after its
            end, so that it can't be added again.
    """

    def __init__(self, lifetime: float, *, renews: bool = True) -> None:
        self._lifetime = lifetime
        self._renews = renews
        self.tickets = BoundedDict[tuple[str, int, str], float](KEPT_BYTES)
        """When each expires, in Unix seconds."""

    def add(self, corpid: str, agentid: int, ticket: str, now: float) -> bool:
        """Make an id valid from now on; return False when it has expired, and nothing renews it."""
        key = (corpid, agentid, ticket)
        if not self._renews and (expires := self.tickets.get(key)) is not None:
            return expires > now
        while self._renews and (oldest := self.tickets.oldest()) is not None and oldest[1] <= now:
            self.tickets.remove(oldest[0])
        self.tickets.put(key, now + self._lifetime, getsizeof(ticket))
        return True

    def valid(self, corpid: str, agentid: int, ticket: str, now: float) -> bool:
        """Return whether the app got this id and it has not expired."""
        expires = self.tickets.get((corpid, agentid, ticket))
        return expires is not None and expires > now


class Marks:
    """Strings that carry numbers and can't be made up: `s1f4-2bc.<check value>`.

    Args:
        secret: The key of the check values. Each start and reset of the emulator has another one, so earlier strings
            are refused.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def write(self, kind: str, owner: str, *numbers: int) -> str:
        """Return a mark.

        Args:
            kind: One letter, so that a cursor can't be used as a page id.
            owner: The only corp that may use it.
            numbers: Its meaning.
        """
        text = kind + "-".join(f"{number:x}" for number in numbers)
        return f"{text}.{self._check(text, owner)}"

    def read(self, kind: str, owner: str, mark: str) -> tuple[int, ...] | None:
        """Return the numbers of a mark; None for a mark of another kind or owner."""
        text, _, check = mark.rpartition(".")
        genuine = hmac.compare_digest(self._check(text, owner).encode(), check.encode(errors="replace"))
        if not genuine or text[:1] != kind:
            return None
        return tuple(int(number, 16) for number in text[1:].split("-"))

    def _check(self, text: str, owner: str) -> str:
        content = f"{owner}\n{text}".encode(errors="replace")
        return hmac.new(self._secret, content, hashlib.sha256).hexdigest()[:16]


class PullLimit:
    """Counts the pulls that come without an event token, by corp.

    Args:
        allowed: The most pulls in 60 seconds.
    """

    def __init__(self, allowed: int) -> None:
        self._allowed = allowed
        self._pulls: dict[str, deque[float]] = {}

    def admit(self, corpid: str, now: float) -> bool:
        """Count one pull; return False when it is one too many."""
        pulls = self._pulls.setdefault(corpid, deque())
        while pulls and pulls[0] <= now - PULL_WINDOW_SECONDS:
            pulls.popleft()
        if len(pulls) >= self._allowed:
            return False
        pulls.append(now)
        return True


PROGRAM_NOTIFY = "program_notify"
"""The name of the callback to the data callback URL; commands of a suite have other names."""


class CallbackAttempt(msgspec.Struct, frozen=True):
    """One try to bring a callback to the app's URL, or to verify that URL before it."""

    method: str
    """`POST` brings the callback, `GET` verifies the URL."""
    url: str
    """The URL without its query."""
    status: int | None
    """The HTTP status of the answer; None when none came."""
    body: str
    """The first 200 characters of the answer, as the app sent them: print them escaped."""
    error: tuple[str, str]
    """What is wrong besides the status, such as `nothing answers (ConnectError)`, in English and Chinese; empty texts
    when the status says it."""
    advice: tuple[str, str] | None
    """What to do about it, in English and Chinese; None when the try succeeded."""
    seconds: float
    """How long it took."""


class Delivery(msgspec.Struct, kw_only=True):
    """What the platform sends to a callback URL of the app."""

    state: str = "recorded"
    """`recorded` without a callback URL, else `waiting`, then `delivered`, `failed` or `dropped`."""
    attempts: int = 0
    """The number of tries."""
    attempt: CallbackAttempt | None = None
    """The last try; None before the first."""

    @property
    def key(self) -> str:
        """By which its entry in the record is found."""
        raise NotImplementedError

    @property
    def receive_id(self) -> str:
        """For whom it is encrypted, and who is named in the envelope."""
        raise NotImplementedError

    @property
    def agent(self) -> str:
        """The AgentID of the envelope."""
        return ""

    @property
    def fields(self) -> Mapping[str, XmlValue]:
        """The elements of its XML, without their parents."""
        raise NotImplementedError


class Notification(Delivery, kw_only=True):
    """One `program_notify` for the app [99843]."""

    corpid: str
    agentid: int
    notify_id: str
    notify_scene: int
    create_time: int
    """Unix seconds."""

    @property
    def key(self) -> str:
        """Its notify_id."""
        return self.notify_id

    @property
    def receive_id(self) -> str:
        """The corp."""
        return self.corpid

    @property
    def agent(self) -> str:
        """The app's agentid."""
        return str(self.agentid)

    @property
    def fields(self) -> Mapping[str, XmlValue]:
        """The event that gives the app a notify_id."""
        return {
            "ToUserName": self.corpid,
            "FromUserName": "sys",
            "CreateTime": self.create_time,
            "MsgType": "event",
            "Event": PROGRAM_NOTIFY,
            "NotifyId": self.notify_id,
            "NotifyScene": self.notify_scene,
        }


class Command(Delivery, kw_only=True):
    """One callback to the command URL of the suite, or to the provider's system event URL [97172, 100272]."""

    key: str
    """Makes it findable in the record."""
    receive_id: str
    """The suite_id, or the provider's corpid."""
    fields: dict[str, XmlValue]
    """The elements of its XML."""
