"""What we start for development ends when the process that has started it is killed, and its ports are free again."""

import shlex
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic

import pytest

from tests.support.apps import write_files
from tests.support.neighbours import held_neighbours
from tests.support.processes import alive, descendants
from tests.support.waiting import DEADLINE, wait_until
from wwspec_devtools.emulator.http.client import EmulatorClient
from wwspec_devtools.testing.app import App
from wwspec_devtools.testing.ports import held_ports

pytestmark = pytest.mark.slow  # each starts an emulator and programs in new interpreters

LIMIT = 8.0
"""Seconds: 2 are promised, on a machine that is not busy with other tests. Calls that run are given 10."""
PROGRAM = """
from pathlib import Path
from threading import Event
from wwspec_router import Contract, Output, ability

class Nothing(Contract):
    pass

@ability
def hang(request: Nothing) -> Output:
    Path("hanging").touch()
    Event().wait()
    return Output()
"""
STUBBORN = """
import http.server, os, signal, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork():
    http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.SimpleHTTPRequestHandler).serve_forever()
signal.pause()
"""
SERVED = """
import signal, sys
from pathlib import Path
from wwspec_devtools.testing.zone import Zone

zone = Zone.serve(Path(sys.argv[1]), emulate=["--port", sys.argv[2]], machines=2)
print("up", flush=True)
signal.pause()
"""
WWSPEC = (sys.executable, "-m", "wwspec_router")


class Started:
    """A process that has started others.

    Args:
        command: Its command line.
        folder: Where it runs.
        ports: Where those that it has started listen.
        said: What it prints when all of them run.
    """

    def __init__(self, command: Sequence[str | Path], folder: Path, ports: Iterable[int], said: str) -> None:
        self.ports = ports
        log = folder.with_suffix(".log")
        with log.open("wb") as output:
            self.process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=output)
        wait_until(lambda: said in log.read_text() or self.process.poll() is not None)
        assert self.process.poll() is None, log.read_text()

    def kill(self) -> float:
        """Kill it, and return after how many seconds all that it has started had ended."""
        family = descendants(self.process.pid)
        assert len(family) > 1
        self.process.kill()
        killed = monotonic()
        self.process.wait(DEADLINE)
        wait_until(lambda: not any(map(alive, family)))
        took = monotonic() - killed
        for port in self.ports:
            with socket.socket() as bound:
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                bound.bind(("127.0.0.1", port))
                bound.listen()
        return took


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_files(tmp_path / "shop", {"program.py": PROGRAM})


@pytest.fixture
def emulator_port() -> Iterator[int]:
    with held_ports(1) as [port]:
        yield port


@pytest.fixture
def ports() -> Iterator[range]:
    """The ports of three machines."""
    with held_neighbours(3) as first:
        yield range(first, first + 3)


def test_dev_on_three_machines_while_a_call_hangs(folder: Path, ports: range, emulator_port: int) -> None:
    where = ["--machines", "3", "--port", str(ports[0]), "--emulator-port", str(emulator_port)]
    dev = Started([*WWSPEC, "dev", *where], folder, [*ports, emulator_port], "watching ")
    with EmulatorClient(f"http://127.0.0.1:{emulator_port}") as client, ThreadPoolExecutor() as pool:
        hanging = pool.submit(App(client).call, "hang")
        wait_until((folder / "hanging").exists)
        assert dev.kill() < LIMIT
        assert hanging.exception(DEADLINE)


def test_demo(folder: Path, ports: range, emulator_port: int) -> None:
    where = ["--port", str(ports[0]), "--emulator-port", str(emulator_port)]
    assert Started([*WWSPEC, "demo", *where], folder, [ports[0], emulator_port], "Still serving").kill() < LIMIT


def test_emulate_with_a_program_that_ignores_sigterm(folder: Path, ports: range, emulator_port: int) -> None:
    program = shlex.join([sys.executable, "-c", STUBBORN, str(ports[0])])
    where = ["--port", str(emulator_port), "--program-url", f"http://127.0.0.1:{ports[0]}"]
    command = [*WWSPEC, "emulate", *where, "--program", program]
    assert Started(command, folder, [ports[0], emulator_port], "accepts connections at").kill() < LIMIT


def test_a_served_zone_of_a_session_of_pytest(folder: Path, emulator_port: int) -> None:
    command = [sys.executable, "-c", SERVED, str(folder), str(emulator_port)]
    assert Started(command, folder, [emulator_port], "up").kill() < LIMIT
