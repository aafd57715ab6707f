"""Apps of corps, a suite that one of them has installed, and their access tokens.

Plain state: the caller holds the emulator's lock.
"""

import random

import msgspec

from wwspec_router.emulator.answers import RefusedError
from wwspec_router.emulator.state.keys import MessageKeys
from wwspec_router.emulator.state.programs import LinkedProgram

ACCESS_TOKEN_SECONDS = 7200
"""Validity of an access token."""
SUITE_TOKEN_SECONDS = 7200
"""Validity of a suite's access token."""


class App(msgspec.Struct, kw_only=True):
    """One app of one corp."""

    corpid: str
    agentid: int
    secret: str
    keys: MessageKeys
    """Encrypts the secret keys of messages for the app."""
    authorised: bool = True
    programs: dict[str, LinkedProgram] = {}
    """Linked programs by ID."""
    receiver: LinkedProgram | None = None
    """The program that receives events, once `set_receive_callback` was called."""

    def linked(self, program_id: str) -> LinkedProgram:
        """Return one of the app's programs.

        Raises:
            RefusedError: 790020.
        """
        program = self.programs.get(program_id)
        if program is None:
            raise RefusedError(790020, "program_id is not one of the app's")
        return program


class Accounts:
    """All apps, found by token or by ID."""

    def __init__(self, apps: list[App]) -> None:
        self._apps = {(app.corpid, app.agentid): app for app in apps}
        self._tokens: dict[str, tuple[App, float]] = {}

    def issue_token(self, corpid: str, secret: str, now: float, rng: random.Random) -> tuple[str, int]:
        """Return an access token and the seconds that it stays valid. A valid one is returned again.

        Raises:
            RefusedError: 40013 or 40001.
        """
        apps = [app for app in self._apps.values() if app.corpid == corpid]
        if not apps:
            raise RefusedError(40013)
        app = next((app for app in apps if app.secret == secret), None)
        if app is None:
            raise RefusedError(40001, "the corpsecret is not the app's")
        return self.issue_token_of(app, now, rng)

    def issue_token_of(self, app: App, now: float, rng: random.Random) -> tuple[str, int]:
        """Return an app's access token and the seconds that it stays valid. A valid one is returned again."""
        for token, (owner, expires) in self._tokens.items():
            if owner is app and expires > now:
                return token, int(expires - now)
        token = f"{rng.getrandbits(256):064x}"
        self._tokens[token] = (app, now + ACCESS_TOKEN_SECONDS)
        return token, ACCESS_TOKEN_SECONDS

    def app_of_token(self, token: str, now: float) -> App:
        """Return the app that calls.

        Raises:
            RefusedError: 40014, 42001, or 48002 for an app without zone permission.
        """
        if token not in self._tokens:
            raise RefusedError(40014)
        app, expires = self._tokens[token]
        if expires <= now:
            raise RefusedError(42001)
        if not app.authorised:
            raise RefusedError(48002)
        return app

    def expire_tokens(self, now: float) -> int:
        """Let every valid access token expire now, and return how many there were."""
        valid = [token for token, (_, expires) in self._tokens.items() if expires > now]
        for token in valid:
            self._tokens[token] = (self._tokens[token][0], now)
        return len(valid)

    def app(self, corpid: str, agentid: int) -> App:
        """Return the app that a program calls for.

        Raises:
            RefusedError: 710641.
        """
        app = self._apps.get((corpid, agentid))
        if app is None or not app.authorised:
            raise RefusedError(710641, f"no such app: agentid {agentid}" if app is None else "")
        return app


class Suite(msgspec.Struct, kw_only=True):
    """A provider's third-party app (suite), which one corp has installed [90600, 90605]."""

    suite_id: str
    secret: str
    ticket: str
    """The suite_ticket, which WeCom sends to the provider every ten minutes."""
    permanent_code: str
    """The permanent_code, which the provider got at the installation."""
    app: App
    """The app at the corp."""
    tokens: dict[str, float] = {}
    """When each token expires, in Unix seconds."""

    def issue_token(self, suite_id: str, secret: str, ticket: str, now: float, rng: random.Random) -> tuple[str, int]:
        """Return a token of the suite and the seconds that it stays valid. A valid one is returned again.

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

    def check_token(self, token: str, now: float) -> None:
        """Check a token of the suite.

        Raises:
            RefusedError: 40082 or 42009.
        """
        if token not in self.tokens:
            raise RefusedError(40082)
        if self.tokens[token] <= now:
            raise RefusedError(42009)

    def installed(self, token: str, corpid: str, permanent_code: str, now: float) -> App:
        """Return the app of a corp that has installed the suite.

        Raises:
            RefusedError: 40082, 42009, 40013 or 40084.
        """
        self.check_token(token, now)
        if corpid != self.app.corpid:
            raise RefusedError(40013, "auth_corpid has not installed the suite")
        if permanent_code != self.permanent_code:
            raise RefusedError(40084)
        return self.app
