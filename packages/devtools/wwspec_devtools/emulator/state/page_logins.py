"""Who is logged in to WeCom in a browser that shows an app's page, and the frames that their logins opened.

WeCom does not say how long a login of a browser lasts, nor when a frame meets 42003 and when 40029: both are the
emulator's choice. Plain state: the caller holds the emulator's lock.
"""

import random

import msgspec

from wwspec_devtools.emulator.answers import OR_EARLIER_LIFE, RefusedError
from wwspec_devtools.emulator.bounded import MIB, BoundedDict
from wwspec_devtools.emulator.state.accounts import App

LOGIN_SECONDS = 12 * 3600
"""Validity of a login. Unknown at WeCom."""
KEPT_BYTES = 4 * MIB
"""The most bytes of logins, and of frames; the oldest are dropped."""


class PageLogin(msgspec.Struct, frozen=True, kw_only=True):
    """A member who is logged in."""

    corpid: str
    userid: str
    expires: float
    """Unix seconds."""


class _Frame(msgspec.Struct, frozen=True):
    app: App
    sid: str


class PageLogins:
    """The logins, by the value of the browser's cookie.

    Args:
        rng: Makes the values.
    """

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.logins = BoundedDict[str, PageLogin](KEPT_BYTES)
        self.frames = BoundedDict[str, _Frame](KEPT_BYTES)

    def log_in(self, corpid: str, userid: str, now: float) -> str:
        """Return the cookie's value for a member who logs in."""
        sid = f"{self._rng.getrandbits(256):064x}"
        self.logins.put(sid, PageLogin(corpid=corpid, userid=userid, expires=now + LOGIN_SECONDS), len(sid))
        return sid

    def member(self, sid: str, now: float) -> PageLogin | None:
        """Return the login of a cookie; None for one that has ended or is unknown."""
        login = self.logins.get(sid)
        return login if login is not None and login.expires > now else None

    def open_frame(self, app: App, sid: str) -> str:
        """Return the token with which a frame fetches data for an app, once its `agentConfig` is checked."""
        token = f"{self._rng.getrandbits(256):064x}"
        self.frames.put(token, _Frame(app, sid), len(token) + len(sid))
        return token

    def check_frame(self, token: str, sid: str, now: float) -> tuple[App, PageLogin]:
        """Return the app of a frame and the member who looks at it.

        Raises:
            RefusedError: 40029 for a frame of another login or an unknown one, 42003 for a login that has ended.
        """
        frame = self.frames.get(token)
        if frame is None or frame.sid != sid:
            raise RefusedError(40029, f"the frame was opened under another login, {OR_EARLIER_LIFE}")
        login = self.member(sid, now)
        if login is None:
            raise RefusedError(42003, "the login has ended")
        return frame.app, login
