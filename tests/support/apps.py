"""Applications on disk, and processes that use the framework without the reference application beside it."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.command import forked

ROOT = Path(__file__).parents[2]
"""The repository, which is the reference application's folder."""


def write_files(folder: Path, files: Mapping[str, str]) -> Path:
    """Write text files below a folder and return the folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


_WITHOUT_REFERENCE = "import sys, wwspec_router; sys.path.remove(sys.argv.pop(1))\n"
"""Leaves the framework importable, and not the reference application beside it."""


def python(program: str, *arguments: object, path: Sequence[Path] = (), env: Mapping[str, str] | None = None) -> str:
    """Run a program in a process of its own and return what it printed; it must not fail.

    The process is forked from one that has imported all verbs.
    """
    with TemporaryDirectory() as folder:
        write_files(Path(folder), {"program_of_the_test.py": program})
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (*path, ROOT))), **(env or {})}
        done = forked(
            [*map(str, arguments)],
            Path("/"),
            environment,
            path=[*path, Path(folder)],
            without=[ROOT],
            is_strict=True,
            module="program_of_the_test",
        )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def python_anew(
    program: str, *arguments: object, path: Sequence[Path] = (), env: Mapping[str, str] | None = None
) -> str:
    """Do the same in a new interpreter, for what depends on the modules that are imported."""
    pythonpath = os.pathsep.join(map(str, (*path, ROOT)))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", _WITHOUT_REFERENCE + program, str(ROOT), *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": pythonpath, "PYTHONDONTWRITEBYTECODE": "1", **(env or {})},
        cwd="/",
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def check_app(folder: Path, path: Sequence[Path] = ()) -> tuple[int, str]:
    """Run `wwspec check` on an application; return its exit code and what it printed."""
    arguments = ("check", "--app", folder)
    done = forked(arguments, Path("/"), os.environ, path=[Path(), *path], without=[ROOT], is_strict=True)
    return done.returncode, done.stdout + done.stderr
