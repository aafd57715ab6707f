"""One client's connection: uvicorn's protocol class, with the limits that it lacks.

uvicorn bounds an idle connection, `pipeline.py` what is sent ahead and, in `app.py`, a request's body is bounded. What
is left is bounded here: the time and the size of a request's head, the time that a client takes to read its reply, the
number of connections, and the end of one whose client goes on sending. It knows nothing of calls; the emulator serves
with it too.
"""

import asyncio
from collections.abc import Iterable
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle
from uvicorn.server import ServerState

from wwspec_router.protocol.answers import CLOSE, plain
from wwspec_router.protocol.lingering import Lingering
from wwspec_router.protocol.pipeline import PipelinedProtocol

__all__ = ["HEAD_BYTES", "SURPLUS", "Connection", "reply_head"]

HEAD_BYTES = 64 << 10
"""Bytes that may arrive without an end of the head, or without a byte of the body: what one read adds is allowed."""
SURPLUS = 256
"""Connections beyond the limit that are answered with status 503; those beyond these are closed unanswered."""


class Connection(PipelinedProtocol):
    """Serves one connection.

    uvicorn's `limit_concurrency` is taken for the connections that came when so many were open already, and for no
    others: new connections do not shut out those that are open.

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
        self._stopping = False
        self._idle_since: float | None = None
        """When the last reply was sent, unless something came after it; of the loop's clock."""
        self._advanced = False
        self._idle_bytes = 0
        """Bytes read since the last end of a head or piece of a body."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the time of the first head."""
        super().connection_made(transport)
        self._reply_transport: asyncio.Transport = _ReplyTransport(self)
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
        self._unset_keepalive_if_required()
        self._reply_transport = self.transport  # or both would hold each other in memory
        if self.cycle is not None:
            self.cycle.transport = self.transport
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what has come, and bound what leads nowhere."""
        self._advanced = False
        self._idle_since = None
        super().data_received(data)
        if self._busy:
            self._idle_bytes = 0
        elif not self._closing:
            self._idle_bytes = 0 if self._advanced else self._idle_bytes + len(data)
            if self._idle_bytes > HEAD_BYTES:
                self.logger.warning("A request without an end of its head was cut off.")
                self.send_400_response("Request head too large.")

    def on_headers_complete(self) -> None:
        """End the time of the head."""
        self._take_head()
        super().on_headers_complete()
        if self.cycle is not None:
            self.cycle.transport = self._reply_transport

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body."""
        self._advanced = True
        super().on_body(body)

    def send_400_response(self, msg: str) -> None:
        """Refuse a request and close."""
        answer = plain(400, msg, CLOSE)
        head = reply_head(answer.status, self.server_state.default_headers, answer.headers)
        self.transport.write(head + answer.body)
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and not cycle.response_complete:  # it waits for the rest of its body
            cycle.disconnected = True
            cycle.message_event.set()
        self._unfinished = True  # nobody knows where the request ends
        self._close()

    def on_idle(self) -> None:
        """Bound the time until the next request. The timer goes on from one to the next: to end it takes too long."""
        self._idle_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._start_idle_timer(self.timeout_keep_alive)

    def on_waiting(self) -> None:
        """Start the time of a head that has begun."""
        if self._waiting and self._head_timer is None and self._idle_since is None and not self._closing:
            self._head_timer = self.loop.call_later(self._head_timeout, self._hang_up)

    def pause_writing(self) -> None:
        """Start the time of a client that is slow to read."""
        super().pause_writing()
        self._start_drain_timer()

    def resume_writing(self) -> None:
        """End that time, unless the connection closes: then it must be read to its end."""
        if not self._closing:
            self._end_drain_timer()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection that was idle for so long; one with an unread reply would never close."""
        self.timeout_keep_alive_task = None
        if self._idle_since is None:
            return
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._start_idle_timer(left)
        else:
            self._hang_up()

    def shutdown(self) -> None:
        """Begin to stop: close as soon as the reply that is due is sent."""
        self._stopping = True
        super().shutdown()
        if self._ended:
            self.transport.close()

    def _close(self) -> None:
        """Close, so that the client can read its last answer."""
        if self._closing:
            return
        if (self._unfinished or self._unparsed.data) and not self._stopping:
            self._ended = True
            Lingering(self.transport, self)
        else:
            super()._close()
        self._unparsed.clear()
        if self.transport.get_write_buffer_size():
            self._start_drain_timer()

    def _hang_up(self) -> None:
        """Close at once: there is no answer to lose."""
        if self._closing:
            return
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            self.transport.close()

    def _take_head(self) -> None:
        self._advanced = True
        self._end_head_timer()

    def _start_idle_timer(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

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


def reply_head(status: int, *headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return the head of a reply."""
    lines = [b": ".join(header) for each in headers for header in each]
    return STATUS_LINE[status] + b"\r\n".join([*lines, b"\r\n"])


class _ReplyTransport(asyncio.Transport):
    """A connection's transport as uvicorn's code for one reply sees it: to close it leaves time to read the reply.

    Args:
        connection: Whose.
    """

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self._connection = connection
        self.write = connection.transport.write  # type: ignore[method-assign]  # a detour would take time

    def is_closing(self) -> bool:
        return self._connection._closing

    def close(self) -> None:
        self._connection._close()
