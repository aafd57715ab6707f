"""Files and folders that only their owner may use, with any umask.

A file that exists is never opened here: closing it would drop the locks that SQLite holds on it in this process. This
module does not know the content of the files.
"""

import contextlib
import errno
import logging
import os
import stat
from pathlib import Path

_OTHERS = 0o077

_log = logging.getLogger(__name__)


def create_private(path: Path) -> Path:
    """Make an empty file of mode 0600, and missing folders of mode 0700; what exists stays as it is.

    Returns:
        The path without symbolic links, so that opening it opens this very file.

    Raises:
        OSError: The system refused; `strerror` is the reason.
    """
    try:
        path = path.resolve()
    except (ValueError, RuntimeError):
        raise OSError(errno.EINVAL, "no valid path", str(path)) from None
    create_private_folder(path.parent)
    with contextlib.suppress(FileExistsError):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.fchmod(descriptor, 0o600)
        finally:
            os.close(descriptor)
    return path


def create_private_folder(path: Path) -> None:
    """Make a folder of mode 0700, with those above it that are missing; what exists stays as it is.

    Raises:
        OSError: The system refused.
    """
    if path.is_dir():
        return
    create_private_folder(path.parent)
    with contextlib.suppress(FileExistsError):  # another process made it; or it is a file, and opening fails
        path.mkdir(mode=0o700)
        path.chmod(0o700)


def make_private(path: Path) -> Path:
    """Make a file as `create_private` does, restrict an existing one to its owner, and check its folder.

    Returns:
        The path without symbolic links.

    Raises:
        OSError: The system refused; or the file belongs to another user, or any user may replace it.
    """
    path = create_private(path)
    mode = path.parent.stat().st_mode
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        reason = f"any user may replace files in {path.parent}; take the right to write there from others (chmod o-w)"
        raise PermissionError(errno.EPERM, reason, str(path))
    restrict_to_owner(path)
    return path


def restrict_to_owner(path: Path) -> None:
    """Remove the rights of others on a file or a folder, and log if they had some.

    Raises:
        OSError: It is not there, the system refused, or it belongs to another user.
    """
    found = path.stat()
    if found.st_uid != os.geteuid():
        reason = f"it belongs to another user (uid {found.st_uid}); change its owner, or name another one"
        raise PermissionError(errno.EPERM, reason, str(path))
    mode = stat.S_IMODE(found.st_mode)
    if mode & _OTHERS:
        path.chmod(mode & ~_OTHERS)
        _log.warning("%s was open to other users (mode %04o), and is its owner's only now", path, mode)
