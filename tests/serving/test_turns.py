"""A client whose bytes take the parser long leaves most of each turn of the event loop to others."""

import asyncio
import contextlib
from collections.abc import Iterator

import pytest

from tests.serving.test_connections import SCENARIOS
from tests.serving.wire import (
    BODY,
    HOST,
    LAST,
    PLAIN,
    Served,
    Start,
    chunked,
    post,
    read_reply,
    read_to_end,
    reset,
    starting,
    statuses,
)
from tests.support.tables import for_each
from wwspec_router.http1 import bounds
from wwspec_router.http1.bounds import FIELDS, TINY, TINY_CHUNKS
from wwspec_router.http1.turns import Turns
from wwspec_router.registry.table import AbilityTable

KIB = 1 << 10
HEAD = b"POST / HTTP/1.1\r\n" + HOST + b"transfer-encoding: chunked\r\n\r\n"
CHUNKS = b"10\r\n" + b"x" * TINY + b"\r\n"
FLOODS = {
    "a call in small chunks": (HEAD, CHUNKS),
    "another request in small chunks": (HEAD.replace(b"POST /", b"GET /healthz"), CHUNKS),
}
CONNECTIONS = 16


@pytest.fixture
def served(start: Start) -> Served:
    return start()


@contextlib.contextmanager
def flooding(program: Served, head: bytes, more: bytes) -> Iterator[None]:
    """Send as much as the system takes, on several connections."""
    with contextlib.ExitStack() as stack:
        for _ in range(CONNECTIONS):
            client = stack.enter_context(program.connect())
            stack.callback(reset, client)
            client.sendall(head)
            program.read_sent(client)
            client.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                client.send(more * (4096 * KIB // len(more)))
        yield


@pytest.mark.parametrize("flood", FLOODS)
def test_requests_are_answered_before_all_is_read_that_others_have_sent(start: Start, flood: str) -> None:
    """A connection had the loop for 8 MiB, which took a second in chunks of one byte."""
    program = start()
    with flooding(program, *FLOODS[flood]):
        assert statuses(program.talk(LAST)) == [200]
        assert program.unread > 0
        with program.connect() as client:
            client.sendall(post(more=b"x-a: %b\r\n" % (b"a" * 10 * KIB)))
            assert statuses(read_reply(client)) == [200]
        assert program.unread > 0


def test_a_large_body_in_chunks_comes_on_beside_smaller_ones(start: Start) -> None:
    program = start()
    with flooding(program, *FLOODS["a call in small chunks"]), program.connect() as client:
        client.sendall(chunked(BODY, b" " * 64 * KIB, *[b" " * 100] * 2000))
        assert statuses(read_reply(client)) == [200]
        assert program.unread > 0


def test_whatever_needs_many_turns_is_answered_alike(table: AbilityTable, monkeypatch: pytest.MonkeyPatch) -> None:
    with starting(table) as start:
        at_once = start(max_body=1000)
        for name in ("TURN", "SHARE", "SMALL", "RESUMED"):
            monkeypatch.setattr(bounds, name, 1)
        monkeypatch.setattr(bounds, "PIECE", 7)
        piecemeal = start(max_body=1000)
        for name, (pieces, _) in SCENARIOS.items():
            assert piecemeal.talk(*pieces) == at_once.talk(*pieces), name


@for_each([HEAD, HEAD.replace(b"POST /", b"GET /healthz"), HEAD.replace(b"POST /", b"PUT /a")])
@pytest.mark.parametrize("size", [1, TINY - 1])
def test_a_body_of_too_many_tiny_chunks_is_refused_before_its_end(head: bytes, served: Served, size: int) -> None:
    chunk = b"%x\r\n%b\r\n" % (size, b"x" * size)
    with served.connect() as client:
        client.sendall(head + chunk * TINY_CHUNKS)
        served.read_sent(client)
        client.sendall(chunk)
        received = read_to_end(client)
    assert statuses(received) == [400]
    assert received.endswith(b"The body has more than 8,192 chunks of fewer than 16 bytes.")


@pytest.mark.parametrize(("size", "count"), [(1, TINY_CHUNKS - 1), (TINY, 3 * TINY_CHUNKS)])
def test_a_body_of_fewer_tiny_chunks_or_of_many_small_ones_is_taken(served: Served, size: int, count: int) -> None:
    body = BODY + b" " * (size * count - len(BODY))
    chunks = [body[place : place + size] for place in range(0, len(body), size)]
    assert len(chunks) == count
    received = served.talk(chunked(*chunks), LAST)
    assert statuses(received) == [200, 200]
    assert b"ww-sealed: yes" in received


def fields(count: int) -> bytes:
    return b"a:b\r\n" * count


def test_a_head_has_at_most_1000_fields_and_a_body_as_many_trailers(served: Served) -> None:
    others = PLAIN.count(b"\r\n") + 1  # and content-length
    assert statuses(served.talk(post(more=fields(FIELDS - others)), LAST)) == [200, 200]
    assert statuses(served.talk(post(more=fields(FIELDS - others + 1)), LAST)) == [400]
    assert statuses(served.talk(chunked(BODY, trailers=fields(FIELDS)), LAST)) == [200, 200]
    assert statuses(served.talk(chunked(BODY, trailers=fields(FIELDS + 1)), LAST)) == [400]


@for_each([b"POST / HTTP/1.1\r\n", HEAD + b"0\r\n"])
def test_fields_without_an_end_are_refused_before_64_kib(begun: bytes, served: Served) -> None:
    with served.connect() as client:
        client.sendall(begun + fields(FIELDS + 2))
        received = read_to_end(client)
    assert statuses(received) == [400]
    assert received.endswith(b"The request has more than 1,000 header fields or trailers.")


class Reading:
    """Has something to read that takes all of a turn, whenever it may."""

    def __init__(self, turns: Turns, *, has_had_its_share: bool) -> None:
        self.turns = turns
        self.has_had_its_share = has_had_its_share
        self.read = 0
        self.go_on()

    def go_on(self) -> None:
        self.read += 1
        self.turns.left -= bounds.TURN
        self.turns.begin_soon()
        self.turns.wait(self, has_had_its_share=self.has_had_its_share)


def test_all_that_wait_come_to_their_turn_and_two_use_up_each() -> None:
    async def reading() -> list[int]:
        turns = Turns()
        found = [Reading(turns, has_had_its_share=number >= 5) for number in range(15)]
        for _ in range(100):
            await asyncio.sleep(0)
        return [each.read - 1 for each in found]

    read = asyncio.run(reading())
    assert read == pytest.approx([20] * 5 + [10] * 10, abs=1)
