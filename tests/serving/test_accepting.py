"""How the worker processes of one program share its connections."""

import asyncio
import contextlib
import os
import signal
import socket
from collections import Counter
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial, wraps
from inspect import Parameter, Signature, signature
from math import inf
from pathlib import Path
from typing import Any

import httpx
import pytest
from uvicorn.server import ServerState

from tests.serving.service import Serve, Service, serve_after
from tests.serving.workers.rig import LOOPS, LoopFactory, no_more_files, run_on
from tests.support.processes import alive
from tests.support.waiting import DEADLINE, wait_until
from wwspec_router.serving import accepting
from wwspec_router.serving.accepting import Acceptor, ConnectionCounts

PATIENT = serve_after("from wwspec_router.serving import accepting; accepting.PATIENCE = float('inf')")
"""`wwspec serve` whose worker processes leave a connection to those that have fewer, however long it waits."""


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let connections wait for the process that has the fewest, however slow this machine is."""
    monkeypatch.setattr(accepting, "PATIENCE", inf)


@pytest.mark.parametrize(
    ("own", "others", "is_left"),
    [(1, 0, True), (7, 6, True), (8, 7, False), (8, 6, True), (64, 56, False), (64, 55, True)],
)
def test_a_connection_is_left_to_who_has_fewer_by_more_than_an_eighth(own: int, others: int, is_left: bool) -> None:
    counts = ConnectionCounts(3)
    counts.show(0, own, 0)
    counts.show(2, others, 0)
    assert counts.with_fewer(0) == [2] * is_left


# On one event loop, in place of several processes


class Connected(asyncio.Protocol):
    def __init__(self, state: ServerState) -> None:
        self._state = state

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self._state.connections.add(self)  # type: ignore[arg-type]  # as good as one of uvicorn's

    def connection_lost(self, exc: Exception | None) -> None:
        self._state.connections.discard(self)


class Worker:
    """What accepts connections in one worker process."""

    def __init__(
        self, port: "Port", number: int, connect: Callable[[ServerState], asyncio.Protocol] = Connected
    ) -> None:
        port.workers.append(self)
        self.state = ServerState()
        self.listening = port.listening.dup()
        self.acceptor = Acceptor(
            asyncio.get_running_loop(), self.listening, partial(connect, self.state), self.state, port.counts, number
        )

    @property
    def connections(self) -> list[Connected]:
        return list(self.state.connections)  # type: ignore[arg-type]  # as good as uvicorn's

    async def close(self) -> None:
        self.acceptor.close()
        self.listening.close()
        await self.acceptor.wait_closed()
        for each in self.connections:
            each.transport.close()
        await has(self, 0)


class Port:
    def __init__(self) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.counts = ConnectionCounts(3)
        self.clients: list[socket.socket] = []
        self.workers: list[Worker] = []

    def connect(self, number: int) -> None:
        self.clients += [socket.create_connection(self.listening.getsockname()) for _ in range(number)]

    async def aclose(self) -> None:
        for worker in self.workers:
            await worker.close()
        for each in (*self.clients, self.listening):
            each.close()


def on_both_loops(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Make a coroutine function, which gets a port, a test on both loops."""

    async def alone(fixtures: dict[str, Any]) -> None:
        async with contextlib.aclosing(Port()) as port:
            await test(port, **fixtures)

    @wraps(test)
    def run(factory: LoopFactory, **fixtures: Any) -> None:
        run_on(factory, alone(fixtures))

    others = [*signature(test).parameters.values()][1:]
    run.__signature__ = Signature([Parameter("factory", Parameter.POSITIONAL_OR_KEYWORD), *others])  # type: ignore[attr-defined]  # for pytest
    both: Callable[..., None] = pytest.mark.parametrize("factory", LOOPS)(run)
    return both


async def until(condition: Callable[[], object]) -> None:
    while not condition():  # noqa: ASYNC110  # each turn is what is tested
        await asyncio.sleep(0)


async def has(worker: Worker, number: int) -> None:
    await until(lambda: len(worker.connections) == number)


@pytest.mark.usefixtures("patient")
@on_both_loops
async def test_connections_that_come_at_once_are_shared_evenly(port: Port) -> None:
    first = Worker(port, 0)
    port.connect(3)
    await has(first, 3)
    second = Worker(port, 1)
    port.connect(9)
    await has(first, 6)
    await has(second, 6)


@pytest.mark.usefixtures("patient")
@on_both_loops
async def test_connections_that_were_closed_make_room(port: Port) -> None:
    port.connect(12)
    first, second = Worker(port, 0), Worker(port, 1)
    await has(first, 6)
    await has(second, 6)
    for each in first.connections:
        each.transport.close()
    await has(first, 0)
    port.connect(6)
    await has(first, 6)
    assert len(second.connections) == 6


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("end", ["stops", "has ended"])
@on_both_loops
async def test_a_process_that_accepts_no_more_has_no_share_also_when_its_connections_end(port: Port, end: str) -> None:
    first, second = Worker(port, 0), Worker(port, 1)
    port.connect(4)
    await has(second, 2)
    second.acceptor.close()
    for each in second.connections:
        each.transport.close()
    await has(second, 0)
    if end == "has ended":
        port.counts.show(1, 0, 0)  # its last word
        port.counts.clear(1)  # its parent's
    port.connect(3)
    await has(first, 5)


@on_both_loops
async def test_a_process_that_hangs_keeps_no_connection_waiting_twice_and_has_its_share_again_when_it_accepts(
    port: Port, monkeypatch: pytest.MonkeyPatch
) -> None:
    port.counts.show(1, 0, 7)  # it has accepted 7, has none, and gives no sign again
    first = Worker(port, 0)
    port.connect(2)
    await has(first, 2)  # the second one waited for the other process
    monkeypatch.setattr(accepting, "PATIENCE", inf)
    port.connect(3)
    await has(first, 5)
    second = Worker(port, 1)
    port.connect(5)
    await has(second, 5)
    assert len(first.connections) == 5


@on_both_loops
async def test_a_connection_that_was_accepted_before_the_stop_is_among_those_that_are_stopped(port: Port) -> None:
    worker = Worker(port, 0)
    port.connect(1)
    before = port.counts.accepted()
    await until(lambda: port.counts.accepted() != before)
    worker.acceptor.close()
    await worker.acceptor.wait_closed()
    assert len(worker.connections) == 1


@on_both_loops
async def test_a_connection_that_another_process_took_is_no_error(port: Port, caplog: pytest.LogCaptureFixture) -> None:
    workers = [Worker(port, number) for number in range(3)]
    port.connect(1)  # which wakes all
    await until(lambda: any(worker.connections for worker in workers))
    for each in workers:
        each.acceptor.close()
        await each.acceptor.wait_closed()
    assert not caplog.records


@on_both_loops
async def test_a_connection_that_can_not_be_served_has_no_share(port: Port) -> None:
    def refuse(state: ServerState) -> asyncio.Protocol:
        raise ConnectionResetError

    Worker(port, 0, refuse)
    port.counts.show(1, 0, 0)
    port.connect(1)
    await until(lambda: port.counts.with_fewer(0))
    await until(lambda: not port.counts.with_fewer(0))
    assert port.clients[0].recv(1) == b""


@on_both_loops
async def test_small_answers_are_sent_at_once(port: Port) -> None:
    worker = Worker(port, 0)
    port.connect(1)
    await has(worker, 1)
    (connection,) = worker.connections
    accepted = connection.transport.get_extra_info("socket")
    assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@on_both_loops
async def test_a_process_without_a_file_for_a_connection_says_so_and_takes_it_later(
    port: Port, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(accepting, "RETRY", 0)
    worker = Worker(port, 0)
    port.connect(1)
    with no_more_files():
        await until(lambda: "no connection can be accepted (Too many open files): again in 0 s" in caplog.text)
    await has(worker, 1)


@on_both_loops
async def test_a_port_that_the_parent_has_shut_is_left_alone(
    port: Port, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(accepting, "RETRY", 0)
    worker = Worker(port, 0)
    port.listening.shutdown(socket.SHUT_RDWR)
    for _ in range(50):
        await asyncio.sleep(0)
    assert not asyncio.get_running_loop().remove_reader(worker.listening)
    worker.acceptor.close()
    assert not caplog.records


# In processes


def test_connections_of_a_program_are_shared_evenly_among_its_worker_processes(serve: Serve) -> None:
    service = serve("--workers", "2", command=PATIENT)
    service.pids(2)
    shares = answering(service, 12)
    assert all(5 <= share <= 7 for share in shares.values()), shares  # that of `pids` may be closing still


def test_while_one_loop_is_held_up_another_process_answers(serve: Serve, pool: ThreadPoolExecutor) -> None:
    service = serve("--workers", "2", "--hang-after", str(DEADLINE))
    pids = service.pids(2)
    running, held_up = service.begin(pool, "block", "door")
    assert answering(service, 5).keys() == pids - {held_up}
    (service.folder / "door").touch()
    assert running.result(DEADLINE) == held_up


def test_no_connection_waits_for_a_process_that_was_killed(serve: Serve) -> None:
    service = serve("--workers", "2", command=PATIENT)
    pids = service.pids(2)
    (service.folder / "slow").touch()  # its successor does not come up
    with httpx.Client(trust_env=False, timeout=DEADLINE) as client:
        survivor = service.reply("whoami", client=client)["pid"]
        (victim,) = pids - {survivor}
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: f"worker process {victim} was ended by signal 9" in service.log)
        assert service.call("whoami") == survivor
        (service.folder / "slow").unlink()
        assert service.pids(2) - {survivor}


def answering(service: Service, clients: int) -> Counter[int]:
    """Open so many connections at once, and return how often each process has answered a call on one."""
    with contextlib.ExitStack() as stack:
        opened = [stack.enter_context(httpx.Client(trust_env=False, timeout=DEADLINE)) for _ in range(clients)]
        return Counter(int(service.reply("whoami", client=client)["pid"]) for client in opened)


def listens(pid: int, port: int) -> bool:
    table = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    (socket_of_port,) = [row[9] for row in table if row[1].endswith(f":{port:04X}") and row[3] == "0A"]
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # it was closed meanwhile
            if str(each.readlink()) == f"socket:[{socket_of_port}]":
                return True
    return False


def test_no_connection_waits_for_a_process_that_stops(serve: Serve, pool: ThreadPoolExecutor) -> None:
    service = serve("--workers", "2", "--grace", str(DEADLINE), command=PATIENT)
    pids = service.pids(2)
    running, stopping = service.begin(pool, "wait", "door")
    (survivor,) = pids - {stopping}
    os.kill(stopping, signal.SIGTERM)
    wait_until(lambda: not listens(stopping, service.port))
    assert answering(service, 4).keys() == {survivor}
    (service.folder / "door").touch()
    assert running.result(DEADLINE) == stopping
    wait_until(lambda: not alive(stopping))
    assert service.pids(2) > {survivor}


def test_connections_that_wait_when_a_process_dies_are_the_other_s(serve: Serve, pool: ThreadPoolExecutor) -> None:
    service = serve("--workers", "2")
    first, second = service.pids(2)
    for pid in (first, second):
        os.kill(pid, signal.SIGSTOP)
        wait_until(lambda pid=pid: Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T")  # type: ignore[misc]
    calls = [pool.submit(service.call, "whoami") for _ in range(4)]
    os.kill(first, signal.SIGKILL)
    os.kill(second, signal.SIGCONT)
    assert all(call.result(DEADLINE) != first for call in calls)
