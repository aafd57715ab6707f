"""What others can see of the processes that a test starts."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import wwspec_router

UNMEASURED: Mapping[str, str] = {"COVERAGE_PROCESS_CONFIG": "", "COVERAGE_PROCESS_START": ""}
"""The environment of a process whose coverage is not measured: measuring takes memory, and writes to the repository."""
WITH_ROUTER: Mapping[str, str] = {**os.environ, "PYTHONPATH": str(Path(wwspec_router.__file__).parents[1])}
"""The environment of a process that imports the router of this one."""


def finished(
    *command: str | Path, cwd: str | Path | None = None, env: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run a program to its end, for ten minutes at most; return its exit code and what it printed."""
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=600, check=False)


@contextmanager
def waiting(said: str, *arguments: object) -> Iterator["subprocess.Popen[str]"]:
    """Run Python with something that says this line when it is ready, and waits then; kill it at the end."""
    command = [sys.executable, *map(str, arguments)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == f"{said}\n"
            yield process
        finally:
            process.kill()


def _parents() -> dict[int, int]:
    """Each process that runs now, and which one it is a child of. One that ends meanwhile may lack."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            found[int(entry.parent.name)] = int(entry.read_text().rpartition(")")[2].split()[1])
    return found


def children(pid: int) -> set[int]:
    """Return the processes that a process has started."""
    return {each for each, parent in _parents().items() if parent == pid}


def descendants(root: int) -> set[int]:
    """Return the processes that descend from one."""
    parents = _parents()
    found = {root}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {root}


def alive(pid: int) -> bool:
    """Whether a process runs; one that is dead and not reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def command_lines(pid: int) -> list[str]:
    """Return the command lines of a process and of all that it started, as `ps` shows them, by their numbers."""
    lines = []
    for each in sorted({pid} | descendants(pid)):
        with suppress(OSError):  # it has ended meanwhile
            lines.append(Path(f"/proc/{each}/cmdline").read_bytes().replace(b"\0", b" ").decode())
    return lines


def processes_of(folder: Path) -> list[str]:
    """Return the processes that keep their temporary files in a folder or below it."""
    found = []
    for process in Path("/proc").glob("[0-9]*/environ"):
        try:
            environment = process.read_bytes()
        except OSError:  # it has ended meanwhile, or is another user's
            continue
        if f"TMPDIR={folder}".encode() in environment:
            found.append(process.parent.name)
    return found
