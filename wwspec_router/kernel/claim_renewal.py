"""The claims of this process: one for each running call that runs once, and for what a run follows.

They are renewed until the replies are kept, or the claims are released.

One thread does that; it ends when no call has run for a while. When a process is killed, its claims end with their
leases. It does not know how calls are answered.
"""

import logging
from collections.abc import Callable
from threading import Event, Lock, Thread
from time import monotonic

from wwspec_contracts.errors import StoreError
from wwspec_contracts.support.stacks import describe
from wwspec_router.stores.once import KeptReply, OnceClaim, OnceStore

log = logging.getLogger(__name__)

LEASE = 10.0
"""Seconds for which a claim holds its key without a renewal: so long a killed process keeps its calls from others."""
RENEW_EVERY = 1 / 3
"""Share of a lease after which it is renewed: when one renewal fails, the next one still comes in time."""
LINGER = 10
"""How many renewals the thread waits for another call before it ends."""


class _Held:
    """A claim: its call is running, or has ended and its reply is not kept yet."""

    __slots__ = ("claim", "ended", "is_lost", "reply", "ttl", "until")

    def __init__(self, claim: OnceClaim) -> None:
        self.claim = claim
        self.ended = Event()
        self.is_lost = False
        self.reply: KeptReply | None = None
        self.ttl = self.until = 0.0


class ClaimRenewer:
    """Renews the claims of one process.

    Args:
        store: Has them.
        lease: Seconds for which each holds its key without a renewal.
    """

    def __init__(self, store: OnceStore, lease: float = LEASE) -> None:
        self._store = store
        self._lease = lease
        self._lock = Lock()
        self._renewing = Lock()  # held during renewals: one that is late must not take a released key again
        self._held: dict[str, _Held] = {}
        self._thread: Thread | None = None
        self._idle = 0

    def start(self) -> None:
        """Start the thread, unless it runs.

        Raises:
            RuntimeError: The system starts no thread.
        """
        with self._lock:
            self._idle = 0
            if self._thread is None:
                thread = Thread(target=self._work, name="wwspec-once", daemon=True)
                thread.start()
                self._thread = thread

    def acquire(self, claim: OnceClaim) -> bool:
        """Claim a key and renew it until `release`; return False when another claim holds it.

        Raises:
            StoreError: The store failed.
        """
        if self._store.claim_once(claim, self._lease) is not None:
            return False
        self.add(claim)
        return True

    def is_lost(self, claim: OnceClaim) -> bool:
        """Return whether another claim has taken the key of one that was not released."""
        held = self._held.get(claim.token)
        return held is not None and held.is_lost

    def add(self, claim: OnceClaim) -> None:
        """Renew a claim from now on, until `keep` or `release`."""
        with self._lock:
            self._held[claim.token] = _Held(claim)
        self.start()

    def keep(self, claim: OnceClaim, reply: KeptReply, ttl: float) -> None:
        """Keep the reply of a claim. If the store fails, this is tried again, and the claim still holds its key."""
        held = self._held[claim.token]
        held.ttl, held.until = ttl, monotonic() + ttl
        held.reply = reply
        try:
            self._keep(held, reply)
        except StoreError as error:
            log.error("the reply of a call that runs once is not kept yet, and tried again: %s", error)

    def release(self, claim: OnceClaim) -> None:
        """Free the key of a claim whose call failed. If the store fails, the end of the lease does that."""
        # Not while leases are renewed: a renewal that arrives after the release would take the free key again, for a
        # claim that nobody releases any more.
        with self._renewing, self._lock:
            held = self._held.pop(claim.token)
        try:
            self._store.release_once(claim.key, claim.token)
        except StoreError as error:
            log.error("what failed can run again only in %g seconds, when its claim is over: %s", self._lease, error)
        held.ended.set()

    def ended(self, token: str) -> Event | None:
        """Return an event that is set when the call of a claim ends; None when it does not run in this process."""
        held = self._held.get(token)
        return None if held is None else held.ended

    def _keep(self, held: _Held, reply: KeptReply) -> None:
        if not self._store.keep_once(held.claim, reply, held.ttl):
            log.warning("a call that runs once ended after another process had taken it over; its reply is not kept")
        self._drop(held)

    def _drop(self, held: _Held) -> None:
        with self._lock:
            self._held.pop(held.claim.token, None)
        held.ended.set()

    def _work(self) -> None:
        tick = Event()
        while self._goes_on():
            tick.wait(self._lease * RENEW_EVERY)
            _attempt(self._renew, "the leases of running calls were not renewed")
            _attempt(self._keep_late, "replies of calls that run once are still not kept")

    def _goes_on(self) -> bool:
        with self._lock:
            self._idle = 0 if self._held else self._idle + 1
            if self._idle > LINGER:
                self._thread = None
            return self._thread is not None

    def _renew(self) -> None:
        with self._renewing:
            with self._lock:
                held = list(self._held.values())
            if not held:
                return
            tokens = self._store.renew_once([each.claim for each in held], self._lease)
        # A renewal also takes back a key whose lease has ended, unless another claim has it. So a missing token means
        # that another process runs the call. The run here goes on, since nobody can undo it; its reply is not kept,
        # and a run of a job that has lost a lease stores nothing.
        for each in held:
            if each.claim.token not in tokens and each.reply is None and not each.is_lost:
                each.is_lost = True
                log.error("a call that runs once, or follows, was taken over by another process while it ran here")

    def _keep_late(self) -> None:
        with self._lock:
            late = [each for each in self._held.values() if each.reply is not None]
        for each in late:
            if each.reply is not None and monotonic() < each.until:
                self._keep(each, each.reply)
            else:
                self._drop(each)


def _attempt(step: Callable[[], None], consequence: str) -> None:
    """Do a step of the thread and log what it raises: the thread must not end, since the next step may work."""
    try:
        step()
    except StoreError as error:
        log.error("%s: %s", consequence, error)
    except Exception as error:
        log.error("%s: %s", consequence, describe(error))
