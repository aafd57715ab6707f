"""A held child does what it can, waits for the word, and never outlives the process that would give it."""

import re
import signal
import subprocess
import sys
from pathlib import Path

from tests.support.waiting import DEADLINE, wait_until
from wwspec_devtools.child import Child
from wwspec_router import __version__

AT_ONCE = {"PYTHONUNBUFFERED": "1"}
"""So that what it prints is in the file before it ends."""
STEPS = ("this",)
DONE = re.compile("The Zen of Python")
"""What the module `this` prints when it is imported."""

HOLDER = """
import re, sys
from pathlib import Path
from wwspec_devtools.child import Child

child = Child(["--version"], {"PYTHONUNBUFFERED": "1"}, Path(sys.argv[1]), held=("this",))
child.wait_for(re.compile("The Zen of Python"))
print(child.process.pid)
"""


def test_a_held_child_goes_on_when_it_is_released(tmp_path: Path) -> None:
    child = Child(["--version"], AT_ONCE, tmp_path / "said", held=STEPS)
    child.wait_for(DONE)
    assert child.process.poll() is None
    assert __version__ not in (tmp_path / "said").read_text()
    child.release()
    child.wait_success()
    assert __version__ in (tmp_path / "said").read_text()


def test_a_held_child_can_call_a_function_before(tmp_path: Path) -> None:
    child = Child(["--version"], output=tmp_path / "said", held=("pydoc:help_nobody", "this"))
    child.process.wait(DEADLINE)
    assert "has no attribute 'help_nobody'" in (tmp_path / "said").read_text()
    child.discard()


def test_ctrl_c_is_not_for_a_child_that_is_held(tmp_path: Path) -> None:
    child = Child(["--version"], AT_ONCE, tmp_path / "said", held=STEPS)
    child.process.send_signal(signal.SIGINT)
    child.wait_for(DONE)
    child.process.send_signal(signal.SIGINT)
    child.release()
    child.wait_success()
    assert "KeyboardInterrupt" not in (tmp_path / "said").read_text()


def test_a_child_is_not_held_longer_than_its_holder_lives(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "said")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=True)
    wait_until(lambda: not Path("/proc", done.stdout.strip()).exists())
    assert __version__ not in (tmp_path / "said").read_text()
