"""Detects that open files of this process were deleted or replaced: what it then writes to them is lost.

It does not know what the files are for.
"""

import os
from pathlib import Path


class OpenFiles:
    """Files of one folder, as they are now.

    Args:
        paths: Existing files, which are open.

    Raises:
        OSError: The state of one can't be read.
    """

    def __init__(self, paths: list[Path]) -> None:
        self._folder = os.fspath(paths[0].parent)
        self._folder_was = _folder_state(self._folder)
        self._files = [(os.fspath(path), _identity(os.fspath(path))) for path in paths]

    def lost(self) -> str | None:
        """Return the first path that no longer leads to the same file, or None."""
        try:
            self._folder_was = _folder_state(self._folder)
        except OSError:
            return self._folder
        for path, identity in self._files:
            try:
                if _identity(path) != identity:
                    return path
            except OSError:
                return path
        return None

    def recently_lost(self) -> str | None:
        """Do the same, but check the files only when something in their folder changed.

        Takes a microsecond. It may miss a change that comes within a few milliseconds of another one.
        """
        try:
            if _folder_state(self._folder) == self._folder_was:
                return None
        except OSError:
            return self._folder
        return self.lost()


def _identity(path: str) -> tuple[int, int]:
    found = os.stat(path)  # noqa: PTH116 - Path takes twice as long
    return found.st_dev, found.st_ino


def _folder_state(path: str) -> tuple[int, int, int]:
    found = os.stat(path)  # noqa: PTH116 - as above
    return found.st_dev, found.st_ino, found.st_mtime_ns
