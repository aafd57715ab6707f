"""Passes one request of a client to the emulator, and the response back. Each message is framed again.

Headers for one connection only are not passed on (RFC 9110, 7.6.1).
"""

import asyncio
from collections.abc import Iterable

import h11

from wwspec_devtools.emulator.proxy.peer import Event, Peer

_HOP_BY_HOP = frozenset(
    b"connection expect host keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer "
    b"upgrade".split()
)
_FRAMING = frozenset({b"content-length", b"transfer-encoding"})

_Headers = list[tuple[bytes, bytes]]


async def forward(client: Peer, request: h11.Request, host: str, target: str, emulator: tuple[str, int]) -> None:
    """Send the client's request to the emulator, and the response to the client.

    Args:
        client: The client; the body of its request is not read yet.
        request: The head of its request.
        host: The host of the request.
        target: The path and query.
        emulator: Host and port.

    Raises:
        h11.RemoteProtocolError: The client broke off, or did not send HTTP.
        OSError: The emulator broke off, for example by a fault, or the client is gone.
    """
    try:
        streams = await asyncio.open_connection(*emulator)
    except OSError as error:
        await client.answer(502, f"the emulator can't be reached: {error.strerror}")
        return
    server = Peer(h11.CLIENT, *streams)
    head = h11.Request(
        method=request.method,
        target=target,
        headers=[(b"host", host.encode()), *_passed_on(request.headers), (b"connection", b"close")],
    )
    asking = asyncio.create_task(_ask(client, server, head))
    answering = asyncio.create_task(_answer(server, client))
    try:
        await asyncio.wait((asking, answering), return_when=asyncio.FIRST_COMPLETED)
        if asking.done():
            asking.result()  # raises the client's error
        await answering
    finally:
        for task in (asking, answering):
            task.cancel()
        await asyncio.gather(asking, answering, return_exceptions=True)
        await server.close()


async def _ask(client: Peer, server: Peer, head: h11.Request) -> None:
    """Send the request. When the emulator does not read all of it, its response says why."""
    event: Event = head
    while True:
        try:
            await server.send(event)
        except OSError:
            return
        if isinstance(event, h11.EndOfMessage):
            return
        event = await client.next_event()
        if isinstance(event, h11.EndOfMessage):
            event = h11.EndOfMessage()  # without the trailers


async def _answer(server: Peer, client: Peer) -> None:
    while True:
        try:
            event = await server.next_event()
        except h11.RemoteProtocolError as error:
            raise ConnectionResetError(f"the emulator broke off: {error}") from None
        if isinstance(event, h11.Response):
            headers = _passed_on(event.headers)
            await client.send(h11.Response(status_code=event.status_code, headers=headers, reason=event.reason))
        elif isinstance(event, h11.EndOfMessage):
            await client.send(h11.EndOfMessage())
            return
        elif isinstance(event, h11.Data):
            await client.send(event)
        elif isinstance(event, h11.ConnectionClosed):
            raise ConnectionResetError("the emulator broke off before its response")


def _passed_on(headers: Iterable[tuple[bytes, bytes]]) -> _Headers:
    """Return the headers for the other end, with only one framing of the body: the one that counts."""
    found = list(headers)
    named = {name.strip().lower() for key, value in found if key == b"connection" for name in value.split(b",")}
    dropped = _HOP_BY_HOP | (named - _FRAMING)
    if any(name == b"transfer-encoding" for name, _ in found):
        dropped |= {b"content-length"}
    return [(name, value) for name, value in found if name not in dropped]
