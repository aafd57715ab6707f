"""Starts the program of an image from its tar: extracted, with the image as the root folder and no environment."""

import os
import platform
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from wwspec_router.image.archive import Archive
from wwspec_router.image.checks import SDK, image_machine
from wwspec_router.image.report import Finding, State

__all__ = ["try_image"]

_PATIENCE = 60.0
"""Seconds that one step of the program may take."""
_LOAD_SDK = """
from pathlib import Path
from wwspec_router.config import SdkSource
from wwspec_router.errors import SdkUnavailableError
from wwspec_router.sdk.vendor import load_sdk
try:
    load_sdk(SdkSource.VENDOR, Path("/app"))
except SdkUnavailableError as error:
    raise SystemExit(str(error))
"""
_PYTHON = (
    *("/usr/bin/env", "PYTHONPATH=/app:/app/sdk", "PYTHONSAFEPATH=1", "PYTHONUTF8=1", "PYTHONDONTWRITEBYTECODE=1"),
    "/app/.venv/bin/python",
)
"""Python with what run.sh sets for the program."""
_STEPS = {
    "starts": ("/bin/bash", "/app/run.sh", "--help"),
    "loads": (*_PYTHON, "-m", "wwspec_router", "check", "--app", "/app"),
    "crypto": (*_PYTHON, "-c", "import Crypto.Cipher.AES"),
    SDK: (*_PYTHON, "-c", _LOAD_SDK),
}
"""What is tried, in this order. The platform starts the first [99955], which ends here with its help."""
_DONE = {
    "starts": "run.sh starts the program with an empty environment",
    "loads": "the registry file, the handlers and their contracts load",
    "crypto": "pycryptodome loads, which the vendor's SDK uses at the first call",
    SDK: "the vendor's SDK loads",
}
_FIX = {
    "starts": "try it with `docker run`",
    "loads": "your folders and modules need a line in .dockerignore, packages one in requirements.txt",
    "crypto": "name wwspec-router[zone] in requirements.txt, and take a --base whose CPython has all its modules",
    SDK: "copy the vendor's file again, whole, and build again",
}
_SAME = {"amd64": "x86_64", "arm64": "aarch64"}


def try_image(archive: Archive, *, with_sdk: bool) -> Iterator[Finding]:
    """Start the program of an image, step by step, up to the first that fails.

    Args:
        archive: The tar.
        with_sdk: Also load the vendor's module.
    """
    reason = _why_not(archive)
    if reason is not None:
        yield Finding(State.SKIP, "trial", f"not tried: {reason}")
        return
    with tempfile.TemporaryDirectory(prefix="wwspec-image-") as folder:
        root = Path(folder) / "root"
        try:
            _extract(archive, root)
            confined = _confinement(root)
            if confined is None:
                yield Finding(State.SKIP, "trial", "not tried: needs root or user namespaces")
                return
            for name, command in _STEPS.items():
                if name == SDK and not with_sdk:
                    continue
                finding = _step(name, [*confined, *command])
                yield finding
                if finding.state is State.FAULT:
                    return
        except (OSError, tarfile.TarError) as error:
            yield Finding(State.SKIP, "trial", f"not tried: the tar can't be extracted here: {error}")
        finally:
            _make_removable(root)


def _why_not(archive: Archive) -> str | None:
    made_for, here = image_machine(archive), platform.machine().lower()
    here = _SAME.get(here, here)
    if platform.system() != "Linux":
        return f"needs Linux, and this is {platform.system()}"
    if made_for is not None and made_for != here:
        return f"the image is for {made_for}, and this machine is {here}"
    return None


def _extract(archive: Archive, root: Path) -> None:
    root.mkdir()
    wanted = [each for each in archive.tar if each.isfile() or each.isdir() or each.issym() or each.islnk()]
    archive.tar.extractall(root, wanted, filter=_as_mine)  # noqa: S202 - the filter keeps every file within the folder
    for name in ("dev", "proc"):
        (root / name).mkdir(exist_ok=True)
    null = root / "dev/null"
    if not null.exists():
        null.touch(0o666)


def _as_mine(member: tarfile.TarInfo, path: str) -> tarfile.TarInfo | None:
    """Keep a file within the folder, and belong to the user who checks."""
    kept = tarfile.tar_filter(member, path)
    return kept.replace(uid=os.getuid(), gid=os.getgid(), uname="", gname="", deep=False)


def _confinement(root: Path) -> Sequence[str] | None:
    """Return what a command is started with so that the image is its root folder; None where this is not allowed.

    A user namespace comes first, since it needs no rights and has no network of the machine.
    """
    chroot = shutil.which("chroot", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    unshare = shutil.which("unshare")
    if chroot is None:
        return None
    inside = [chroot, str(root), "/usr/bin/env", "-i"]
    ways = []
    if unshare is not None:
        ways.append([unshare, "--user", "--map-root-user", "--net", *inside])
    if os.getuid() == 0:
        ways.append(inside)
    for way in ways:
        if _run([*way, "/bin/bash", "-c", "exit 0"]).returncode == 0:
            return way
    return None


def _step(name: str, command: Sequence[str]) -> Finding:
    try:
        done = _run(command)
    except subprocess.TimeoutExpired:
        return Finding(State.FAULT, name, f"no end after {_PATIENCE:g} seconds: {_FIX[name]}")
    if done.returncode == 0:
        return Finding(State.OK, name, _DONE[name])
    lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    said = lines[-1] if lines else f"exit code {done.returncode}"
    return Finding(State.FAULT, name, f"{said}: {_FIX[name]}")


def _run(command: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603 - the user's own image
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=_PATIENCE,
        check=False,
        cwd="/",
    )


def _make_removable(root: Path) -> None:
    """Let folders without the right to write be removed."""
    for folder, _, _ in os.walk(root):
        Path(folder).chmod(0o700)
