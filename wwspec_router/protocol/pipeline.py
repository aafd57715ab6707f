"""uvicorn's protocol class, made to parse one request of a connection at a time.

uvicorn's own class reads on after each reply, and makes all objects of a request for each one that it has read: a
client that sends many ahead fills the memory. Here the next request is parsed when the reply before it is sent. What
comes meanwhile is kept as it came, and nothing more is read. So replies and refusals keep their order, too.

Offers to upgrade are ignored, and a client that closes its sending side is answered. This module knows no limits.
"""

import asyncio
from typing import Any

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from wwspec_router.protocol.framing import Unparsed, content_length

__all__ = ["PipelinedProtocol"]


class PipelinedProtocol(HttpToolsProtocol):
    """Serves one connection, a request at a time."""

    flow: "_Flow"

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._unparsed = Unparsed()
        self._parsing = False
        self._piece = b""
        """What the parser is given just now."""
        self._unfinished = False
        """Whether a request has begun, and its end has not come."""
        self._busy = False
        """Whether a request has arrived as a whole, and is not answered."""
        self._half_closed = False
        """Whether the client sends nothing any more."""
        self._ended = False
        """Whether the last answer was written."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin."""
        super().connection_made(transport)
        self.flow = _Flow(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """End, and parse nothing any more."""
        self._unparsed.clear()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what has come, and parse it unless a reply must be sent first."""
        self._unparsed.add(data)
        self._parse()

    def eof_received(self) -> bool:  # type: ignore[override]
        """Return whether there is something to answer before the connection is closed.

        A client that has closed all of its connection looks the same, until something is sent to it.
        """
        self._half_closed = True
        return self._busy

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._unfinished = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Begin to answer a request, unless its head is parsed again."""
        if self.parser.should_upgrade():
            return
        in_chunks = any(name == b"transfer-encoding" for name, _ in self.headers)
        self._unparsed.expect(content_length(self.headers), in_chunks)
        super().on_headers_complete()
        self.headers = []  # for trailers, which must not join the headers of a request that is being worked on

    def on_message_complete(self) -> None:
        """Let the reply come before the next request."""
        if self.parser.should_upgrade():
            return
        self._unfinished = False
        self._busy = not self._waiting
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Go on to the next request. The queue of uvicorn's code, which does so there, stays empty."""
        self._busy = False
        self.server_state.total_requests += 1
        if self._closing:
            return
        if self.flow.read_paused:
            self.flow.resume_reading()
        if self._unparsed.data:
            self._parse()
        elif self._half_closed:
            self._close()
        else:
            self.on_idle()

    def on_idle(self) -> None:
        """Called when all requests are answered and no other has begun."""

    def on_waiting(self) -> None:
        """Called when all that is there was parsed, and the rest of a request must come."""

    @property
    def _waiting(self) -> bool:
        """Whether no request is being worked on."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or cycle.response_complete

    @property
    def _closing(self) -> bool:
        return self._ended or self.transport.is_closing()

    def _close(self) -> None:
        """Close, once what was written is sent."""
        self._ended = True
        self.transport.close()

    def _parse(self) -> None:
        """Parse what is there, until a request has to be answered before the next one."""
        if self._parsing:  # a request was answered at once: the loop below goes on
            return
        self._parsing = True
        unparsed = self._unparsed
        while unparsed.data and not self._busy:
            self._piece = piece = unparsed.take()
            try:
                self.parser.feed_data(piece)
            except httptools.HttpParserUpgrade as offer:
                self._ignore_upgrade(piece[offer.args[0] :])
            except httptools.HttpParserError:
                self._refuse()
        self._parsing = False
        self._piece = b""  # a body may be large
        if unparsed.data:
            self.flow.hold()
        elif self.flow.held:
            self.flow.release()
        if not self._busy:
            self.on_waiting()

    def _ignore_upgrade(self, rest: bytes) -> None:
        """Parse a head again without its offer to upgrade: the parser skips the body of a request that has one.

        A server may ignore it [RFC 9110, 7.8]. CONNECT, which the parser treats the same way, is refused.
        """
        method = self.parser.get_method()
        if method == b"CONNECT":
            self._refuse()
            return
        head = [b"%b %b HTTP/%b\r\n" % (method, self.url, self.parser.get_http_version().encode())]
        head += [b"%b: %b\r\n" % header for header in self.headers if header[0] != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        self._unparsed.put_back(b"%b\r\n%b" % (b"".join(head), rest))

    def _refuse(self) -> None:
        message = "Invalid HTTP request received."
        self.logger.warning(message)
        self.send_400_response(message)


class _Flow(FlowControl):
    """Keeps reading paused while something waits to be parsed, also when an application wants more of its request."""

    held = False
    """Whether something waits."""

    def hold(self) -> None:
        """Pause reading until it is released."""
        self.held = True
        self.pause_reading()

    def release(self) -> None:
        """Read on."""
        self.held = False
        self.resume_reading()

    def resume_reading(self) -> None:
        """Read on, unless something waits."""
        if self.read_paused and not self.held:
            super().resume_reading()
