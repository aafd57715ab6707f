"""A client that sends all of a request before it reads gets the answer, also when that came before the end."""

import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import pytest

from tests.serving.wire import BODY, CALL, Served, Start, chunked, post, read_to_end, statuses
from tests.support.waiting import wait_until
from wwspec_router.http1 import bounds

MB = 1_000_000
TOO_LARGE = b"the body is too large\n"


def send_all_then_read(program: Served, *pieces: bytes) -> bytes:
    with program.connect() as client:
        for piece in pieces:
            client.sendall(piece)
        return read_to_end(client)


def announced(size: int) -> list[bytes]:
    return [b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % size, b"x" * size]


def unannounced(size: int) -> list[bytes]:
    head = b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
    return [head, (b"f4240\r\n" + b"x" * MB + b"\r\n") * (size // MB), b"0\r\n\r\n"]


@pytest.mark.parametrize("form", [announced, unannounced])
def test_the_refusal_of_a_large_body_is_read_by_its_sender(start: Start, form: Callable[[int], list[bytes]]) -> None:
    program = start(max_body=MB)
    for size in [8 * MB] * 4 + [64 * MB]:  # 25 MB a second are read
        received = send_all_then_read(program, *form(size))
        assert statuses(received) == [413]
        assert received.endswith(TOO_LARGE)


@pytest.mark.parametrize("loop", ["uvloop", pytest.param("asyncio", marks=pytest.mark.slow)])  # 2 s of a processor
def test_several_such_clients_at_once_all_read_theirs(start: Start, loop: str) -> None:
    program = start(max_body=MB, loop=loop)
    with ThreadPoolExecutor(4) as pool:
        received = list(pool.map(lambda _: send_all_then_read(program, *announced(8 * MB)), range(12)))
    assert [statuses(each) for each in received] == [[413]] * 12


@pytest.mark.parametrize(
    ("status", "pieces"),
    [
        (400, [b"hello\r\n\r\n", b"x" * 4 * MB]),
        (400, [b"POST / HTTP/1.1\r\n", b"x-a: " + b"a" * 4 * MB]),
        (200, [CALL + b"hello\r\n\r\n", b"x" * 4 * MB]),
        (200, [CALL * 2, CALL * 10_000]),
        (200, [post(more=b"connection: close\r\n") + b"x", b"x" * 4 * MB]),
    ],
)
def test_other_last_answers_are_read_too(start: Start, status: int, pieces: list[bytes]) -> None:
    assert statuses(send_all_then_read(start(), *pieces)) == [status]


def test_a_sender_that_takes_too_long_and_goes_on_reads_why(start: Start) -> None:
    program = start(body_timeout=0.1)
    with program.connect() as client:
        client.sendall(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5000000\r\n\r\nxxx")
        assert client.recv(1, socket.MSG_PEEK)  # it has answered
        client.sendall(b"x" * 4 * MB)
        assert statuses(read_to_end(client)) == [408]


def test_a_client_beyond_the_limit_on_connections_reads_why(start: Start) -> None:
    program = start(connections=1)
    with program.connect() as client:
        client.sendall(b"POST")
        wait_until(lambda: program.open == 1)
        assert statuses(send_all_then_read(program, *announced(4 * MB))) == [503]


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_a_client_that_stays_is_not_waited_for_long(start: Start, loop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "LINGER_SECONDS", 0.2)
    program = start(max_body=MB, loop=loop)
    with program.connect() as client:
        client.sendall(announced(2 * MB)[0])
        assert statuses(read_to_end(client)) == [413]
        wait_until(lambda: program.open == 0)


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_a_client_that_sends_without_end_is_cut_off(start: Start, loop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "LINGER_BYTES", 4 * MB)
    program = start(max_body=MB, loop=loop)
    with program.connect() as client, pytest.raises(ConnectionError):
        client.sendall(announced(100 * MB)[0])
        while True:
            client.sendall(b"x" * MB)
    wait_until(lambda: program.open == 0)


def test_a_stop_does_not_wait_for_who_goes_on_sending(start: Start) -> None:
    program = start(max_body=MB)
    with program.connect() as client:
        client.sendall(announced(2 * MB)[0])
        assert client.recv(1, socket.MSG_PEEK)
        begun = monotonic()
        program.server.should_exit = True
        wait_until(lambda: program.open == 0)
        assert monotonic() - begun < bounds.LINGER_SECONDS / 2


def test_a_connection_that_lingers_counts_as_one(start: Start) -> None:
    program = start(max_body=MB, connections=1)
    with program.connect() as client:
        client.sendall(announced(2 * MB)[0])
        assert client.recv(1, socket.MSG_PEEK)
        assert statuses(program.talk(CALL)) == [503]


def test_a_call_whose_chunks_go_bad_is_refused_and_that_is_all(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    """The application, which waits for the rest of the body, must not write into a connection that lingers."""
    program = start()
    with program.connect() as client:
        client.sendall(chunked(BODY)[:-10])
        program.read_all()
        client.sendall(b"zz\r\n")
        assert statuses(read_to_end(client)) == [400]
        wait_until(lambda: not program.server.server_state.tasks)
    assert "ERROR" not in caplog.text
