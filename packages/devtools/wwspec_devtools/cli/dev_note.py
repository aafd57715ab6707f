"""The note that `wwspec dev` leaves in `var/` of the application folder: where its emulator listens.

The process that wrote a note holds a lock on it, so a note that nobody holds is one that a killed `wwspec dev` left.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from wwspec_contracts.errors import ConfigurationError
from wwspec_router.config import variable

NOTE = Path("var", "dev.json")


class DevNote(msgspec.Struct, frozen=True):
    """Where a running `wwspec dev` listens."""

    emulator_url: str
    program_url: str


@contextmanager
def keep_note(app: Path, note: DevNote) -> Iterator[None]:
    """Keep the note of a running `wwspec dev` in an application folder during the block.

    Raises:
        ConfigurationError: It can't be written, or another `wwspec dev` of the folder keeps its own.
    """
    path = app / NOTE
    if other := read_note(app):
        raise ConfigurationError(f"{path} names the emulator of another `wwspec dev`, {other.emulator_url}")
    draft = path.with_suffix(f".{os.getpid()}")
    try:
        path.parent.mkdir(exist_ok=True)
        file = draft.open("xb", buffering=0)
    except OSError as error:
        raise ConfigurationError(f"{path} can't be written: {error.strerror}") from None
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)  # before it has its name, so that no reader finds it without the lock
        file.write(msgspec.json.encode(note))
        draft.replace(path)
        try:
            yield
        finally:
            with suppress(OSError):
                if path.stat().st_ino == os.fstat(file.fileno()).st_ino:
                    path.unlink()


def note_path() -> Path:
    """Return the path of the note in the folder that `WWSPEC_APP` names, else in the current one."""
    return Path(os.environ.get(variable("app"), "")) / NOTE


def read_note(app: Path | None = None) -> DevNote | None:
    """Return the note of the `wwspec dev` that runs in an application folder; None when none does.

    Args:
        app: By default that of `note_path`.
    """
    with suppress(OSError, msgspec.DecodeError), (note_path() if app is None else app / NOTE).open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return msgspec.json.decode(file.read(), type=DevNote)
    return None


def noted_url() -> str:
    """Return the URL of the emulator that `wwspec dev` runs for the application; empty when it does not run."""
    note = read_note()
    return "" if note is None else note.emulator_url
