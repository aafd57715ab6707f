"""Apps of corps, and their access tokens.

Plain state: the caller holds the emulator's lock.
"""

import random
from collections import defaultdict

import msgspec

from wwspec_devtools.emulator.answers import RefusedError
from wwspec_devtools.emulator.state.authorisations import Authorisation
from wwspec_devtools.emulator.state.keys import MessageKeys
from wwspec_devtools.emulator.state.programs import LinkedProgram, Operation

ACCESS_TOKEN_SECONDS = 7200
"""Validity of an access token."""


class App(msgspec.Struct, kw_only=True):
    """One app of one corp."""

    corpid: str
    corp_name: str
    agentid: int
    secret: str
    """Its corpsecret: the permanent_code of a custom-developed app; empty for one that gets its tokens by its suite."""
    keys: MessageKeys
    """Encrypts the secret keys of messages for the app."""
    authorisation: Authorisation
    authorised: bool = True
    """Whether the corp gives it the permission for the zone."""
    programs: dict[str, LinkedProgram] = {}
    """Linked programs by ID; one program serves the apps of all corps."""
    operations: dict[str, Operation] = msgspec.field(default_factory=lambda: defaultdict(Operation))
    """How they run for this app, by ID."""
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

    def operation(self, program_id: str) -> Operation:
        """Return how one of the app's programs runs for it.

        Raises:
            RefusedError: 790020.
        """
        return self.operations[self.linked(program_id).program_id]

    def debug_url(self, program: LinkedProgram) -> str:
        """Return where calls and events of the app go in debug mode; empty when they go to a machine."""
        return program.debug_url if self.operations[program.program_id].app_debugs else ""


class Accounts:
    """All apps, found by token or by ID."""

    def __init__(self, apps: list[App]) -> None:
        self._apps = {(app.corpid, app.agentid): app for app in apps}
        self._tokens: dict[str, tuple[App, float]] = {}

    def issue_token(self, corpid: str, secret: str, now: float, rng: random.Random) -> tuple[str, int]:
        """Return the access token of the app with a secret, and the seconds that it stays valid.

        Raises:
            RefusedError: 40013 or 40001.
        """
        apps = [app for app in self._apps.values() if app.corpid == corpid]
        if not apps:
            raise RefusedError(40013)
        app = next((app for app in apps if secret and app.secret == secret), None)
        if app is None:
            raise RefusedError(40001, "the corpsecret is not the app's")
        return self.issue_token_of(app, now, rng)

    def issue_token_of(self, app: App, now: float, rng: random.Random) -> tuple[str, int]:
        """Return an app's access token and the seconds that it stays valid. A valid one is returned again."""
        if token := self.token_of(app, now):
            return token, int(self._tokens[token][1] - now)
        token = f"{rng.getrandbits(256):064x}"
        self._tokens[token] = (app, now + ACCESS_TOKEN_SECONDS)
        return token, ACCESS_TOKEN_SECONDS

    def token_of(self, app: App, now: float) -> str:
        """Return the valid access token that an app has got already; empty when there is none."""
        return next((token for token, (owner, expires) in self._tokens.items() if owner is app and expires > now), "")

    def owner(self, token: str) -> App | None:
        """Return the app that got a token, valid or not; None when it is unknown or forgotten. It needs no lock."""
        found = self._tokens.get(token)
        return None if found is None else found[0]

    def find(self, corpid: str, agentid: int) -> App | None:
        """Return an app, whatever it may do."""
        return self._apps.get((corpid, agentid))

    def app_of_token(self, token: str, now: float) -> App:
        """Return the app that calls.

        Raises:
            RefusedError: 40014, 42001, 48004 after a cancelled authorisation, or 48002 for an app without zone
                permission.
        """
        if token not in self._tokens:
            raise RefusedError(40014)
        app, expires = self._tokens[token]
        if expires <= now:
            raise RefusedError(42001)
        if not app.authorisation.is_installed:
            raise RefusedError(48004)
        if not app.authorised:
            raise RefusedError(48002)
        return app

    def forget_tokens(self, app: App) -> None:
        """Forget all access tokens of an app."""
        self._tokens = {token: each for token, each in self._tokens.items() if each[0] is not app}

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
        app = self.find(corpid, agentid)
        if app is None or not (app.authorised and app.authorisation.is_installed):
            raise RefusedError(710641, f"no such app: agentid {agentid}" if app is None else "")
        return app
