"""What others can see of the processes that a test starts."""

from collections.abc import Iterator, Mapping
from pathlib import Path

UNMEASURED: Mapping[str, str] = {"COVERAGE_PROCESS_CONFIG": "", "COVERAGE_PROCESS_START": ""}
"""The environment of a process whose coverage is not measured: measuring takes memory, and writes to the repository."""


def command_lines(pid: int) -> list[str]:
    """Return the command lines of a process and of all that it started, as `ps` shows them."""
    return [Path(f"/proc/{each}/cmdline").read_bytes().replace(b"\0", b" ").decode() for each in _family(pid)]


def _family(pid: int) -> Iterator[int]:
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from _family(int(child))


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
