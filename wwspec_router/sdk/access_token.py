"""Fetches an app's access token from WeCom's server API `gettoken`, for debug mode.

The secret is part of the URL, so no text here has any part of the URL, and plain HTTP is used only to this machine.
While a token is valid, WeCom returns the same one, so several processes may fetch at once.
"""

from typing import NamedTuple

import msgspec

from wwspec_contracts.errcodes import ERRCODES, hint
from wwspec_contracts.errors import WWSpecError
from wwspec_contracts.support.loopback import is_loopback

SILENCE = 5.0
"""Seconds to connect, and to wait for each part of the answer."""
LARGEST = 65_536
"""Bytes that are read of an answer."""
LIFETIME = 7200
"""Seconds that a token is valid when the answer does not say."""
LONGEST_LIFETIME = 86_400


class AccessTokenError(WWSpecError):
    """There is no access token; the text says why, without anything secret."""


class AccessToken(NamedTuple):
    """A token of one app."""

    text: str
    seconds: float
    """How long it is valid from now on."""


class _Answer(msgspec.Struct):
    errcode: int = 0
    access_token: str = ""
    expires_in: float = LIFETIME


def fetch_access_token(api_url: str, corpid: str, corpsecret: str) -> AccessToken:
    """Fetch the app's access token. Blocks, but a silent server is given up.

    Args:
        api_url: Where the platform's server API is.
        corpid: Of the corp.
        corpsecret: Of the app.

    Raises:
        AccessTokenError: There is no token.
    """
    from http.client import HTTPException  # here, as below: only programs in debug mode need them
    from urllib.error import HTTPError, URLError
    from urllib.parse import urlencode, urlsplit
    from urllib.request import HTTPRedirectHandler, ProxyHandler, build_opener

    class NoRedirects(HTTPRedirectHandler):
        """Refuses redirects, which would give the secret to somebody else."""

        def redirect_request(self, *arguments: object) -> None:
            """Follow none."""

    host = urlsplit(api_url).hostname or ""
    opener = build_opener(NoRedirects, *([ProxyHandler({})] if is_loopback(host) else []))
    query = urlencode({"corpid": corpid, "corpsecret": corpsecret})
    try:
        with opener.open(f"{api_url.rstrip('/')}/cgi-bin/gettoken?{query}", timeout=SILENCE) as response:
            text = response.read(LARGEST)
    except HTTPError as error:
        error.close()
        raise AccessTokenError(f"gettoken was answered with HTTP status {error.code}") from None
    except (OSError, HTTPException, ValueError) as error:
        cause = error.reason if isinstance(error, URLError) else error
        reason = (cause.strerror if isinstance(cause, OSError) else None) or type(cause).__name__
        raise AccessTokenError(f"gettoken got no answer ({reason})") from None
    return _token(text)


def _token(text: bytes) -> AccessToken:
    try:
        answer = msgspec.json.decode(text, type=_Answer)
    except (msgspec.DecodeError, RecursionError):
        raise AccessTokenError("the answer of gettoken is not the platform's") from None
    if answer.errcode:
        row = ERRCODES.get(answer.errcode)
        reason = f": {row.cause}; {hint(answer.errcode)}" if row else ""
        raise AccessTokenError(f"gettoken was refused with {answer.errcode}{reason}")
    if not answer.access_token:
        raise AccessTokenError("the answer of gettoken holds no access_token")
    return AccessToken(answer.access_token, min(max(answer.expires_in, 0.0), LONGEST_LIFETIME))
