"""The tests that are nearest to a file: scripts/mutants runs them first, and `scripts/test --near` runs no others."""

import re
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from scripts.rooms import ROOMS

TESTS = tuple(tests for _, tests in ROOMS.values())
EMULATOR, EMULATOR_TESTS = "packages/devtools/wwspec_devtools/emulator", "packages/devtools/tests/emulator"
BESIDE = {
    "wwspec_router/kernel/": "tests/handlers/test_*.py",
    "wwspec_router/kernel/intake": "tests/jobs/test_events.py",
    "wwspec_router/kernel/intake.py": "packages/devtools/tests/testing/test_notifications.py",
    f"{EMULATOR}/display/": f"{EMULATOR_TESTS}/http/test_reads.py",
    f"{EMULATOR}/appside/suites": f"{EMULATOR_TESTS}/callbacks/test_commands.py",
    f"{EMULATOR}/display/views": f"{EMULATOR_TESTS}/state/traffic/test_record.py",
    f"{EMULATOR}/display/verdicts": f"{EMULATOR_TESTS}/state/traffic/test_traces.py",
    f"{EMULATOR}/display/reasons": "tests/scenarios/test_reasons.py",
    f"{EMULATOR}/apis/by_hand": "packages/devtools/tests/testing/test_answers.py",
    f"{EMULATOR}/http/client": "packages/devtools/tests/cli/zone/test_zone_verbs.py",
    f"{EMULATOR}/http/follower": "packages/devtools/tests/cli/zone/test_zone_machines.py",
    f"{EMULATOR}/http/summary": "packages/devtools/tests/cli/zone/test_why.py",
    f"{EMULATOR}/state/": f"{EMULATOR_TESTS}/apis/test_*.py",
    f"{EMULATOR}/state/machines": f"{EMULATOR_TESTS}/program/test_machines.py",
    "packages/client/wwspec_client/notify/stores": "packages/devtools/tests/testing/test_store_suites.py",
}
"""Tests of another folder that are the nearest, by what the paths of the modules begin with."""
PAGE = re.compile(r"((packages/\w+/)?README|docs/).*\.md")
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
        naming = [str(test) for test in all_tests("docs/test_*.py") if changed.name in _text(test)]
        return [*dict.fromkeys((*OF_EVERY_PAGE, *naming))]
    if any(map(changed.is_relative_to, TESTS)):
        return _nearest_to_test(changed, [])
    if not any(changed.is_relative_to(package) for package, _ in ROOMS.values()):
        return [*dict.fromkeys(_named_like(changed) + _naming(changed))]
    return nearest_first(tests_of(changed), changed) or _named_like(changed) or _naming(changed)


def _nearest_to_test(changed: Path, seen: list[Path]) -> list[str]:
    """Return a file of tests itself, the folder of its fixtures, or the tests that import what they share."""
    seen.append(changed)
    if changed.name.startswith("test_"):
        return [str(changed)] if changed.exists() else []
    if changed.name == "conftest.py":
        return (
            sorted(map(str, changed.parent.rglob("test_*.py"))) if changed.parent not in TESTS else []
        )  # not all tests
    importing = [file for file in all_tests("**/*.py") if file not in seen and _dotted(changed) in _text(file)]
    return [*dict.fromkeys(test for file in sorted(importing) for test in _nearest_to_test(file, seen))]


def _naming(changed: Path) -> list[str]:
    """Return the tests that import a module, or name a file."""
    names = [str(changed)] if changed.suffix != ".py" else [str(changed), _dotted(changed)]
    name = re.compile(rf"(?<![\w./-])(?:{'|'.join(map(re.escape, names))})(?![\w-])")
    return [str(file) for file in all_tests("**/test_*.py") if name.search(_text(file))]


def _named_like(changed: Path) -> list[str]:
    return [str(file) for file in all_tests("**/test_*.py") if _is_like(file, changed)]


def _is_like(test: str | Path, module: Path) -> bool:
    return Path(test).stem.startswith(f"test_{module.stem}")


def _dotted(module: Path) -> str:
    """Return the name by which a file is imported: each room's folder is on the path."""
    home = module.parts[2:] if module.parts[0] == "packages" else module.parts
    return ".".join(Path(*home).with_suffix("").parts).removesuffix(".__init__")


@cache
def _text(file: str | Path) -> str:
    return Path(file).read_text("utf-8")


def all_tests(pattern: str) -> list[Path]:
    """Return the files of all tests that fit a pattern."""
    return [file for tests in TESTS for file in sorted(tests.glob(pattern))]


def tests_of(changed: Path) -> list[str]:
    """Return the files of tests of a folder or a module: those in the folder of its name, or the next one above."""
    [(room, (package, tests))] = [each for each in ROOMS.items() if changed.is_relative_to(each[1][0])]
    home = tests / room if room in ("client", "contracts") else tests  # theirs have a folder of the room's name
    own = home / (changed.parent if changed.suffix else changed).relative_to(package)
    while own != home and not any(own.rglob("test_*.py")):
        own = own.parent
    if own == tests:  # all of the program, or of the tools, where the name says more
        return []
    if own == home:
        own = tests
    beside = [
        more for start, more in BESIDE.items() if str(changed).startswith(start) or start.startswith(f"{changed}/")
    ]
    found = [*sorted(own.rglob("test_*.py")), *(file for pattern in beside for file in sorted(Path().glob(pattern)))]
    return [*dict.fromkeys(map(str, found))]


def nearest_first(tests: Sequence[str], module: Path) -> list[str]:
    """Return the files with those first that have the module's name, then those that import it: they find most."""
    return sorted(tests, key=lambda file: (not _is_like(file, module), _dotted(module) not in _text(file)))


if __name__ == "__main__":
    sys.exit(main())
