"""Requests may come in any pieces: they are parsed one at a time, and as the same requests."""

import json
import re
from collections.abc import Iterator

import httptools
import pytest
from hypothesis import example, given, settings, strategies as st

from tests.serving.conftest import sealed
from tests.serving.wire import CALL, HOST, LAST, PLAIN, SHORTEST, Served, chunked, post, starting, statuses
from torture.fuzz_drivers import within_limit
from wwspec_router.protocol.framing import Unparsed, content_length
from wwspec_router.registry.table import AbilityTable

EMPTY_LINE = b"\r\n\r\n"


def echoed(text: str, in_chunks: bool = False, trailers: bytes = b"") -> bytes:
    """A call whose reply tells it from others."""
    body = sealed("invoke_get_group_chat", {"chatid": text})
    return chunked(body[:9], body[9:], extension=b";a=b", trailers=trailers) if in_chunks else post(body=body)


ODD_BODIES = st.lists(
    st.sampled_from([b"\r", b"\n", b"\r\n", EMPTY_LINE, b"{}", b"0\r\n\r\n", SHORTEST]), max_size=4
).map(b"".join)
WHOLE = st.builds(lambda body: post(head=HOST, body=body), ODD_BODIES)
IN_CHUNKS = st.builds(
    lambda chunks, trailers: chunked(*filter(None, chunks), trailers=trailers).replace(PLAIN, HOST),
    st.lists(ODD_BODIES, max_size=3),
    st.sampled_from([b"", b"x-a: b\r\n"]),
)
OFFERING = st.builds(
    lambda request: request.replace(b"\r\n", b"\r\nconnection: upgrade\r\nupgrade: h2c\r\n", 1),
    st.one_of(WHOLE, IN_CHUNKS),
)
ECHOED = st.builds(
    lambda text, in_chunks, trailers: echoed(text, in_chunks, trailers),
    st.text("a\r\n0;", max_size=8),
    st.booleans(),
    st.sampled_from([b"", b"ww-plain: no\r\n"]),
)
OTHERS = st.sampled_from([CALL, SHORTEST, b"GET / HTTP/1.1\r\nhost: x\r\n\r\n", b"\r\n" + CALL + b"\r\n\r\n"])
REQUESTS = st.lists(st.one_of(WHOLE, IN_CHUNKS, OFFERING, ECHOED, OTHERS), min_size=1, max_size=6)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """Cut data at places, which may lie beyond it."""
    borders = sorted({0, len(data), *(place % len(data) for place in places)})
    return [data[begin:end] for begin, end in zip(borders, borders[1:], strict=False)]


@pytest.fixture(scope="module")
def served(table: AbilityTable) -> Iterator[Served]:
    with starting(table) as start:
        program = start()
        program.sdk.invoke = lambda api, request: json.dumps({"errcode": 0, "errmsg": request})
        yield program


@settings(max_examples=150, deadline=None)
@given(requests=REQUESTS, places=st.lists(st.integers(0, 1 << 16), max_size=6))
def test_requests_are_answered_the_same_however_they_are_cut(
    served: Served, requests: list[bytes], places: list[int]
) -> None:
    """Rows 1 and 2: with offers to upgrade among them."""
    stream = b"".join(requests) + LAST
    replies = served.talk(stream)
    assert statuses(replies) == [405 if request.startswith(b"GET") else 200 for request in requests] + [200]
    assert served.talk(*cut(stream, places)) == replies


def test_requests_that_are_sent_ahead_may_be_cut_anywhere(served: Served) -> None:
    stream = b"".join([echoed("first"), echoed("second", True, b"ww-plain: no\r\n"), SHORTEST, echoed("last"), LAST])
    replies = served.talk(stream)
    assert re.findall(rb"first|second|last", replies) == [b"first", b"second", b"last"]
    for place in range(1, len(stream)):
        assert served.talk(stream[:place], stream[place:]) == replies, place


class Parsed:
    """Tells what is to come as a connection does, and counts requests that begin and end in one piece."""

    def __init__(self) -> None:
        self.unparsed = Unparsed()
        self.parser = httptools.HttpRequestParser(self)
        self.headers: list[tuple[bytes, bytes]] = []
        self.begun = self.ended = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self.unparsed.expect(
            content_length(self.headers), any(name == b"transfer-encoding" for name, _ in self.headers)
        )

    def on_message_begin(self) -> None:
        assert not self.ended, "a piece holds the end of a request and the beginning of another"
        self.headers = []
        self.begun += 1

    def on_message_complete(self) -> None:
        self.ended += 1


@given(
    requests=st.lists(st.one_of(WHOLE, IN_CHUNKS, OTHERS), min_size=1, max_size=8),
    places=st.lists(st.integers(0, 1 << 16), max_size=12),
)
def test_a_piece_never_holds_more_than_one_request(requests: list[bytes], places: list[int]) -> None:
    """Row 1: nor the end of one and the beginning of another."""
    data = b"".join(requests)
    parsed = Parsed()
    pieces = []
    for arrived in cut(data, places):
        parsed.unparsed.add(arrived)
        while parsed.unparsed.data:
            pieces.append(parsed.unparsed.next_piece())
            parsed.ended = 0
            parsed.parser.feed_data(pieces[-1])
    assert b"".join(pieces) == data
    assert parsed.begun == len(requests)


@pytest.mark.parametrize(
    "request_",
    [
        chunked(EMPTY_LINE * 10_000, b"0\r\n\r\n" * 10_000),
        chunked(*[b"x"] * 10_000),
        EMPTY_LINE * 10_000 + CALL,
        post(body=EMPTY_LINE * 10_000),
    ],
)
def test_a_request_that_came_at_once_is_a_few_pieces_whatever_it_holds(request_: bytes) -> None:
    """Row 1: or it would take much longer to parse than to send."""
    parsed = Parsed()
    parsed.unparsed.add(request_)
    pieces = 0
    while parsed.unparsed.data:
        parsed.parser.feed_data(parsed.unparsed.next_piece())
        pieces += 1
    assert (parsed.ended, pieces) == (1, 2)


@given(body=st.binary(min_size=2, max_size=300), rest=st.binary(max_size=100), place=st.integers(1, 299))
def test_a_body_of_a_known_length_is_told_from_what_follows(body: bytes, rest: bytes, place: int) -> None:
    """Row 1: whatever it holds, and in however many parts it comes."""
    place = place % (len(body) - 1) + 1
    unparsed = Unparsed()
    unparsed.add(SHORTEST + body[:place])
    assert unparsed.next_piece() == SHORTEST
    unparsed.expect(len(body), in_chunks=False)
    assert unparsed.next_piece() == body[:place]
    unparsed.add(body[place:] + rest)
    assert unparsed.next_piece() == body[place:]
    assert bool(unparsed.data) == bool(rest)


@given(line=st.text("-+_0123456789abcdefxX; \t\r\n\0", max_size=6), place=st.integers(0, 20))
@example(line="-6", place=0)
@example(line="-8;a", place=0)
@example(line="-07", place=0)
@example(line="-0x8", place=0)
@example(line="1_0", place=0)
def test_no_line_of_a_chunk_holds_the_loop(line: str, place: int) -> None:
    """A size is digits alone: one with a sign led back to where it was, for good."""
    data = f"{line}\r\n0\r\n\r\n".encode()
    unparsed = Unparsed()
    unparsed.expect(0, in_chunks=True)
    pieces = []
    with within_limit():
        for arrived in cut(data, [place]):
            unparsed.add(arrived)
            while unparsed.data:
                pieces.append(unparsed.next_piece())
                assert pieces[-1]
    assert b"".join(pieces) == data


@pytest.mark.parametrize(
    ("value", "length"),
    [
        (b"0", 0),
        (b"7", 7),
        (b" 7 ", 7),
        (b"007", 7),
        (b"0" * 5000, 0),
        (b"0" * 5000 + b"7", 7),
        (b"18446744073709551615", (1 << 64) - 1),
    ],
)
def test_a_length_is_read_whatever_its_number_of_digits(value: bytes, length: int) -> None:
    """Row 5: Python converts no more than 4300 digits."""
    assert content_length([(b"host", b"x"), (b"content-length", value)]) == length


def test_a_length_beyond_all_bounds_is_beyond_any_limit() -> None:
    """Row 5: some servers let such a number pass."""
    assert content_length([(b"content-length", b"1" + b"0" * 5000)]) >= 1 << 63


@pytest.mark.parametrize("headers", [[], [(b"host", b"x")], [(b"content-length", b"x")], [(b"content-length", b"-1")]])
def test_what_says_no_length_has_none(headers: list[tuple[bytes, bytes]]) -> None:
    assert content_length(headers) == 0
