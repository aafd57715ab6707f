"""How much a store may hold, and how much it holds."""

import msgspec


class StoreLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of one store. What would exceed a bound is refused; no live entry is ever dropped to make room."""

    max_rows: int = 1_000_000
    """Live entries."""
    max_bytes: int = 1 << 30
    """Bytes of stored event text, keys not counted."""
    max_jobs: int = 100_000
    """Jobs in the journal, waiting or claimed."""
    max_job_bytes: int = 1 << 30
    """Bytes of the texts that jobs are added with; outcomes are not counted and never refused."""
    max_once: int = 1_000_000
    """Keys of calls that run once: of running calls and of kept replies."""
    max_once_bytes: int = 1 << 30
    """Bytes of kept replies; beyond this no further call is claimed. A reply is never refused."""
    max_kept_bytes: int = 1 << 30
    """Bytes of values that the application keeps, names included."""
    max_kept_bytes_of_corp: int = 1 << 26
    """The same for those of one corp."""
    max_failed: int = 10_000
    """Jobs that failed for good; for each further one the oldest leaves."""


class StoreFigures(msgspec.Struct, frozen=True, kw_only=True):
    """How many live entries of one kind there are, and how many bytes they hold."""

    rows: int
    bytes: int


class JobFigures(msgspec.Struct, frozen=True, kw_only=True):
    """How full a journal is, and how old its jobs are."""

    waiting: int
    """Jobs without an owner, and those whose lease is over. Notifications do not count."""
    claimed: int
    """Jobs under a lease, in the same way."""
    bytes: int
    """Bytes of the texts that they were added with."""
    oldest_age: float
    """Seconds since the oldest job was added; 0.0 when there is none."""
    unfetched: int = 0
    """Notifications that the app has not fetched; of the above they count for `bytes` only."""
    failed: int = 0
    """Jobs that failed for good and are set aside; they count for none of the above."""
    forgotten: int = 0
    """Jobs that failed for good and had to leave, because there were too many, since the store was made."""
