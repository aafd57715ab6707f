"""The certificates that clients of this process trust."""

import os
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl


def trusted() -> "ssl.SSLContext":
    """Return the context of all clients: to read the certificates takes longer than all else of a new client."""
    return _read(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@cache
def _read(file: str | None, folder: str | None) -> "ssl.SSLContext":
    import httpx  # here, since verbs show their help without it

    return httpx.create_ssl_context()  # which reads the variables that the arguments have
