"""Which of the processes that share a file leads: the one that has SQLite's lock on a second file.

SQLite locks files by `fcntl`. A forked process does not inherit such a lock, unlike one of `flock`. So the system
releases it when the leader dies, even if children of the leader live on. The system would also release it when the
leader closes any handle of that file; SQLite keeps its handles open for this reason.
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass


class LeadLock:
    """Used by one thread at a time.

    Args:
        path: The file of the lock; it must be there. Nothing is ever written to it.
    """

    def __init__(self, path: Path) -> None:
        import sqlite3

        self._connection: sqlite3.Connection | None = sqlite3.connect(
            path, timeout=0.0, isolation_level=None, check_same_thread=False
        )
        self._is_held = False

    def acquire(self) -> bool:
        """Take the lock if it is free; return whether this process has it.

        Raises:
            sqlite3.Error: The file can't be locked.
        """
        import sqlite3

        if self._connection is None or self._is_held:
            return self._is_held
        try:
            self._connection.execute("PRAGMA journal_mode = MEMORY")  # no file beside it
            self._connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
        else:
            self._is_held = True
        return self._is_held

    def close(self) -> None:
        """Release the lock."""
        if self._connection is not None:
            self._connection.close()
        self._connection, self._is_held = None, False
