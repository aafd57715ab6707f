"""Clients in processes that were forked after the clients had been used."""

import json
import os
import socket
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import anyio
import pytest

from tests.client.scripted import reply, scripted
from tests.support.emulator import Response, http_server
from tests.support.waiting import DEADLINE
from wwspec_client import AsyncZoneClient, RetryPolicy, Suite, ZoneClient
from wwspec_client.stores import Installation, MemoryInstallationStore

CALLS = 60
"""Of each process at the same time: without new connections nearly each of them fails."""
ONCE = RetryPolicy(attempts=1)


def echo(headers: list[tuple[str, str]], body: bytes) -> Response:
    """Answer as WeCom with a program that replies with its request."""
    tokens = {"access_token": "token", "suite_access_token": "suite", "expires_in": 7200}
    answer = {"errcode": 0, "response_data": json.loads(body).get("request_data", ""), **tokens}
    return 200, {}, json.dumps(answer).encode()


class Server(NamedTuple):
    url: str
    connections: list[socket.socket]


@pytest.fixture
def server() -> Iterator[Server]:
    """WeCom, over connections that stay open."""
    connections: list[socket.socket] = []
    with http_server(echo, lambda path: echo([], b"{}"), connections) as url:
        yield Server(url, connections)


@contextmanager
def child(work: Callable[[], object]) -> Iterator[None]:
    """Run work in a forked process, while the block runs here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # a server that forks may have threads, as this process has
        process = os.fork()
    if process == 0:
        try:
            work()
        except BaseException as error:
            os.write(2, f"in the child: {type(error).__name__}: {error}\n".encode())
            os._exit(1)
        os._exit(0)
    try:
        yield
    finally:
        assert os.waitpid(process, 0)[1] == 0


def call_often(client: ZoneClient, name: str) -> None:
    for number in range(CALLS):
        asked = {"asked": f"{name} {number}"}
        assert client.call("echo", asked) == asked


def served_client(server: Server, **options: Any) -> ZoneClient:
    return ZoneClient("corp", "secret", program_id="p", base_url=server.url, retries=ONCE, **options)


def client_of_a_suite(server: Server) -> ZoneClient:
    store = MemoryInstallationStore()
    store.replace(None, Installation(suite_id="suite", corpid="corp", permanent_code="code"))
    store.save_ticket("suite", "ticket", 1.0)
    url = server.url
    return Suite("suite", "secret", installations=store, program_id="p", base_url=url, retries=ONCE).corp("corp")


def client_with_options(server: Server) -> ZoneClient:
    return served_client(server).with_options(timeout=20)  # its first client is gone


@pytest.mark.parametrize("make", [served_client, client_of_a_suite, client_with_options])
def test_parent_and_child_that_call_at_the_same_time_get_their_own_answers(
    server: Server, make: Callable[[Server], ZoneClient]
) -> None:
    client = make(server)
    call_often(client, "before")
    with child(lambda: call_often(client, "child")):
        call_often(client, "parent")
    client.close()
    assert len(server.connections) == 2, "each has one, and keeps it"


def test_a_token_that_another_thread_fetches_at_the_fork_is_fetched_in_the_child(server: Server) -> None:
    fetching, forked = threading.Event(), threading.Event()

    def fetch() -> str:
        if threading.current_thread() is waiting:
            fetching.set()
            assert forked.wait(DEADLINE)
        return "token"

    with ZoneClient(tokens=fetch, program_id="p", base_url=server.url, retries=ONCE) as client:
        waiting = threading.Thread(target=client.call, args=("echo", {}))
        waiting.start()
        assert fetching.wait(DEADLINE)

        def work() -> None:
            calling = threading.Thread(target=call_often, args=(client, "child"), daemon=True)
            calling.start()
            calling.join(DEADLINE)
            assert not calling.is_alive(), "it waits for a lock of the parent"

        with child(work):
            forked.set()
        waiting.join()


def test_a_transport_of_the_apps_own_is_left_alone() -> None:
    with scripted(reply()) as (client, script):
        client.call("echo", {})

        def work() -> None:
            client.call("echo", {})
            assert len(script.requests) == 2

        with child(work):
            assert len(script.requests) == 1


def test_an_async_client_works_on_the_loop_of_a_child(server: Server) -> None:
    client = AsyncZoneClient("corp", "secret", program_id="p", base_url=server.url, retries=ONCE)

    async def call_all(name: str) -> None:
        for number in range(CALLS):
            asked = {"asked": f"{name} {number}"}
            assert await client.call("echo", asked) == asked

    async def use() -> None:
        await call_all("before")
        with child(lambda: anyio.run(call_all, "child")):
            await call_all("parent")
        await client.aclose()

    anyio.run(use)
    assert len(server.connections) == 2
