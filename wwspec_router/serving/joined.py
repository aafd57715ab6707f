"""Sends the head of an answer together with the first part of its body, for a protocol that writes them apart.

uvicorn writes the head when `http.response.start` comes, and the body with a message of its own. Each write costs a
system call, a packet, and a turn of the client. This module knows of HTTP only how an answer begins.
"""

import asyncio
from collections.abc import Callable
from typing import Any


class Joined(asyncio.Protocol):
    """Stands between a transport and a protocol, which takes it for the transport.

    A head that no body follows at once is sent in the next turn of the loop, or when the protocol closes.

    Args:
        make: Makes the protocol.
        options: What it is made with.
    """

    def __init__(self, make: Callable[..., asyncio.Protocol], **options: Any) -> None:
        self._protocol = make(**options)
        self._transport: Any = None
        self._head = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # only streams come
        """Let the protocol have all that comes from now on."""
        self._transport = transport
        transport.set_protocol(self._protocol)
        self._protocol.connection_made(self)  # type: ignore[arg-type]  # as good as a transport

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send what was held back, and this; hold back the head of an answer."""
        if self._head:
            self._transport.writelines([self._head, data])
            self._head = b""
        elif data.startswith(b"HTTP/"):
            self._head = data
            asyncio.get_running_loop().call_soon(self._flush)
        else:
            self._transport.write(data)

    def close(self) -> None:
        """Send what is held back, and close."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._head and not self._transport.is_closing():
            self._transport.write(self._head)
        self._head = b""
