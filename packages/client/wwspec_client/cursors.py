"""Where a pull of messages ended, and the stores that keep this place."""

import fcntl
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkstemp
from typing import ClassVar

import msgspec

from wwspec_contracts.decoding import decode_json
from wwspec_contracts.errors import JsonError, WWSpecError

LOCK_TIMEOUT = 10.0
"""Seconds that `FileCursor` waits for another process, which holds the lock for one write to the disk."""


class CursorError(WWSpecError):
    """The place where the last pull ended can't be used; the text says how to fix it.

    Args:
        message: What is wrong, and the fix.
        retryable: A later pull may succeed by itself. An attribute, too.
    """

    def __init__(self, message: str, *, retryable: bool = False) -> None:
        super().__init__(message)
        self.retryable = retryable


class CursorMovedError(CursorError):
    """The stored cursor is not the one that this pull went on from.

    Another pull has kept a page meanwhile, or the transaction that kept an earlier page of this pull was rolled back.
    """

    def __init__(self, where: str) -> None:
        super().__init__(
            f"{where} has been changed since this pull read it: by another pull, or because the transaction of an "
            "earlier page was rolled back. Let one process pull at a time, and begin again with messages()",
            retryable=True,
        )


class CursorRefusedError(CursorError):
    """WeCom refuses the stored cursor, such as that of another corp."""


class CursorStoreError(CursorError):
    """The file or the database can't be read or written; `__cause__` is the error that says so.

    It is `retryable` when the database can't be reached, has ended the connection or the transaction, or when another
    transaction holds a lock.
    """


class Position(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a pull ended."""

    cursor: str
    """`next_cursor` of the last page that was kept."""
    covered_until: int
    """Unix seconds: the app has what was sent before, as far as WeCom still had it at the first pull."""
    pages: int
    """How many were kept so far."""
    pull: str = ""
    """Which pull kept the last one: two pulls at the same time may well get the same page."""


class CursorStore(ABC):
    """Stores where the pulls of messages end; base class of your own stores.

    With `AsyncZoneClient` both methods may be `async def`.

    Attributes:
        same_thread: Whether `AsyncZoneClient` calls plain functions on the event loop's own thread. Otherwise they run
            on another thread, so that they may block.

    Examples:
        A store of your own, with a `ZoneClient` as `client`. A real one compares and writes in one step:

        >>> from wwspec_client.stores import CursorMovedError, CursorStore
        >>> class DictCursor(CursorStore):
        ...     def __init__(self, rows, name):
        ...         self.rows, self.name = rows, name
        ...
        ...     def load(self):
        ...         return self.rows.get(self.name)
        ...
        ...     def keep(self, before, after, *, commit):
        ...         if self.load() not in (before, after):
        ...             raise CursorMovedError(self.name)
        ...         self.rows[self.name] = after
        >>> rows = {}
        >>> pages = list(client.messages(DictCursor(rows, corpid)))
        >>> rows[corpid].pages == len(pages)
        True
    """

    same_thread: ClassVar[bool] = False

    @abstractmethod
    def load(self) -> Position | None | Awaitable[Position | None]:
        """Return what is stored; None before the first pull.

        Raises:
            CursorStoreError: It can't be read.
        """

    @abstractmethod
    def keep(self, before: Position | None, after: Position, *, commit: bool) -> None | Awaitable[None]:
        """Store where the pull is now. Doing so twice is the same as once.

        Compare and store in one step, all fields of a position: of two pulls, one is refused.

        Args:
            before: What must be stored now, unless it is `after` already.
            after: What is stored afterwards.
            commit: End the transaction, too: true when the loop keeps the page, false after `page.keep()`.

        Raises:
            CursorMovedError: Something else is stored.
            CursorStoreError: It can't be stored.
            ConfigurationError: `page.keep()` was called on a connection that commits each statement by itself.
        """


class FileCursor(CursorStore):
    """Stores where a pull ended in a small file: the app gets each message at least once.

    A new file replaces the old one atomically, after it is on the disk; so a crash leaves one or the other. One process
    should pull at a time. A second one gets a `CursorMovedError` when it keeps a page; the app may have got the same
    messages in both processes, but none is lost. While the file is replaced, a file `.NAME.lock` beside it is locked.

    Args:
        path: The file; its folder must exist. Use one file for each corp and app.

    Examples:
        With a `ZoneClient` as `client`. The second pull finds nothing new:

        >>> from wwspec_client.stores import FileCursor
        >>> cursors = FileCursor("messages.cursor")
        >>> ids = [message.msgid for page in client.messages(cursors) for message in page]
        >>> len(ids) > 0
        True
        >>> list(client.messages(cursors))
        []
    """

    def __init__(self, path: Path | str) -> None:
        self._path = Path(path).resolve()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self._path)!r})"

    def load(self) -> Position | None:
        """See `CursorStore`."""
        folder = self._path.parent
        if not folder.is_dir():
            raise CursorStoreError(f"{self._path}: the folder does not exist: make it, or name another path")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise CursorStoreError(
                f"{folder}: new files can't be made there: check the owner and the mode of the folder"
            )
        return self._read()

    def keep(self, before: Position | None, after: Position, *, commit: bool) -> None:
        """See `CursorStore`."""
        try:
            with self._locked():
                stored = self._read()
                if stored == after:
                    return
                if stored != before:
                    raise CursorMovedError(str(self._path))
                self._write(msgspec.json.encode(after) + b"\n")
        except OSError as error:
            raise CursorStoreError(f"{self._path}: can't be written: {error.strerror}") from error

    def _read(self) -> Position | None:
        try:
            return decode_json(self._path.read_bytes(), Position)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise CursorStoreError(f"{self._path}: can't be read: {error.strerror}") from error
        except JsonError as error:
            raise CursorStoreError(
                f"{self._path}: is not a cursor file, or damaged ({error}): put a copy of it back, or remove it to "
                "pull all of the last 5 days once more"
            ) from error

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the lock; the system frees it when the process is killed."""
        path = self._path.with_name(f".{self._path.name}.lock")
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            until = time.monotonic() + LOCK_TIMEOUT
            while not try_lock(lock):
                if time.monotonic() > until:
                    raise CursorStoreError(
                        f"{path}: another process holds this lock for {LOCK_TIMEOUT:g} s: end that one", retryable=True
                    )
                time.sleep(0.001)
            try:
                yield
            finally:
                fcntl.flock(lock, fcntl.LOCK_UN)  # even if a process was forked meanwhile
        finally:
            os.close(lock)

    def _write(self, content: bytes) -> None:
        folder = self._path.parent
        descriptor, name = mkstemp(dir=folder, prefix=f".{self._path.name}.")
        temporary = Path(name)
        try:
            write_synced(descriptor, content)
            temporary.replace(self._path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        sync_folder(folder)


def write_synced(descriptor: int, content: bytes) -> None:
    """Write an open file to the disk, and close it."""
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    """Sync the names in a folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def try_lock(file: int) -> bool:
    """Lock an open file against other processes, and return whether it could be."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
