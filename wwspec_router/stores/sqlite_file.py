"""One SQLite file for many threads and several processes: connections, durable writes, reads, clear errors.

Writes go through one connection, those of concurrent threads in one transaction (group commit). Reads use a
small pool of connections: in WAL mode they neither block the writer nor wait for it. A write is on the disk
when `write` returns (`synchronous=FULL`).

It is not aware of tables: whoever keeps one brings the schema and the statements.
"""

import contextlib
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar, TypeVarTuple

from wwspec_router.errors import StoreError
from wwspec_router.stores.group_commit import GroupCommit
from wwspec_router.stores.private_file import create_private

T = TypeVar("T")
_Args = TypeVarTuple("_Args")

APPLICATION_ID = 0x57575350
"""Marks the file as ours ("WWSP") in `PRAGMA application_id`."""
READERS = 4
"""Connections for reading."""
MAPPED_BYTES = 1 << 30
"""How much of the file is read through a memory map: SQLite forgets its own cache whenever another one writes."""
LOCK_TIMEOUT = 10.0
"""Seconds to wait for a lock that another process holds."""
MAX_BATCH = 256
"""Writes in one transaction."""

_MENDS: dict[int, str] = {
    sqlite3.SQLITE_FULL: "the disk is full; free some space or lower the store's bounds",
    sqlite3.SQLITE_CORRUPT: "the file is damaged; move it away, with its -wal and -shm, and start again",
    sqlite3.SQLITE_NOTADB: "this is not a SQLite file; move it away or name another path",
    sqlite3.SQLITE_READONLY: "the file or its directory can't be written; check their owner and mode",
    sqlite3.SQLITE_CANTOPEN: "the file can't be opened; check the owner and mode of it and of its directory",
    sqlite3.SQLITE_PERM: "access was denied; check the owner and mode of the file and of its directory",
    sqlite3.SQLITE_BUSY: f"other processes kept the file locked for {LOCK_TIMEOUT:g} seconds",
    sqlite3.SQLITE_IOERR: "reading or writing the disk failed; check the disk and its quota",
    sqlite3.SQLITE_TOOBIG: "a value is too big for SQLite",
}


class _Write:
    """One thread's part of a transaction, and its outcome."""

    __slots__ = ("error", "result", "work")

    def __init__(self, work: Callable[[sqlite3.Connection], Any]) -> None:
        self.work = work
        self.result: Any = None
        self.error: Exception | None = StoreError("the write was interrupted")


class SqliteFile:
    """A SQLite database in WAL mode, created when it is missing and readable by its owner only.

    Args:
        path: The file. Missing directories are made with mode 0700, the file with 0600; SQLite gives its -wal
            and -shm the file's mode.
        schema: The statements of each schema version, oldest first. A file of an older version is brought up
            to date; one of a newer version is refused.

    Raises:
        StoreError: The file can't be used; the text says why.
    """

    def __init__(self, path: Path, schema: Sequence[Sequence[str]]) -> None:
        self._path = create_private(path)
        self._schema = schema
        self._group = GroupCommit[_Write](self._write_batch, max_batch=MAX_BATCH)
        self._write_lock = threading.Lock()  # held while a batch is written, so that close waits for it
        self._readers: list[sqlite3.Cursor] = []  # the last one back goes first: its pages are in the caches
        self._free: queue.SimpleQueue[bool] = queue.SimpleQueue()  # holds True for each of them; False once closed
        self._closed = False
        self._clearly(lambda: _patiently(self._open))

    def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` in a transaction and return its result once that is on the disk.

        Args:
            work: Reads and writes through the connection it is given, and neither begins nor commits. It may
                run on another thread, and a second time in a new transaction when the first one failed.

        Raises:
            StoreError: It could not be stored.
        """
        write = _Write(work)
        self._group.submit(write)
        if write.error is not None:
            raise write.error
        result: T = write.result
        return result

    def read(self, statement: str, parameters: Sequence[str | float] = ()) -> list[Any]:
        """Run a statement that only reads, and return all of its rows, as tuples.

        Raises:
            StoreError: The file could not be read.
        """
        if not self._free.get():
            self._free.put(False)  # handed on from one late reader to the next
            raise StoreError(f"{self._path}: the store is closed")
        reader = self._readers.pop()
        try:
            return self._clearly(_rows, reader, statement, parameters)
        except BaseException:
            reader.close()  # it may still hold what it was reading, and so keep the WAL from being emptied
            reader = reader.connection.cursor()
            raise
        finally:
            self._readers.append(reader)
            self._free.put(True)

    def close(self) -> None:
        """Wait for what is being written and read, then close all connections. Closing again does nothing."""
        with self._write_lock:
            if self._closed:
                return
            self._closed = True
            self._clearly(self._close_connections)

    def _open(self) -> None:
        with contextlib.ExitStack() as undo:
            self._writer = undo.enter_context(contextlib.closing(self._connect(timeout=0)))  # see _patiently
            self._writer.execute("PRAGMA synchronous = FULL")
            self._prepare()
            readers = [undo.enter_context(contextlib.closing(self._connect(LOCK_TIMEOUT))) for _ in range(READERS)]
            for reader in readers:
                reader.execute("PRAGMA query_only = ON")
                reader.execute(f"PRAGMA mmap_size = {MAPPED_BYTES}")
            undo.pop_all()
        for reader in readers:
            self._readers.append(reader.cursor())
            self._free.put(True)

    def _close_connections(self) -> None:
        for _ in range(READERS):
            self._free.get()
        self._free.put(False)
        for connection in (*(reader.connection for reader in self._readers), self._writer):
            connection.close()

    def _connect(self, timeout: float) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=timeout, isolation_level=None, check_same_thread=False)

    def _prepare(self) -> None:
        """Switch to WAL, and check or make the schema: another program's file is checked before it is touched."""
        (pages,) = self._writer.execute("PRAGMA page_count").fetchone()
        if pages == 0:
            self._use_wal()  # what comes then is written once
        self._in_transaction(lambda db: _bring_up_to_date(db, self._path, self._schema))
        self._use_wal()

    def _use_wal(self) -> None:
        (mode,) = _patiently(lambda: self._writer.execute("PRAGMA journal_mode = WAL").fetchone())
        if mode != "wal":
            raise StoreError(f"{self._path}: this file system can't hold a shared SQLite file; use a local disk")

    def _write_batch(self, writes: Sequence[_Write]) -> None:
        with self._write_lock:
            try:
                self._clearly(self._in_transaction, lambda db: _work_off(writes, db))
            except Exception as error:
                failure = error
            else:
                for write in writes:
                    write.error = None
                return
            if len(writes) == 1:
                writes[0].error = failure
            else:
                self._write_apart(writes)

    def _write_apart(self, writes: Sequence[_Write]) -> None:
        """Write each behind a savepoint, so that one which fails takes no other with it."""
        failures: dict[_Write, Exception] = {}

        def run(write: _Write) -> None:
            with _savepoint(self._writer):
                write.result = write.work(self._writer)

        def run_all(db: sqlite3.Connection) -> None:
            for write in writes:
                try:
                    self._clearly(run, write)
                except Exception as error:
                    failures[write] = error

        try:
            self._clearly(self._in_transaction, run_all)
        except StoreError as error:
            failures = {write: StoreError(*error.args) for write in writes}
        for write in writes:
            write.error = failures.get(write)

    def _in_transaction(self, step: Callable[[sqlite3.Connection], T]) -> T:
        if self._closed:
            raise StoreError(f"{self._path}: the store is closed")
        db = self._writer
        _patiently(db.execute, "BEGIN IMMEDIATE")
        try:
            result = step(db)
            _patiently(db.execute, "COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
        return result

    def _clearly(self, step: Callable[[*_Args], T], *args: *_Args) -> T:
        """Run `step(*args)`; an error of sqlite3 becomes a StoreError.

        That one is raised outside of the handler, so as not to carry the other as its context: the text of
        sqlite3's errors may hold stored text.
        """
        try:
            return step(*args)
        except (sqlite3.Error, sqlite3.Warning, OverflowError) as error:
            name = getattr(error, "sqlite_errorname", type(error).__name__)
            mend = _MENDS.get(_primary_code(error), "SQLite failed")
        raise StoreError(f"{self._path}: {mend} ({name})")


def _primary_code(error: Exception) -> int:
    """Return SQLite's result code without its extension: SQLITE_IOERR of SQLITE_IOERR_WRITE; 0 if none."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF


def _rows(reader: sqlite3.Cursor, statement: str, parameters: Sequence[str | float]) -> list[Any]:
    return reader.execute(statement, parameters).fetchall()


def _work_off(writes: Sequence[_Write], db: sqlite3.Connection) -> None:
    for write in writes:
        write.result = write.work(db)


def _patiently(step: Callable[[*_Args], T], *args: *_Args) -> T:
    """Try `step(*args)` until the other processes let go of their locks.

    SQLite's own waiting ends in pauses of 100 ms, in which a busy neighbour takes the lock again and again,
    and it does not cover the switch to WAL.
    """
    deadline = time.monotonic() + LOCK_TIMEOUT
    while True:
        try:
            return step(*args)
        except sqlite3.OperationalError as error:
            if _primary_code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
        time.sleep(0.001)


@contextlib.contextmanager
def _savepoint(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("SAVEPOINT apart")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK TO apart")
        raise
    finally:
        db.execute("RELEASE apart")


def _bring_up_to_date(db: sqlite3.Connection, path: Path, schema: Sequence[Sequence[str]]) -> None:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (tables,) = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if application != APPLICATION_ID and (application or version or tables):
        raise StoreError(f"{path}: this SQLite file belongs to another program; name another path")
    if version > len(schema):
        raise StoreError(
            f"{path}: its schema version is {version}, newer than {len(schema)}, the newest known here; "
            "install the release that wrote it, or name another path"
        )
    if version < len(schema):
        for statement in (statement for step in schema[version:] for statement in step):
            db.execute(statement)
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {len(schema)}")
