"""A file on its way to the zone, read in pieces while it is sent."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from wwspec_client.steps import File
from wwspec_contracts.errors import ConfigurationError

Progress = Callable[[int, int], None]
"""Called with the number of sent bytes, and that of the whole file."""

MIN_BYTES, MAX_BYTES = 6, 60 * 1024 * 1024
"""WeCom's bounds [100140]."""


class _Counted:
    """Reads a file from its current position, and reports how much was read. A retry starts again there."""

    def __init__(self, file: IO[bytes], progress: Progress | None) -> None:
        self._file = file
        self._progress = progress
        self._start = file.tell()
        self.size = self.seek(0, io.SEEK_END)
        self.seek(0)

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        if data and self._progress is not None:
            self._progress(self.tell(), self.size)
        return data

    def tell(self) -> int:
        return self._file.tell() - self._start

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = self._start if whence == io.SEEK_SET else 0
        return self._file.seek(start + offset, whence) - self._start


@contextmanager
def opened(file: Path | str | IO[bytes], name: str, progress: Progress | None) -> Iterator[File]:
    """Give a file for an upload; one that was given by its path is closed afterwards.

    Raises:
        ConfigurationError: It can't be read, has no name, or is too small or too large.
    """
    if isinstance(file, Path | str):
        try:
            content = Path(file).open("rb")
        except OSError as error:
            raise ConfigurationError(f"{file}: can't be read: {error.strerror}") from None
        with content:
            yield _checked(content, name or Path(file).name, progress)
    else:
        yield _checked(file, name or Path(str(getattr(file, "name", ""))).name, progress)


def _checked(file: IO[bytes], name: str, progress: Progress | None) -> File:
    if not name:
        raise ConfigurationError("the file has no name: give it as name=")
    counted = _Counted(file, progress)
    if not MIN_BYTES <= counted.size <= MAX_BYTES:
        raise ConfigurationError(f"{name}: has {counted.size} bytes; WeCom takes {MIN_BYTES} bytes to 60 MiB")
    return File(name, cast(IO[bytes], counted))  # the part of a file's interface that a form needs
