"""One client's connection: uvicorn's protocol class, with the limits that it has not.

uvicorn bounds an idle connection and, in `app.py`, a request's body is bounded. What is left is bounded here: the time
and the size of a request's head, the time that a client takes to read its reply, and the number of connections. It
knows nothing of calls.
"""

import asyncio
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

__all__ = ["HEAD_BYTES", "SURPLUS", "Connection"]

HEAD_BYTES = 64 << 10
"""Bytes that may arrive without an end of the head, or without a byte of the body: what one read adds is allowed."""
SURPLUS = 256
"""Connections beyond the limit that are told so, with status 503; what comes beyond these is closed unanswered."""


class Connection(HttpToolsProtocol):
    """Serves one connection.

    uvicorn's `limit_concurrency` is taken for the connections that came when so many were open already, and for no
    others: a crowd at the door does not shut out who is inside.

    Args:
        config: uvicorn's configuration; `timeout_keep_alive` is also how long a client may take to read a reply.
        server_state: What all connections of the server share.
        app_state: The state of the lifespan.
        head_timeout: Seconds within which a head must be complete, from the connection's start or from the first byte
            of a later request.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        head_timeout: float,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._head_timeout = head_timeout
        self._head_timer: asyncio.TimerHandle | None = None
        self._drain_timer: asyncio.TimerHandle | None = None
        self._advanced = False
        self._idle_bytes = 0
        """Bytes read since the last end of a head or piece of a body."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the time of the first head."""
        super().connection_made(transport)
        self._head_timer = self.loop.call_later(self._head_timeout, self._hang_up)
        limit = self.limit_concurrency
        if limit is None or len(self.connections) < limit:
            self.limit_concurrency = None
        elif len(self.connections) >= limit + SURPLUS:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """End the timers with the connection."""
        self._end_head_timer()
        self._end_drain_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what has come, and bound what leads nowhere."""
        self._advanced = False
        super().data_received(data)
        self._idle_bytes = 0 if self._advanced else self._idle_bytes + len(data)
        if self.transport.is_closing():
            return
        if self._idle_bytes > HEAD_BYTES:
            self.logger.warning("A request without an end of its head was cut off.")
            self.send_400_response("Request head too large.")
        elif self._head_timer is None and self.timeout_keep_alive_task is None and self._waiting:
            self._head_timer = self.loop.call_later(self._head_timeout, self._hang_up)

    def on_headers_complete(self) -> None:
        """End the time of the head."""
        self._advanced = True
        self._end_head_timer()
        super().on_headers_complete()
        self.headers = []  # for trailers, which must not join the headers of a request that is being worked on

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body."""
        self._advanced = True
        super().on_body(body)

    def on_response_complete(self) -> None:
        """Go on to the next request, or bound the end of this connection."""
        super().on_response_complete()
        self._bound_closing()

    def send_400_response(self, msg: str) -> None:
        """Refuse a request and close."""
        super().send_400_response(msg)
        self._bound_closing()

    def pause_writing(self) -> None:
        """Start the time of a client that is slow to read."""
        super().pause_writing()
        self._start_drain_timer()

    def resume_writing(self) -> None:
        """End that time, unless the connection closes: then it must be read to its end."""
        if not self.transport.is_closing():
            self._end_drain_timer()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection; one with an unread reply would never close."""
        self._hang_up()

    @property
    def _waiting(self) -> bool:
        """Whether no request is being worked on."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or cycle.response_complete

    def _hang_up(self) -> None:
        if self.transport.is_closing():
            return
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            self.transport.close()

    def _bound_closing(self) -> None:
        if self.transport.is_closing() and self.transport.get_write_buffer_size():
            self._start_drain_timer()

    def _start_drain_timer(self) -> None:
        if self._drain_timer is None:
            self._drain_timer = self.loop.call_later(self.timeout_keep_alive, self.transport.abort)

    def _end_drain_timer(self) -> None:
        if self._drain_timer is not None:
            self._drain_timer.cancel()
            self._drain_timer = None

    def _end_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
