"""Requests may come in any pieces, and are the same requests."""

import json
import random
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import given, settings, strategies as st

from tests.serving.wire import CALL, HOST, LAST, PLAIN, SHORTEST, Served, chunked, post, sealed, starting, statuses
from tests.support.tables import for_each
from torture.keyless import MAX_BODY, random_request
from wwspec_router.http1.framing import BadRequestError, Reader, content_length
from wwspec_router.registry.table import AbilityTable

EMPTY_LINE = b"\r\n\r\n"


def echoed(text: str, in_chunks: bool = False, trailers: bytes = b"") -> bytes:
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
REQUEST = st.one_of(WHOLE, IN_CHUNKS, OFFERING, ECHOED, OTHERS)
FOLLOWING = st.one_of(
    st.sampled_from([CALL, LAST, SHORTEST, b"hello\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b"\r\nx"]),
    st.binary(min_size=1, max_size=20).filter(lambda data: data.strip(b"\r\n")),
)
"""Anything but empty lines, which may come after a request."""


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


@settings(max_examples=3 * settings().max_examples, deadline=None)
@given(requests=st.lists(REQUEST, min_size=1, max_size=4), places=st.lists(st.integers(0, 1 << 16), max_size=6))
def test_requests_are_answered_alike_however_cut(served: Served, requests: list[bytes], places: list[int]) -> None:
    replies = served.talk(*requests, LAST)
    assert statuses(replies) == [405 if request.startswith(b"GET") else 200 for request in requests] + [200]
    assert served.talk(*[piece for request in requests for piece in cut(request, places)], LAST) == replies


@settings(max_examples=50, deadline=None)
@given(request_=REQUEST, rest=FOLLOWING, place=st.integers(0, 1 << 16))
def test_only_the_first_is_answered_whatever_follows(served: Served, request_: bytes, rest: bytes, place: int) -> None:
    """A client sends the next request when it has the answer [RFC 9112, 9.3.2]: what comes earlier is dropped."""
    alone = served.talk(request_.replace(b" HTTP/1.1\r\n", b" HTTP/1.1\r\nconnection: close\r\n", 1))
    place %= len(request_.rstrip(b"\r\n"))  # before the empty lines, it is complete
    assert served.talk(*filter(None, [request_[:place], request_[place:] + rest])) == alone


def test_random_heads_and_chunks_are_requests_or_are_refused() -> None:
    """The size `-6` of a chunk once held the event loop for good."""
    rng = random.Random(1)  # noqa: S311 - the same requests each time
    outcomes = Counter[str]()
    for _ in range(2000):
        reader = Reader(MAX_BODY)
        try:
            for piece in cut(random_request(rng), [rng.randrange(1 << 16)]):
                reader.feed(piece)
                if reader.is_encoded or reader.is_complete:
                    break
        except BadRequestError:
            outcomes["refused"] += 1
        else:
            outcomes["encoded" if reader.is_encoded else "complete" if reader.is_complete else "incomplete"] += 1
    assert outcomes.keys() == {"refused", "encoded", "complete", "incomplete"}


@for_each(
    [
        (b"0", 0),
        (b"7", 7),
        (b" 7 ", 7),
        (b"007", 7),
        (b"0" * 5000, 0),
        (b"0" * 5000 + b"7", 7),
        (b"18446744073709551615", (1 << 64) - 1),
        (b"1" + b"0" * 5000, 10**19),  # beyond any limit
        (b"x", 0),
        (b"-1", 0),
    ]
)
def test_a_length_is_read_whatever_its_number_of_digits(value: bytes, length: int) -> None:
    """Python converts no more than 4300 digits."""
    assert content_length([(b"host", b"x"), (b"content-length", value)]) == length
    assert content_length([(b"host", b"x")]) == 0
