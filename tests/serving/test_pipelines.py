"""What a client sends before it has the answer to its request, and clients that close their sending side."""

import contextlib
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.serving.wire import (
    CALL,
    HOST,
    LAST,
    SHORTEST,
    Gate,
    Served,
    Start,
    ask,
    chunked,
    post,
    read_reply,
    read_to_end,
    statuses,
    until_closed,
)
from tests.support.waiting import DEADLINE, wait_until

MIB = 1 << 20
GARBAGE = [b"hello\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b"POST / HTTP/1.1\r\nhost\r\n\r\n"]


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def send_ahead(program: Served, client: socket.socket) -> int:
    """Send the shortest requests until nobody takes more; return how many bytes that were."""
    client.setblocking(False)
    sent = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            sent += client.send((SHORTEST * 10_000)[sent % len(SHORTEST) :])
            program.read_all()
    client.setblocking(True)
    return sent


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_what_is_sent_ahead_takes_no_memory_and_the_first_answer_is_read(start: Start, gate: Gate, loop: str) -> None:
    """16 MiB of the shortest POSTs made 1 GiB, since reading went on after each answer."""
    program = start(loop=loop)
    with program.calling(gate) as client:
        before = resident()
        assert send_ahead(program, client) > 0
        assert resident() - before < 4 * MIB
        gate.opened.set()
        received = read_to_end(client)
        assert statuses(received) == [200]
        assert b"\r\nconnection: close\r\n" in received


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
    program = start()
    with contextlib.ExitStack() as stack:
        for _ in range(8):
            client = stack.enter_context(program.connect())
            client.setblocking(False)
            client.send(SHORTEST * 100_000)
        assert program.post("invoke_sync_msg").status_code == 200


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
@pytest.mark.parametrize("ahead", [CALL + LAST, b"GET / HTTP/1.1\r\nhost: x\r\n\r\n" * 1000, *GARBAGE])
@pytest.mark.parametrize("is_apart", [False, True])
def test_what_comes_too_early_is_dropped(start: Start, gate: Gate, loop: str, ahead: bytes, is_apart: bool) -> None:
    """In the segment of the call, or in one of its own while the call is worked on."""
    program = start(loop=loop)
    with program.calling(gate, CALL if is_apart else CALL + ahead) as client:
        if is_apart:
            client.sendall(ahead)
        program.read_all()
        assert program.pending == 1
        gate.opened.set()
        received = read_to_end(client)
        assert statuses(received) == [200]
        assert b"\r\nconnection: close\r\n" in received


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
@pytest.mark.parametrize("call", [CALL, CALL * 3, post(version=b"1.0"), CALL + b"hello\r\n\r\n"])
def test_a_client_that_closes_its_sending_side_gets_its_reply(start: Start, gate: Gate, loop: str, call: bytes) -> None:
    program = start(loop=loop)
    program.sdk.invoke = gate
    with program.connect() as client:
        client.sendall(call)
        client.shutdown(socket.SHUT_WR)
        assert gate.entered.acquire(timeout=DEADLINE)
        program.read_all()
        gate.opened.set()
        assert statuses(read_to_end(client)) == [200]
    wait_until(lambda: program.open == 0)


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
@pytest.mark.parametrize("begun", [b"", CALL[:20], CALL[:-1], chunked(b"{}")[:-4], b"\r\n"])
def test_a_connection_whose_client_asks_nothing_more_is_closed_at_once(start: Start, loop: str, begun: bytes) -> None:
    program = start(loop=loop)
    with program.connect() as client:
        ask(client)
        client.sendall(begun)
        client.shutdown(socket.SHUT_WR)
        until_closed(client)
        wait_until(lambda: program.open == 0)


@pytest.mark.parametrize("leave", [socket.socket.close, lambda client: client.shutdown(socket.SHUT_WR)])
def test_a_reply_that_may_be_read_is_finished(start: Start, gate: Gate, leave: Callable[[socket.socket], None]) -> None:
    """A client that has closed looks the same as one that waits for its reply."""
    program = start()
    with program.calling(gate) as client:
        leave(client)
        program.read_all()
        assert program.pending == 1
        gate.opened.set()
        wait_until(lambda: program.pending == 0)
        wait_until(lambda: program.open == 0)
