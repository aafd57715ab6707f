"""Debug mode, in which a program runs outside of the zone: it is opened, and its access token renewed [100082, 100083].

A token lasts two hours. While it is valid, the platform returns the same one. So the program asks more and more often
towards its end, and has the new one within a second or two. A token that a call finds expired before that is renewed at
once. WeCom does not document whether the SDK takes a new token at run time; the program uses the only way there is,
another `spec_open_debug_mode`.

Each worker process does this for the SDK that it has loaded.
"""

import logging
import threading
from collections.abc import Callable
from functools import partial
from time import monotonic

from wwspec_contracts.backoff import Backoff
from wwspec_contracts.errors import SdkCallError, SdkUnavailableError
from wwspec_contracts.support.stacks import describe
from wwspec_router.config import Settings
from wwspec_router.sdk.access_token import AccessToken, AccessTokenError, fetch_access_token
from wwspec_router.sdk.base import Sdk, SdkClient
from wwspec_router.sdk.vendor import VendorSdk

log = logging.getLogger(__name__)

EXPIRED = -10008
"""The SDK's return code for a key that has changed: in debug mode perhaps an access token that has expired [100052]."""
EARLY = 300.0
"""Seconds before a token's end from which a new one is asked for."""
FAILURES = Backoff(first=2.0, longest=60.0, jitter=0.5)
"""The pauses between two attempts after failures."""
SHORTEST_PAUSE = 1.0
"""Seconds between two attempts after successes."""
PATIENCE = 6.0
"""Seconds that a refused call waits for a new token: somewhat longer than one silent server takes."""
REST = 10.0
"""Seconds after a renewal for a refused call in which no other call causes a renewal."""


def in_debug_mode(sdk: VendorSdk, settings: Settings) -> Sdk:
    """Open debug mode if the settings ask for it, and return the SDK to use.

    Raises:
        SdkUnavailableError: It can't be opened.
    """
    if not settings.debug_token:
        return sdk
    if settings.access_token:
        sdk.open_debug_mode(settings.debug_token, settings.access_token)
        log.info("debug mode: open with the access token that was set, which is not renewed")
        return sdk
    fetch = partial(fetch_access_token, settings.api_url, settings.corpid, settings.corpsecret)
    debug_mode = DebugMode(sdk.open_debug_mode, settings.debug_token, fetch)
    debug_mode.open()
    debug_mode.start()
    return DebugSdk(sdk, debug_mode)


class DebugMode:
    """Keeps debug mode open.

    Args:
        open_sdk: Opens it in the SDK, with the debug credential and an access token.
        debug_token: The debug credential of the admin page.
        fetch: Fetches the access token; blocks, and raises AccessTokenError.
    """

    def __init__(
        self, open_sdk: Callable[[str, str], None], debug_token: str, fetch: Callable[[], AccessToken]
    ) -> None:
        self._open_sdk = open_sdk
        self._debug_token = debug_token
        self._fetch = fetch
        self._token = AccessToken("", 0.0)
        self._fetched = 0.0
        self._failures = 0
        self._pause = 0.0
        self._changed = threading.Condition()
        self._is_asked = False
        self._rest_until = 0.0
        self.opened = 0
        """How often it was opened."""

    def open(self) -> None:
        """Open it for the first time. Blocks.

        Raises:
            SdkUnavailableError: There is no access token, or the SDK refused it.
        """
        try:
            self._install(self._fetch(), is_asked=True)
        except AccessTokenError as error:
            raise SdkUnavailableError(
                f"debug mode: {error}; check WWSPEC_CORPID, WWSPEC_CORPSECRET and the network (WeCom document 100083)"
            ) from None

    def start(self) -> None:
        """Renew the token from now on, on a thread that ends with the process."""
        threading.Thread(target=self._keep_open, name="wwspec-debug-mode", daemon=True).start()

    def renew(self, *, is_asked: bool = False) -> float:
        """Fetch the token, and open debug mode again when it is a new one; return the seconds until the next time.

        Never raises.

        Args:
            is_asked: The SDK refused a call, so open it again whether the token is new or not.
        """
        try:
            self._install(self._fetch(), is_asked=is_asked)
        except Exception as error:  # the next time may be better; until then the old token is used
            self._failures += 1
            self._pause = FAILURES.pause(self._failures)
            reason = error if isinstance(error, AccessTokenError | SdkUnavailableError) else describe(error)
            left = self._token.seconds - (monotonic() - self._fetched)
            log.warning(
                "debug mode: the access token is not renewed: %s; again in %.0f s; the one in use %s",
                reason,
                self._pause,
                f"is valid for {left:.0f} s more" if left > 0 else "has ended",
            )
        return self._pause

    def ask(self, api: str, opened: int) -> bool:
        """Renew the token for a call that was refused; return whether debug mode has been opened again.

        It waits for that, but not for long.

        Args:
            api: What was called.
            opened: How often debug mode had been opened when the call began.
        """
        with self._changed:
            if self.opened != opened:
                return True
            if monotonic() < self._rest_until:
                return False
            if not self._is_asked:
                log.warning("debug mode: the SDK refused %s with %d; asking for a new access token", api, EXPIRED)
            self._is_asked = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._is_asked, PATIENCE)
            return self.opened != opened

    def _install(self, token: AccessToken, *, is_asked: bool) -> None:
        """Give a token to the SDK.

        Raises:
            SdkUnavailableError: It refused it.
        """
        is_new = token.text != self._token.text
        if is_new or is_asked:
            self._open_sdk(self._debug_token, token.text)
            self.opened += 1
            what = "a new access token" if is_new else "the same access token"
            log.info("debug mode: open with %s, valid for %.0f s", what, token.seconds)
        self._token, self._fetched, self._failures = token, monotonic(), 0
        self._pause = _pause(token.seconds)

    def _keep_open(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._is_asked, self._pause)
                is_asked = self._is_asked
            pause = self.renew(is_asked=is_asked)
            if is_asked:
                with self._changed:
                    self._is_asked = False
                    self._rest_until = monotonic() + max(REST, pause if self._failures else 0.0)
                    self._changed.notify_all()


def _pause(seconds: float) -> float:
    """Return in how many seconds to ask again, for a token that is valid for some seconds more."""
    return seconds - EARLY if seconds >= 2 * EARLY else max(SHORTEST_PAUSE, seconds / 2)


class DebugSdk:
    """An `Sdk` in debug mode: a call that it refuses because of the access token is made once more, with a new one.

    Args:
        sdk: The SDK itself.
        debug_mode: Renews its token.
    """

    def __init__(self, sdk: Sdk, debug_mode: DebugMode) -> None:
        self._sdk = sdk
        self._debug_mode = debug_mode
        self.version = sdk.version
        self.is_emulated = sdk.is_emulated
        self.decode = sdk.decode
        self.encode = sdk.encode
        self.encode_refusal = sdk.encode_refusal
        self.new_notify_id = sdk.new_notify_id
        self.trace = sdk.trace

    def client(self, corpid: str, agentid: int, ability_id: str, job_info: str) -> SdkClient:
        """See `Sdk.client`."""
        return _DebugClient(partial(self._sdk.client, corpid, agentid, ability_id, job_info), self._debug_mode)


class _DebugClient:
    def __init__(self, client: Callable[[], SdkClient], debug_mode: DebugMode) -> None:
        self._new_client = client
        self._client = client()
        self._debug_mode = debug_mode

    def invoke(self, api: str, request: str) -> str:
        opened = self._debug_mode.opened
        try:
            return self._client.invoke(api, request)
        except SdkCallError as error:
            if error.return_code != EXPIRED or not self._debug_mode.ask(api, opened):
                raise
        self._client = self._new_client()  # the old one may have kept the old token
        return self._client.invoke(api, request)
