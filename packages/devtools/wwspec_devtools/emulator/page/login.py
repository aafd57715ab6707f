"""The address that logs a member in to the browser of an app's page; `routes` answers it."""

from urllib.parse import urlencode

from wwspec_devtools.emulator.settings import PAGE_HOST

LOGIN = "/wwopen/emulator/login"
"""The emulator's own page, where a person is chosen who is then logged in."""


def login_url(userid: str | None, to: str, corpid: str = "") -> str:
    """Return the address that logs a member in to the browser, which then goes to another address.

    Args:
        userid: The member; None lets the person at the browser choose one.
        to: The address.
        corpid: The member's corp; empty for the first one.
    """
    given = {"to": to, "userid": userid or "", "corpid": corpid}
    return f"https://{PAGE_HOST}{LOGIN}?{urlencode({name: value for name, value in given.items() if value})}"
