"""The tickets with which a page of an app signs its use of WeCom's JavaScript, and the check of a signature [90506].

`config` is signed with the ticket of the corp, `agentConfig` with that of the app. Plain state: the caller holds the
emulator's lock.
"""

import hashlib
import hmac
import random
from collections import deque

import msgspec

from wwspec_devtools.emulator.answers import RefusedError
from wwspec_devtools.emulator.state.accounts import App

TICKET_SECONDS = 7200
"""Validity of a ticket."""
HOUR_SECONDS = 3600
PER_CORP, PER_APP = 400, 100
"""The most tickets that the apps of a corp together, and one app, may get in an hour."""


class Signature(msgspec.Struct, kw_only=True, frozen=True):
    """What a page gives to `config` or `agentConfig`."""

    corpid: str = ""
    agentid: str = ""
    timestamp: str = ""
    """Unix seconds."""
    nonce: str = msgspec.field(default="", name="nonceStr")
    signature: str = ""


class _Ticket(msgspec.Struct, frozen=True):
    text: str
    expires: float
    """Unix seconds."""


_Owner = tuple[str, int | None]
"""The corp, or one app of it."""


class PageTickets:
    """The tickets of all corps and apps."""

    def __init__(self) -> None:
        self._tickets: dict[_Owner, _Ticket] = {}
        self._issued: dict[tuple[str, _Owner], deque[float]] = {}

    def issue_of_corp(self, app: App, now: float, rng: random.Random) -> tuple[str, int]:
        """Return the corp's ticket and the seconds that it stays valid. A valid one is returned again.

        Raises:
            RefusedError: 45009.
        """
        self._admit("get_jsapi_ticket", app, now)
        return self._issue((app.corpid, None), now, rng)

    def issue_of_app(self, app: App, now: float, rng: random.Random) -> tuple[str, int]:
        """Return the app's ticket and the seconds that it stays valid. A valid one is returned again.

        Raises:
            RefusedError: 45009.
        """
        self._admit("ticket/get", app, now)
        return self._issue((app.corpid, app.agentid), now, rng)

    def check_agent_config(self, app: App, given: Signature, url: str, now: float) -> None:
        """Check the signature of an `agentConfig`.

        Args:
            app: That the page names.
            given: What the page signed.
            url: Of the page.
            now: Unix seconds.

        Raises:
            RefusedError: 40093; 42012 for the corp's ticket or that of another app.
        """
        own = (app.corpid, app.agentid)
        if any(_is_signed(each.text, given, url) for owner, each in self._tickets.items() if owner != own):
            raise RefusedError(42012, "agentConfig is signed with the app's own ticket: GET ticket/get")
        self._check(own, given, url, now)

    def _admit(self, api: str, app: App, now: float) -> None:
        """Count a ticket that an app gets; only those within the limits are counted."""
        corp, own = (self._issued.setdefault((api, (app.corpid, each)), deque()) for each in (None, app.agentid))
        for issued, allowed, whose in ((corp, PER_CORP, "a corp"), (own, PER_APP, "an app")):
            while issued and issued[0] <= now - HOUR_SECONDS:
                issued.popleft()
            if len(issued) >= allowed:
                raise RefusedError(45009, f"{api}: {allowed} an hour for {whose}: keep the ticket until it expires")
        corp.append(now)
        own.append(now)

    def _issue(self, owner: _Owner, now: float, rng: random.Random) -> tuple[str, int]:
        ticket = self._tickets.get(owner)
        if ticket is None or ticket.expires <= now:
            ticket = self._tickets[owner] = _Ticket(f"{rng.getrandbits(344):086x}", now + TICKET_SECONDS)
        return ticket.text, int(ticket.expires - now)

    def _check(self, owner: _Owner, given: Signature, url: str, now: float) -> None:
        ticket = self._tickets.get(owner)
        if ticket is None or ticket.expires <= now:
            raise RefusedError(40093, "there is no valid ticket: get one first")
        if not _is_signed(ticket.text, given, url):
            raise RefusedError(40093, f"not the signature of {url.partition('#')[0]!r}")


def sign(ticket: str, nonce: str, timestamp: str, url: str) -> str:
    """Return a page's signature.

    Args:
        ticket: Of the corp or the app.
        nonce: A random string.
        timestamp: Unix seconds.
        url: Of the page; what follows `#` is not signed.
    """
    signed = f"jsapi_ticket={ticket}&noncestr={nonce}&timestamp={timestamp}&url={url.partition('#')[0]}"
    return hashlib.sha1(signed.encode(), usedforsecurity=False).hexdigest()


def _is_signed(ticket: str, given: Signature, url: str) -> bool:
    expected = sign(ticket, given.nonce, given.timestamp, url)
    return hmac.compare_digest(expected.encode(), given.signature.encode(errors="replace"))
