"""What clients of many kinds send over one connection, and what the emulator answers."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest

from tests.support.emulator import Emulator
from tests.support.waiting import DEADLINE
from wwspec_devtools.emulator.http.answering import MAX_BODY_BYTES
from wwspec_devtools.emulator.settings import EmulatorSettings

MIB = 1 << 20
CALL = "/cgi-bin/chatdata/sync_call_program"
TOO_LARGE = b'"errcode":40206'


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with ExitStack() as stack:
        yield Emulator(EmulatorSettings(messages=1), stack)


def post(path: str, body: bytes = b"{}", more: str = "") -> bytes:
    return f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{more}content-length: {len(body)}\r\n\r\n".encode() + body


LAST = b"GET /cgi-bin/gettoken HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n"


def talk(emulator: Emulator, *pieces: bytes) -> bytes:
    """Send pieces one after another, then return all that came until the emulator closed."""
    url = httpx.URL(emulator.url)
    with socket.create_connection((url.host, url.port), DEADLINE) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            client.sendall(piece)
        return b"".join(iter(lambda: client.recv(MIB), b""))


def test_a_hundred_requests_sent_ahead_are_answered_in_their_order(emulator: Emulator) -> None:
    requests = [LAST.replace(b"connection: close\r\n", b""), post(CALL), post("/none")]
    received = talk(emulator, b"".join(requests * 33), LAST)
    assert [part[:3] for part in received.split(b"HTTP/1.1 ")[1:]] == [b"200", b"200", b"404"] * 33 + [b"200"]


@pytest.mark.parametrize("offer", ["h2c", "websocket"])
def test_an_offer_to_upgrade_is_ignored(emulator: Emulator, offer: str) -> None:
    """Row 2: the body was lost, or parsed as a request when it came later."""
    more = f"connection: Upgrade\r\nupgrade: {offer}\r\n"
    request = post("/emulator/clock", b'{"advance":"a word"}', more)
    head = request.index(b"\r\n\r\n") + 4
    for pieces in ([request], [request[:head], request[head:]]):
        received = talk(emulator, *pieces, LAST)
        assert received.count(b"HTTP/1.1 200 ") == received.count(b"HTTP/1.1 ") == 2
        assert b"Expected `float`, got `str` - at `$.advance`" in received
    smuggled = post("/emulator/clock", post("/emulator/reset"), more)
    head = smuggled.index(b"\r\n\r\n") + 4
    assert talk(emulator, smuggled[:head], smuggled[head:], LAST).count(b"HTTP/1.1 ") == 2


@pytest.mark.parametrize("megabytes", [8, 11, 64])
def test_the_answer_to_a_large_body_is_read_by_who_sends_it_whole(emulator: Emulator, megabytes: int) -> None:
    head = f"POST {CALL} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {megabytes << 20}\r\n\r\n"
    for _ in range(2):
        received = talk(emulator, head.encode(), b"x" * (megabytes << 20), LAST)
        assert received.count(b"HTTP/1.1 200 ") == 2
        assert (TOO_LARGE in received) == (megabytes << 20 > MAX_BODY_BYTES)


def test_garbage_after_a_good_request_is_refused_after_its_reply(emulator: Emulator) -> None:
    received = talk(emulator, post(CALL) + b"hello\r\n\r\n")
    assert [part[:3] for part in received.split(b"HTTP/1.1 ")[1:]] == [b"200", b"400"]
