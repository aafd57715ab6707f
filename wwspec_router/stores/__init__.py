"""Where events wait until the enterprise app fetches them: the notify stores and `open_store`.

A new backend is a module here, a row in `_SCHEMES`, and a test class that runs
`wwspec_router.testing.store_suite.NotifyStoreSuite` over it.
"""

import time
from collections.abc import Callable, Mapping

from wwspec_router.errors import ConfigurationError
from wwspec_router.stores.base import NotifyStore, StoreFigures, StoreLimits
from wwspec_router.stores.memory import MemoryStore
from wwspec_router.stores.sqlite import SqliteStore

__all__ = ["MemoryStore", "NotifyStore", "SqliteStore", "StoreFigures", "StoreLimits", "open_store"]

_Clock = Callable[[], float]
_DEFAULT_LIMITS = StoreLimits()


def open_store(
    url: str, limits: StoreLimits = _DEFAULT_LIMITS, *, clock: Callable[[], float] = time.time
) -> NotifyStore:
    """Open the notify store that `url` names.

    Args:
        url: `memory:`, or `sqlite:` and a path: `sqlite:var/notify.db`, `sqlite:/app/var/notify.db`.
        limits: Bounds in rows and bytes.
        clock: Gives the time in seconds.

    Raises:
        ConfigurationError: No store is named so; the text lists the known ones.
        StoreError: It is named well but can't be used.
    """
    scheme, colon, rest = url.partition(":")
    opener = _SCHEMES.get(scheme) if colon else None
    if opener is None:
        # The URL is not repeated: it may hold a password.
        known = ", ".join(f"{each}:" for each in _SCHEMES)
        raise ConfigurationError(f"the notify store's URL has no known scheme; known are {known}")
    return opener(rest, limits, clock)


def _open_memory(rest: str, limits: StoreLimits, clock: _Clock) -> NotifyStore:
    if rest:
        raise ConfigurationError("the notify store in memory takes nothing after its scheme; write memory:")
    return MemoryStore(limits, clock=clock)


def _open_sqlite(path: str, limits: StoreLimits, clock: _Clock) -> NotifyStore:
    if path.startswith("//") or path in {"", ":memory:"}:
        raise ConfigurationError(
            f"sqlite:{path} names no file; write sqlite:var/notify.db for a relative path, "
            "sqlite:/app/var/notify.db for an absolute one, or memory: for a store without a file"
        )
    return SqliteStore(path, limits, clock=clock)


_SCHEMES: Mapping[str, Callable[[str, StoreLimits, _Clock], NotifyStore]] = {
    "memory": _open_memory,
    "sqlite": _open_sqlite,
}
