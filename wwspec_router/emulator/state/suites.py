"""A provider's third-party app (suite), and the app that a corp has by installing it [90600, 90605].

Plain state: the caller holds the emulator's lock.
"""

import random

import msgspec

from wwspec_router.emulator.answers import RefusedError
from wwspec_router.emulator.state.accounts import App

__all__ = ["SUITE_TOKEN_SECONDS", "Suite"]

SUITE_TOKEN_SECONDS = 7200
"""Validity of a suite's access token."""


class Suite(msgspec.Struct, kw_only=True):
    """One suite, which one corp has installed."""

    suite_id: str
    secret: str
    ticket: str
    """What WeCom pushes to the provider every ten minutes."""
    permanent_code: str
    """What the installation gave to the provider."""
    app: App
    """What the corp has."""
    tokens: dict[str, float] = {}
    """When each expires, in Unix seconds."""

    def issue_token(self, suite_id: str, secret: str, ticket: str, now: float, rng: random.Random) -> tuple[str, int]:
        """Return a token of the suite and the seconds that it is still valid; the same one while it is.

        Raises:
            RefusedError: 40083, 40080 or 40085.
        """
        if suite_id != self.suite_id:
            raise RefusedError(40083)
        if secret != self.secret:
            raise RefusedError(40080)
        if ticket != self.ticket:
            raise RefusedError(40085, "WeCom pushes a new suite_ticket every ten minutes")
        for token, expires in self.tokens.items():
            if expires > now:
                return token, int(expires - now)
        token = f"{rng.getrandbits(256):064x}"
        self.tokens[token] = now + SUITE_TOKEN_SECONDS
        return token, SUITE_TOKEN_SECONDS

    def installed(self, token: str, corpid: str, permanent_code: str, now: float) -> App:
        """Return the app of a corp that has installed the suite.

        Raises:
            RefusedError: 40082, 42009, 40013 or 40084.
        """
        if token not in self.tokens:
            raise RefusedError(40082)
        if self.tokens[token] <= now:
            raise RefusedError(42009)
        if corpid != self.app.corpid:
            raise RefusedError(40013, "auth_corpid has not installed the suite")
        if permanent_code != self.permanent_code:
            raise RefusedError(40084)
        return self.app
