"""Runs programs of an extracted tar: in a sandbox by bubblewrap, or by chroot when the tar is trusted.

In the sandbox a program has no capabilities and no network, and sees no other processes. It reads the files of the
tar, and writes into folders in memory. For root it runs as `nobody`: the kernel does not limit processes of root.
"""

import os
import resource
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, NamedTuple

from wwspec_router.errors import ImageError

PATIENCE = 60.0
"""Seconds that a program may take."""
_IN_MEMORY = ("tmp", "run", "app/var")
FOLDERS = ("dev", "proc", *_IN_MEMORY)
"""Folders that the root folder must have: the sandbox mounts its own there."""
_NOBODY = 65534
_PROCESSES = 128
"""Processes and threads."""
_MEMORY = 4 << 30
"""Bytes of address space of a process; libraries for mathematics reserve some for each core."""
_FILE = 64 << 20
"""The most bytes of a file, of each folder in memory, and of what a program prints."""
_SHOWN = 1 << 16
"""The most bytes that are read from the end of what a program prints."""
_OR_TRUST = "; a tar that you trust as much as your own programs is started without bubblewrap by --trust"
_SEARCHED = "/usr/bin:/bin:/usr/sbin:/sbin"


class Ended(NamedTuple):
    """How a program ended.

    Attributes:
        code: Its exit code; None when it took too long.
        said: The end of its standard error; that of its standard output when there is none.
    """

    code: int | None
    said: str


class Sandbox:
    """Where programs of one root folder run."""

    def __init__(self, root: Path, *, trust: bool) -> None:
        """Prepare the folder.

        Args:
            root: The extracted tar.
            trust: Run programs by chroot, without the sandbox: they can do all that the user, or root, can.

        Raises:
            ImageError: A tool is missing, or root can't act as another user here.
        """
        self._user = _NOBODY if os.geteuid() == 0 and not trust else None
        self._command = _chroot(root) if trust else _bubblewrap(root)
        if self._user is not None:
            try:
                _give(root, self._user)
            except OSError as error:
                raise ImageError(f"root can't run it as `nobody` here ({error.strerror}){_OR_TRUST}") from None

    def run(self, command: Sequence[str]) -> Ended:
        """Run a program with an empty environment until it ends or its time is over.

        Raises:
            ImageError: bubblewrap does not work here.
            OSError: It can't be started.
        """
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
            process = subprocess.Popen(  # noqa: S603 - what the user asked to start, confined
                [*self._command, *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                cwd="/",
                env={},
                start_new_session=True,
                user=self._user,
                group=self._user,
                extra_groups=None if self._user is None else [],
            )
            try:
                code: int | None = process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                code = None
            finally:
                if process.returncode is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
            said = _end(errors) or _end(output)
            if code and said.startswith("bwrap: ") and not said.startswith("bwrap: execvp"):
                raise ImageError(f"bubblewrap does not work here ({said}): allow user namespaces{_OR_TRUST}")
            return Ended(code, said)


def _bubblewrap(root: Path) -> Sequence[str]:
    bwrap, prlimit = _tool("bwrap"), _tool("prlimit")
    if bwrap is None or prlimit is None:
        lacking = "bubblewrap (bwrap)" if bwrap is None else "prlimit, of util-linux"
        raise ImageError(f"needs {lacking}, which confines the program: `apt install bubblewrap`{_OR_TRUST}")
    limits = {
        "nproc": _within(resource.RLIMIT_NPROC, _tasks(_NOBODY if os.geteuid() == 0 else os.geteuid()) + _PROCESSES),
        "as": _within(resource.RLIMIT_AS, _MEMORY),
        "fsize": _within(resource.RLIMIT_FSIZE, _FILE),
        "core": 0,
    }
    in_memory = [word for name in _IN_MEMORY for word in ("--size", str(_FILE), "--tmpfs", f"/{name}")]
    return [
        *(prlimit, *(f"--{name}={limit}" for name, limit in limits.items())),
        *(bwrap, "--unshare-all", "--unshare-user", "--disable-userns", "--uid", "0", "--gid", "0"),
        *("--cap-drop", "ALL", "--die-with-parent", "--new-session"),
        *("--ro-bind", str(root), "/", "--dev", "/dev", "--proc", "/proc", *in_memory, "--chdir", "/", "--"),
    ]


def _chroot(root: Path) -> Sequence[str]:
    chroot, unshare = _tool("chroot"), _tool("unshare")
    if chroot is None or unshare is None:
        raise ImageError("--trust needs chroot and unshare, of coreutils and util-linux")
    null = root / "dev/null"
    if not os.path.lexists(null):
        null.touch(0o666)
    by_user = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    # Its mounts end with it. Otherwise, to remove the folder would remove what is mounted there.
    return [unshare, "--mount", *by_user, chroot, str(root)]


def _tool(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:{_SEARCHED}")


def _within(kind: int, limit: int) -> int:
    """Return a limit that is not above the present one."""
    _, most = resource.getrlimit(kind)
    return limit if most == resource.RLIM_INFINITY else min(limit, most)


def _tasks(user: int) -> int:
    """Return how many processes and threads a user has: the kernel's limit counts these too."""
    count = 0
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if folder.stat().st_uid == user:
                count += len(list((folder / "task").iterdir()))
    return count


def _give(root: Path, user: int) -> None:
    """Give a folder to a user. Its contents come first, so that the user can't change them meanwhile."""
    for folder, folders, files in os.walk(root, topdown=False):
        for name in (*folders, *files):
            os.chown(Path(folder, name), user, user, follow_symlinks=False)
    os.chown(root, user, user)
    os.chown(root.parent, user, user)


def _end(file: IO[bytes]) -> str:
    file.seek(max(0, file.seek(0, os.SEEK_END) - _SHOWN))
    return file.read().decode("utf-8", "replace").strip()
