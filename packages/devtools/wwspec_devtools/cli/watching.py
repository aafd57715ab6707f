"""Watches the files of an application folder that matter to a running program."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from wwspec_contracts.files import SIDES
from wwspec_contracts.source_text import MADE_BY
from wwspec_devtools.cli.saved_requests import FOLDER
from wwspec_router.cli.environment import ENV_FILE

TICK_MS = 1000
"""Milliseconds between two scans of all files: they find changes before the watcher's start, or in a new folder."""
STEP_MS = 20
"""Milliseconds without another change after which changes are looked at: an editor writes a file in several steps."""
SUFFIXES = (".py", ".toml", ".json", ".yaml", ".yml", ".ini", ".cfg", ".env")
UNWATCHED = frozenset({"var", "dist", "build", "node_modules", "venv", "__pycache__", "tests"})
"""Folders without source of the program; folders whose names begin with a dot have none either."""
APP = "app"
"""The folder of the enterprise app in the tutorial; with an `__init__.py` it is a package of the program."""

_EXAMPLES = tuple(f".{side}.json" for side in SIDES)
"""What the names of files of `wwspec contracts --out` end with; a row of the registry file may name such a file."""
_WHOLE = 1 << 20
"""Characters of a registry file or a `.gitignore`."""

State = dict[Path, tuple[int, int]]
Ignores = Callable[[str], bool]
"""Whether `.gitignore` names a path, relative to the application folder; that of a folder ends with a slash."""


def changes(app: Path, registry: Path) -> Iterator[list[Path]]:
    """Return an endless iterator of changes: the files that were written, made or removed since the element before.

    The first element has the changes since this call.

    Args:
        app: The application folder; folders that are made in it later are watched, too.
        registry: The registry file, which may be outside of it.
    """
    return _changes_from(app, registry, watched_files(app, registry)[0])


def _changes_from(app: Path, registry: Path, seen: State) -> Iterator[list[Path]]:
    import watchfiles  # here, since it needs the extra

    while True:
        _, folders = watched_files(app, registry)
        with suppress(FileNotFoundError):  # a folder was removed meanwhile
            for _ in watchfiles.watch(
                *folders, recursive=False, yield_on_timeout=True, rust_timeout=TICK_MS, step=STEP_MS
            ):
                now, found = watched_files(app, registry)
                if now != seen:
                    changed = sorted(path for path in now.keys() | seen.keys() if now.get(path) != seen.get(path))
                    seen = now
                    yield changed
                if found != folders:  # a watcher knows only the folders that it got
                    break


def watched_files(app: Path, registry: Path) -> tuple[State, list[Path]]:
    """Return the files that matter, each with the time of its last change and its size, and the folders to watch."""
    ignores = _ignores(app)
    folders, files = [], [registry, app / ENV_FILE]
    for name, inner, names in os.walk(app):
        folder = Path(name)
        below = "" if folder == app else f"{folder.relative_to(app).as_posix()}/"
        if below and _is_of_app(folder, below, names):
            inner.clear()
            continue
        inner[:] = sorted(each for each in inner if _is_searched(each) and not ignores(f"{below}{each}/"))
        folders.append(folder)
        files += [folder / each for each in names if _matters(below, each) and not ignores(f"{below}{each}")]
    rows = _beginning(registry, _version(registry), _WHOLE)
    used = (path for path in files if not path.name.endswith(_EXAMPLES) or path.name in rows)
    return {path: version for path in used if (version := _version(path)) is not None}, folders


def _is_searched(folder: str) -> bool:
    return folder not in UNWATCHED and not folder.startswith(".")


def _is_of_app(folder: Path, below: str, names: list[str]) -> bool:
    """Return whether a folder is that of the enterprise app."""
    if below == f"{APP}/" and "__init__.py" not in names:
        return True
    modules = [folder / name for name in names if name.endswith(".py")]
    return any(f"\n{MADE_BY}" in _beginning(path, _version(path)) for path in modules)


def _matters(below: str, name: str) -> bool:
    """Return whether a file is source or data of the program, going by its name."""
    if name.startswith((".", "test_")) or name == "conftest.py":
        return False
    return name.endswith(SUFFIXES) and not (below == f"{FOLDER}/" and name.endswith(".json"))  # of saved requests


def _version(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:  # removed since it was listed
        return None
    return status.st_mtime_ns, status.st_size


@lru_cache(10_000)
def _beginning(path: Path, version: tuple[int, int] | None, length: int = 1000) -> str:
    """Return the beginning of a file, which is read once for each version of it; empty when there is no such file."""
    with suppress(OSError), path.open(encoding="utf-8", errors="replace") as file:
        return file.read(length)
    return ""


def _ignores(app: Path) -> Ignores:
    """Read the `.gitignore` of the application folder."""
    import pathspec  # here, since it needs the extra

    path = app / ".gitignore"
    return pathspec.GitIgnoreSpec.from_lines(_beginning(path, _version(path), _WHOLE).splitlines()).match_file
