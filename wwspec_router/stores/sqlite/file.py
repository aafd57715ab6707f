"""One SQLite file for many threads and several processes: connections, durable writes, reads, clear errors.

All writes use one connection; those of concurrent threads share a transaction (group commit). A write that comes alone
may be one statement, which needs neither `BEGIN` nor `COMMIT`. Reads use a small pool of connections: in WAL mode they
neither block the writer nor wait for it. A write is on the disk when `write` returns (`synchronous=FULL`), unless its
caller does not need that.

When the file is deleted or replaced under a running program, the program can still write to the old file, and those
writes are lost.

So each transaction checks that the file is still there before its writes count as done. Deleted rows are overwritten in
the file (`secure_delete`), and removed from the WAL by `empty_wal`.

A passing file is deleted as soon as it is open. All connections are made before that: a later one would find nothing.

It knows no tables: the schema and the statements come from its users.
"""

import contextlib
import logging
import queue
import sqlite3
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple

from wwspec_contracts.errors import StoreError, other_layout
from wwspec_contracts.support.private_files import create_private
from wwspec_router.stores.batches import Batches
from wwspec_router.stores.sqlite.errors import (
    LOCK_TIMEOUT,
    OPEN_TIMEOUT,
    DamagedFileError,
    OpenFiles,
    clearly,
    is_busy,
    patiently,
)

if TYPE_CHECKING:
    from tempfile import TemporaryDirectory

T = TypeVar("T")
Failed = Callable[[Exception], None] | None
_Args = TypeVarTuple("_Args")

log = logging.getLogger(__name__)

_APPLICATION_ID = 0x57575350
"""Marks the file as ours ("WWSP") in `PRAGMA application_id`."""
READERS = 4
"""Connections for reading."""
MAPPED_BYTES = 1 << 30
"""How much of the file is read through a memory map. SQLite drops its own cache when another connection writes."""
MAX_BATCH = 256
"""Writes in one transaction."""
PAUSE, LONGEST_PAUSE = 0.25, 0.002
"""The pause after a transaction of more than two writes: a share of the time that it took, and the most seconds.

The threads that it has answered come back meanwhile, and share the next one; else they would be late for it."""
_FULL, _NORMAL, _OFF = (f"PRAGMA synchronous = {each}" for each in ("FULL", "NORMAL", "OFF"))


class _Write:
    """One thread's part of a transaction, and its outcome."""

    __slots__ = ("deadline", "error", "failed", "result", "synced", "work")

    def __init__(self, work: Callable[[sqlite3.Connection], Any], synced: bool = True, failed: Failed = None) -> None:
        self.work = work
        self.synced = synced
        self.failed = failed
        self.deadline = time.monotonic() + LOCK_TIMEOUT
        self.result: Any = None
        self.error: Exception | None = StoreError("the write was interrupted")


class SqliteFile:
    """A SQLite database in WAL mode, created when it is missing and readable by its owner only.

    Args:
        path: The file. Missing directories are made with mode 0700, the file with 0600; SQLite gives its -wal
            and -shm the file's mode. None for a passing file: of this object only, never synced, and deleted while it
            is open, so that nothing is left of it however the process ends.
        layout: The number of the layout of its tables; a file with another number is refused.
        schema: The statements that make the tables.

    Raises:
        StoreError: The file can't be read, can't be written, or has another layout; the text says why.
    """

    def __init__(self, path: Path | None, layout: int, schema: Sequence[str]) -> None:
        self._folder = _passing_folder() if path is None else None
        self._path = _create(Path(self._folder.name, "memory.db") if self._folder else path or Path())
        self._layout = layout
        self._schema = schema
        self._group = Batches[_Write](self._write_batch, max_batch=MAX_BATCH)
        self._write_lock = threading.Lock()  # held while a batch is written, so that close waits for it
        self._readers: list[sqlite3.Cursor] = []  # used last, used first: its pages are in the caches
        self._free: queue.SimpleQueue[bool] = queue.SimpleQueue()  # holds True for each of them; False after close
        self._closed = False
        self._synced = True  # the writer's setting
        self._failed = False  # the last transaction
        self.together = 0
        """How many writes the transaction has that runs `work` now, or that ran it last."""
        self._next = 0.0  # when the pause after the last transaction is over
        self._lost: str | None = None  # the file that was deleted or replaced
        self._damaged: DamagedFileError | None = None  # once it was found, until the end: a write could be lost
        try:
            clearly(self._path, patiently, time.monotonic() + OPEN_TIMEOUT, self._open)
        except BaseException:
            self._delete_folder()
            raise
        if sys.platform != "darwin":  # Apple's SQLite refuses to use a file that was deleted
            self._delete_folder()

    def write(
        self,
        work: Callable[[sqlite3.Connection], T],
        *,
        alone: Callable[[sqlite3.Connection], T] | None = None,
        synced: bool = True,
    ) -> T:
        """Run `work` in a transaction and return its result once that is on the disk.

        Args:
            work: Reads and writes through its connection, and neither begins nor commits. It may run on another
                thread, and a second time in a new transaction when the first one failed.
            alone: Does the same by a single statement, which is a transaction of its own. It is tried first when no
                other thread writes or wrote in the last transaction. If it returns a false value it has changed
                nothing, and `work` runs.
            synced: Whether the write must outlive a crash of the machine. If not, it returns sooner, and still outlives
                every process.

        Raises:
            StoreError: It could not be stored, or another process kept the file locked for `LOCK_TIMEOUT` seconds,
                counted from this call.
        """
        if alone is not None and self.together <= 1 and self._group.idle and self._write_lock.acquire(blocking=False):
            try:
                done = self._run_checked(self._at_once, alone, synced)
            finally:
                self._write_lock.release()
            if done:
                return done
        write = _Write(work, synced)
        self._group.submit(write)
        if write.error is not None:
            raise write.error
        result: T = write.result
        return result

    def write_soon(
        self, work: Callable[[sqlite3.Connection], T], failed: Callable[[Exception], None], *, synced: bool = True
    ) -> None:
        """Run `work` in the next transaction, without waiting for it if another thread writes now.

        Args:
            work: As `write` has it.
            failed: Called with the error if it could not be stored, on any thread; it raises nothing.
            synced: See `write`.
        """
        self._group.submit_soon(_Write(work, synced, failed))

    def read(self, statement: str, parameters: Sequence[str | float] = ()) -> list[Any]:
        """Run a statement that only reads, and return all of its rows, as tuples.

        Raises:
            StoreError: The file could not be read.
        """
        if not self._free.get():
            self._free.put(False)  # for the next late reader
            raise self._closed_error()
        reader = self._readers.pop()
        try:
            if self._lost is not None:
                raise self._lost_error()
            return self._noting_damage(_rows, reader, statement, parameters)
        except BaseException:
            reader.close()  # an open statement would keep the WAL from being emptied
            reader = reader.connection.cursor()
            raise
        finally:
            self._readers.append(reader)
            self._free.put(True)

    def check(self) -> None:
        """Return if the file can be read and written now.

        Raises:
            StoreError: It can't.
        """
        if self._closed:
            raise self._closed_error()
        self.check_files()
        self.read(self._first_rows)
        self._refuse_damaged()
        if self._failed:  # it may work again
            self.write(self._touch)

    def check_files(self) -> None:
        """Check whether the file was deleted or replaced since it was opened; log it once.

        Raises:
            StoreError: It was.
        """
        self._note_lost(self._files.lost() if self._files else None)

    def _noting_damage(self, step: Callable[[*_Args], T], *args: *_Args) -> T:
        try:
            return clearly(self._path, step, *args)
        except DamagedFileError as error:
            self._damaged = error
            raise

    def _refuse_damaged(self) -> None:
        if self._damaged is not None:
            raise DamagedFileError(*self._damaged.args)

    def _note_lost(self, lost: str | None) -> None:
        if lost is not None and self._lost is None:
            log.error("%s", self._lost_error(lost))
        elif lost is None and self._lost is not None:
            log.warning("%s: the file is back", self._path)
        self._lost = lost
        if lost is not None:
            raise self._lost_error()

    def empty_wal(self) -> bool:
        """Move the content of the WAL into the file, and make the WAL empty: it also holds rows deleted since.

        Returns:
            False when it was not emptied, for example because others read or write now.

        Raises:
            StoreError: It can't be done.
        """
        with self._write_lock:
            if self._closed or self._lost is not None:
                return False
            [(busy, _, _)] = clearly(self._path, _rows, self._writer, "PRAGMA wal_checkpoint(TRUNCATE)", ())
        return not busy

    def close(self) -> None:
        """Wait for running writes and reads, then close all connections. Closing again does nothing."""
        if not self._group.idle:
            with contextlib.suppress(StoreError):
                self.write(lambda db: None)  # comes after those for which nobody waits
        with self._write_lock:
            if self._closed:
                return
            self._closed = True
            clearly(self._path, self._close_connections)

    def _delete_folder(self) -> None:
        if self._folder is not None:
            self._folder.cleanup()

    def _open(self) -> None:
        with contextlib.ExitStack() as undo:
            self._writer = undo.enter_context(contextlib.closing(self._connect(timeout=0)))  # see patiently
            self._writer.execute(_OFF if self._folder else _FULL)
            self._writer.execute("PRAGMA secure_delete = ON")
            self._prepare(time.monotonic() + OPEN_TIMEOUT)
            readers = [undo.enter_context(contextlib.closing(self._connect(LOCK_TIMEOUT))) for _ in range(READERS)]
            for reader in readers:
                reader.execute("PRAGMA query_only = ON")
                reader.execute(f"PRAGMA mmap_size = {MAPPED_BYTES}")
                reader.execute("SELECT 1 FROM sqlite_schema").fetchall()  # opens the WAL now: later it may be another
            tables = self._writer.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
            self._first_rows = _first_rows(name for (name,) in tables)
            self._files = None if self._folder else self._note_files()
            undo.pop_all()
        self._end = weakref.finalize(self, _end, [*readers, self._writer], self._folder)  # if nobody closes it
        self._end.atexit = False  # a forked process would do it too
        for reader in readers:
            self._readers.append(reader.cursor())
            self._free.put(True)

    def _note_files(self) -> OpenFiles:
        try:
            return OpenFiles([Path(f"{self._path}{suffix}") for suffix in ("", "-wal", "-shm")])
        except OSError as error:
            raise StoreError(f"{self._path}: it was deleted while it was opened: {error.strerror}") from None

    def _close_connections(self) -> None:
        for _ in range(READERS):
            self._free.get()
        self._free.put(False)
        self._end()

    def _connect(self, timeout: float) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=timeout, isolation_level=None, check_same_thread=False)

    def _prepare(self, deadline: float) -> None:
        """Check or make the schema, and switch to WAL; an existing file is checked before: it may be foreign."""
        (pages,) = self._writer.execute("PRAGMA page_count").fetchone()
        if pages == 0:
            self._use_wal(deadline)  # before there are pages, which would be written twice
        self._transact(deadline, lambda db: _make_tables(db, self._path, self._layout, self._schema), True)
        self._use_wal(deadline)
        self._transact(deadline, self._touch, True)

    def _use_wal(self, deadline: float) -> None:
        (mode,) = patiently(deadline, lambda: self._writer.execute("PRAGMA journal_mode = WAL").fetchone())
        if mode != "wal":
            raise StoreError(f"{self._path}: this file system can't hold a shared SQLite file; use a local disk")

    def _touch(self, db: sqlite3.Connection) -> None:
        """Check that writing works: write the number that the file has."""
        db.execute(f"PRAGMA user_version = {self._layout}")

    def _write_batch(self, first: _Write, others: Callable[[], list[_Write]]) -> None:
        """Write all waiting items, and tell of those that failed and for which nobody waits."""
        if self.together > 2 and (pause := self._next - time.monotonic()) > 0:
            time.sleep(pause)
        writes, begun = [first], time.monotonic()
        self._write_all(writes, others)
        ended = time.monotonic()
        self._next = ended + min((ended - begun) * PAUSE, LONGEST_PAUSE)
        for write in writes:
            if write.failed is not None and write.error is not None:
                write.failed(write.error)

    def _write_all(self, writes: list[_Write], others: Callable[[], list[_Write]]) -> None:
        """Write all waiting items once the lock is acquired; if that takes too long, only the first write fails."""
        [first] = writes
        # Commits are appended to one WAL, and a sync covers all that is in it. So a commit that is not synced is on the
        # disk with the next one that is, and a crash of the machine undoes the latest commits only, never one between.
        # A first write that needs no sync goes alone as long as nobody waits; those who do may need one.
        synced = first.synced or self._group.waiting > 0

        def work(db: sqlite3.Connection) -> None:
            if synced:
                writes.extend(others())
            self.together = len(writes)
            for write in writes:
                write.result = write.work(db)

        with self._write_lock:
            # No outcome is set before the commit: the threads learn of their writes when all of them are stored.
            try:
                self._run_checked(self._transact, first.deadline, work, synced)
            except Exception as error:
                failure = error
            else:
                for write in writes:
                    write.error = None
                return
            if len(writes) == 1:
                first.error = failure
            else:
                self._write_apart(writes)

    def _write_apart(self, writes: Sequence[_Write]) -> None:
        """Write each item behind its own savepoint, so that a failure affects only that item."""
        failures: dict[_Write, Exception] = {}

        def run(write: _Write) -> None:
            with _savepoint(self._writer):
                write.result = write.work(self._writer)

        def run_all(db: sqlite3.Connection) -> None:
            for write in writes:
                try:
                    clearly(self._path, run, write)
                except Exception as error:
                    failures[write] = error

        try:
            self._run_checked(self._transact, writes[0].deadline, run_all, True)
        except StoreError as error:
            failures = {write: StoreError(*error.args) for write in writes}
        for write in writes:
            write.error = failures.get(write)

    def _run_checked(self, transaction: Callable[[*_Args], T], *args: *_Args) -> T:
        """Run a transaction; it fails if the file is gone after it."""
        if self._lost is not None:
            raise self._lost_error()
        self._refuse_damaged()
        try:
            result = self._noting_damage(transaction, *args)
        except BaseException:
            self._failed = True
            raise
        self._failed = False
        # After the commit: a file that was replaced before it has not got the write, which then must not count as done.
        if self._files and (lost := self._files.recently_lost() or self._lost) is not None:
            self._note_lost(lost)
        return result

    def _at_once(self, step: Callable[[sqlite3.Connection], T], synced: bool) -> T | None:
        """Run a step that is a single statement; return None when another process holds the lock."""
        db = self._prepare_writer(synced)
        try:
            return step(db)
        except sqlite3.OperationalError as error:
            if not is_busy(error):
                raise
        return None

    def _transact(self, deadline: float, step: Callable[[sqlite3.Connection], None], synced: bool) -> None:
        """Run a step between `BEGIN` and `COMMIT`, as soon as other processes allow it."""
        db = self._prepare_writer(synced)
        # IMMEDIATE: a transaction that reads first and takes the lock later fails when another process wrote between.
        patiently(deadline, db.execute, "BEGIN IMMEDIATE")
        try:
            step(db)
            patiently(deadline, db.execute, "COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise

    def _prepare_writer(self, synced: bool) -> sqlite3.Connection:
        """Return the writing connection, set to wait for the disk or not."""
        if self._closed:
            raise self._closed_error()
        if synced is not self._synced and not self._folder:
            self._writer.execute(_FULL if synced else _NORMAL)
            self._synced = synced
        return self._writer

    def _closed_error(self) -> StoreError:
        return StoreError(f"{self._path}: the store is closed")

    def _lost_error(self, lost: str | None = None) -> StoreError:
        return StoreError(
            f"{lost or self._lost} was deleted or replaced under the running program, which can neither store nor read "
            "anything now; put the file back, or restart the program"
        )


def _create(path: Path) -> Path:
    try:
        return create_private(path)
    except OSError as error:
        reason = error.strerror
    raise StoreError(f"{path}: can't be created: {reason}; check the path and its owner and mode")


def _passing_folder() -> "TemporaryDirectory[str]":
    import tempfile  # which a program with a file of its own does without

    try:
        return tempfile.TemporaryDirectory(prefix="wwspec-memory-", ignore_cleanup_errors=True)
    except OSError as error:
        place, reason = tempfile.tempdir, error.strerror
    raise StoreError(
        f"memory: its file can't be created in {place or 'any temporary folder'}: {reason}; "
        "set TMPDIR to a folder that can be written"
    )


def _end(connections: Sequence[sqlite3.Connection], folder: "TemporaryDirectory[str] | None") -> None:
    for connection in connections:
        connection.close()
    if folder is not None:
        folder.cleanup()


def _rows(reader: sqlite3.Cursor | sqlite3.Connection, statement: str, parameters: Sequence[str | float]) -> list[Any]:
    return reader.execute(statement, parameters).fetchall()


def _first_rows(tables: Iterable[str]) -> str:
    """Return a statement that reads a row of each table, so that it fails where one was overwritten."""
    rows = (f"(SELECT count(*) FROM (SELECT 1 FROM {each} NOT INDEXED LIMIT 1))" for each in tables)  # noqa: S608 - ours
    return f"SELECT {', '.join(rows)}"


def _make_tables(db: sqlite3.Connection, path: Path, layout: int, statements: Sequence[str]) -> None:
    """Make the tables of a file that is empty, within a transaction; change nothing in another one.

    Args:
        db: The file.
        path: What errors call it.
        layout: The number of the layout that the statements make.
        statements: What makes it.

    Raises:
        StoreError: It belongs to another program, or has another layout.
    """
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (tables,) = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if application != _APPLICATION_ID and (application or version or tables):
        raise StoreError(f"{path}: this SQLite file belongs to another program; name another path")
    if application and version != layout:
        raise StoreError(other_layout(str(path), version, layout, "name another path, or delete this file"))
    if not application:
        for statement in statements:
            db.execute(statement)
        db.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {layout}")


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
