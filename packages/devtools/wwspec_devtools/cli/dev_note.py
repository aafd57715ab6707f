"""The note in `var/` of the application folder: where its emulator listens. `dev`, `demo` and `emulate` leave it.

The process that wrote a note holds a lock on it, so a note that nobody holds is one that a killed process left.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import click
import msgspec

from wwspec_contracts.errors import ConfigurationError
from wwspec_devtools.cli.tables import styled
from wwspec_router.config import variable

NOTE = Path("var", "dev.json")


class DevNote(msgspec.Struct, frozen=True):
    """Where an emulator and its program listen."""

    emulator_url: str
    program_url: str


@contextmanager
def keep_note(app: Path, note: DevNote) -> Iterator[None]:
    """Keep a note in an application folder during the block.

    Raises:
        ConfigurationError: It can't be written, or the folder has the note of another emulator.
    """
    path = app / NOTE
    if other := read_note(app):
        raise ConfigurationError(f"{path} names another emulator of this folder, {other.emulator_url}")
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


@contextmanager
def noted(app: Path, note: DevNote) -> Iterator[None]:
    """Do the same as `keep_note`, but only warn where there can be no note."""
    with ExitStack() as stack:
        try:
            stack.enter_context(keep_note(app, note))
        except ConfigurationError as error:
            warning = f"{error}; the verbs of this folder find this one with --url {note.emulator_url}"
            click.echo(styled(warning, fg="yellow"), err=True)
        yield


def application_folder() -> Path:
    """Return the folder that `WWSPEC_APP` names, else the current one."""
    return Path(os.environ.get(variable("app"), ""))


def note_path() -> Path:
    """Return the path of the note in the `application_folder`."""
    return application_folder() / NOTE


def read_note(app: Path | None = None) -> DevNote | None:
    """Return the note of the emulator that runs for an application folder; None when none does.

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
    """Return the URL of the emulator that runs for the application; empty when none does."""
    note = read_note()
    return "" if note is None else note.emulator_url
