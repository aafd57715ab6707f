"""What `wwspec_router/http1` asks of uvicorn: that its server works with a protocol class of somebody else.

scripts/release runs this file with the newest uvicorn, too. It needs nothing of tests/.
"""

import ast
import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from importlib.metadata import requires, version
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import uvicorn
from packaging.requirements import Requirement

import wwspec_router.http1
from wwspec_router.http1.answers import Answer, Headers, OnAnswer, plain
from wwspec_router.http1.bounds import Limits
from wwspec_router.http1.budget import BodyBudget
from wwspec_router.http1.connection import Connection
from wwspec_router.http1.turns import Turns
from wwspec_router.serving.accepting import Acceptor, ConnectionCounts

DEADLINE = 300.0
REQUEST = b"GET /page HTTP/1.1\r\nhost: x\r\n\r\n"
FOLDER = Path(wwspec_router.http1.__path__[0])
USED = {
    "config": {"timeout_keep_alive"},
    "server_state": {"connections", "default_headers", "total_requests"},
}
"""What is read of what uvicorn hands over."""


class EmptyProgram:
    """Has one page, and takes no calls."""

    def submit(self, headers: Headers, body: bytes, on_answer: OnAnswer) -> None:
        on_answer(plain(503, "no calls\n"))

    def page(self, path: str) -> Answer | None:
        return plain(200, "the page\n") if path == "/page" else None


async def application(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError("no request goes to an ASGI application")


class Served:
    """uvicorn's own server, with our class and one loopback port."""

    def __init__(self, server: type[uvicorn.Server] = uvicorn.Server, **options: Any) -> None:
        self.made: list[dict[str, Any]] = []
        self.turns = Turns()
        config = uvicorn.Config(application, http=self._make, lifespan="off", log_config=None, **options)  # type: ignore[arg-type]
        self.server = server(config)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.thread = Thread(target=partial(asyncio.run, self.server.serve([self.socket])))

    def _make(self, **arguments: Any) -> Connection:
        self.made.append(arguments)
        limits = Limits(8, DEADLINE, DEADLINE, 1000)
        bodies = BodyBudget(limits.max_body)
        return Connection(**arguments, program=EmptyProgram(), limits=limits, bodies=bodies, turns=self.turns)

    def connect(self) -> socket.socket:
        return socket.create_connection(self.socket.getsockname(), DEADLINE)


@contextmanager
def served(**options: Any) -> Iterator[Served]:
    program = Served(**options)
    program.thread.start()
    try:
        yield program
    finally:
        program.server.should_exit = True
        program.thread.join(DEADLINE)
        program.socket.close()
        assert not program.thread.is_alive()


def reply(client: socket.socket) -> bytes:
    received = b""
    while not received.endswith(b"the page\n"):
        piece = client.recv(1000)
        assert piece, received
        received += piece
    return received


def test_the_server_makes_each_connection_of_the_four_things_that_ours_takes() -> None:
    with served() as program, program.connect() as client:
        client.sendall(REQUEST)
        reply(client)
        (made,) = program.made
    assert made.keys() == {"config", "server_state", "app_state", "_loop"}
    assert made["config"] is program.server.config
    assert made["server_state"] is program.server.server_state


def test_the_server_s_headers_are_sent_and_its_count_of_requests_ends_it() -> None:
    with served(limit_max_requests=2, headers=[("x-server", "ours")]) as program, program.connect() as client:
        for _ in range(2):
            client.sendall(REQUEST)
            head = reply(client)
            assert b"\r\ndate: " in head
            assert b"\r\nx-server: ours\r\n" in head
        program.thread.join(DEADLINE)
        assert not program.thread.is_alive()


class Sharing(uvicorn.Server):
    """As in each of several worker processes: it gets no socket, and its connections from us."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup([])
        assert sockets is not None
        make: Any = self.config.http_protocol_class
        connect = partial(make, config=self.config, server_state=self.server_state, app_state=self.lifespan.state)
        loop = asyncio.get_running_loop()
        self.acceptor = Acceptor(loop, sockets[0], connect, self.server_state, ConnectionCounts(2), 0)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.acceptor.close()
        await super().shutdown(sockets)


@pytest.mark.parametrize("server", [uvicorn.Server, Sharing])
def test_a_server_that_stops_closes_an_idle_connection_that_it_or_we_accepted(server: type[uvicorn.Server]) -> None:
    with served(server=server) as program, program.connect() as client:
        client.sendall(REQUEST)
        assert b"\r\ndate: " in reply(client)
        assert len(program.server.server_state.connections) == 1
        program.server.should_exit = True
        assert client.recv(1000) == b""
        program.thread.join(DEADLINE)
        assert not program.server.server_state.connections


def test_nothing_else_of_uvicorn_is_imported_or_read() -> None:
    imported, read = set(), {name: set[str]() for name in USED}
    for path in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {each.name for each in node.names if each.name.startswith("uvicorn")}
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("uvicorn"):
                imported |= {f"{node.module}.{each.name}" for each in node.names}
            elif isinstance(node, ast.Attribute):
                owner = ast.unparse(node.value).removeprefix("self._")
                owner = {"server": "server_state"}.get(owner, owner)
                if owner in USED:
                    read[owner].add(node.attr)
    assert imported == {"uvicorn.Config", "uvicorn.server.ServerState"}
    assert read == USED


@pytest.mark.parametrize(("other", "fits"), [(version("uvicorn"), True), ("0.999.0", True), ("1.0.0", False)])
def test_every_uvicorn_below_the_next_major_is_taken(other: str, fits: bool) -> None:
    (bound,) = {each.specifier for each in map(Requirement, requires("wwspec-router") or []) if each.name == "uvicorn"}
    assert (other in bound) == fits
