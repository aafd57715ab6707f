"""What a notify store promises.

A notify store keeps events until the enterprise app fetches them. Its methods block and may be called from any
thread; each either does its work durably or raises. Entries belong to a corp and an app: the three together are the
key, so that nobody reads what another corp or app owns.
"""

from typing import Protocol

import msgspec


class StoreLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of one store. A put that would pass one is refused; nothing live is ever dropped for it."""

    max_rows: int = 1_000_000
    """Live entries."""
    max_bytes: int = 1 << 30
    """Bytes of stored event text, keys not counted."""


class StoreFigures(msgspec.Struct, frozen=True, kw_only=True):
    """How full a store is."""

    rows: int
    bytes: int


class NotifyStore(Protocol):
    """Keeps the text of events by corpid, agentid and notify_id for a limited time."""

    shared: bool
    """Whether several worker processes see the same entries."""

    def put(self, corpid: str, agentid: int, notify_id: str, text: str, ttl: float) -> None:
        """Keep `text` for `ttl` seconds; durable when this returns. An entry of the same key is replaced.

        Raises:
            StoreFullError: A bound would be passed even after expired entries were removed.
            StoreError: It could not be stored.
        """
        ...

    def get(self, corpid: str, agentid: int, notify_id: str) -> str | None:
        """Return the text, or None when there is none, it has expired, or it belongs to another corp or app.

        Reading does not remove it: the app may fetch again, for example after a lost reply.

        Raises:
            StoreError: The store could not be read.
        """
        ...

    def figures(self) -> StoreFigures:
        """Return how many live entries there are and how many bytes they hold."""
        ...

    def close(self) -> None:
        """Release files and connections; further calls raise StoreError."""
        ...
