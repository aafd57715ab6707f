"""Logins of people in an app's page: codes, and the tickets that an app gets for a code [91022, 91023].

Plain state: the caller holds the emulator's lock.
"""

import random
from collections.abc import Callable

import msgspec

from wwspec_devtools.emulator.answers import OR_EARLIER_LIFE, RefusedError
from wwspec_devtools.emulator.bounded import MIB, BoundedDict
from wwspec_devtools.emulator.state.accounts import App
from wwspec_devtools.emulator.state.people import Party

CODE, USER_TICKET, DOC_TICKET = "code", "user_ticket", "user_doc_ticket"
"""What is issued for a login; a code is for one use."""

SECONDS = {CODE: 300, USER_TICKET: 1800, DOC_TICKET: 30 * 86400}
"""How long each is valid."""

MAX_CODE_BYTES = 512

KEPT_BYTES = 16 * MIB
"""The most bytes of all codes and tickets. With a stopped clock they do not expire; the oldest are dropped."""


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """That a person has logged in to an app."""

    app: App
    party: Party
    by_suite: bool = False
    """Whether the link has the suite's ID: then the provider gets the person, otherwise the corp."""
    private: bool = False
    """Whether the person gives private data: scope snsapi_privateinfo."""
    domain: str = ""
    """Host and port to which the browser brings the code."""


class _Issued(msgspec.Struct, frozen=True):
    login: Login
    expires: float


class Logins:
    """Codes and tickets by their text.

    Args:
        rng: Makes them.
    """

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.issued = BoundedDict[tuple[str, str], _Issued](KEPT_BYTES)

    def issue(self, kind: str, login: Login, now: float) -> str:
        """Return a fresh code or ticket."""
        text = f"{self._rng.getrandbits(256):064x}"
        self.issued.put((kind, text), _Issued(login, now + SECONDS[kind]), len(text))
        return text

    def use_code(self, code: str, is_caller: Callable[[Login], bool], trusted_domain: str, now: float) -> Login:
        """Return the login of a code, which is then used up.

        Args:
            code: The code.
            is_caller: Returns whether the login is one to the app that calls.
            trusted_domain: The only domain that may get a code; empty when any may.
            now: Unix seconds.

        Raises:
            RefusedError: 40029 or 50001.
        """
        login = self._valid(CODE, code, now)
        if len(code.encode()) > MAX_CODE_BYTES:
            raise RefusedError(40029, f"a code has {MAX_CODE_BYTES} bytes at most")
        if login is None:
            raise RefusedError(40029, f"unknown, used or expired (valid 5 minutes), {OR_EARLIER_LIFE}")
        if not is_caller(login):
            raise RefusedError(40029, "the login is one to another app")
        self.issued.remove((CODE, code))
        if trusted_domain and login.domain != trusted_domain:
            raise RefusedError(50001, f"redirect_uri leads to {login.domain}, and {trusted_domain} is trusted")
        return login

    def member_of(self, app: App, user_ticket: str, now: float) -> Login:
        """Return the login that a `user_ticket` is for.

        Raises:
            RefusedError: 84014.
        """
        login = self._valid(USER_TICKET, user_ticket, now)
        if login is None or login.app is not app:
            raise RefusedError(84014, f"unknown, expired (valid 30 minutes) or of another app, {OR_EARLIER_LIFE}")
        return login

    def check_doc_ticket(self, app: App, userid: str, user_doc_ticket: str, now: float) -> None:
        """Check that the app may read documents as this member [99875].

        Raises:
            RefusedError: 710803.
        """
        login = self._valid(DOC_TICKET, user_doc_ticket, now)
        if login is None or login.app is not app:
            raise RefusedError(710803, f"unknown, expired (valid 30 days) or of another app, {OR_EARLIER_LIFE}")
        if login.party.id != userid:
            raise RefusedError(710803, "the ticket is that of another member than oper_userid")

    def _valid(self, kind: str, text: str, now: float) -> Login | None:
        found = self.issued.get((kind, text))
        return found.login if found is not None and found.expires > now else None
