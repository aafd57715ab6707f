"""Calls that run once, in the memory of one process; kept replies last as long as the process.

It knows neither events nor jobs.
"""

import heapq
import threading
from collections.abc import Callable, Sequence

from wwspec_router.stores.base import StoreLimits
from wwspec_router.stores.checks import (
    closed,
    full_of_replies,
    kept_size,
    positive,
    storable_claim,
    storable_hashes,
)
from wwspec_router.stores.once import KeptReply, OnceClaim, OnceEntry, OnceFigures, corp_hash

_REMOVE_AT_ONCE = 64
"""Rows that have ended which each call removes; also: so few stale items of the heap are not worth a rebuild."""


class _OnceRow:
    """A claim or a reply that holds a key until `expires`."""

    __slots__ = ("corp", "entry", "expires", "serial", "size")

    def __init__(self, entry: OnceEntry, corp: str, expires: float, size: int, serial: int) -> None:
        self.entry = entry
        self.corp = corp
        self.expires = expires
        self.size = size
        self.serial = serial


class MemoryOnce:
    """Keeps entries in a dict; a heap of expiry times finds the expired ones without a scan.

    Args:
        limits: Bounds in calls and bytes.
        clock: Returns the time in seconds.
    """

    def __init__(self, limits: StoreLimits, clock: Callable[[], float]) -> None:
        self._once_limits = limits
        self._once_clock = clock
        self._once_lock = threading.Lock()
        self._once_closed = False
        self._once: dict[str, _OnceRow] = {}
        self._once_ends: list[tuple[float, int, str]] = []  # the item of a replaced row stays, with an older serial
        self._once_bytes = 0
        self._once_serial = 0

    def claim_once(self, claim: OnceClaim, lease: float) -> OnceEntry | None:
        """Take a key; see `OnceStore.claim_once`."""
        storable_claim(claim)
        positive("lease", lease)
        with self._once_lock:
            now = self._now()
            row = self._live(claim.key, now)
            if row is not None and (row.entry.token != claim.token or row.entry.reply is not None):
                return row.entry
            while row is None and self._is_full():
                if not self._remove_ended(now):
                    raise full_of_replies(self._once_limits)
            self._hold(claim, now + lease)
            return None

    def renew_once(self, claims: Sequence[OnceClaim], lease: float) -> set[str]:
        """Extend leases; see `OnceStore.renew_once`."""
        positive("lease", lease)
        for claim in claims:
            storable_claim(claim)
        with self._once_lock:
            now = self._now()
            return {claim.token for claim in claims if self._renew(claim, now, lease)}

    def keep_once(self, claim: OnceClaim, reply: KeptReply, ttl: float) -> bool:
        """Keep a reply; see `OnceStore.keep_once`. It lasts as long as this process."""
        storable_claim(claim)
        size = kept_size(reply)
        positive("ttl", ttl)
        with self._once_lock:
            now = self._now()
            row = self._live(claim.key, now)
            if row is not None and row.entry.token != claim.token:
                return False
            self._hold(claim, now + ttl, reply, size)
            return True

    def release_once(self, key: str, token: str) -> None:
        """Free a key; see `OnceStore.release_once`."""
        storable_hashes(key=key, token=token)
        with self._once_lock:
            row = self._live(key, self._now())
            if row is not None and row.entry.token == token and row.entry.reply is None:
                self._drop(key)

    def once_figures(self) -> OnceFigures:
        """Return how many keys are held; see `OnceStore.once_figures`."""
        while True:
            with self._once_lock:
                if not self._remove_ended(self._once_clock()):
                    self._check_once_open()
                    return OnceFigures(rows=len(self._once), bytes=self._once_bytes)

    def _forget_once(self) -> None:
        with self._once_lock:
            self._once_closed = True
            self._once.clear()
            self._once_ends.clear()
            self._once_bytes = 0

    def _forget_once_of(self, corpid: str) -> int:
        corp = corp_hash(corpid)
        with self._once_lock:
            now = self._now()
            keys = [key for key, row in self._once.items() if row.corp == corp and row.expires > now]
            for key in keys:
                self._drop(key)
        return len(keys)

    def _check_once_open(self) -> None:
        if self._once_closed:
            raise closed()

    def _now(self) -> float:
        """Return the time, after some of what has ended by then was removed."""
        self._check_once_open()
        now = self._once_clock()
        self._remove_ended(now)
        return now

    def _remove_ended(self, now: float) -> int:
        """Remove some rows that hold no key any more; return how many items of the heap were removed."""
        done = 0
        while done < _REMOVE_AT_ONCE and self._once_ends and self._once_ends[0][0] <= now:
            _, serial, key = heapq.heappop(self._once_ends)
            row = self._once.get(key)
            if row is not None and row.serial == serial:
                self._drop(key)
            done += 1
        return done

    def _live(self, key: str, now: float) -> _OnceRow | None:
        row = self._once.get(key)
        return row if row is not None and row.expires > now else None

    def _is_full(self) -> bool:
        limits = self._once_limits
        return len(self._once) >= limits.max_once or self._once_bytes >= limits.max_once_bytes

    def _renew(self, claim: OnceClaim, now: float, lease: float) -> bool:
        row = self._live(claim.key, now)
        if row is not None and (row.entry.token != claim.token or row.entry.reply is not None):
            return False
        self._hold(claim, now + lease)
        return True

    def _hold(self, claim: OnceClaim, expires: float, reply: KeptReply | None = None, size: int = 0) -> None:
        self._drop(claim.key)
        self._once_serial += 1
        entry = OnceEntry(token=claim.token, request=claim.request, reply=reply)
        self._once[claim.key] = row = _OnceRow(entry, claim.corp, expires, size, self._once_serial)
        self._once_bytes += size
        heapq.heappush(self._once_ends, (expires, row.serial, claim.key))
        if len(self._once_ends) > 2 * len(self._once) + _REMOVE_AT_ONCE:  # most are stale
            self._once_ends = [(each.expires, each.serial, key) for key, each in self._once.items()]
            heapq.heapify(self._once_ends)

    def _drop(self, key: str) -> None:
        row = self._once.pop(key, None)
        if row is not None:
            self._once_bytes -= row.size
