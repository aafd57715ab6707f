"""What a store promises about calls that run once: which claim runs the call, and which reply its repeats get."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Protocol

import msgspec


class OnceClaim(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt to be the call that runs. All four are lower-case hexadecimal digits, at most 128 of them."""

    key: str
    """A hash of what is the same in all repeats of a call."""
    token: str
    """The name of this attempt; no other attempt has it."""
    request: str
    """A hash of the whole request. The store returns it, and does not compare it."""
    corp: str = "0"
    """A hash of the corpid, by which `Store.forget` finds the entry; see `corp_hash`."""


class KeptReply(msgspec.Struct, frozen=True, kw_only=True):
    """The reply to the call that ran."""

    text: str
    """The reply; of a call that failed, its errmsg."""
    errcode: int = 0
    """The errcode of a call that failed, else 0."""


def corp_hash(corpid: str) -> str:
    """Return the hash by which the claims and replies of a corp are found."""
    return sha256(corpid.encode("utf-8", "surrogatepass")).hexdigest()


class OnceEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What the store has under a key."""

    token: str
    """The token of the claim that holds the key."""
    request: str
    """The request of the same claim."""
    reply: KeptReply | None = None
    """What was kept; None while the call runs."""


class OnceStore(Protocol):
    """Lets one call of a key run at a time, and keeps its reply for a limited time.

    A claim holds its key until its lease ends, it is released, or its reply is kept; a kept reply holds the key for its
    ttl. While a key is held, every other claim of it gets the entry that holds it. The end of a lease frees the key. A
    late owner gets it back with its next renewal or its reply, unless another claim has taken it. So a late owner never
    replaces the data of a later one, and no reply is lost only because its owner was late.

    Every implementation also keeps these rules:

    - An entry that holds a key is never dropped to make room. An entry that has ended is removed soon; from a disk even
      if no method is called.
    - A `lease` or `ttl` that is not positive and finite, a hash that is not one, a lone surrogate in a text, and an
      errcode of more than 64 bits are a StoreError that repeats none of them.
    - What `claim_once`, `renew_once` and `release_once` change outlives every process. A crash of the machine may undo
      their last changes: it also ends the calls of those claims.
    """

    def claim_once(self, claim: OnceClaim, lease: float) -> OnceEntry | None:
        """Take the key for `lease` seconds, unless it is held. The claim that holds the key already gets it again.

        Returns:
            None when the claim holds the key now, else the entry that holds it.

        Raises:
            StoreFullError: A bound would be exceeded even after ended entries were removed.
            StoreError: The store failed; a key that was taken is free when the lease is over.
        """

    def renew_once(self, claims: Sequence[OnceClaim], lease: float) -> set[str]:
        """Let the leases of claims end `lease` seconds from now. Bounds do not matter to it.

        Returns:
            The tokens of those that hold their key now, without a reply.

        Raises:
            StoreError: The store failed.
        """

    def keep_once(self, claim: OnceClaim, reply: KeptReply, ttl: float) -> bool:
        """Keep the reply for `ttl` seconds; durable when this returns. Bounds do not matter to it.

        Returns:
            False when another claim holds the key; nothing was changed then.

        Raises:
            StoreError: It could not be stored.
        """

    def release_once(self, key: str, token: str) -> None:
        """Free a key, unless another claim holds it, or its reply is kept.

        Raises:
            StoreError: The store failed; the key is free when the lease is over.
        """
