"""What every backend checks before it touches its storage, so that all of them refuse the same things.

It knows no backend. Its errors never repeat an id or a text.
"""

import math
from typing import NamedTuple

from wwspec_router.errors import StoreError, StoreFullError
from wwspec_router.stores.base import StoreLimits

_MIN_AGENTID, _MAX_AGENTID = -(2**63), 2**63 - 1


class Key(NamedTuple):
    """Whose entry it is, and which."""

    corpid: str
    agentid: int
    notify_id: str


def storable_key(corpid: str, agentid: int, notify_id: str) -> Key:
    """Return the three parts as one key.

    Raises:
        StoreError: An id is not valid Unicode, or `agentid` has more than 64 bits.
    """
    encoded("corpid", corpid)
    encoded("notify_id", notify_id)
    if not _MIN_AGENTID <= agentid <= _MAX_AGENTID:
        raise StoreError("agentid has more than 64 bits and can't be stored")
    return Key(corpid, agentid, notify_id)


def encoded(name: str, value: str) -> bytes:
    """Return `value` in UTF-8.

    Args:
        name: What the error calls it.
        value: The string.

    Raises:
        StoreError: It holds a lone surrogate.
    """
    try:
        return value.encode()
    except UnicodeEncodeError:
        pass  # raised below, outside of this handler, because a UnicodeEncodeError carries the whole string
    raise StoreError(f"{name} holds a lone surrogate, which is not valid Unicode, and can't be stored")


def expiry(now: float, ttl: float) -> float:
    """Return when an entry stops being live, in seconds of the store's clock.

    Raises:
        StoreError: `ttl` is not a positive, finite number of seconds.
    """
    if not 0 < ttl < math.inf:
        raise StoreError(f"ttl must be a positive, finite number of seconds, got {ttl!r}")
    return now + ttl


def full(limits: StoreLimits) -> StoreFullError:
    """Return the error of a put that would pass a bound."""
    return StoreFullError(
        f"the notify store is full: its bounds are {limits.max_rows} rows and {limits.max_bytes} bytes; "
        "fetch events sooner, shorten notify_ttl, or raise the bounds"
    )
