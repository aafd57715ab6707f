"""Runs the parts of scripts/nightly, and finds those that are due; see there.

usage: scripts/nightly.py [--due] [PART...]    at the top of a git work tree

Tests of a part have the mark `nightly`. It is not aware of what a part proves: it runs commands and compares files.
"""

import os
import resource
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

PASSED = Path(".ci/nightly")
MOST_COMMITS = 200
USAGE_ERROR = 64
SIDE_BY_SIDE = "-p tests.support.side_by_side --processes=3"
TESTS = f"scripts/test -m nightly {SIDE_BY_SIDE}"


ALL = "tests packages/contracts/tests packages/client/tests packages/devtools/tests"


class Part(NamedTuple):
    """Some of the tests, and the files that they are about."""

    commands: list[str]
    paths: list[str]
    """Folders, files and patterns of git's, where only ** goes through folders."""


PARTS = {
    "stores": Part(  # the suites of stores over Valkey and over sentinels
        [f"{TESTS} tests/stores"],
        ["wwspec_router/stores/*.py", "wwspec_router/stores/redis", "tests/stores", "tests/support/redis_*.py"],
    ),
    "sql": Part(  # the app's stores in MySQL
        [f"{TESTS} packages/client/tests/client tests/docs/test_databases_page.py"],
        [
            "packages/client/wwspec_client/archive",
            "packages/client/wwspec_client/sql",
            "packages/devtools/wwspec_devtools/testing/stores",
            "docs/*/app/databases.md",
            "packages/client/tests/client/archive",
            "packages/client/tests/client/sql",
            "tests/docs/test_databases_page.py",
            "tests/support/*_server.py",
        ],
    ),
    "native": Part(  # the compiled check of contracts; torture installs the fuzzer that its tests need
        ["scripts/torture --quick native", f"{TESTS} tests/torture/test_native.py tests/hostile/test_fuzz.py"],
        [
            "hatch_build.py",
            "requirements/torture.txt",
            "wwspec_router/codecs/fitting.py",
            "wwspec_router/codecs/speedups.c",
            "torture/fuzz*.py",
            "torture/native*",
            "tests/hostile/test_fuzz.py",
            "tests/torture/test_native.py",
        ],
    ),
    "generated": Part(  # four times as many generated examples
        [f'scripts/test -m "hypothesis and not slow" {SIDE_BY_SIDE} --hypothesis-profile=thorough {ALL}'],
        [
            "packages/contracts/wwspec_contracts",
            "wwspec_router/codecs",
            "wwspec_router/http1",
            "wwspec_router/stores",
            "packages/contracts/tests",
            "tests/codecs",
            "tests/stores",
        ],
    ),
    "pages": Part(  # README, the tutorial and the pipelines word by word; programs and apps of the pages, served
        [
            f"{TESTS} tests/docs/test_readme.py tests/docs/test_tutorial.py tests/docs/test_ci_page.py",
            f"{TESTS} tests/docs/test_app_pages.py tests/docs/test_program_pages.py tests/docs/test_secrets_page.py",
            f"{TESTS} tests/docs/test_snippets.py",
        ],
        [
            "README.md",
            "README.zh-CN.md",
            "docs/*/app/*.md",
            "docs/*/program/*.md",
            "docs/*/reference/registry.md",
            "docs/*/tutorial/**",
            "packages/devtools/wwspec_devtools/scaffold",
            "tests/docs/conftest.py",
            "tests/docs/test_app_pages.py",
            "tests/docs/test_ci_page.py",
            "tests/docs/test_program_pages.py",
            "tests/docs/test_secrets_page.py",
            "tests/docs/test_snippets.py",
            "tests/docs/test_readme.py",
            "tests/docs/test_tutorial.py",
            "tests/support/pages.py",
            "tests/support/terminal.py",
        ],
    ),
    "site": Part(  # built, and opened in a browser
        [f"{TESTS} tests/docs/test_site.py tests/docs/test_reference.py"],
        [
            "docs",
            "requirements/docs.txt",
            "scripts/docs",
            "scripts/reference",
            "scripts/website",
            "tests/docs/test_reference.py",
            "tests/docs/test_site.py",
        ],
    ),
    "console": Part(  # one view after the other in a browser
        [f"{TESTS} packages/devtools/tests/emulator/console"],
        [
            "packages/devtools/wwspec_devtools/emulator/console",
            "packages/devtools/wwspec_devtools/emulator/display",
            "packages/devtools/tests/emulator/console",
        ],
    ),
    "app": Part(  # the examples of an app, while their processes are killed
        [f"{TESTS} tests/torture/test_torture.py tests/torture/test_service.py tests/examples"],
        [
            "examples",
            "torture",
            "packages/client/wwspec_client/archive",
            "packages/client/wwspec_client/notify",
            "packages/client/wwspec_client/suite",
            "tests/examples",
            "tests/torture",
        ],
    ),
    "java": Part(  # the stand-in and the example in Java, compiled and run as their page says
        [f"{TESTS} packages/devtools/tests/emulator/standin/test_java.py"],
        [
            "docs/*/program/java.md",
            "examples/java_program",
            "packages/devtools/tests/emulator/standin/*[Jj]ava*",
            "packages/devtools/wwspec_devtools/emulator/standin/wwspec_standin/seal.py",
            "packages/devtools/wwspec_devtools/emulator/standin_java",
        ],
    ),
    "languages": Part(  # apps in TypeScript, Java and Go; the workflows
        [f"{TESTS} tests/clients"],
        [
            ".github",
            "docs/*/app/other-languages.md",
            "examples/other_languages",
            "packages/devtools/wwspec_devtools/console_contracts",
            "tests/clients",
        ],
    ),
    "bench": Part(
        ["scripts/bench --test"],
        ["benchmarks/**/*.py", "requirements/bench.txt", "scripts/bench", "tests/benchmarks"],
    ),
    "archives": Part(  # the source archive and both wheels, installed with the newest of all that they need; the image
        ["scripts/release --archives"],
        [
            ".dockerignore",
            "Dockerfile",
            "hatch_build.py",
            "packages/*/pyproject.toml",
            "pyproject.toml",
            "requirements/build.txt",
            "requirements/release.txt",
            "requirements/run.txt",
            "scripts/package",
            "scripts/release",
            "packages/devtools/wwspec_devtools/scaffold",
            "tests/packaging",
        ],
    ),
    "fresh": Part(  # all quick tests on machines that have nothing, with the oldest supported Python and another
        ["scripts/fresh bookworm --user", "scripts/fresh trixie --user"],
        ["requirements/dev.txt", "scripts/demo", "scripts/env", "scripts/fresh", "scripts/needs", "scripts/test"],
    ),
}


def main(arguments: Sequence[str]) -> int:
    """Run what the arguments name, and return the exit code."""
    if arguments == ["--due"]:
        found = due()
        for name, reason in found.items():
            print(f"scripts/nightly: {name} is due: {reason}", file=sys.stderr)
        print(*found)
        return 0
    if unknown := [each for each in arguments if each not in PARTS]:
        print(f"scripts/nightly: there is no part {unknown[0]}; the parts are {', '.join(PARTS)}", file=sys.stderr)
        return USAGE_ERROR
    return run(list(dict.fromkeys(arguments)) or list(PARTS))


def due() -> dict[str, str]:
    """Return the parts that must run again, and why each."""
    commit = PASSED.read_text("utf-8").strip() if PASSED.exists() else ""
    if not commit:
        return dict.fromkeys(PARTS, f"{PASSED} names no commit")
    if not git("rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}"):
        return dict.fromkeys(PARTS, f"this clone does not have the commit in {PASSED}, {commit}")
    [count] = git("rev-list", "--count", f"{commit}..HEAD")
    if int(count) > MOST_COMMITS:
        return dict.fromkeys(PARTS, f"all parts passed last {count} commits ago")
    reasons = {}
    for name, part in PARTS.items():
        changed = git("diff", "--name-only", commit, "--", *part.paths)
        changed += git("ls-files", "--others", "--exclude-standard", "--", *part.paths)
        if changed:
            more = f" and {len(changed) - 1} more files differ" if changed[1:] else " differs"
            reasons[name] = f"{changed[0]}{more} from {commit[:8]}"
    return reasons


def run(names: Sequence[str]) -> int:
    """Run parts, and return 1 when one of them failed."""
    os.environ["CI"] = "true"  # so that a test that lacks a program fails
    before = head_of_clean_tree()
    lines, failed = [], False
    for name in names:
        began = processor_time()
        passed = all(_passes(name, command) for command in PARTS[name].commands)
        failed |= not passed
        lines.append(f"{name:10} {as_minutes(processor_time() - began)}  {'passed' if passed else 'FAILED'}")
    print(
        "== scripts/nightly: minutes of processor time",
        *lines,
        f"{'in sum':10} {as_minutes(processor_time())}",
        sep="\n",
    )
    if not failed and set(names) == PARTS.keys():
        note(before)
    return int(failed)


def _passes(name: str, command: str) -> bool:
    print(f"== scripts/nightly {name}: {command}", flush=True)
    return subprocess.run(shlex.split(command), check=False).returncode == 0


def note(commit: str) -> None:
    """Write the commit that passed all parts into its file, unless files differ from it."""
    if commit and head_of_clean_tree() == commit:
        PASSED.write_text(f"{commit}\n", "utf-8")
        print(f"scripts/nightly: all parts passed; {PASSED} has the commit {commit[:8]} now: commit that file")
    else:
        print(f"scripts/nightly: all parts passed; {PASSED} stays as it is, since files differ from the last commit")


def head_of_clean_tree() -> str:
    """Return the commit that is checked out; nothing when files differ from it."""
    return "" if git("status", "--porcelain") else "".join(git("rev-parse", "--quiet", "--verify", "HEAD"))


def processor_time() -> float:
    """Return the seconds that all processes took that this one has started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def as_minutes(seconds: float) -> str:
    """Write seconds as minutes and seconds."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes:3}:{rest:02}"


def git(*arguments: str) -> list[str]:
    """Return the lines that a command of git's prints; none when it fails."""
    done = subprocess.run(
        ["git", "-c", "core.quotePath=false", "--glob-pathspecs", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.splitlines() if done.returncode == 0 else []


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
