"""Large bodies: what a worker holds of them, and which are refused when that is too much."""

import socket
import tracemalloc
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from hypothesis import given, strategies as st

from tests.serving.wire import (
    CALL,
    HOST,
    Gate,
    Served,
    Start,
    chunked,
    finish,
    post,
    read_reply,
    read_to_end,
    starting,
    statuses,
)
from tests.support.waiting import DEADLINE
from wwspec_router.http1 import bounds
from wwspec_router.http1.framing import Reader
from wwspec_router.registry.table import AbilityTable

KIB = 1 << 10
MIB = 1 << 20


@pytest.fixture(params=[False, True], ids=["serve", "asgi"])
def start(request: pytest.FixtureRequest, table: AbilityTable, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    monkeypatch.setattr(bounds, "BODY_BUDGET", 2 * MIB)
    with starting(table) as start:
        yield lambda **options: start(max_body=MIB, by_uvicorn=request.param, **options)


def large(size: int) -> bytes:
    return post(head=HOST, body=b"x" * size)


class Senders:
    """Clients that send all of a body but its last byte."""

    def __init__(self, program: Served, stack: ExitStack) -> None:
        self._program = program
        self._stack = stack

    def send(self, size: int) -> socket.socket:
        client = self._stack.enter_context(self._program.connect())
        client.sendall(large(size)[:-1])
        self._program.read_sent(client)
        return client


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def test_the_body_that_has_been_coming_longest_is_refused_when_there_is_too_much(
    start: Start, stack: ExitStack
) -> None:
    senders = Senders(start(), stack)
    first, second, third = [senders.send(700 * KIB) for _ in range(3)]
    received = read_to_end(first)
    assert statuses(received) == [503]
    assert b"\r\nconnection: close\r\n" in received
    finish(second, third)


def test_bodies_of_up_to_256_kib_never_count(start: Start, stack: ExitStack) -> None:
    senders = Senders(start(), stack)
    clients = [senders.send(256 * KIB) for _ in range(12)]
    finish(*clients)


def test_what_is_refused_or_gone_counts_no_longer(start: Start, stack: ExitStack) -> None:
    program = start()
    senders = Senders(program, stack)
    for _ in range(4):
        senders.send(700 * KIB).close()
    one, other = senders.send(700 * KIB), senders.send(700 * KIB)
    finish(one, other)


def test_bodies_that_wait_for_a_thread_count_until_one_takes_them(start: Start, gate: Gate, stack: ExitStack) -> None:
    program = start(threads=1)
    program.sdk.invoke = gate
    senders = Senders(program, stack)
    busy = stack.enter_context(program.connect())
    busy.sendall(CALL)
    assert gate.entered.acquire(timeout=DEADLINE)
    waiting = [senders.send(900 * KIB) for _ in range(2)]
    for client in waiting:
        client.sendall(b"x")
        program.read_sent(client)
    assert statuses(read_to_end(senders.send(500 * KIB))) == [503]
    gate.opened.set()
    for client in (busy, *waiting):
        assert statuses(read_reply(client)) == [200]
    later = senders.send(500 * KIB)
    later.sendall(b"x")
    assert statuses(read_reply(later)) == [200]


def test_two_of_the_largest_bodies_fit(table: AbilityTable, stack: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "BODY_BUDGET", 1)
    with starting(table) as start:
        senders = Senders(start(max_body=MIB), stack)
        finish(*[senders.send(MIB), senders.send(MIB)])


def test_a_body_in_chunks_of_two_bytes_takes_little_more_memory_than_it_has() -> None:
    reader = Reader(MIB)
    request = chunked(*[b"xy"] * (32 * KIB))
    tracemalloc.start()
    try:
        for place in range(0, len(request), 8 * KIB):
            reader.feed(request[place : place + 8 * KIB])
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 3 * 64 * KIB
    assert reader.pop_call()[1] == b"xy" * (32 * KIB)


@given(sizes=st.lists(st.sampled_from([1, 2, 4095, 4096, 65_535, 70_000]), max_size=20))
def test_a_body_is_whole_whatever_its_pieces(sizes: list[int]) -> None:
    chunks = [bytes([number]) * size for number, size in enumerate(sizes)]
    reader = Reader(2 * MIB)
    reader.feed(chunked(*chunks))
    assert reader.pop_call()[1] == b"".join(chunks)
