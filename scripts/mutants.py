"""Runs the tests over a copy of the repository in which one place is changed at a time; see scripts/mutants.

Each change is one of cosmic-ray's operators at one place. All operators of a kind at a place count as one: a "+" has
eleven others, and would be drawn eleven times as often as a "not".
"""

import argparse
import ast
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from time import monotonic

from cosmic_ray.commands import init
from cosmic_ray.modules import find_modules
from cosmic_ray.mutating import mutate_and_test
from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import MutationSpec, TestOutcome

from scripts.nearest import nearest_first, tests_of
from scripts.rooms import ROOMS

PACKAGES = ("kernel", "jobs", "stores", "codecs", "serving", "contracts", "client")
LEFT_OUT = "core/ReplaceBinaryOperator_BitOr"
"""`|` is in annotations nearly always, where every test ends at the import."""
ROOT = Path(__file__).parents[1]
INSTALLED = [str(ROOT / package.parent) for package, _ in ROOMS.values()]
"""What the environment's editable installs put on the path: the copy alone shall be there."""
COMMAND = (
    "{python} -c 'import sys, pytest; "
    f"[sys.path.remove(each) for each in {json.dumps(INSTALLED)}]; sys.exit(pytest.main())'"
    ' -x -q -p no:cacheprovider -W ignore::pytest.PytestWarning -m "not slow"'
    " -o faulthandler_timeout=60 -o faulthandler_exit_on_timeout=true {tests}"
)
"""A change that makes a test hang is found after a minute, not when the time for all tests is over."""


def main() -> int:
    """Change, test, and report; 1 when the tests fail without any change."""
    parser = argparse.ArgumentParser(prog="scripts/mutants")
    parser.add_argument("copy", type=Path)
    parser.add_argument("python")
    parser.add_argument("paths", nargs="*", metavar="PATH", default=PACKAGES)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.randrange(10_000))  # noqa: S311 - no secret
    options = parser.parse_intermixed_args()
    os.chdir(options.copy)
    homes = (options.copy / package.parent for package, _ in ROOMS.values())
    os.environ["PYTHONPATH"] = os.pathsep.join(map(str, homes))  # before the editable installs of the environment
    seconds = {}
    paths = {name: found for name in options.paths if (found := path_of(name)) and tests_of(found)}
    for name in options.paths:
        if name not in paths:
            parser.error(f"no package has {name}, or there are no tests of it")
        begun = monotonic()
        command = COMMAND.format(python=options.python, tests=" ".join(tests_of(paths[name])))
        done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)  # noqa: S602 - our own
        if done.returncode:
            print(f"{done.stdout}\nscripts/mutants: the tests of {name} fail without any change", file=sys.stderr)
            return 1
        seconds[name] = monotonic() - begun
    places = [(name, *each) for name in options.paths for each in mutations(paths[name])]
    drawn = random.Random(options.seed).sample(places, min(options.count, len(places)))  # noqa: S311 - no secret
    print(f"{len(drawn)} of {len(places)} places, --seed {options.seed}", flush=True)
    survivors = 0
    for number, (name, *operators) in enumerate(drawn, 1):
        mutation = random.Random(f"{options.seed} {number}").choice(operators)  # noqa: S311 - no secret
        module = Path(mutation.module_path)
        tests = [*dict.fromkeys((*nearest_first(tests_of(module), module), *tests_of(paths[name])))]
        command = COMMAND.format(python=options.python, tests=" ".join(tests))
        result = mutate_and_test([mutation], command, timeout=3 * seconds[name] + 30)
        place = f"{mutation.module_path}:{mutation.start_pos[0]} {mutation.operator_name.removeprefix('core/')}"
        survived = result.test_outcome is TestOutcome.SURVIVED
        survivors += survived
        print(f"{number}/{len(drawn)} {'SURVIVED' if survived else 'killed  '} {place}", flush=True)
        if survived:
            print(
                "\n".join(
                    line for line in result.diff.splitlines() if line[:1] in "+-" and line[:3] not in ("---", "+++")
                )
            )
    print(f"{len(drawn) - survivors} of {len(drawn)} killed ({100 * (len(drawn) - survivors) // max(1, len(drawn))} %)")
    return 0


def path_of(name: str) -> Path | None:
    """Return the folder or module of a name: a room's package, or what a package has."""
    places = [ROOMS[name][0]] if name in ROOMS else [package / name for package, _ in ROOMS.values()]
    return next((place for place in places if place.exists()), None)


def mutations(package: Path) -> list[list[MutationSpec]]:
    """Return the changes of a package or module: for each place and kind of change, all of that kind."""
    with tempfile.TemporaryDirectory() as folder, use_db(f"{folder}/work.sqlite", WorkDB.Mode.create) as work:
        init(find_modules([package]), work, {})
        found: dict[tuple[str, tuple[int, int], str], list[MutationSpec]] = {}
        for item in work.work_items:
            [mutation] = item.mutations
            kind = mutation.operator_name.split("_")[0]
            if not mutation.operator_name.startswith(LEFT_OUT):
                found.setdefault((str(mutation.module_path), mutation.start_pos, kind), []).append(mutation)
    sources = {path: Path(path).read_text("utf-8") for path, _, _ in found}
    unread = {path: lines_for_type_checkers(source) for path, source in sources.items()}
    return [
        found[path, start, kind]
        for path, start, kind in sorted(found)
        if start[0] not in unread[path] and not is_marker(sources[path], start, kind)
    ]


def lines_for_type_checkers(source: str) -> set[int]:
    """Return the lines that do nothing at run time: of overloads, protocols, and what is below `if TYPE_CHECKING`."""
    lines: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.If):
            marks = [node.test]
        elif isinstance(node, ast.ClassDef):
            marks = node.bases
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            marks = node.decorator_list
        else:
            continue
        if {ast.unparse(each).partition("[")[0] for each in marks} & {"TYPE_CHECKING", "Protocol", "overload"}:
            lines.update(range(min(node.lineno, marks[0].lineno), (node.body[-1].end_lineno or 0) + 1))
    return lines


def is_marker(source: str, start: tuple[int, int], kind: str) -> bool:
    """Return whether an operator has no value before it: `*` and `/` of a signature, `**` of a dict display."""
    lines = source.splitlines()[: start[0]]
    before = "".join((*lines[:-1], lines[-1][: start[1]])).rstrip()
    return kind == "core/ReplaceBinaryOperator" and before.endswith((",", "(", "{", "["))


if __name__ == "__main__":
    sys.exit(main())
