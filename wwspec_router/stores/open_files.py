"""Notices when files that a process holds open are deleted or replaced: what it writes to them then is lost.

It is not aware of what the files are for.
"""

import os
from collections.abc import Sequence
from pathlib import Path

_Identity = tuple[int, int]


class OpenFiles:
    """The files behind some paths, as they are now.

    Args:
        paths: They exist, and are open.

    Raises:
        OSError: One can't be looked at.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._identities = [(os.fspath(path), _identity(os.stat(path))) for path in paths]  # noqa: PTH116 - as `lost`

    def lost(self) -> str | None:
        """Return the first path that leads to the same file no more, or None. Takes some microseconds."""
        for path, identity in self._identities:
            try:
                found = os.stat(path)  # noqa: PTH116 - called with each write, and Path takes twice as long
            except OSError:
                return path
            if (found.st_dev, found.st_ino) != identity:
                return path
        return None


def _identity(found: os.stat_result) -> _Identity:
    return found.st_dev, found.st_ino
