"""The provider's suite: its tickets and tokens, and the codes by which corps install it as an app [90600, 90605].

Plain state: the caller holds the emulator's lock.
"""

import hashlib
import hmac
import random

import msgspec

from wwspec_devtools.emulator.answers import RefusedError
from wwspec_devtools.emulator.state.accounts import App

SUITE_TOKEN_SECONDS = 7200
PRE_AUTH_SECONDS = 1200
AUTH_CODE_SECONDS = 600
TICKET_EVERY = 600
"""Seconds between two suite_tickets [90628]."""
TICKET_SECONDS = 1800
"""How long one is valid [90628]."""


class AuthCode(msgspec.Struct, frozen=True):
    """The meaning of an auth_code, which the provider exchanges for the permanent_code, once."""

    app: App
    expires: float
    """Unix seconds."""
    state: str
    """What the install link carried."""


class Suite(msgspec.Struct, kw_only=True):
    """A provider's app, which corps install [90600, 90605]. A custom-developed app has such a template, too [97175]."""

    suite_id: str
    secret: str
    first_ticket: str
    """The suite_ticket of the start."""
    changes_ticket: bool
    """Whether another ticket comes every ten minutes; else the first one stays valid."""
    started: float
    """Unix seconds of the first ticket."""
    key: bytes
    """Makes the tickets."""
    apps: dict[str, App]
    """The app at each corp, by corpid."""
    tokens: dict[str, float] = {}
    """When each access token of the suite expires, in Unix seconds."""
    pre_auth_codes: dict[str, float] = {}
    """When each expires."""
    auth_codes: dict[str, AuthCode] = {}

    def ticket(self, now: float) -> str:
        """Return the latest suite_ticket."""
        return self._ticket(self._number(now))

    def issue_token(self, suite_id: str, secret: str, ticket: str, now: float, rng: random.Random) -> tuple[str, int]:
        """Return a token of the suite and the seconds that it stays valid. A valid one is returned again.

        Raises:
            RefusedError: 40083, 40080 or 40085.
        """
        if suite_id != self.suite_id or not self.apps:
            raise RefusedError(40083, "" if self.apps else "a self-built app belongs to no suite")
        if secret != self.secret:
            raise RefusedError(40080)
        if ticket not in self._valid_tickets(now):
            raise RefusedError(40085, "WeCom pushes a new suite_ticket every ten minutes; one is valid for 30 minutes")
        for token, expires in self.tokens.items():
            if expires > now:
                return token, int(expires - now)
        token = f"{rng.getrandbits(256):064x}"
        self.tokens[token] = now + SUITE_TOKEN_SECONDS
        return token, SUITE_TOKEN_SECONDS

    def check_token(self, token: str, now: float) -> None:
        """Check an access token of the suite.

        Raises:
            RefusedError: 40082 or 42009.
        """
        _check(self.tokens, token, now, unknown=40082, expired=42009)

    def installed(self, corpid: str, permanent_code: str) -> App:
        """Return the app of a corp that has installed the suite.

        Raises:
            RefusedError: 40013 or 40084.
        """
        app = self.apps.get(corpid)
        if app is None:
            raise RefusedError(40013, "auth_corpid has not installed the suite")
        if not app.authorisation.is_installed:
            raise RefusedError(40084, "the corp has cancelled the authorisation")
        if permanent_code != app.authorisation.permanent_code:
            raise RefusedError(40084)
        return app

    def issue_pre_auth_code(self, now: float, rng: random.Random) -> tuple[str, int]:
        """Return a code for an install link, and the seconds that it stays valid."""
        code = f"{rng.getrandbits(256):064x}"
        self.pre_auth_codes[code] = now + PRE_AUTH_SECONDS
        return code, PRE_AUTH_SECONDS

    def check_pre_auth_code(self, code: str, now: float) -> None:
        """Check the code of an install link.

        Raises:
            RefusedError: 40077 or 42007.
        """
        _check(self.pre_auth_codes, code, now, unknown=40077, expired=42007)

    def issue_auth_code(self, app: App, state: str, now: float, rng: random.Random) -> str:
        """Return a code that `take_auth_code` takes once, within ten minutes."""
        code = f"{rng.getrandbits(256):064x}"
        self.auth_codes[code] = AuthCode(app, now + AUTH_CODE_SECONDS, state)
        return code

    def take_auth_code(self, code: str, now: float) -> AuthCode:
        """Return the meaning of an auth_code; it is used up then.

        Raises:
            RefusedError: 40078.
        """
        found = self.auth_codes.pop(code, None)
        if found is None or found.expires <= now or not found.app.authorisation.is_installed:
            raise RefusedError(40078, "an auth_code works once, within ten minutes")
        return found

    def _number(self, now: float) -> int:
        return max(0, int((now - self.started) // TICKET_EVERY))

    def _ticket(self, number: int) -> str:
        if number == 0 or not self.changes_ticket:
            return self.first_ticket
        return f"{self.first_ticket}-{hmac.new(self.key, str(number).encode(), hashlib.sha256).hexdigest()[:32]}"

    def _valid_tickets(self, now: float) -> list[str]:
        latest = self._number(now)
        return [
            self._ticket(number) for number in range(max(0, latest - TICKET_SECONDS // TICKET_EVERY + 1), latest + 1)
        ]


def _check(issued: dict[str, float], text: str, now: float, *, unknown: int, expired: int) -> None:
    """Raise RefusedError with one of two errcodes unless a text was issued and has not expired."""
    if issued.get(text, 0.0) <= now:
        raise RefusedError(expired if text in issued else unknown)
