"""Head and body of an answer are one write, and nothing that uvicorn writes is lost, changed or kept back."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from wwspec_router.serving.joined import Joined

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n"


class Writing(asyncio.Protocol):
    """Writes when it is connected, as a test says."""

    def __init__(self, write: Callable[[asyncio.Transport], object]) -> None:
        self._write = write

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._write(transport)  # type: ignore[arg-type]  # only streams come here


class Recorded(asyncio.Transport):
    """Notes what is done."""

    def __init__(self) -> None:
        super().__init__()
        self.done: list[Any] = []

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.done.append(type(protocol))

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return name

    def is_closing(self) -> bool:
        return "closed" in self.done

    def write(self, data: Any) -> None:
        assert not self.is_closing()
        self.done.append(data)

    def writelines(self, list_of_data: Any) -> None:
        self.done.append([*list_of_data])

    def close(self) -> None:
        self.done.append("closed")


def done_of(write: Callable[[asyncio.Transport], object]) -> list[Any]:
    """Return what comes to a transport at once, and then what comes by itself."""
    transport = Recorded()
    Joined(lambda **options: Writing(**options), write=write).connection_made(transport)
    assert transport.done.pop(0) is Writing, "the protocol does not get what comes"
    return transport.done


def in_turn(*pieces: bytes) -> Callable[[asyncio.Transport], None]:
    def write(transport: asyncio.Transport) -> None:
        for piece in pieces:
            transport.write(piece)

    return write


@pytest.mark.parametrize(
    ("pieces", "writes"),
    [
        ((HEAD, b"body"), [[HEAD, b"body"]]),
        ((HEAD, b"bo", b"dy"), [[HEAD, b"bo"], b"dy"]),
        ((HEAD, b"body", HEAD, b"more"), [[HEAD, b"body"], [HEAD, b"more"]]),
        ((b"HTTP/1.1 100 Continue\r\n\r\n", HEAD), [[b"HTTP/1.1 100 Continue\r\n\r\n", HEAD]]),
        ((b"body",), [b"body"]),
        ((HEAD,), []),
    ],
)
async def test_a_head_is_written_with_what_follows(pieces: tuple[bytes, ...], writes: list[Any]) -> None:
    done = done_of(in_turn(*pieces))
    assert done == writes
    await asyncio.sleep(0)
    assert done == writes or (pieces == (HEAD,) and done == [HEAD]), "a head without a body stays back"


async def test_a_head_that_nothing_follows_is_sent_before_the_connection_closes() -> None:
    def write(transport: asyncio.Transport) -> None:
        transport.write(HEAD)
        transport.close()

    done = done_of(write)
    assert done == [HEAD, "closed"]
    await asyncio.sleep(0)
    assert done == [HEAD, "closed"], "it is sent once more"


async def test_nothing_is_written_to_a_client_that_is_gone() -> None:
    done = done_of(in_turn(HEAD))
    done.append("closed")
    await asyncio.sleep(0)
    assert done == ["closed"]


async def test_all_else_is_asked_of_the_transport() -> None:
    assert done_of(lambda transport: transport.write(transport.get_extra_info("peername").encode())) == [b"peername"]
