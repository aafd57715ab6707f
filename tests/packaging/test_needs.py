"""Programs that are not here: scripts/needs names them, tests are skipped, and fail under CI."""

import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.support.apps import ROOT, write_files
from tests.support.command import Done
from tests.support.processes import finished

pytestmark = pytest.mark.slow  # pytest in processes of its own

SKIPPED = """\
import pytest

from tests.support.redis_server import local_redis
from tests.support.skips import only_where
from tests.support.tools import tool

@pytest.fixture(scope="module")
def server():
    tool("redis-server")

def test_one(server): ...

def test_two(server): ...

def test_three(tmp_path):
    with local_redis(tmp_path):
        pass
"""
PLAIN = """

def test_with_a_reason():
    pytest.skip("not today")

@pytest.mark.skipif(True, reason="by a mark")
def test_with_a_mark(): ...
"""
ALLOWED = """

def test_elsewhere():
    only_where(False, "the moon is made of cheese")

@pytest.mark.xfail(reason="known")
def test_known():
    raise ValueError
"""
NEEDED = ("basename", "bash", "dirname", "env", "grep", "mktemp", "rm", "sed", "sort", "tee", "touch", "tr", "uniq")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """All that is on PATH: what scripts/needs itself runs, and a Python with its venv module and headers."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in NEEDED:
        (folder / name).symlink_to(shutil.which(name) or "")
    (folder / "python3").write_text("#!/bin/sh\necho /\n")
    (folder / "python3").chmod(0o755)
    return folder


def call(*command: str | Path, cwd: Path = ROOT, **variables: str) -> Done:
    env = {name: value for name, value in os.environ.items() if name not in ("CI", "WWSPEC_NO_INSTALL")} | variables
    return finished(*command, cwd=cwd, env=env)


def outcomes(folder: Path, text: str, **variables: str) -> tuple[int, str]:
    """Run pytest over a file; return its exit code and its last line without the time."""
    write_files(folder, {"test_small.py": text, "pytest.ini": "[pytest]\n"})
    options = ("-p", "tests.support.skips", "-p", "no:cacheprovider")
    done = call(sys.executable, "-m", "pytest", *options, cwd=folder, PYTHONPATH=str(ROOT), **variables)
    return done.returncode, re.sub(r"^=+ | in .*", "", done.stdout.splitlines()[-1])


def test_a_test_without_its_program_is_skipped_and_fails_under_ci(tmp_path: Path, path: Path) -> None:
    file = tmp_path / "skipped"
    assert outcomes(tmp_path, SKIPPED, PATH=str(path), SKIPPED_TESTS=str(file)) == (0, "3 skipped")
    assert file.read_text() == "redis-server\n" * 3
    assert outcomes(tmp_path, SKIPPED, PATH=str(path), CI="true") == (1, "1 failed, 2 errors")


def test_ci_allows_a_skip_by_the_machine_and_no_other(tmp_path: Path) -> None:
    head = SKIPPED.partition("@pytest")[0]
    assert outcomes(tmp_path, head + PLAIN) == (0, "2 skipped")
    assert outcomes(tmp_path, head + PLAIN, CI="true") == (1, "1 failed, 1 error")
    assert outcomes(tmp_path, head + ALLOWED, CI="true") == (0, "1 skipped, 1 xfailed")
    assert outcomes(tmp_path, head + 'pytest.importorskip("nothing")', CI="true") == (2, "1 error")


def test_every_program_that_tests_ask_for_is_in_the_table() -> None:
    rows = re.findall(r"^(?:quick|all) +(\S+) +(\S+)", (ROOT / "scripts/needs").read_text("utf-8"), re.MULTILINE)
    files = [*(ROOT / "tests").rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py")]
    asked = {name for file in files for name in re.findall(r'\btool\("([^"]+)"\)', file.read_text("utf-8"))}
    assert {"redis-server", "chromium", "wrk"} < asked
    assert asked <= {name for name, _ in rows}
    assert len({name for name, _ in rows}) == len(rows)


PYTHON = """\
#!/bin/bash
echo "$*" >>"${0%/*}/runs"
case "$*" in
    *--last-failed*) ;;
    *--repeatable*) if [[ ${REPEATABLE:-} ]]; then echo "$REPEATABLE" >"${7#*=}"; exit 1; fi ;;&
    *scripts.nearest) echo "$NEAR" ;;
    *" pytest "*) printf '%s' "$LACKING" >>"$SKIPPED_TESTS" ;;
    *"report --fail-under=0") echo "TOTAL 90%" ;;
    *report) echo "TOTAL 90%, which is less than 95%"; exit 2 ;;
esac
"""
"""A Python whose tests lack what the environment says, are near, may be repeated, and cover too little."""


@pytest.fixture
def project(tmp_path: Path, path: Path) -> Path:
    """A folder with scripts/test."""
    (path / "npm").symlink_to("python3")
    scripts = tmp_path / "project/scripts"
    scripts.mkdir(parents=True)
    for name in ("test", "needs"):
        shutil.copy(ROOT / "scripts" / name, scripts / name)
    programs = {scripts / "env": f"#!/bin/bash\necho {tmp_path}/venv\n", tmp_path / "venv/bin/python": PYTHON}
    for program, text in programs.items():
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(text)
        program.chmod(0o755)
    return scripts.parent


def all_tests(project: Path, path: Path, lacking: str) -> Done:
    """Run all tests on one Python."""
    variables = {"PATH": str(path), "WWSPEC_NO_INSTALL": "1", "WWSPEC_PYTHONS": "", "LACKING": lacking}
    return call("scripts/test", "--all", cwd=project, **variables)


def test_a_run_begins_and_ends_with_what_is_missing_and_judges_no_coverage(project: Path, path: Path) -> None:
    done = all_tests(project, path, "curl\nredis-server\ncurl\n")
    first, *_, total, judged, took, last = done.stdout.splitlines()
    assert first.startswith("scripts/needs: missing, so tests are skipped: git (")
    assert (total, done.returncode) == ("TOTAL 90%", 0)
    assert judged == "scripts/test: the coverage is not judged, since tests were skipped that lack a program"
    assert re.fullmatch(r"scripts/test took \d+ s, and \d+ s of processors", took)
    assert last.startswith("scripts/needs: tests were skipped that need: curl (6), redis-server (3); Debian's ")


def test_a_run_that_skips_nothing_for_want_of_a_program_judges_its_coverage(project: Path, path: Path) -> None:
    done = all_tests(project, path, "")
    assert (done.stdout.splitlines()[-2], done.returncode) == ("TOTAL 90%, which is less than 95%", 2)


def test_what_failed_beside_others_runs_again_and_is_named_at_the_end(project: Path, path: Path) -> None:
    variables = {"LACKING": "", "REPEATABLE": "tests/test_a.py::test_b[c d]", "WWSPEC_NO_INSTALL": "1"}
    done = call("scripts/test", cwd=project, PATH=str(path), **variables)
    *_, named, took = done.stdout.splitlines()
    assert named.startswith("scripts/test: failed beside others, and ran again alone; find out why: ")
    assert named.endswith(": tests/test_a.py::test_b[c d]")
    assert took.startswith("scripts/test took ")
    assert done.returncode == 0


def test_a_run_of_some_tests_leaves_out_slow_ones_that_are_not_named_and_shows_no_coverage(
    project: Path, path: Path
) -> None:
    runs = {
        "tests/sdk": "-m not slow tests/sdk",
        "tests/sdk -m slow": "-m not slow tests/sdk -m slow",  # pytest goes by the last
        "--all tests/sdk": "tests/sdk",
        "tests/sdk/test_vendor.py::test_a": "tests/sdk/test_vendor.py::test_a",
    }
    for arguments in runs:
        assert "TOTAL" not in call("scripts/test", *arguments.split(), cwd=project, PATH=str(path), LACKING="").stdout
    ran = (project.parent / "venv/bin/runs").read_text()
    assert ran.splitlines() == [f"-u -m pytest {each}" for each in runs.values()]
