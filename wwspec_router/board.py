"""A folder in which the worker processes of one program show each other their figures.

Each process keeps one file there, replaced as a whole. One process at a time leads, by a lock that the kernel takes
back when the process dies: it speaks for the program, and adds up what processes that are gone have left behind. This
module is not aware of what the figures mean.

The folder belongs to one start of one program: counts that an earlier one left there would be added to.
"""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from wwspec_router.errors import ConfigurationError
from wwspec_router.figures import Snapshot, merged

__all__ = ["Board"]

MAX_SWEPT = 1000
"""Processes whose figures are added up at once, and whose names are remembered for those that read meanwhile."""

_UNREADABLE = (OSError, msgspec.MsgspecError, ValueError, RecursionError)


class _Post(msgspec.Struct, frozen=True, kw_only=True):
    """The file of one process."""

    pid: Annotated[int, Meta(gt=0, lt=2**31)]
    birth: int
    """As `_birth` gives it: a later process of the same pid is another one."""
    token: str
    """Tells apart those that share a process, as programs in tests do."""
    ended: bool
    snapshot: Snapshot

    @property
    def stem(self) -> str:
        """The file's name without its suffix."""
        return f"{self.pid}-{self.token}"

    @property
    def is_alive(self) -> bool:
        return not self.ended and _birth(self.pid) == self.birth


class _Gone(msgspec.Struct, frozen=True, kw_only=True):
    """The file of the processes that are gone."""

    snapshot: Snapshot = Snapshot()
    stems: list[str] = []
    """Whose figures were added last: their files don't count, should they still be there."""


class Board:
    """One process's access to the folder. Its methods are for one thread at a time, except `read`.

    Args:
        folder: The folder; made when it is missing.

    Raises:
        ConfigurationError: There can't be such a folder.
    """

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(
                f"{folder}: worker processes can't share their figures here ({error.strerror}); name another folder"
            ) from None
        self._folder = folder
        self._pid = os.getpid()
        self._birth = _birth(self._pid) or 0
        self._token = secrets.token_hex(4)
        self._lock: int | None = None

    def publish(self, snapshot: Snapshot, *, ended: bool = False) -> None:
        """Show this process's figures to the others.

        Args:
            snapshot: Its figures.
            ended: Whether it counts and runs no more.

        Raises:
            OSError: They could not be written; what was shown before is shown still.
        """
        post = _Post(pid=self._pid, birth=self._birth, token=self._token, ended=ended, snapshot=snapshot)
        self._write(post.stem, post)

    def read(self) -> list[Snapshot]:
        """Return the figures of the other processes: of those that are gone, only the counts since the start.

        Files that are unreadable or none of ours are passed over.

        Raises:
            OSError: The folder can't be read.
        """
        own = f"{self._pid}-{self._token}"
        posts = [post for post in self._posts() if post.stem != own]
        gone = self._gone()  # after the posts: what was swept in between is in one of the two at least
        posts = [post for post in posts if post.stem not in gone.stems]
        return [*(post.snapshot if post.is_alive else post.snapshot.lasting() for post in posts), gone.snapshot]

    def lead(self) -> bool:
        """Tell whether this process leads, and let it lead when no other does."""
        if self._lock is None:
            file = os.open(self._folder / "leader.lock", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # not flock: a forked child would keep it
            except OSError:
                os.close(file)
            else:
                self._lock = file
        return self._lock is not None

    def sweep(self) -> None:
        """Add up what processes that are gone have left, so that the folder stays small; only for who leads.

        Raises:
            OSError: The folder can't be changed; nothing is lost, or counted twice.
        """
        gone = self._gone()
        dead = [post for post in self._posts() if not post.is_alive][:MAX_SWEPT]
        new = [post for post in dead if post.stem not in gone.stems]
        if new:
            snapshot = merged([gone.snapshot, *(post.snapshot.lasting() for post in new)])
            stems = [*gone.stems, *(post.stem for post in new)][-MAX_SWEPT:]
            self._write("gone", _Gone(snapshot=snapshot, stems=stems))
        for post in dead:
            for suffix in ("msgpack", "tmp"):
                (self._folder / f"{post.stem}.{suffix}").unlink(missing_ok=True)

    def close(self) -> None:
        """Let another process lead."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _posts(self) -> Iterator[_Post]:
        for path in self._folder.glob("*-*.msgpack"):
            with suppress(*_UNREADABLE):
                post = _decode_post(path.read_bytes())
                if post.stem == path.stem:  # else it is a copy
                    yield post

    def _gone(self) -> _Gone:
        with suppress(*_UNREADABLE):
            return _decode_gone((self._folder / "gone.msgpack").read_bytes())
        return _Gone()

    def _write(self, stem: str, content: _Post | _Gone) -> None:
        path = self._folder / f"{stem}.tmp"
        path.write_bytes(_encode(content))
        path.replace(path.with_suffix(".msgpack"))


_encode = msgspec.msgpack.Encoder().encode
_decode_post = msgspec.msgpack.Decoder(_Post).decode
_decode_gone = msgspec.msgpack.Decoder(_Gone).decode


def _birth(pid: int) -> int | None:
    """Return when a process was started, in the kernel's ticks; 0 where that is not told, None when it is gone."""
    try:
        os.kill(pid, 0)
    except PermissionError:  # it is there, and another user's
        pass
    except OSError:
        return None
    try:
        state, *rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (OSError, ValueError):
        return 0
    return None if state in "ZX" else int(rest[18])
