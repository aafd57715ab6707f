"""The tests that are nearest to a file: scripts/mutants runs them first, and `scripts/test --near` runs no others."""

import re
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

PACKAGE, TESTS = Path("wwspec_router"), Path("tests")
BESIDE = {
    "kernel/": "handlers/test_*.py",
    "kernel/intake": "jobs/test_events.py",
    "contracts/saved_requests": "cli/test_saved_requests.py",
    "contracts/source": "registry/test_client_module.py",
}
"""Tests of another folder that are the nearest, by what the paths of the modules begin with."""
PAGE = re.compile(r"(README|docs/).*\.md")
OF_EVERY_PAGE = tuple(f"tests/docs/test_{name}.py" for name in ("pages", "facts", "published", "diagrams", "snippets"))
SHOWN = 3
"""Files of tests that are named for a change; of more it is said how many."""


def main() -> int:
    """Print the tests that are nearest to what git says has changed, and what for on standard error."""
    tests: dict[str, None] = {}
    said = []
    for changed in changes():
        found = nearest(Path(changed))
        tests |= dict.fromkeys(found)
        more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        said.append(f"{' '.join(found[:SHOWN]) or 'nothing'}{more} for {changed}")
    print(f"scripts/test --near: {'; '.join(said) or 'nothing has changed'}", file=sys.stderr)
    print("\n".join(tests))
    return 0


def changes() -> list[str]:
    """Return what differs from the last commit, new files too; if nothing does, what that commit has changed."""
    new = _git("ls-files", "--others", "--exclude-standard")
    return sorted({*_git("diff", "--name-only", "HEAD"), *new}) or _git("show", "--name-only", "--format=", "HEAD")


def _git(*arguments: str) -> list[str]:
    command = ["git", "-c", "core.quotePath=false", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def nearest(changed: Path) -> list[str]:
    """Return the files of tests that are nearest to a file of the repository."""
    if PAGE.fullmatch(str(changed)):
        naming = [test for test in tests_of("docs", "docs") if changed.name in _text(test)]
        return [*dict.fromkeys((*OF_EVERY_PAGE, *naming))]
    if changed.is_relative_to(TESTS):
        return _nearest_to_test(changed, [])
    if not changed.is_relative_to(PACKAGE):
        return [*dict.fromkeys(_named_like(changed) + _naming(changed))]
    inner = changed.relative_to(PACKAGE)
    if inner.parent.name and (found := tests_of(str(inner.parent), str(inner))):
        return nearest_first(found, changed)
    return _named_like(changed) or _naming(changed)


def _nearest_to_test(changed: Path, seen: list[Path]) -> list[str]:
    """Return a file of tests itself, the folder of its fixtures, or the tests that import what they share."""
    seen.append(changed)
    if changed.name.startswith("test_"):
        return [str(changed)] if changed.exists() else []
    if changed.name == "conftest.py":
        return sorted(map(str, changed.parent.rglob("test_*.py"))) if changed.parent != TESTS else []  # not all tests
    importing = [file for file in TESTS.rglob("*.py") if file not in seen and _dotted(changed) in _text(file)]
    return [*dict.fromkeys(test for file in sorted(importing) for test in _nearest_to_test(file, seen))]


def _naming(changed: Path) -> list[str]:
    """Return the tests that import a module, or name a file."""
    names = [str(changed)] if changed.suffix != ".py" else [str(changed), _dotted(changed)]
    name = re.compile(rf"(?<![\w./-])(?:{'|'.join(map(re.escape, names))})(?![\w-])")
    return [str(file) for file in sorted(TESTS.rglob("test_*.py")) if name.search(_text(file))]


def _named_like(changed: Path) -> list[str]:
    return [str(file) for file in sorted(TESTS.rglob("test_*.py")) if _is_like(file, changed)]


def _is_like(test: str | Path, module: Path) -> bool:
    return Path(test).stem.startswith(f"test_{module.stem}")


def _dotted(module: Path) -> str:
    return ".".join(module.with_suffix("").parts).removesuffix(".__init__")


@cache
def _text(file: str | Path) -> str:
    return Path(file).read_text("utf-8")


def folder_of(name: str) -> Path:
    """Return the folder of a package, or of a module's package."""
    return Path(name).parent if name.endswith(".py") else Path(name)


def tests_of(name: str, changed: str) -> list[str]:
    """Return the files of tests of a package or module that is changed somewhere, or in one module."""
    beside = [tests for start, tests in BESIDE.items() if changed.startswith(start) or start.startswith(changed)]
    patterns = (f"{folder_of(name)}/**/test_*.py", *beside)
    return [str(file) for pattern in patterns for file in sorted(TESTS.glob(pattern))]


def nearest_first(tests: Sequence[str], module: Path) -> list[str]:
    """Return the files with those first that have the module's name, then those that import it: they find most."""
    return sorted(tests, key=lambda file: (not _is_like(file, module), _dotted(module) not in _text(file)))


if __name__ == "__main__":
    sys.exit(main())
