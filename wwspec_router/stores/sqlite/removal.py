"""Removes from a SQLite file what is over: rows that have expired, and all that belongs to a corp.

It removes some rows at a time, so that other writes come in between. A thread calls a store's housekeeping once a
second. This module does not know what the rows are for.
"""

# ruff: noqa: S608 - the names of tables and columns are ours, and every value is a parameter
import logging
import sqlite3
import threading
import weakref
from collections.abc import Callable

from wwspec_contracts.errors import StoreError
from wwspec_contracts.support.stacks import describe
from wwspec_router.stores.sqlite.file import SqliteFile

log = logging.getLogger(__name__)

EVERY = 0.9
"""Seconds between two calls of the housekeeping, so that each thing is done within a second."""
AT_ONCE = 64
"""Expired rows that one removal deletes; more than are added between two removals, so that the backlog shrinks."""
_AT_ONCE_OF_CORP = 256
"""Rows of a corp that one transaction deletes."""


class CorpRows:
    """A table whose rows belong to corps.

    Args:
        find: Returns rows of a corp, given the time, the corp and their number: the key, and whether the row is live.
        delete: Deletes the row of a key, which has the corp: a serial may have become another row's.
    """

    def __init__(self, find: str, delete: str) -> None:
        self._find = find
        self._delete = delete

    def forget(self, file: SqliteFile, corp: str, now: float) -> int:
        """Remove the rows of a corp; return how many were live: no method returns others any more."""

        def remove(db: sqlite3.Connection) -> int:
            return sum(live * db.execute(self._delete, key).rowcount for *key, live in rows)

        removed = 0
        while rows := file.read(self._find, (now, corp, _AT_ONCE_OF_CORP)):
            removed += file.write(remove)
        return removed


class ExpiringRows(CorpRows):
    """A table whose rows are over when they expire, and its counters, in the table `<table>_usage`.

    Args:
        table: Its name. It has the columns `expires` and `size`, and an index that begins with the former.
        key: The columns of its key, of which one is the corp.
        corp: The column of the corp.

    Attributes:
        usage: The statements that make the counters, and count rows that are removed.
        count_added: The statement that lets added rows be counted, too.
    """

    def __init__(self, table: str, *key: str, corp: str = "corpid") -> None:
        columns = ", ".join(key)
        super().__init__(
            f"SELECT {columns}, ifnull(expires > ?, 1) FROM {table} WHERE {corp} = ? LIMIT ?",
            f"DELETE FROM {table} WHERE {' AND '.join(f'{each} = ?' for each in key)}",
        )
        self.usage = (
            f"CREATE TABLE {table}_usage (rows INTEGER NOT NULL, bytes INTEGER NOT NULL)",
            f"INSERT INTO {table}_usage VALUES (0, 0)",
            f"""
            CREATE TRIGGER {table}_removed AFTER DELETE ON {table} BEGIN
                UPDATE {table}_usage SET rows = rows - 1, bytes = bytes - old.size;
            END
            """,
        )
        self.count_added = f"""
            CREATE TRIGGER {table}_added AFTER INSERT ON {table} BEGIN
                UPDATE {table}_usage SET rows = rows + 1, bytes = bytes + new.size;
            END
        """
        self._any_expired = f"SELECT 1 FROM {table} WHERE expires <= ? LIMIT 1"
        self._remove_expired = f"""
            DELETE FROM {table} WHERE ({columns}) IN (
                SELECT {columns} FROM {table} WHERE expires <= ? ORDER BY expires LIMIT ?
            )
        """

    def remove_expired(self, db: sqlite3.Connection, now: float) -> int:
        """Remove some rows that have expired, within a transaction; return their number."""
        return db.execute(self._remove_expired, (now, AT_ONCE)).rowcount

    def any_expired(self, file: SqliteFile, now: float) -> bool:
        """Return whether there are rows that have expired."""
        return bool(file.read(self._any_expired, (now,)))


class Housekeeping:
    """Calls a method again and again until it is closed, or until no reference to the method's object is left.

    The thread does not keep its process alive.

    Args:
        method: A bound method. What it raises is logged, except a StoreError: each user of the store gets that, too.
    """

    def __init__(self, method: Callable[[], None]) -> None:
        self._closed = threading.Event()
        arguments = (weakref.WeakMethod(method), self._closed)
        self._thread = threading.Thread(target=_work, args=arguments, name="wwspec-store", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread after the call that runs. Closing again does nothing."""
        self._closed.set()
        if self._thread is not threading.current_thread():
            self._thread.join()


def _work(method: "weakref.WeakMethod[Callable[[], None]]", closed: threading.Event) -> None:
    while not closed.wait(EVERY):
        step = method()
        if step is None:
            return
        try:
            step()
        except StoreError:
            pass
        except Exception as error:  # after any error the next call may work
            log.error("housekeeping of the store failed: %s", describe(error))
        del step
