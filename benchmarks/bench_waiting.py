"""How long does a developer wait, beside a bare project of FastAPI?

`python -m benchmarks.bench_waiting [--json] [--quick]`

"After a change" is from the write of a handler's file to the first answer with the new code: through the emulator of
`wwspec dev`, and from `uvicorn --reload`, which watches with the same watchfiles. Both run at the same time, and their
changes take turns, a second after the answer before: people save seldom. "Tests" is a whole `pytest` of a project that
`wwspec new` has made, with its 5 tests, and of one with 5 tests by FastAPI's TestClient; each loads the plugins of
pytest that its own environment would have. "Help" is `wwspec --help`, and `uvicorn --help`. Byte code and the disk's
cache are warm.
"""

import compileall
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from threading import Event

import httpx

from benchmarks.command import Benchmark, Effort, run
from benchmarks.contenders import PROGRAM
from benchmarks.figures import Samples
from benchmarks.zones import HOMES, ROOT
from wwspec_devtools.emulator.http.client import EmulatorClient
from wwspec_devtools.testing.app import App
from wwspec_devtools.testing.ports import held_ports

FASTAPI = "FastAPI"
CHANGE, TESTS, HELP = "after a change", "tests of a new project", "help"
TICK = 0.005
"""Seconds between two questions."""
QUIET = 1.0
"""Seconds between an answer and the next change."""
LIMIT = 60.0
"""Seconds within which new code must answer."""
ENVIRONMENT = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
ENVIRONMENT["PYTHONPATH"] = os.pathsep.join(map(str, HOMES))
ENVIRONMENT["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # the plugins of other peers

HANDLER = """
from wwspec_router import Contract, Output, ability


class Asked(Contract):
    pass


class Reply(Output):
    number: int = 0


@ability
def count(request: Asked) -> Reply:
    return Reply(number=NUMBER)
"""
ROW = '\n[abilities.count]\nhandler = "abilities.count:count"\n'
MAIN = """
from fastapi import FastAPI
from pydantic import BaseModel


class Reply(BaseModel):
    number: int = 0


app = FastAPI()


@app.post("/count")
def count() -> Reply:
    return Reply(number=NUMBER)
"""
CLIENT_TEST = """

def test_{number}() -> None:
    with TestClient(app) as client:
        assert client.post("/count").json()
"""
CLIENT_TESTS = "from fastapi.testclient import TestClient\n\nfrom main import app\n" + "".join(
    CLIENT_TEST.format(number=number) for number in range(5)
)

PYTEST = ("-m", "pytest", "-q")

Ask = Callable[[], int]
"""Returns the number that is answered; 0 while nothing answers."""


def measure(effort: Effort) -> Samples:
    """Test, ask for help and change in turns."""
    for package in ("wwspec_router", "packages"):
        compileall.compile_dir(ROOT / package, quiet=1)
    samples = Samples(FASTAPI)
    with tempfile.TemporaryDirectory(prefix="wwspec-bench-") as name:
        shop, bare = Path(name, "shop"), Path(name, "bare")
        process_time(["-m", "wwspec_router", "new", str(shop)], Path(name))
        bare.joinpath("tests").mkdir(parents=True)
        bare.joinpath("tests", "test_main.py").write_text(CLIENT_TESTS)
        bare.joinpath("pyproject.toml").write_text('[tool.pytest.ini_options]\npythonpath = ["."]\n')
        bare.joinpath("main.py").write_text(MAIN.replace("NUMBER", "1"))
        measure_processes(samples, shop, bare, effort)
        with shop.joinpath("abilities", "registry.toml").open("a") as registry:
            registry.write(ROW)
        shop.joinpath("abilities", "count.py").write_text(HANDLER.replace("NUMBER", "1"))
        measure_changes(samples, shop, bare, effort)
    return samples


def measure_processes(samples: Samples, shop: Path, bare: Path, effort: Effort) -> None:
    """Measure whole processes."""
    plugins = ["-p", "anyio", "-p", "hypothesispytest", "-p", "wwspec_devtools.testing.fixture"]
    processes = {
        TESTS: {
            FASTAPI: partial(process_time, [*PYTEST, "-p", "anyio"], bare),
            PROGRAM: partial(process_time, [*PYTEST, *plugins], shop),
        },
        HELP: {
            FASTAPI: partial(process_time, ["-m", "uvicorn", "--help"], bare),
            PROGRAM: partial(process_time, ["-m", "wwspec_router", "--help"], shop),
        },
    }
    for round_ in turns(effort):
        for case, contenders in processes.items():
            for contender, took in contenders.items():
                milliseconds = took()
                if round_ >= 0:  # the first one writes the byte code
                    samples.add(case, contender, "time", "ms", milliseconds)


def measure_changes(samples: Samples, shop: Path, bare: Path, effort: Effort) -> None:
    """Measure how soon changes answer."""
    sources = {FASTAPI: (bare / "main.py", MAIN), PROGRAM: (shop / "abilities" / "count.py", HANDLER)}
    with developed(shop) as program, reloading(bare) as fastapi:
        askers = {FASTAPI: fastapi, PROGRAM: program}
        for ask in askers.values():
            wait_for(1, ask)
        for round_ in turns(effort):
            for contender, (path, text) in sources.items():
                Event().wait(QUIET)
                number = round_ + 3
                begun = time.perf_counter()
                path.write_text(text.replace("NUMBER", str(number)))
                wait_for(number, askers[contender])
                if round_ >= 0:
                    samples.add(CHANGE, contender, "time", "ms", (time.perf_counter() - begun) * 1e3)


def turns(effort: Effort) -> range:
    """Return the numbers of the rounds; that of one more, which only warms up, is -1."""
    return range(effort.pick(full=-1, quick=0), effort.rounds)


def process_time(arguments: Sequence[str], folder: Path) -> float:
    """Return how long a process of Python takes, in milliseconds."""
    begun = time.perf_counter()
    subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=ENVIRONMENT, stdout=subprocess.DEVNULL, check=True, timeout=LIMIT
    )
    return (time.perf_counter() - begun) * 1e3


def wait_for(number: int, ask: Ask) -> None:
    """Wait until a number is answered."""
    deadline = time.monotonic() + LIMIT
    while ask() != number:
        if time.monotonic() > deadline:
            sys.exit(f"the new code did not answer within {LIMIT:g} seconds")
        Event().wait(TICK)


@contextmanager
def developed(folder: Path) -> Iterator[Ask]:
    """Run `wwspec dev`."""
    with held_ports(2) as (port, emulator_port):
        ports = ["--port", str(port), "--emulator-port", str(emulator_port)]
        with running(["-m", "wwspec_router", "dev", *ports], folder):
            with EmulatorClient(f"http://127.0.0.1:{emulator_port}") as client:
                yield partial(of_program, client)


def of_program(client: EmulatorClient) -> int:
    """Return what the program answers."""
    with suppress(Exception):  # the emulator starts, and then the program
        answer = App(client).call("count")
        return int(answer.reply["number"]) if answer.errcode == 0 else 0
    return 0


@contextmanager
def reloading(folder: Path) -> Iterator[Ask]:
    """Run `uvicorn --reload`."""
    with held_ports(1) as [port], running(["-m", "uvicorn", "main:app", "--reload", "--port", str(port)], folder):
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=LIMIT) as client:
            yield partial(of_fastapi, client)


def of_fastapi(client: httpx.Client) -> int:
    """Return what the bare application answers."""
    with suppress(httpx.TransportError):  # it starts, or the one before has just closed the connection
        return int(client.post("/count").json()["number"])
    return 0


@contextmanager
def running(arguments: Sequence[str], folder: Path) -> Iterator[None]:
    """Run a process of Python until the block ends."""
    with (folder.parent / f"{folder.name}.log").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=folder,
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(LIMIT)


BENCHMARK = Benchmark("waiting", "How long does a developer wait, beside a bare project of FastAPI?", measure)

if __name__ == "__main__":
    run(BENCHMARK)
