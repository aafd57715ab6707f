"""Large bodies: what a worker holds of them, and which are refused when that is too much."""

import socket
import tracemalloc
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from hypothesis import given, strategies as st

from tests.serving.wire import (
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


def send(program: Served, stack: ExitStack, size: int) -> socket.socket:
    """Let a client send all of a body but its last byte."""
    client = stack.enter_context(program.connect())
    client.sendall(post(head=HOST, body=b"x" * size)[:-1])
    program.read_sent(client)
    return client


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def test_the_body_that_has_been_coming_longest_is_refused_when_there_is_too_much(
    start: Start, stack: ExitStack
) -> None:
    program = start()
    first, second, third = [send(program, stack, 700 * KIB) for _ in range(3)]
    received = read_to_end(first)
    assert statuses(received) == [503]
    assert b"\r\nconnection: close\r\n" in received
    finish(second, third)


def test_bodies_of_up_to_256_kib_never_count(start: Start, stack: ExitStack) -> None:
    program = start()
    finish(*[send(program, stack, 256 * KIB) for _ in range(12)])


def test_what_is_refused_or_gone_counts_no_longer(start: Start, stack: ExitStack) -> None:
    program = start()
    for _ in range(4):
        send(program, stack, 700 * KIB).close()
    finish(*[send(program, stack, 700 * KIB) for _ in range(2)])


def test_bodies_that_wait_for_a_thread_count_until_one_takes_them(start: Start, gate: Gate, stack: ExitStack) -> None:
    program = start(threads=1)
    busy = stack.enter_context(program.calling(gate))
    waiting = [send(program, stack, 900 * KIB) for _ in range(2)]
    for client in waiting:
        client.sendall(b"x")
        program.read_sent(client)
    assert statuses(read_to_end(send(program, stack, 500 * KIB))) == [503]
    gate.opened.set()
    for client in (busy, *waiting):
        assert statuses(read_reply(client)) == [200]
    finish(send(program, stack, 500 * KIB))


def test_two_of_the_largest_bodies_fit(table: AbilityTable, stack: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "BODY_BUDGET", 1)
    with starting(table) as start:
        program = start(max_body=MIB)
        finish(*[send(program, stack, MIB) for _ in range(2)])


def test_a_body_in_chunks_of_16_bytes_takes_little_more_memory_than_it_has() -> None:
    reader = Reader(MIB)
    request = chunked(*[b"0123456789abcdef"] * (4 * KIB))
    tracemalloc.start()
    try:
        for place in range(0, len(request), 8 * KIB):
            reader.feed(request[place : place + 8 * KIB])
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 3 * 64 * KIB
    assert reader.pop_call()[1] == b"0123456789abcdef" * (4 * KIB)


@given(sizes=st.lists(st.sampled_from([1, 2, 4095, 4096, 65_535, 70_000]), max_size=20))
def test_a_body_is_whole_whatever_its_pieces(sizes: list[int]) -> None:
    chunks = [bytes([number]) * size for number, size in enumerate(sizes)]
    reader = Reader(2 * MIB)
    reader.feed(chunked(*chunks))
    assert reader.pop_call()[1] == b"".join(chunks)
