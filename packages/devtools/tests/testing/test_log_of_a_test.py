"""What pytest shows of a test that fails in a zone within its process: the calls, and the traceback of a handler."""

import re
from pathlib import Path

from tests.support.apps import ROOT, write_files
from tests.support.command import pytest_session

FILES = {
    "abilities/registry.toml": '[abilities.crash]\nhandler = "abilities.crashing:crash"\n',
    "abilities/crashing.py": """
from wwspec_router import Contract, Output, ability


@ability
def crash(request: Contract) -> Output:
    raise ValueError("the text of the error")
""",
    "test_crash.py": """
from pathlib import Path
from wwspec_devtools.testing.zone import Zone


def test_crash():
    with Zone.in_process(Path.cwd()) as zone:
        assert zone.call("crash").reply == {}
""",
}


def test_a_failing_test_shows_the_calls_and_the_traceback_of_the_handler(tmp_path: Path) -> None:
    write_files(tmp_path, FILES)
    environment = {"PYTHONPATH": f"{tmp_path}:{ROOT}", "PATH": "/usr/bin:/bin"}
    done = pytest_session(tmp_path, "-q", "--rootdir", tmp_path, "test_crash.py", environment=environment)
    assert done.returncode == 1, done.stderr
    log = done.stdout.partition("Captured log")[2]
    assert "ability crash failed" in log
    assert "ValueError: the text of the error" in log
    assert re.findall(r'^ *File "[^"]*?([^/"]+)", line', log, re.MULTILINE) == ["crashing.py"]
    assert re.search(
        r"call   crash +errcode 710660 .* wwemulator00000001/1000002  ValueError the text of the error", log
    )
