"""What a store promises about small values that an application keeps: until they are removed, or for a limited time.

A value belongs to a corp and an app, which are part of its key, so that no corp or app reads or changes a value of
another. Changes that belong together are one list of `KeptWrite`: all or none of them are made.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec
from msgspec import UNSET, UnsetType

from wwspec_contracts.decoding import decode_json

LARGEST_VALUE = 65_536
"""Most bytes of a value's text."""


class KeptKey(msgspec.Struct, frozen=True):
    """What a value is kept under."""

    corpid: str
    agentid: int
    space: str
    """What the values are for, such as `app` or `follow`; names of different spaces never meet."""
    name: str


class KeptValue(msgspec.Struct, frozen=True):
    """A value, as it is read."""

    text: str
    version: str
    """The name of the write that made it."""


class KeptWrite(msgspec.Struct, frozen=True, kw_only=True):
    """One change."""

    key: KeptKey
    text: str | None
    """The new value; None removes it."""
    version: str
    """The name of this write; no other write has it. A write that was made already is not made again."""
    ttl: float | None = None
    """Seconds for which the value is kept; None for ever."""
    expected: str | UnsetType | None = UNSET
    """The version that must be there, None when there must be no value; UNSET when it does not matter."""
    counts: Mapping[str, int] | None = None
    """What is added to the counts that are there, in place of `text`; see `merged`."""
    most: int = 0
    """How many counts are kept then."""


def merged(text: str | None, counts: Mapping[str, int], most: int) -> str:
    """Return a value of counts to which others are added: the largest of them, as many as a value has room for.

    Args:
        text: The value; None for none.
        counts: What is added.
        most: How many are kept at most.

    Raises:
        JsonError: The value is no object of whole numbers.
    """
    totals = Counter({} if text is None else decode_json(text, dict[str, int]))
    totals.update(counts)
    parts, size = list[bytes](), 1
    for name, count in sorted(totals.items(), key=lambda each: (-each[1], each[0]))[:most]:
        part = msgspec.json.encode({name: count})[1:-1]
        size += len(part) + 1
        if size > LARGEST_VALUE:
            break
        parts.append(part)
    return f"{{{b','.join(parts).decode()}}}"


class KeptStore(Protocol):
    """Keeps values.

    Every implementation also keeps these rules:

    - A value is gone exactly at the end of its ttl; its data on a disk is removed soon after, even if no method is
      called.
    - A text of more than `LARGEST_VALUE` bytes, a `ttl` that is not positive and finite, an `agentid` of more than 64
      bits, and a lone surrogate are a StoreError that repeats none of them.
    - Bounds: `max_kept_bytes` for all values, `max_kept_bytes_of_corp` for those of one corp, all its apps together. A
      write that does not make a value longer is never refused.
    """

    def read_kept(self, key: KeptKey) -> KeptValue | None:
        """Return the value; None when there is none.

        Raises:
            StoreError: The store could not be read.
        """

    def write_kept(self, writes: Sequence[KeptWrite]) -> None:
        """Make all changes, or none; durable when this returns.

        Raises:
            KeptConflictError: Another version is there than one of them expects.
            StoreFullError: A bound would be exceeded even after expired values were removed.
            StoreError: They could not be stored.
        """
