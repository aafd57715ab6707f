"""`[program] lifespan`: what a program opens once in each process, and `ctx.state`."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from tests.support.apps import python_anew, write_files
from tests.support.waiting import DEADLINE, wait_until
from tests.support.zones import forked_child, serve_zone
from wwspec_contracts.errors import LifespanError
from wwspec_devtools.child import ChildError
from wwspec_router.handlers.lifespan import Lifespan

REGISTRY = """
[program]
lifespan = "abilities.app:lifespan"

[abilities.count]
handler = "abilities.app:count"
"""
APPLICATION = """
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from wwspec_router import AsyncContext, Contract, Output, ability

JOURNAL = Path(__file__).parent / "journal.txt"

class State:
    def __init__(self) -> None:
        self.calls = 0

class Ask(Contract):
    pass

class Counted(Output):
    calls: int = 0

@asynccontextmanager
async def lifespan() -> AsyncIterator[State]:
    with JOURNAL.open("a") as journal:
        journal.write(f"open {os.getpid()}\\n")
    yield State()
    with JOURNAL.open("a") as journal:
        journal.write(f"close {os.getpid()}\\n")

@ability
async def count(request: Ask, ctx: AsyncContext[State]) -> Counted:
    ctx.state.calls += 1
    return Counted(calls=ctx.state.calls)
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    return write_files(
        tmp_path / "app",
        {"abilities/registry.toml": REGISTRY, "abilities/__init__.py": "", "abilities/app.py": APPLICATION},
    )


def journal(app: Path) -> list[list[str]]:
    path = app / "abilities" / "journal.txt"
    return [line.split() for line in path.read_text().splitlines()] if path.exists() else []


def test_each_process_opens_once_before_its_port_and_closes_at_its_end(app: Path) -> None:
    with serve_zone(app, serve=["--workers", "2"]) as zone:
        wait_until(lambda: len(journal(app)) == 2)
        assert all(word == "open" for word, _ in journal(app))
        assert zone.call("count").reply["calls"] >= 1
    opened, closed = journal(app)[:2], journal(app)[2:]
    assert sorted(pid for _, pid in opened) == sorted(pid for _, pid in closed)
    assert all(word == "close" for word, _ in closed)


def test_a_process_that_is_told_to_stop_while_it_starts_closes_what_it_opened(app: Path, tmp_path: Path) -> None:
    stopped = APPLICATION.replace("    yield State()", "    os.kill(os.getpid(), 15)\n    yield State()")
    write_files(app, {"abilities/app.py": stopped})
    options = ["--app", str(app), "--sdk", "emulator", "--port", "0", "--store", "memory:", "--workers", "0"]
    program = forked_child(["serve", *options], output=tmp_path / "serve.log")
    program.process.wait(DEADLINE)
    assert [word for word, _ in journal(app)] == ["open", "close"]


def test_all_calls_of_a_process_share_the_state(app: Path) -> None:
    program = """
from pathlib import Path
from wwspec_devtools.testing.zone import Zone
with Zone.in_process(Path(sys.argv[1])) as zone:
    print([zone.call("count").reply["calls"] for _ in range(3)])
"""
    assert python_anew(program, app).strip() == "[1, 2, 3]"
    assert [word for word, _ in journal(app)] == ["open", "close"]


def test_a_failure_to_open_is_a_start_up_error_with_the_traceback_of_the_application(app: Path, tmp_path: Path) -> None:
    broken = APPLICATION.replace(
        "    yield State()", '    raise OSError("no licence server at 10.0.0.9")\n    yield State()'
    )
    write_files(app, {"abilities/app.py": broken})
    output = tmp_path / "serve.log"
    options = ["--app", str(app), "--sdk", "emulator", "--port", "0", "--store", "memory:"]
    with pytest.raises(ChildError):
        forked_child(["serve", *options], output=output).announced_url()
    said = output.read_text()
    assert "lifespan abilities.app:lifespan: it failed" in said
    assert 'abilities/app.py", line ' in said
    assert "OSError: no licence server at 10.0.0.9" in said
    assert "wwspec_router/" not in said
    assert "listening" not in said


def test_a_plain_context_manager_is_entered_and_left_on_one_thread_beside_the_loop() -> None:
    threads: list[str] = []

    @contextmanager
    def plain() -> Iterator[str]:
        threads.append(threading.current_thread().name)
        yield "state"
        threads.append(threading.current_thread().name)

    async def live() -> None:
        lifespan = Lifespan("app:plain", plain)
        assert await lifespan.open() == "state"
        await lifespan.close(5.0)
        await lifespan.close(5.0)  # harmless

    asyncio.run(live())
    assert len(threads) == 2
    assert set(threads) == {"wwspec-lifespan_0"}


def test_a_function_that_is_no_context_manager_is_named_with_the_fix() -> None:
    with pytest.raises(LifespanError, match=r"it returns an object of int; mark a function with @contextlib"):
        asyncio.run(Lifespan("app:number", lambda: 7).open())  # type: ignore[arg-type, return-value]


def test_closing_is_bounded_and_a_failure_there_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    @asynccontextmanager
    async def endless() -> AsyncIterator[None]:
        yield
        await asyncio.Event().wait()

    @asynccontextmanager
    async def failing() -> AsyncIterator[None]:
        yield
        raise OSError("the licence server is gone")

    async def live(lifespan: Lifespan) -> None:
        await lifespan.open()
        await lifespan.close(0.05)

    with caplog.at_level(logging.ERROR):
        asyncio.run(live(Lifespan("app:endless", endless)))
        asyncio.run(live(Lifespan("app:failing", failing)))
    slow, failed = (record.getMessage() for record in caplog.records)
    assert slow == "lifespan app:endless: it was not closed within 0.1 seconds"
    assert failed.startswith("lifespan app:failing: it failed to close\nTraceback")
    assert failed.endswith("OSError: the licence server is gone")
