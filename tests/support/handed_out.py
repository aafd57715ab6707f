"""What the emulator hands out anew in each of its lives: left out where two lives are compared."""

import re

import msgspec

__all__ = ["without_ids"]

_IDS = re.compile(
    r"\b(?:job|info|export|result|code|media|rule|kb|notify|emulator)_[0-9a-f]{24,}"  # and notify_ids
    r"|\bENC[0-9a-f]{40}|\b[0-9a-f]{64}\b"  # tokens
    r"|\b[a-z][0-9a-f]+(?:-[0-9a-f]+)*\.[0-9a-f]{16}\b"  # cursors, page ids
    r"|\b1[0-9]{9}_[0-9]+\b"  # request ids
)


def without_ids(value: object) -> str:
    """Return a value as JSON in which each such id is a dot."""
    return _IDS.sub(".", msgspec.json.encode(value).decode())
