"""Starts the program of an image from its tar: extracted, with the image as the root folder and no environment."""

import platform
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from wwspec_router.errors import ImageError
from wwspec_router.image.archive import Archive
from wwspec_router.image.checks import SDK, image_machine
from wwspec_router.image.extraction import extract
from wwspec_router.image.report import Finding, State
from wwspec_router.image.sandbox import FOLDERS, PATIENCE, Sandbox

TRIAL = "trial"
"""The name of the line that says why the program is not started."""
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
"""Python with the environment that run.sh sets for the program."""
_STEPS = {
    "starts": ("/bin/bash", "/app/run.sh", "--help"),
    "loads": (*_PYTHON, "-m", "wwspec_router", "check", "--app", "/app"),
    "crypto": (*_PYTHON, "-c", "import Crypto.Cipher.AES"),
    SDK: (*_PYTHON, "-c", _LOAD_SDK),
}
"""The steps, in this order. The first is the platform's start command [99955]; here it prints its help and ends."""
_DONE = {
    "starts": "run.sh starts the program with an empty environment",
    "loads": "the registry file, the handlers and their contracts load",
    "crypto": "pycryptodome loads, which the vendor's SDK uses at the first call",
    SDK: "the vendor's SDK loads",
}
_FIX = {
    "starts": "try it with `docker run`",
    "loads": "your folders and modules need a line in .dockerignore, packages one in requirements.txt",
    "crypto": "requirements.txt names the framework with its extra zone; the CPython of --base needs all modules",
    SDK: "copy the vendor's file again, whole, and build again",
}
_SAME = {"amd64": "x86_64", "arm64": "aarch64"}
_LONGEST = 300
"""The most characters of a program's last line in a finding."""


def try_image(archive: Archive, *, with_sdk: bool, trust: bool) -> Iterator[Finding]:
    """Start the program of an image, step by step, up to the first that fails.

    Args:
        archive: The tar.
        with_sdk: Also load the vendor's module.
        trust: Start it by chroot, without the sandbox.
    """
    folder = Path(tempfile.mkdtemp(prefix="wwspec-image-"))
    try:
        _check_machine(archive)
        extract(archive, folder / "root", FOLDERS)
        sandbox = Sandbox(folder / "root", trust=trust)
        for name in _STEPS:
            if name == SDK and not with_sdk:
                continue
            finding = _step(name, sandbox)
            yield finding
            if finding.state is State.FAULT:
                return
    except (ImageError, OSError) as error:
        yield Finding(State.FAULT, TRIAL, f"not started: {error}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _check_machine(archive: Archive) -> None:
    made_for, here = image_machine(archive), platform.machine().lower()
    here = _SAME.get(here, here)
    if platform.system() != "Linux":
        raise ImageError(f"needs Linux, and this is {platform.system()}: leave out --start here")
    if made_for is not None and made_for != here:
        raise ImageError(f"the image is for {made_for}, and this machine is {here}: leave out --start here")


def _step(name: str, sandbox: Sandbox) -> Finding:
    code, said = sandbox.run(_STEPS[name])
    if code is None:
        return Finding(State.FAULT, name, f"no end after {PATIENCE:g} seconds: {_FIX[name]}")
    if code == 0:
        return Finding(State.OK, name, _DONE[name])
    last = said.splitlines()[-1].strip()[:_LONGEST] if said else f"exit code {code}"
    return Finding(State.FAULT, name, f"{last}: {_FIX[name]}")
