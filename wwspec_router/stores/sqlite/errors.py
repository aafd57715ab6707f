"""How a SQLite file fails: errors as StoreErrors that name the fix, waits for a lock, and files that are gone.

What a process writes to a file that was deleted or replaced is lost. This module does not know what is read or written.
"""

import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, TypeVarTuple

from wwspec_contracts.errors import StoreError

T = TypeVar("T")
_Args = TypeVarTuple("_Args")

LOCK_TIMEOUT = 3.0
"""Seconds, from its submission, that a write waits for a lock that another process holds."""
OPEN_TIMEOUT = 10.0
"""Seconds that opening a file waits: another process may be upgrading its schema."""

_FIXES: dict[int, str] = {
    sqlite3.SQLITE_FULL: "the disk is full; free some space or lower the store's bounds",
    sqlite3.SQLITE_CORRUPT: "the file is damaged; move it away, with its -wal and -shm, and start again",
    sqlite3.SQLITE_NOTADB: "this is not a SQLite file; move it away or name another path",
    sqlite3.SQLITE_READONLY: "the file or its directory can't be written; check their owner and mode",
    sqlite3.SQLITE_CANTOPEN: "the file can't be opened; check the owner and mode of it and of its directory",
    sqlite3.SQLITE_PERM: "access was denied; check the owner and mode of the file and of its directory",
    sqlite3.SQLITE_BUSY: "another process kept the file locked for too long; end that process",
    sqlite3.SQLITE_IOERR: "reading or writing the disk failed; check the disk and its quota",
    sqlite3.SQLITE_TOOBIG: "a value is too big for SQLite",
}

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_ACCESS = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM)


class DamagedFileError(StoreError):
    """A file holds something that SQLite has not written there."""


def clearly(path: Path, step: Callable[[*_Args], T], *args: *_Args) -> T:
    """Run `step(*args)`; an error of sqlite3 becomes a StoreError.

    The StoreError is raised outside of the `except` block, so that the other error is not its context: the text of
    sqlite3's errors may hold stored text.

    Raises:
        DamagedFileError: What is in the file is not what SQLite wrote.
        StoreError: SQLite failed.
    """
    try:
        return step(*args)
    except (sqlite3.Error, sqlite3.Warning, OverflowError) as error:
        name, code = getattr(error, "sqlite_errorname", type(error).__name__), _primary_code(error)
        fix = _FIXES.get(code, "SQLite failed")
        place = _refusing(path) if code in _ACCESS else path
    failure = DamagedFileError if code in _DAMAGED else StoreError
    raise failure(f"{place}: {fix} ({name})")


def patiently(deadline: float, step: Callable[[*_Args], T], *args: *_Args) -> T:
    """Try `step(*args)` until other processes release their locks, or until `deadline`; at least once.

    SQLite itself waits in pauses of up to 100 ms, in which a busy process can take the lock again and again; and it
    does not wait when it switches to WAL.

    Args:
        deadline: In seconds of `time.monotonic()`.
        step: What to try.
        args: Its arguments.
    """
    while True:
        try:
            return step(*args)
        except sqlite3.OperationalError as error:
            if not is_busy(error) or time.monotonic() > deadline:
                raise
        time.sleep(0.001)


def is_busy(error: sqlite3.Error) -> bool:
    """Return whether a step failed only because another process holds a lock just now."""
    return _primary_code(error) == sqlite3.SQLITE_BUSY


def _refusing(path: Path) -> Path:
    """Return the path that this process may not write: the file, its folder, or a file that SQLite keeps beside it.

    SQLite gives such a file the mode that the main file had, and its errors do not say which path it was.
    """
    beside = (path.with_name(f"{path.name}{suffix}") for suffix in ("-wal", "-shm"))
    for each in (path, path.parent, *beside):
        if os.access(each, os.F_OK) and not os.access(each, os.R_OK | os.W_OK):
            return each
    return path


def _primary_code(error: Exception) -> int:
    """Return SQLite's result code without its extension: SQLITE_IOERR of SQLITE_IOERR_WRITE; 0 if none."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF


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
