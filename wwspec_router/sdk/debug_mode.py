"""Debug mode, in which a program runs outside of the zone: it is opened, and its access token renewed [100082, 100083].

A token lasts two hours. While it is valid, the platform returns the same one. So the program asks more and more often
towards its end, and has the new one within a second or two. WeCom does not document whether the SDK takes a new token
at run time; the program uses the only way there is, another `spec_open_debug_mode`.

Each worker process does this for the SDK that it has loaded.
"""

import logging
import threading
from collections.abc import Callable
from functools import partial
from time import monotonic, sleep

from wwspec_contracts.backoff import Backoff
from wwspec_contracts.errors import SdkUnavailableError
from wwspec_contracts.support.stacks import describe
from wwspec_router.config import Settings
from wwspec_router.sdk.access_token import AccessToken, AccessTokenError, fetch_access_token
from wwspec_router.sdk.vendor import VendorSdk

log = logging.getLogger(__name__)

FAILURES = Backoff(first=2.0, longest=60.0, jitter=0.5)
"""The pauses between two attempts after failures."""
SHORTEST_PAUSE, LONGEST_PAUSE = 1.0, 300.0
"""Seconds between two attempts after successes. WeCom may end a token before its time; then another one comes by so
many seconds later."""


def open_debug_mode(sdk: VendorSdk, settings: Settings) -> None:
    """Open debug mode if the settings ask for it, and keep it open.

    Raises:
        SdkUnavailableError: It can't be opened.
    """
    if not settings.debug_token:
        return
    if settings.access_token:
        sdk.open_debug_mode(settings.debug_token, settings.access_token)
        log.info("debug mode: open with the access token that was set, which is not renewed")
        return
    fetch = partial(fetch_access_token, settings.api_url, settings.corpid, settings.corpsecret)
    debug_mode = DebugMode(sdk.open_debug_mode, settings.debug_token, fetch)
    debug_mode.open()
    debug_mode.start()


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

    def open(self) -> None:
        """Open it for the first time. Blocks.

        Raises:
            SdkUnavailableError: There is no access token, or the SDK refused it.
        """
        try:
            self._install(self._fetch())
        except AccessTokenError as error:
            raise SdkUnavailableError(
                f"debug mode: {error}; check WWSPEC_CORPID, WWSPEC_CORPSECRET and the network (WeCom document 100083)"
            ) from None

    def start(self) -> None:
        """Renew the token from now on, on a thread that ends with the process."""
        threading.Thread(target=self._keep_open, name="wwspec-debug-mode", daemon=True).start()

    def renew(self) -> float:
        """Fetch the token, and open debug mode again when it is a new one; return the seconds until the next time.

        Never raises.
        """
        try:
            self._install(self._fetch())
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

    def _install(self, token: AccessToken) -> None:
        """Give a token to the SDK, if it is a new one.

        Raises:
            SdkUnavailableError: It refused it.
        """
        if token.text != self._token.text:
            self._open_sdk(self._debug_token, token.text)
            log.info("debug mode: open with a new access token, valid for %.0f s", token.seconds)
        self._token, self._fetched, self._failures = token, monotonic(), 0
        self._pause = max(SHORTEST_PAUSE, min(LONGEST_PAUSE, token.seconds / 2))

    def _keep_open(self) -> None:
        while True:
            sleep(self._pause)
            self.renew()
