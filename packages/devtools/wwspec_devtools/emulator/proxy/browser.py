"""A Chromium whose pages meet the emulator instead of WeCom, and no other machine.

Its hosts lead to the proxy, which answers for WeCom's and refuses all others. It trusts the proxy's own authority and
has a profile of its own, so the user's browser is as it was.
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from wwspec_contracts.errors import ConfigurationError
from wwspec_devtools.emulator.proxy.authority import Authority
from wwspec_devtools.emulator.proxy.proxy import Proxy

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge")
"""The programs that are looked for in PATH."""
HOSTS = ("127.0.0.1", "localhost")
"""The hosts of pages, which the browser reaches besides WeCom's."""
_MAC = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
_QUIET = (
    *("--no-first-run", "--no-default-browser-check", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--disable-quic", "--disable-extensions", "--disable-default-apps"),
)
_PREFERENCES = {
    "profile": {"block_third_party_cookies": False, "cookie_controls_mode": 0},
    "signin": {"allowed": False, "allowed_on_next_startup": False},
}
"""The frame needs the cookie of the login, which Debian's Chromium keeps from the frame of another site."""


@contextmanager
def page_browser(emulator_url: str, authority: Authority, profile: Path) -> Iterator[list[str]]:
    """Lead a Chromium to an emulator, within a `with` block, and yield the flags that it needs.

    Args:
        emulator_url: Of the emulator.
        authority: Signs for WeCom's hosts.
        profile: The folder of the browser's new profile.

    Raises:
        ConfigurationError: The proxy can't be opened.

    Examples:
        >>> with page_browser(emulator.url, Authority(folder), profile) as flags:  # doctest: +SKIP
        ...     context = playwright.chromium.launch_persistent_context(profile, args=flags)
    """
    (profile / "Default").mkdir(parents=True, exist_ok=True)
    (profile / "Default" / "Preferences").write_text(json.dumps(_PREFERENCES), "utf-8")
    parts = urlsplit(emulator_url)
    with Proxy(authority, (parts.hostname or "", parts.port or 80)) as proxy:
        yield [
            f"--proxy-server={proxy.url}",
            f"--host-resolver-rules=MAP * ~NOTFOUND, {', '.join(f'EXCLUDE {host}' for host in HOSTS)}",
            f"--ignore-certificate-errors-spki-list={authority.key_hash()}",
            *_QUIET,
        ]


def find_browser() -> str:
    """Return the Chromium of this machine.

    Raises:
        ConfigurationError: There is none.
    """
    found = next(filter(None, map(shutil.which, NAMES)), "") or next((each for each in _MAC if Path(each).exists()), "")
    if not found:
        raise ConfigurationError(
            f"no Chromium is found ({', '.join(NAMES)} in PATH): install one, such as Debian's package chromium or "
            "Google Chrome, or name one with --browser"
        )
    return found
