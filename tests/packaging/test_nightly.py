"""scripts/nightly: its table, which parts are due, and what it notes of a run."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.nightly import MOST_COMMITS, PARTS
from scripts.rooms import ROOMS
from tests.support.apps import ROOT, write_files
from tests.support.command import Done
from tests.support.processes import finished
from tests.support.tools import tool

ALL = " ".join(PARTS)
FOLDERS = [str(tests) for _, tests in ROOMS.values()]
STORE = "wwspec_router/stores/redis/events.py"
SCRIPT = """#!/bin/sh
echo "$0 $*" >> ran
! grep -qxF -e "$*" failing
"""
"""Takes the place of every script that a part runs."""


class Clone:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.git("init", "--quiet")
        scripts = {shlex.split(command)[0] for part in PARTS.values() for command in part.commands}
        self.write(
            dict.fromkeys(scripts, SCRIPT) | {STORE: "", "README.md": "", ".ci/run": "", ".gitignore": "ran\nfailing\n"}
        )
        for name in scripts:
            (folder / name).chmod(0o755)
        (folder / "failing").touch()
        self.commit()

    def git(self, *arguments: str, text: str | None = None) -> str:
        command = [tool("git"), "-c", "user.name=a", "-c", "user.email=a@b", *arguments]
        done = subprocess.run(command, cwd=self.folder, input=text, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def write(self, files: dict[str, str]) -> None:
        write_files(self.folder, files)

    def commit(self) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "a")
        return self.git("rev-parse", "HEAD")

    def passed(self, commit: str) -> None:
        self.write({".ci/nightly": f"{commit}\n"})
        self.commit()

    def nightly(self, *arguments: str) -> Done:
        return finished(sys.executable, ROOT / "scripts/nightly.py", *arguments, cwd=self.folder)

    def ci(self, due: str) -> Done:
        """Run .ci/run, whose every script notes that it runs, while some parts are due."""
        more = {"nightly": f'[ "$1" != --due ] || echo {due}\n', "audit": 'echo tests/a.py::test_b >> "$CI_REPEATED"\n'}
        for name in ("audit", "check", "env", "lines", "needs", "nightly", "package"):
            file = self.folder / "scripts" / name
            file.write_text(SCRIPT + more.get(name, ""), "utf-8")
            file.chmod(0o755)
        shutil.copy(ROOT / ".ci/run", self.folder / ".ci/run")
        return finished(self.folder / ".ci/run", cwd="/")

    def due(self) -> tuple[str, str]:
        done = self.nightly("--due")
        assert done.returncode == 0
        return done.stdout.strip(), done.stderr

    @property
    def noted(self) -> str | None:
        file = self.folder / ".ci/nightly"
        return file.read_text("utf-8").strip() if file.exists() else None

    @property
    def ran(self) -> list[str]:
        return (self.folder / "ran").read_text("utf-8").splitlines()

    @property
    def fresh(self) -> list[str]:
        """The releases of Debian on which some of the tests ran."""
        return re.findall(r"scripts/fresh (\w+) --user tests/", "\n".join(self.ran))


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path)


def test_every_path_of_the_table_is_there() -> None:
    paths = {path for part in PARTS.values() for path in part.paths}
    paths |= {word for words in commands() for word in words if word.startswith(("tests/", "packages/", "scripts/"))}
    listed = [tool("git"), "--glob-pathspecs", "ls-files", "--"]
    assert [each for each in sorted(paths) if not subprocess.check_output([*listed, each], cwd=ROOT)] == []


def test_every_test_with_the_mark_is_in_a_folder_that_a_part_runs() -> None:
    run = {
        word for words in commands() if "nightly" in words for word in words if word.startswith(("tests/", "packages/"))
    }
    run |= {"tests/benchmarks", "tests/packaging"}  # by scripts/bench --test and scripts/package
    grep = [tool("git"), "grep", "--untracked", "--files-with-matches", "-E", "mark[.]nightly|sql_servers import"]
    done = subprocess.run([*grep, *FOLDERS, ":!tests/support"], cwd=ROOT, capture_output=True, text=True, check=True)
    marked = done.stdout.split()
    assert len(marked) > 10
    assert [name for name in marked if not any(is_below(name, folder) for folder in run)] == []


def commands() -> list[list[str]]:
    return [shlex.split(command) for part in PARTS.values() for command in part.commands]


def is_below(name: str, folder: str) -> bool:
    return name == folder or name.startswith(f"{folder}/")


def test_a_part_is_due_when_one_of_its_files_differs_from_the_commit_that_passed(clone: Clone) -> None:
    commit = clone.git("rev-parse", "HEAD")
    clone.passed(commit)
    assert clone.due() == ("", "")
    clone.write({"wwspec_router/kernel/dispatch.py": "", "tests/docs/ran": "which git ignores"})
    clone.commit()
    assert clone.due() == ("", "")
    clone.write({"README.md": "changed"})
    assert clone.due() == ("pages", f"scripts/nightly: pages is due: README.md differs from {commit[:8]}\n")
    clone.write({"examples/app/more.py": ""})
    assert clone.due()[0] == "pages app"
    clone.write({STORE: "changed"})
    clone.commit()
    assert clone.due()[0] == "stores generated pages app"


@pytest.mark.parametrize("noted", [None, "", "0" * 40, "<<<<<<< HEAD\n=======\n"])
def test_all_parts_are_due_when_the_commit_that_passed_is_unknown(clone: Clone, noted: str | None) -> None:
    if noted is not None:
        clone.passed(noted)
    parts, reasons = clone.due()
    assert parts == ALL
    assert reasons.count(".ci/nightly") == len(PARTS)


def test_all_parts_are_due_after_many_commits(clone: Clone) -> None:
    clone.passed(clone.git("rev-parse", "HEAD"))
    head = clone.git("rev-parse", "HEAD")
    branch = clone.git("symbolic-ref", "HEAD")
    more = "".join(
        f"commit {branch}\ncommitter a <a@b> 0 +0000\ndata 0\n{f'from {head}' if not number else ''}\n"
        for number in range(MOST_COMMITS - 1)
    )
    clone.git("fast-import", "--quiet", text=more)
    assert clone.due() == ("", "")
    clone.write({"more": ""})
    clone.commit()
    assert clone.due()[0] == ALL
    assert f"all parts passed last {MOST_COMMITS + 1} commits ago" in clone.due()[1]


def test_the_commit_is_noted_when_all_parts_passed(clone: Clone) -> None:
    done = clone.nightly()
    assert done.returncode == 0
    assert len(clone.ran) == sum(len(part.commands) for part in PARTS.values())
    assert clone.noted == clone.git("rev-parse", "HEAD")
    assert re.search(r"^stores +0:00  passed\n", done.stdout, re.MULTILINE)
    assert "commit that file" in done.stdout
    assert clone.due() == ("", "")


def test_no_commit_is_noted_when_a_part_failed_and_the_others_run(clone: Clone) -> None:
    clone.write({"failing": "--test\n"})  # scripts/bench
    done = clone.nightly()
    assert done.returncode == 1
    assert re.search(r"^bench +0:00  FAILED\narchives +0:00  passed\n", done.stdout, re.MULTILINE)
    assert clone.noted is None


def test_no_commit_is_noted_when_files_differ_from_it(clone: Clone) -> None:
    clone.write({"README.md": "changed"})
    done = clone.nightly()
    assert (done.returncode, clone.noted) == (0, None)
    assert "since files differ from the last commit" in done.stdout


def test_a_named_part_runs_alone_and_notes_nothing_and_an_unknown_one_is_refused(clone: Clone) -> None:
    done = clone.nightly("bench", "benches")
    assert (done.returncode, done.stdout) == (64, "")
    assert done.stderr == f"scripts/nightly: there is no part benches; the parts are {', '.join(PARTS)}\n"
    assert not (clone.folder / "ran").exists()
    done = clone.nightly("bench")
    assert (done.returncode, clone.ran, clone.noted) == (0, ["scripts/bench --test"], None)


PACKAGE = "package -m not nightly"


@pytest.mark.parametrize(
    ("due", "steps"),
    [("", [PACKAGE]), ("bench fresh", [PACKAGE, "nightly bench fresh"]), ("archives", ["nightly archives"])],
)
def test_ci_runs_the_parts_that_are_due_and_prints_processor_time_by_step(
    clone: Clone, due: str, steps: list[str]
) -> None:
    done = clone.ci(due)
    assert done.returncode == 0, done.stderr
    *_, times = done.stdout.split("=== processor time, with all that a step started, in minutes\n")
    assert re.match(r"(\w+ +\d+:\d\d\n)+in sum +\d+:\d\d\n=== failed beside", times)
    began = re.findall(r"^=== scripts/(.*) \(\d+ min \d+ s\)$", done.stdout, re.MULTILINE)
    assert [each for each in began if each.split()[0] in ("test", "package", "nightly")] == ["test --all", *steps]
    assert began[-1] == "lines"
    assert len(clone.fresh) == ("fresh" not in due)


def test_two_releases_of_debian_take_turns_in_ci_and_all_tests_run_on_both_at_night(clone: Clone) -> None:
    for number in range(3):
        clone.write({"README.md": str(number)})
        clone.commit()
        assert clone.ci("").returncode == 0
    first, second, third = clone.fresh
    assert first == third
    assert {first, second} == {"bookworm", "trixie"}
    assert [each for each in commands() if "scripts/fresh" in each] == [
        ["scripts/fresh", release, "--user"] for release in ("bookworm", "trixie")
    ]


def test_ci_prints_processor_time_and_what_was_repeated_when_a_step_fails_too(clone: Clone) -> None:
    clone.write({"failing": "--all\n"})
    done = clone.ci("")
    assert done.returncode == 1
    assert "scripts/package" not in done.stdout
    assert re.search(r"^test +0:00\nin sum +0:00\n=== failed beside", done.stdout, re.MULTILINE)
    assert done.stdout.endswith("find out why:\ntests/a.py::test_b\n")
