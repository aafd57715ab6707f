"""Requests may come in any pieces: they are parsed one at a time, and as the same requests."""

import contextlib
from collections.abc import Iterator

import pytest
from hypothesis import given, settings, strategies as st

from tests.serving.wire import CALL, HOST, LAST, PLAIN, SHORTEST, Served, chunked, post, statuses
from wwspec_router.framing import Unparsed, content_length
from wwspec_router.table import AbilityTable

EMPTY_LINE = b"\r\n\r\n"
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
OTHERS = st.sampled_from([CALL, SHORTEST, b"GET / HTTP/1.1\r\nhost: x\r\n\r\n", b"\r\n" + CALL + b"\r\n\r\n"])
REQUESTS = st.lists(st.one_of(WHOLE, IN_CHUNKS, OFFERING, OTHERS), min_size=1, max_size=6)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """Cut data at places, which may lie beyond it."""
    borders = sorted({0, len(data), *(place % len(data) for place in places)})
    return [data[begin:end] for begin, end in zip(borders, borders[1:], strict=False)]


@pytest.fixture(scope="module")
def served(table: AbilityTable) -> Iterator[dict[str, Served]]:
    with contextlib.ExitStack() as stack:
        programs = {way: Served(way, table) for way in ("ordinary", "lean")}
        for program in programs.values():
            program.start()
            stack.callback(program.stop)
        yield programs


@settings(max_examples=150, deadline=None)
@given(requests=REQUESTS, places=st.lists(st.integers(0, 1 << 16), max_size=6))
def test_requests_are_the_same_however_they_are_cut(
    served: dict[str, Served], requests: list[bytes], places: list[int]
) -> None:
    """Rows 1 and 2: on both ways, and with offers to upgrade among them."""
    expected = [405 if request.startswith(b"GET") else 200 for request in requests] + [200]
    for program in served.values():
        assert statuses(program.talk(*cut(b"".join(requests) + LAST, places))) == expected


@given(requests=REQUESTS, places=st.lists(st.integers(0, 1 << 16), max_size=6))
def test_pieces_are_what_came_and_end_with_the_first_empty_line(requests: list[bytes], places: list[int]) -> None:
    """Row 1: so a piece never holds two heads."""
    data = b"".join(requests)
    unparsed = Unparsed()
    pieces = []
    for arrived in cut(data, places):
        unparsed.add(arrived)
        while unparsed.data:
            pieces.append(unparsed.take())
    assert b"".join(pieces) == data
    heads = data.split(EMPTY_LINE)
    ends = {len(EMPTY_LINE.join(heads[: number + 1])) + len(EMPTY_LINE) for number in range(len(heads) - 1)}
    reached = [sum(map(len, pieces[: number + 1])) for number in range(len(pieces))]
    assert ends <= set(reached)


@given(body=st.binary(min_size=2, max_size=300), rest=st.binary(max_size=100), place=st.integers(1, 299))
def test_a_body_of_a_known_length_is_told_from_what_follows(body: bytes, rest: bytes, place: int) -> None:
    """Row 1: whatever it holds, and in however many parts it comes."""
    place = place % (len(body) - 1) + 1
    unparsed = Unparsed()
    unparsed.add(SHORTEST + body[:place])
    assert unparsed.take() == SHORTEST
    unparsed.expect_body(len(body))
    assert unparsed.take() == body[:place]
    unparsed.add(body[place:] + rest)
    assert unparsed.take() == body[place:]
    assert bool(unparsed.data) == bool(rest)


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
