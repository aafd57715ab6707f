"""A verb in a process of its own, in a new interpreter as programs start it, forked as most tests do, or held."""

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.apps import ROOT
from tests.support.forks import start_forked
from tests.support.processes import alive, children
from tests.support.waiting import DEADLINE, wait_until
from tests.support.zones import forked_child, serve_zone
from wwspec_contracts.errors import ConfigurationError
from wwspec_devtools.child import Child, ChildError, StartProcess, new_interpreter
from wwspec_devtools.testing.ports import held_ports
from wwspec_devtools.testing.zone import Zone
from wwspec_router import __version__

EMULATE = ("emulate", "--port", "0")
WATCHED = """
import os, sys
from pathlib import Path
from tests.support.zones import forked_child

child = forked_child(["emulate", "--port", "0"], output=Path(sys.argv[1]))
child.announced_url()
print(child.process.pid, flush=True)
if sys.argv[2] == "killed":
    os.kill(os.getpid(), 9)
"""

LISTENS = """
import os, socket, sys, threading

listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", int(sys.argv[1])))
listener.listen()
if not os.fork():
    memory = bytearray(b"x") * 100_000_000  # which takes a while to be freed
    for _ in range(60):
        threading.Thread(target=threading.Event().wait, daemon=True).start()
    print("up", flush=True)
threading.Event().wait()
"""


@pytest.fixture(params=[new_interpreter, start_forked])
def start_process(request: pytest.FixtureRequest) -> StartProcess:
    started: StartProcess = request.param
    return started


def test_its_exit_code_and_what_it_prints_are_told(tmp_path: Path, start_process: StartProcess) -> None:
    child = Child(["emulate", "--port", "x"], output=tmp_path / "log", start_process=start_process)
    with pytest.raises(ChildError, match=r"(?s)wwspec emulate ended with exit code 2: Usage:.*'x' is not a valid"):
        child.wait_success()
    Child(["--version"], output=tmp_path / "other", start_process=start_process).wait_success()
    assert (tmp_path / "other").read_text().startswith("wwspec, version ")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 0), (signal.SIGKILL, -9)])
def test_a_signal_ends_it(tmp_path: Path, start_process: StartProcess, number: signal.Signals, code: int) -> None:
    child = Child(EMULATE, output=tmp_path / "log", start_process=start_process)
    assert child.announced_url() == child.announced_url()
    child.process.send_signal(number)
    assert child.process.wait(DEADLINE) == child.process.poll() == child.process.returncode == code
    child.process.send_signal(number)  # nobody gets it


def test_when_it_is_killed_its_port_is_free_though_its_children_had_threads(tmp_path: Path) -> None:
    """The first thread of a process may end before others, which keep its files open."""

    def start(arguments: Sequence[str], _: object, stdin: int | None, output: int | None) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", LISTENS, *arguments], stdin=stdin, stdout=output, stderr=output)

    with held_ports(1) as [port]:
        for number in range(5):
            child = Child([str(port)], output=tmp_path / str(number), start_process=start)
            child.wait_for(re.compile("up"))
            child.kill()
            with socket.socket() as other:
                other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                other.bind(("127.0.0.1", port))
                other.listen()


def test_a_child_that_was_stopped_is_killed_with_its_own_children(tmp_path: Path, start_process: StartProcess) -> None:
    serve = ["serve", "--sdk", "emulator", "--app", str(ROOT), "--port", "0", "--store", "memory:", "--workers", "1"]
    child = Child(serve, output=tmp_path / "log", start_process=start_process)
    child.announced_url()
    family = {child.process.pid, *children(child.process.pid)}
    assert len(family) == 2
    child.process.send_signal(signal.SIGSTOP)
    assert child.process.poll() is None
    child.kill()
    assert child.process.returncode == -9
    assert not any(map(alive, family))


def test_what_is_late_is_ended_and_the_limit_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WWSPEC_START_LIMIT", "0.01")
    for number, wait in enumerate((Child.announced_url, Child.wait_success)):
        child = forked_child(EMULATE, output=tmp_path / f"{number}.log")
        how = "was not ready" if wait is Child.announced_url else "had not ended"
        with pytest.raises(ChildError, match=rf"wwspec emulate {how} within 0\.01 seconds \(WWSPEC_START_LIMIT\)"):
            wait(child)
        child.stop()
    with pytest.raises(ChildError, match=r"wwspec emulate was not ready within 0\.01 seconds"):
        serve_zone(ROOT, start_limit=0.01)


@pytest.mark.parametrize("value", ["soon", "0", "-1", "nan", "inf"])
def test_a_limit_that_is_no_number_of_seconds_is_refused(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WWSPEC_START_LIMIT", value)
    said = f"^WWSPEC_START_LIMIT must be a number of seconds above 0, not '{value}'$"
    with pytest.raises(ConfigurationError, match=said):
        Child(["--version"])
    with pytest.raises(ConfigurationError, match=said):
        Zone.serve(ROOT)
    with pytest.raises(ConfigurationError, match=r"^start_limit must be a number of seconds above 0, not 0\.0$"):
        Zone.serve(ROOT, start_limit=0.0)


@pytest.mark.parametrize("end", ["killed", pytest.param("ended", marks=pytest.mark.slow)])  # nearly the same
def test_no_forked_child_outlives_the_process_that_has_started_it(tmp_path: Path, end: str) -> None:
    command = [sys.executable, "-c", WATCHED, str(tmp_path / "log"), end]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=DEADLINE, check=False)
    assert done.returncode == (-9 if end == "killed" else 0)
    wait_until(lambda: not alive(int(done.stdout)))


HOLDER = """
import re, sys
from pathlib import Path
from wwspec_devtools.child import Child

child = Child(["--version"], {"PYTHONUNBUFFERED": "1"}, Path(sys.argv[1]), held=("this",))
child.wait_for(re.compile("The Zen of Python"))
print(child.process.pid)
"""


def test_a_held_child_goes_on_when_it_is_released_and_ctrl_c_is_not_for_it_before(tmp_path: Path) -> None:
    at_once = {"PYTHONUNBUFFERED": "1"}  # so that what it prints is in the file before it ends
    child = Child(["--version"], at_once, tmp_path / "said", held=("this",))
    child.process.send_signal(signal.SIGINT)
    child.wait_for(re.compile("The Zen of Python"))  # which the module `this` prints when it is imported
    child.process.send_signal(signal.SIGINT)
    assert child.process.poll() is None
    assert __version__ not in (tmp_path / "said").read_text()
    child.release()
    child.wait_success()
    assert __version__ in (tmp_path / "said").read_text()
    assert "KeyboardInterrupt" not in (tmp_path / "said").read_text()


def test_a_child_is_not_held_longer_than_its_holder_lives(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "said")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=True)
    wait_until(lambda: not alive(int(done.stdout)))
    assert __version__ not in (tmp_path / "said").read_text()
