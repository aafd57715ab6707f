"""What travels on a connection, byte for byte: uvicorn's own protocol class is the measure of ours."""

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from time import monotonic

import pytest

from tests.serving.wire import (
    BODY,
    CALL,
    HOST,
    LAST,
    OK,
    PLAIN,
    Gate,
    PlainSdk,
    Served,
    Start,
    ask,
    chunked,
    post,
    read_reply,
    read_to_end,
    reply_of,
    reset,
    starting,
    statuses,
    until_closed,
)
from tests.support.tables import for_each
from tests.support.waiting import DEADLINE, wait_until
from wwspec_router.http1 import bounds
from wwspec_router.http1.bounds import HEAD_BYTES
from wwspec_router.registry.table import AbilityTable
from wwspec_router.sdk.base import SealedReply


@pytest.fixture(scope="module")
def served(table: AbilityTable) -> Iterator[Served]:
    with starting(table) as start:
        yield start(max_body=1000)


@pytest.fixture(scope="module")
def by_uvicorn(table: AbilityTable) -> Iterator[Served]:
    """The same program, served by uvicorn's own protocol class."""
    with starting(table) as start:
        yield start(max_body=1000, by_uvicorn=True)


SCENARIOS: dict[str, tuple[list[bytes], list[int]]] = {
    "one call": ([CALL, LAST], [200, 200]),
    "calls one after another": ([CALL, CALL, CALL, LAST], [200] * 4),
    "close": ([post(more=b"connection: close\r\n")], [200]),
    "close, and more sent": ([post(more=b"connection: close\r\n") + CALL], [200]),
    "HTTP/1.0": ([post(version=b"1.0")], [200]),
    "HTTP/1.0 with keep-alive": ([post(version=b"1.0", more=b"connection: keep-alive\r\n")], [200]),
    "HTTP/2.0": ([post(version=b"2.0", more=b"connection: close\r\n")], [200]),
    "HTTP/1.7": ([post(version=b"1.7"), LAST], [400]),
    "head and body apart": ([CALL[: -len(BODY)], BODY, LAST], [200, 200]),
    "byte by byte": ([CALL[index : index + 1] for index in range(len(CALL))] + [LAST], [200, 200]),
    "chunked": ([chunked(BODY[:10], BODY[10:]), LAST], [200, 200]),
    "chunk extensions": ([chunked(BODY[:10], BODY[10:], extension=b";name=value"), LAST], [200, 200]),
    "chunk of a bad size": ([chunked(BODY).replace(b"\r\n\r\n", b"\r\n\r\nzz", 1), LAST], [400]),
    "chunk of a size below zero": ([chunked().replace(b"\r\n0\r\n", b"\r\n-6\r\n"), LAST], [400]),
    "chunk of a size with a prefix": ([chunked().replace(b"\r\n0\r\n", b"\r\n0x0\r\n"), LAST], [400]),
    "expect": ([CALL.replace(PLAIN, PLAIN + b"expect: 100-continue\r\n")[: -len(BODY)], BODY, LAST], [100, 200, 200]),
    "expect too large": (
        [b"POST / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 1001\r\n\r\n"],
        [413],
    ),
    "expect something else": ([post(more=b"expect: 200-ok\r\n"), LAST], [200, 200]),
    "announced too large": ([post(body=b"x" * 1001)], [413]),
    "just not too large": ([post(head=HOST, body=b"x" * 1000), LAST], [200, 200]),
    "chunks too large": ([chunked(b"x" * 600, b"x" * 600)], [413]),
    "no request at all": ([b"hello\r\n\r\n"], [400]),
    "no request after a call": ([CALL, b"hello\r\n\r\n"], [200, 400]),
    "TLS": ([b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"], [400]),
    "unknown method": ([b"BREW / HTTP/1.1\r\nhost: x\r\n\r\n"], [400]),
    "header without a colon": ([b"POST / HTTP/1.1\r\nhost\r\n\r\n"], [400]),
    "header with a space in its name": ([b"POST / HTTP/1.1\r\nho st: x\r\n\r\n"], [400]),
    "header with NUL": ([post(more=b"x-a: \x00\r\n")], [400]),
    "header with Latin-1": ([post(more=b"x-a: \xe9\r\n"), LAST], [200, 200]),
    "header folded": ([post(more=b"x-a: a\r\n b\r\n"), LAST], [400]),
    "header in capitals": (
        [CALL.replace(b"ww-plain", b"WW-PLAIN").replace(b"content-l", b"Content-L"), LAST],
        [200, 200],
    ),
    "no length": ([b"POST / HTTP/1.1\r\n" + HOST + b"\r\n", LAST], [200, 200]),
    "length zero": ([post(head=HOST, body=b""), LAST], [200, 200]),
    "length that is none": ([b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: x\r\n\r\n"], [400]),
    "length below zero": ([b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n"], [400]),
    "length beyond 64 bits": ([b"POST / HTTP/1.1\r\ncontent-length: 99999999999999999999\r\n\r\n"], [400]),
    "length of 5,000 nines": ([b"POST / HTTP/1.1\r\ncontent-length: " + b"9" * 5000 + b"\r\n\r\n"], [400]),
    "two lengths": ([post(more=b"content-length: 1\r\n")], [400]),
    "length and chunks": ([post(more=b"transfer-encoding: chunked\r\n")], [400]),
    "another transfer encoding": ([post(more=b"transfer-encoding: gzip\r\n")], [400]),
    "line feeds alone": ([CALL.replace(b"\r\n", b"\n"), LAST], [400]),
    "empty lines first": ([b"\r\n\r\n" + CALL + b"\r\n\r\n", LAST], [200, 200]),
    "HTTP/2 at once": ([b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"], [400]),
    "HEAD": ([b"HEAD / HTTP/1.1\r\nhost: x\r\n\r\n", LAST], [405, 200]),
    "GET": ([b"GET / HTTP/1.1\r\nhost: x\r\n\r\n", LAST], [405, 200]),
    "OPTIONS of all": ([b"OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n", LAST], [404, 200]),
    "a query": ([post(b"/?a=b"), LAST], [200, 200]),
    "an absolute URL": ([post(b"http://x/"), LAST], [200, 200]),
    "a percent-encoded slash": ([post(b"/%2F"), LAST], [404, 200]),
    "two slashes": ([post(b"//"), LAST], [404, 200]),
    "a body that does not decode": ([post(body=b"\xff\xfe"), LAST], [200, 200]),
    "a long body in a short request": ([post(b"/other", body=b"x" * 100_000), LAST], [404, 200]),
}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_requests_are_answered_as_by_uvicorn(served: Served, by_uvicorn: Served, scenario: str) -> None:
    pieces, expected = SCENARIOS[scenario]
    received = served.talk(*pieces)
    assert statuses(received) == expected
    if scenario != "OPTIONS of all":  # Starlette answers by itself what is no path
        assert received == by_uvicorn.talk(*pieces)


@for_each(
    product(
        [b"POST / HTTP/1.1", b"POST /other HTTP/1.1", b"GET /healthz HTTP/1.1", b"GET /healthz HTTP/2.0"],
        [(b"", b"no header Host"), (b"host: x\r\nHost: x\r\n", b"more than one header Host")],
    )
)
def test_a_request_without_a_host_or_with_two_is_refused(
    line: bytes, head_and_why: tuple[bytes, bytes], served: Served
) -> None:
    head, why = head_and_why
    received = served.talk(line + b"\r\n" + head + b"content-length: 0\r\n\r\n", LAST)
    assert statuses(received) == [400]
    assert why in received


def test_http_1_0_needs_no_host(served: Served) -> None:
    assert statuses(served.talk(b"GET /healthz HTTP/1.0\r\n\r\n")) == [200]
    assert statuses(served.talk(b"GET /healthz HTTP/1.0\r\nhost: x\r\nhost: x\r\n\r\n")) == [400]


@for_each([b"POST /", b"GET /healthz", b"GET /healthz HTTP/0.9"])
def test_a_request_line_without_a_version_is_refused(line: bytes, served: Served) -> None:
    received = served.talk(line + b"\r\nhost: x\r\n\r\n", LAST)
    assert statuses(received) == [400]
    assert b"no version" in received


def test_a_header_that_reads_like_the_beginning_of_a_call_makes_none(served: Served) -> None:
    received = served.talk(b"GET /healthz HTTP/1.1\r\nhost: x\r\nx-a: ", b"POST / HTTP/1.1\r\n\r\n", LAST)
    assert statuses(received) == [200, 200]
    assert received.count(b"ok\n") == 2


@for_each(
    product(
        [b"gzip, chunked", b"gzip\r\ntransfer-encoding: chunked", b"gzip", b"identity"],
        [b"POST /", b"POST /other", b"GET /healthz"],
    )
)
def test_a_body_in_another_transfer_coding_than_chunks_is_refused(coding: bytes, line: bytes, served: Served) -> None:
    received = served.talk(chunked(BODY).replace(b" chunked", b" " + coding).replace(b"POST /", line, 1))
    assert statuses(received) == [501]
    assert b"\r\nconnection: close\r\n" in received


@for_each([b"chunked, chunked", b"chunked, gzip"])
def test_a_body_that_does_not_end_in_chunks_is_no_request(coding: bytes, served: Served) -> None:
    received = served.talk(chunked(BODY).replace(b" chunked", b" " + coding))
    assert statuses(received) == [400]
    assert b"\r\nconnection: close\r\n" in received


@for_each([b"Chunked", b"CHUNKED ", b"\tchunked"])
def test_chunks_are_taken_however_their_name_is_written(coding: bytes, served: Served) -> None:
    assert statuses(served.talk(chunked(BODY).replace(b" chunked", b" " + coding), LAST)) == [200, 200]


def test_a_client_before_http_1_1_is_not_told_to_continue(served: Served) -> None:
    """It knows no status 100 [RFC 9110, 10.1.1]."""
    request = post(version=b"1.0", more=b"expect: 100-continue\r\n")
    assert statuses(served.talk(request[: -len(BODY)], BODY)) == [200]


def test_trailers_are_no_headers(served: Served) -> None:
    received = served.talk(chunked(BODY, trailers=b"ww-plain: no\r\n"), LAST)
    assert statuses(received) == [200, 200]
    assert b"ww-sealed: yes" in received


def test_a_call_whose_client_reset_its_connection_is_given_up_and_never_answered(start: Start, gate: Gate) -> None:
    program = start()
    with program.calling(gate) as client:
        wait_until(lambda: program.pending == 1)
        reset(client)
        wait_until(lambda: program.pending == 0)
        gate.opened.set()
    wait_until(lambda: program.open == 0)


def test_stopping_answers_a_running_call_and_closes(start: Start, gate: Gate) -> None:
    program = start()
    with program.calling(gate) as client, program.connect() as idle, ThreadPoolExecutor(1) as pool:
        stopped = pool.submit(program.stop)
        until_closed(idle)
        gate.opened.set()
        assert statuses(read_to_end(client)) == [200]
        stopped.result(DEADLINE)


def test_stopping_waits_no_longer_than_the_grace_for_a_call(start: Start, gate: Gate) -> None:
    program = start(grace=0.1)
    with program.calling(gate) as client:
        program.stop()
        assert statuses(read_to_end(client)) in ([], [500], [503])


def test_the_time_of_an_idle_connection_stands_still_for_a_later_call(start: Start, gate: Gate) -> None:
    program = start()
    program.server.config.timeout_keep_alive = 0.1  # type: ignore[assignment]
    answers: Iterator[Callable[[str, str], str]] = iter([lambda api, request: OK.decode(), gate])
    program.sdk.invoke = lambda api, request: next(answers)(api, request)
    with program.connect() as client:
        ask(client)
        client.sendall(CALL)
        assert gate.entered.acquire(timeout=DEADLINE)
        client.settimeout(0.3)
        with pytest.raises(TimeoutError):  # neither an answer nor an end, for longer than it may be idle
            client.recv(1)
        client.settimeout(DEADLINE)
        gate.opened.set()
        assert read_reply(client).endswith(OK)
        until_closed(client)


@pytest.mark.parametrize(
    ("calls_before", "start_of_head"), [(0, b""), *product([0, 1], [b"POST / HTT", b"\r\n", CALL[:60]])]
)
def test_a_connection_whose_head_does_not_come_is_closed(start: Start, calls_before: int, start_of_head: bytes) -> None:
    program = start(head_timeout=0.2)
    with program.connect() as client:
        for _ in range(calls_before):
            ask(client)
        client.sendall(start_of_head)
        until_closed(client)


def test_the_time_of_a_head_does_not_touch_calls_or_idle_connections(start: Start, gate: Gate) -> None:
    program = start(head_timeout=0.2)
    program.sdk.invoke = gate
    with program.connect() as client:
        for _ in range(2):
            gate.opened.clear()
            client.sendall(CALL[:20])
            program.read_all()
            client.sendall(CALL[20:])
            assert gate.entered.acquire(timeout=DEADLINE)
            begun = monotonic()
            wait_until(lambda begun=begun: monotonic() > begun + 0.4)  # type: ignore[misc]
            gate.opened.set()
            assert read_reply(client).endswith(OK)
            begun = monotonic()
            wait_until(lambda begun=begun: monotonic() > begun + 0.4)  # type: ignore[misc]


@pytest.mark.parametrize("pieces", [[CALL[:-1]], [CALL[: -len(BODY)]], [CALL[:-5], CALL[-5:-2]], [chunked(BODY)[:-9]]])
def test_a_body_that_does_not_come_is_answered_as_by_uvicorn(start: Start, pieces: list[bytes]) -> None:
    received = start(body_timeout=0.2).talk(*pieces)
    assert statuses(received) == [408]
    assert received == start(body_timeout=0.2, by_uvicorn=True).talk(*pieces)


@pytest.mark.parametrize(
    ("begun", "said"), [(b"POST / HTTP/1.1\r\n", b"Request head too large."), (chunked(BODY)[:-2], b"")]
)
def test_a_head_and_trailers_without_an_end_are_refused(served: Served, begun: bytes, said: bytes) -> None:
    piece = b"x-a: " + b"a" * 8000 + b"\r\n"
    received = served.talk(begun, *[piece] * (HEAD_BYTES // len(piece) + 1))
    assert statuses(received) == [400]
    assert received.endswith(said)


@pytest.mark.parametrize("more", [b"", b"connection: close\r\n"])
@pytest.mark.parametrize("size", [40_000, 400_000])  # below and above where the event loop asks for a pause
def test_a_client_that_does_not_read_its_reply_is_cut_off(start: Start, more: bytes, size: int) -> None:
    program = start()
    program.server.config.timeout_keep_alive = 0.3  # type: ignore[assignment]
    program.sdk.invoke = lambda api, request: reply_of("x" * size)
    with program.connect_narrow() as client:
        client.sendall(post(more=more))
        wait_until(lambda: program.unsent > 0)
        wait_until(lambda: program.open == 0)


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])  # only asyncio's resumes writing on a closing connection
def test_a_client_that_reads_its_last_reply_nearly_whole_is_cut_off(start: Start, loop: str) -> None:
    program = start(loop=loop)
    program.server.config.timeout_keep_alive = 2.0  # type: ignore[assignment]
    program.sdk.invoke = lambda api, request: reply_of("x" * 150_000)
    with program.connect_narrow() as client:
        client.sendall(post(more=b"connection: close\r\n"))
        wait_until(lambda: program.unsent > 1 << 16)
        while program.unsent > 15_000:
            assert client.recv(4096)
            program.read_all()
        assert program.unsent > 0
        wait_until(lambda: program.open == 0)


def test_a_client_that_asks_without_reading_is_not_worked_for(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "LINGER_SECONDS", 0.2)
    program = start()
    program.server.config.timeout_keep_alive = 0.5  # type: ignore[assignment]
    calls = 0

    def invoke(api: str, request: str) -> str:
        nonlocal calls
        calls += 1
        return reply_of("x" * 200_000)

    program.sdk.invoke = invoke
    with program.connect_narrow() as client:
        with contextlib.suppress(OSError):
            for _ in range(50):
                client.sendall(CALL)
                program.read_all()
        wait_until(lambda: program.open == 0)
    assert calls == 1


@pytest.mark.parametrize("request_", [post(more=b"connection: close\r\n"), CALL + LAST])
def test_a_large_reply_to_a_slow_reader_arrives_whole(start: Start, request_: bytes) -> None:
    program = start()
    text = "x" * (8 << 20)
    program.sdk.invoke = lambda api, request: reply_of(text)
    with program.connect() as client:
        client.sendall(request_)
        wait_until(lambda: program.open == 1)
        received = b""
        while piece := client.recv(100_000):
            received += piece
            program.read_all()
    assert statuses(received) == [200]
    assert received.endswith(reply_of(text).encode())


def test_connections_beyond_the_limit_are_told_so_and_no_others(start: Start) -> None:
    program = start(connections=2)
    with program.connect() as first, program.connect() as second:
        ask(first)
        ask(second)
        assert statuses(program.talk(CALL)) == [503]
        ask(first)
    wait_until(lambda: program.open == 0)
    with program.connect() as third:
        ask(third)


def test_connections_far_beyond_the_limit_are_closed_at_once(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "SURPLUS", 2)
    program = start(connections=1)
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(program.connect()) for _ in range(4)]
        until_closed(clients[-1])
        wait_until(lambda: program.open == 3)


class OddSdk(PlainSdk):
    def __init__(self, **headers: str) -> None:
        super().__init__()
        self.headers = headers

    def encode(self, text: str) -> SealedReply:
        return SealedReply(headers=self.headers, body=text)


@pytest.mark.parametrize("part", ["name", "value"])
def test_any_character_of_a_reply_s_header_is_sent_or_refused_as_by_uvicorn(start: Start, part: str) -> None:
    sdk = OddSdk()
    programs = [start(sdk), start(sdk, by_uvicorn=True)]
    refused = []
    for number in range(256):
        character = chr(number)
        sdk.headers = {f"x{character}a": "a"} if part == "name" else {"x-a": f"a{character}b"}
        answers = {program.talk(CALL, LAST) for program in programs}
        assert len(answers) == 1, number
        if statuses(answers.pop()) != [200, 200]:
            refused.append(character)
    assert {"\0", "\r", "\n"} <= set(refused)
    assert not {"a", "-", "~"} & set(refused)


def test_a_reply_that_closes_is_sent_as_by_uvicorn(start: Start) -> None:
    sdk = OddSdk(Connection="close")
    received = start(sdk).talk(CALL)
    assert statuses(received) == [200]
    assert received == start(sdk, by_uvicorn=True).talk(CALL)
