"""Stores of events and jobs, and `open_store`, which imports the backend that a URL names.

A new backend is a folder here, a row in `SCHEMES`, and a test class that runs the suite in tests/stores/suites over it.
A package of its own declares one as an entry point of the group `wwspec.stores`, by the scheme of its URLs.
"""

from collections.abc import Callable, Mapping, Sequence

from wwspec_contracts.errors import ConfigurationError, did_you_mean
from wwspec_router.entry_points import EntryPoint, entry_points
from wwspec_router.stores.base import Store
from wwspec_router.stores.capacity import StoreLimits

__all__ = ["Store", "StoreLimits", "open_store", "risks_of"]

GROUP = "wwspec.stores"
"""The group of entry points: by scheme, what opens a store from its URL, `StoreLimits` and the program's name."""

_Clock = Callable[[], float] | None
_DEFAULT_LIMITS = StoreLimits()


def open_store(
    url: str,
    limits: StoreLimits = _DEFAULT_LIMITS,
    *,
    program: str = "zone-program",
    clock: Callable[[], float] | None = None,
) -> Store:
    """Open the store that `url` names.

    Args:
        url: `memory:`, whose content lasts until the store is closed; `sqlite:` and a path: `sqlite:var/notify.db`,
            `sqlite:/app/var/notify.db`; or Redis: `redis://[user:password@]host[:port][/db]`,
            `redis+sentinel://host:port,host:port/primary`, the same with
            `rediss`, `unix://[user:password@]/path/to.sock`.
        limits: Bounds in rows, jobs and bytes.
        program: The program's name. On a Redis server it keeps programs apart, unless the URL has `prefix=`.
        clock: Returns the time in seconds, for tests. When it is None, no correction of the system's clock changes the
            lifetimes in `memory:` and in SQLite. A Redis server always uses its own clock.

    Raises:
        ConfigurationError: The URL names no known store (the text lists them), or its package is not installed.
        StoreError: The store can't be used.
    """
    scheme, colon, _ = url.partition(":")
    opener = SCHEMES.get(scheme) if colon else None
    if colon and opener is None and (own := _installed().get(scheme)) is not None:
        return _open_own(own, url, limits, program)
    if scheme in ("redis+cluster", "rediss+cluster"):
        from wwspec_router.stores.redis.url import NO_CLUSTER

        raise ConfigurationError(NO_CLUSTER)
    if opener is None:
        # The URL is not repeated: it may hold a password.
        known = [f"{each}:" for each in (*SCHEMES, *_installed())]
        meant = did_you_mean(f"{scheme}:", known)
        raise ConfigurationError(
            f"the store's URL has no known scheme; {f'{meant} ' if meant else ''}known are {', '.join(known)}"
        )
    return opener(url, limits, program, clock)


def risks_of(store: Store) -> Sequence[str]:
    """Return the ways in which a store may lose acknowledged data because of its setup: one line each, with the fix."""
    risks: Sequence[str] = getattr(store, "risks", ())
    return risks


def _installed() -> dict[str, EntryPoint]:
    """Return the stores of other packages, by their schemes."""
    return {each.name: each for each in entry_points(GROUP) if each.name not in SCHEMES}


def _open_own(own: EntryPoint, url: str, limits: StoreLimits, program: str) -> Store:
    try:
        open_it = own.load()
    except Exception as error:  # it is anybody's code
        raise ConfigurationError(
            f"the store {own.name}: ({own.value}) does not load: {type(error).__name__}"
        ) from error
    store: Store = open_it(url, limits, program)
    return store


def _open_memory(url: str, limits: StoreLimits, program: str, clock: _Clock) -> Store:
    if url != "memory:":
        raise ConfigurationError("memory: takes nothing after its scheme; write memory: alone")
    from wwspec_router.stores.sqlite.events import SqliteStore

    return SqliteStore(None, limits, clock=clock)


def _open_sqlite(url: str, limits: StoreLimits, program: str, clock: _Clock) -> Store:
    path = url.removeprefix("sqlite:")
    if path.startswith("//") or path in {"", ":memory:"}:
        raise ConfigurationError(
            f"sqlite:{path} names no file; write sqlite:var/notify.db for a relative path, "
            "sqlite:/app/var/notify.db for an absolute one, or memory: for a store of which no file stays"
        )
    from wwspec_router.stores.sqlite.events import SqliteStore

    return SqliteStore(path, limits, clock=clock)


def _open_redis(url: str, limits: StoreLimits, program: str, clock: _Clock) -> Store:
    from wwspec_router.stores.redis.events import RedisStore

    return RedisStore(url, limits, program=program)


SCHEMES: Mapping[str, Callable[[str, StoreLimits, str, _Clock], Store]] = {
    "memory": _open_memory,
    "sqlite": _open_sqlite,
    "redis": _open_redis,
    "rediss": _open_redis,
    "redis+sentinel": _open_redis,
    "rediss+sentinel": _open_redis,
    "unix": _open_redis,
}
"""The functions that open a store, by the scheme of its URL."""
