"""Requests that a client sends before it has the answers to earlier ones, and clients that close their sending side."""

import asyncio
import contextlib
import json
import os
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.serving.conftest import sealed
from tests.serving.wire import (
    BODY,
    CALL,
    HOST,
    LAST,
    OK,
    PLAIN,
    SHORTEST,
    Gate,
    Start,
    chunked,
    post,
    read_reply,
    read_to_end,
    reply_of,
    starting,
    statuses,
    until_closed,
)
from tests.support.waiting import DEADLINE, wait_until
from wwspec_router.registry.table import AbilityTable

MIB = 1 << 20


@pytest.fixture
def start(table: AbilityTable) -> Iterator[Start]:
    with starting(table) as start:
        yield start


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.opened.set()


def resident() -> int:
    """Bytes that this process, which also serves, has in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def send_ahead(client: socket.socket, size: int, seconds: float) -> int:
    """Send so many bytes of the shortest requests while answers are read; return how many came within that time."""
    client.setblocking(False)
    requests = SHORTEST * 10_000
    ends = time.monotonic() + seconds
    sent = answers = 0
    while time.monotonic() < ends:
        readable, writable, _ = select.select([client], [client] if sent < size else [], [], 0.1)
        if readable:
            answers += client.recv(MIB).count(b"HTTP/1.1 200")
        if writable:
            sent += client.send(requests[sent % len(SHORTEST) :])
    return answers


def test_requests_that_are_sent_ahead_take_no_memory(start: Start) -> None:
    """Row 1: 16 MiB of the shortest POSTs made 1 GiB, since reading went on after each answer."""
    program = start()
    with program.connect() as client:
        assert send_ahead(client, MIB, 0.5) > 0
        before = resident()
        assert send_ahead(client, 16 * MIB, 2.0) > 0
        assert resident() - before < 16 * MIB


def test_idle_connections_hold_no_memory_of_their_calls(start: Start) -> None:
    program = start()
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(program.connect()) for _ in range(64)]
        before = resident()
        for client in clients:
            client.sendall(post(head=HOST, body=b"x" * MIB))
            assert statuses(read_reply(client)) == [200]
        assert resident() - before < 16 * MIB


def test_a_call_of_another_client_is_answered_while_one_sends_ahead(start: Start) -> None:
    """Row 1: with the requests of some such clients in memory nobody was answered."""
    program = start()
    with contextlib.ExitStack() as stack:
        for _ in range(8):
            client = stack.enter_context(program.connect())
            client.setblocking(False)
            client.send(SHORTEST * 100_000)
        assert program.post("invoke_sync_msg").status_code == 200


def test_requests_that_are_answered_at_once_leave_others_their_turn(start: Start) -> None:
    program = start()
    state = program.server.server_state
    counting = threading.Event()

    async def most_in_a_turn(requests: int) -> int:
        most, before = 0, state.total_requests
        while state.total_requests < requests:
            await asyncio.sleep(0)
            counting.set()
            most, before = max(most, state.total_requests - before), state.total_requests
        return most

    assert program.loop is not None
    with program.connect() as client:
        found = asyncio.run_coroutine_threadsafe(most_in_a_turn(1001), program.loop)
        assert counting.wait(DEADLINE)
        client.sendall(b"GET / HTTP/1.1\r\n\r\n" * 1000 + LAST)
        assert statuses(read_to_end(client)) == [405] * 1000 + [200]
    assert found.result(DEADLINE) <= 2


def test_a_thousand_calls_sent_ahead_are_answered_in_their_order(start: Start) -> None:
    """Row 1: what bounds an attacker must not touch who only asks ahead."""
    program = start()
    program.sdk.invoke = lambda api, request: reply_of(str(json.loads(request)["chatid"]))
    calls = [post(body=sealed("invoke_get_group_chat", {"chatid": f"call {number}"})) for number in range(1000)]
    with program.connect() as client:
        client.sendall(b"".join(calls) + LAST)
        received = read_to_end(client)
    answered = [int(part.partition(b'"')[0]) for part in received.split(b"call ")[1:]]
    assert answered == list(range(1000))
    assert statuses(received) == [200] * 1001


def test_a_request_that_is_sent_ahead_begins_when_the_one_before_it_is_answered(start: Start, gate: Gate) -> None:
    """Row 1: one request of a connection is worked on at a time."""
    program = start()
    program.sdk.invoke = gate
    with program.connect() as client:
        client.sendall(CALL + CALL + LAST)
        assert gate.entered.acquire(timeout=DEADLINE)
        program.read_all()
        assert program.pending == 1
        gate.opened.set()
        assert statuses(read_to_end(client)) == [200] * 3


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_a_body_of_empty_lines_and_calls_after_it_are_answered(start: Start, loop: str) -> None:
    """Row 1: an empty line may end a request, and these end none."""
    program = start(loop=loop)
    request = chunked(b"\r\n\r\n" * 100_000, b"\r\n\r\n" * 100_000).replace(PLAIN, b"host: x\r\n")
    assert statuses(program.talk(request + CALL + request, CALL, LAST)) == [200] * 5


@pytest.mark.parametrize("garbage", [b"hello\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b"POST / HTTP/1.1\r\nhost\r\n\r\n"])
@pytest.mark.parametrize("calls", [CALL, CALL * 3, chunked(BODY), CALL + LAST.replace(b"connection", b"x-y")])
def test_garbage_after_good_calls_is_refused_after_their_replies(start: Start, garbage: bytes, calls: bytes) -> None:
    """Row 19: the refusal came in place of the replies, when it did not wait for them."""
    received = start().talk(calls + garbage)
    good = calls.count(b" HTTP/1.1\r\n")
    assert statuses(received) == [200] * good + [400]
    assert received.endswith(b"Invalid HTTP request received.")


def test_garbage_that_comes_while_a_call_is_worked_on_is_refused_after_its_reply(start: Start, gate: Gate) -> None:
    """Row 19: also in a segment of its own."""
    program = start()
    program.sdk.invoke = gate
    with program.connect() as client:
        client.sendall(CALL)
        assert gate.entered.acquire(timeout=DEADLINE)
        client.sendall(b"hello\r\n\r\n")
        program.read_all()
        gate.opened.set()
        assert statuses(read_to_end(client)) == [200, 400]


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
@pytest.mark.parametrize("calls", [CALL, CALL * 3, CALL + post(b"/other") + post(version=b"1.0")])
def test_a_client_that_closes_its_sending_side_gets_its_replies(
    start: Start, gate: Gate, loop: str, calls: bytes
) -> None:
    """Row 19: it got none, and its calls were given up."""
    program = start(loop=loop)
    program.sdk.invoke = gate
    with program.connect() as client:
        client.sendall(calls)
        client.shutdown(socket.SHUT_WR)
        assert gate.entered.acquire(timeout=DEADLINE)
        program.read_all()
        gate.opened.set()
        received = read_to_end(client)
    good = [404 if b"/other" in call else 200 for call in calls.split(b"POST ")[1:]]
    assert statuses(received) == good
    wait_until(lambda: program.open == 0)


def test_a_client_that_closes_its_sending_side_after_garbage_gets_its_refusal(start: Start) -> None:
    """Row 19: both at once."""
    program = start()
    with program.connect() as client:
        client.sendall(CALL + b"hello\r\n\r\n")
        client.shutdown(socket.SHUT_WR)
        assert statuses(read_to_end(client)) == [200, 400]


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
@pytest.mark.parametrize("begun", [b"", CALL[:20], CALL[:-1], chunked(b"{}")[:-4], b"\r\n"])
def test_a_connection_whose_client_asks_nothing_more_is_closed_at_once(start: Start, loop: str, begun: bytes) -> None:
    """Row 19: only who waits for a reply is kept."""
    program = start(loop=loop)
    with program.connect() as client:
        client.sendall(CALL)
        assert read_reply(client).endswith(OK)
        client.sendall(begun)
        client.shutdown(socket.SHUT_WR)
        until_closed(client)
        wait_until(lambda: program.open == 0)


@pytest.mark.parametrize("leave", [socket.socket.close, lambda client: client.shutdown(socket.SHUT_WR)])
def test_a_call_whose_client_may_still_read_is_worked_on_to_its_end(
    start: Start, gate: Gate, leave: Callable[[socket.socket], None]
) -> None:
    """Row 19: a client that has closed looks the same as one that waits for its reply."""
    program = start()
    program.sdk.invoke = gate
    with program.connect() as client:
        client.sendall(CALL)
        assert gate.entered.acquire(timeout=DEADLINE)
        leave(client)
        program.read_all()
        assert program.pending == 1
        gate.opened.set()
        wait_until(lambda: program.pending == 0)
        wait_until(lambda: program.open == 0)
