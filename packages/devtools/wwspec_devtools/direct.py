"""Requests without a proxy, for what is on this machine. It imports no HTTP client that takes long to import."""

from functools import cache
from urllib.request import OpenerDirector, ProxyHandler, build_opener


@cache
def direct() -> OpenerDirector:
    """Return what opens a URL. To make one takes ten times as long as to ask: it reads the system's certificates."""
    return build_opener(ProxyHandler({}))
