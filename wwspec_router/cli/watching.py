"""Watches the files of an application folder that matter to a running program."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from wwspec_router.contracts.saved_requests import FOLDER

TICK_MS = 1000
"""Milliseconds between two scans of all files: they find changes before the watcher's start, or in a new folder."""
SUFFIXES = (".py", ".toml", ".json", ".yaml", ".yml", ".ini", ".cfg", ".env")
UNWATCHED = frozenset({"var", "dist", "build", "node_modules", "venv", "__pycache__"})
"""Folders without source of the program; folders whose names begin with a dot have none either."""

State = dict[Path, tuple[int, int]]


def changes(app: Path, *others: Path) -> Iterator[list[Path]]:
    """Return an endless iterator of changes: the files that were written, made or removed since the element before.

    The first element has the changes since this call.

    Args:
        app: The application folder; folders that are made in it later are watched, too.
        others: Files outside of it that matter as well.
    """
    return _changes_from(app, others, _snapshot(app, others)[0])


def _changes_from(app: Path, others: tuple[Path, ...], seen: State) -> Iterator[list[Path]]:
    import watchfiles  # here, since it needs the extra

    while True:
        _, folders = _snapshot(app, others)
        with suppress(FileNotFoundError):  # a folder was removed meanwhile
            for _ in watchfiles.watch(*folders, recursive=False, yield_on_timeout=True, rust_timeout=TICK_MS):
                now, found = _snapshot(app, others)
                if now != seen:
                    changed = sorted(path for path in now.keys() | seen.keys() if now.get(path) != seen.get(path))
                    seen = now
                    yield changed
                if found != folders:  # a watcher knows only the folders that it got
                    break


def _snapshot(app: Path, others: tuple[Path, ...]) -> tuple[State, list[Path]]:
    """Return the files that matter, each with the time of its last change and its size, and their folders."""
    folders, files = [], list(others)
    for folder, inner, names in os.walk(app):
        inner[:] = sorted(name for name in inner if name not in UNWATCHED and not name.startswith("."))
        folders.append(Path(folder))
        saved = Path(folder) == app / FOLDER  # the program reads no saved request
        files += [Path(folder, name) for name in names if _matters(name) and not (saved and name.endswith(".json"))]
    state: State = {}
    for path in files:
        with suppress(OSError):  # removed since it was listed
            status = path.stat()
            state[path] = (status.st_mtime_ns, status.st_size)
    return state, folders


def _matters(name: str) -> bool:
    return name.endswith(SUFFIXES) and (name == ".env" or not name.startswith("."))
