"""What takes long to make, and one of the processes of a test run makes for all of them."""

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

__all__ = ["made_once", "shared_folder"]


def shared_folder(factory: pytest.TempPathFactory) -> Path:
    """Return the folder that all processes of this test run have."""
    return Path(os.environ.get("SHARED_TEMP") or factory.getbasetemp())


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Return a folder of this test run, for reading only; the first process that asks fills it, while others wait."""
    shared = shared_folder(factory)
    folder, made = shared / name, shared / f"{name}.made"
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            shutil.rmtree(folder, ignore_errors=True)  # of an attempt that failed
            folder.mkdir()
            make(folder)
            made.touch()
    return folder
