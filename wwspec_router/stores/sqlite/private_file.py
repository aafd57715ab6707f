"""Makes a file that only its owner may read, with any umask, together with its missing directories.

It does not know what goes into the file.
"""

import contextlib
import os
from pathlib import Path

from wwspec_router.errors import StoreError


def create_private(path: Path) -> Path:
    """Make an empty file of mode 0600, and missing directories of mode 0700; what exists stays as it is.

    Returns:
        The path without symbolic links, so that opening it opens this very file.

    Raises:
        StoreError: The system refused.
    """
    try:
        path = path.resolve()
        _create_directory(path.parent)
        with contextlib.suppress(FileExistsError):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                os.fchmod(descriptor, 0o600)
            finally:
                os.close(descriptor)
        return path
    except (OSError, ValueError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no valid path"
        raise StoreError(f"{path}: can't be created: {reason}; check the path and its owner and mode") from None


def _create_directory(path: Path) -> None:
    if path.is_dir():
        return
    _create_directory(path.parent)
    with contextlib.suppress(FileExistsError):  # another process made it; or it is a file, and opening fails
        path.mkdir(mode=0o700)
        path.chmod(0o700)
