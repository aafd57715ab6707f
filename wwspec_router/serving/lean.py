"""The short way of a call: from uvicorn's parser to the workers and back, without ASGI's scope, messages and task.

Only what a call nearly always is goes this way: `POST /` with HTTP/1.1, a body of a known size that is not too large,
and nothing else going on on its connection. Whatever is unlike that is left to uvicorn's own code and `app.py`, on the
same connection and in order. It knows nothing of abilities or of JSON.
"""

import asyncio
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle
from uvicorn.server import ServerState

from wwspec_router.protocol.connection import Connection
from wwspec_router.protocol.framing import length_of
from wwspec_router.sdk.base import Headers
from wwspec_router.serving.app import ZoneProgram
from wwspec_router.serving.calls import Calls, PendingCall
from wwspec_router.serving.exchange import Answer, PendingRequest

__all__ = ["LeanConnection"]

_NAME_BYTES = bytes({*range(0x21, 0x7F), *range(0x80, 0x100)} - set(b'()<>@,;:\\[]={}"'))
_VALUE_BYTES = bytes([9, *range(0x20, 0x7F), *range(0x80, 0x100)])
"""What uvicorn allows in a header's name and value."""

_TOO_SLOW = b"the body did not arrive in time\n"
_TIMED_OUT = Answer(
    [
        (b"connection", b"close"),
        (b"content-length", b"%d" % len(_TOO_SLOW)),
        (b"content-type", b"text/plain; charset=utf-8"),
    ],
    _TOO_SLOW,
    0,
    408,
)


class LeanConnection(Connection):
    """Serves one connection, calls the short way.

    Args:
        config: uvicorn's configuration.
        server_state: What all connections of the server share.
        app_state: The state of the lifespan.
        head_timeout: As for `Connection`.
        body_timeout: Seconds within which a request's body must have arrived.
        max_body: Largest body that is read, in bytes.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        head_timeout: float,
        body_timeout: float,
        max_body: int,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop, head_timeout=head_timeout)
        self._body_timeout = body_timeout
        self._max_body = max_body
        self._program = self.app if isinstance(self.app, ZoneProgram) else None
        self._body_timer: asyncio.TimerHandle | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Give up the call that nobody waits for any more."""
        self._end_body_timer()
        cycle = self.cycle
        super().connection_lost(exc)
        if isinstance(cycle, _Short) and cycle.call is not None:
            cycle.call.hang_up()

    def on_message_begin(self) -> None:
        """Begin a request; its scope is made when it takes the long way."""
        self._unfinished = True
        self.url = b""
        self.headers = []
        self.expect_100_continue = False

    def on_headers_complete(self) -> None:
        """Choose the way of a request."""
        if self.parser.should_upgrade():
            return
        calls = self._program.calls if self._program is not None else None
        head = self._call_head() if calls is not None else None
        if calls is None or head is None:
            self._go_the_long_way()
            return
        headers, length = head
        self._take_head()
        self._unparsed.expect_bytes(length)
        self.cycle = _Short(calls, headers, self.parser.should_keep_alive())

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body."""
        cycle = self.cycle
        if isinstance(cycle, _Short):
            self._advanced = True
            if cycle.reading:
                cycle.pieces.append(body)
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Hand a call to the workers."""
        cycle = self.cycle
        if not isinstance(cycle, _Short):
            super().on_message_complete()
            return
        self._unfinished = False
        if cycle.reading:
            self._busy = True
            cycle.reading = False
            self._end_body_timer()
            ticket = PendingRequest(cycle.headers, b"".join(cycle.pieces))
            cycle.pieces.clear()
            call = cycle.calls.take(ticket, lambda answer: self._answer(cycle, answer))
            if not cycle.response_complete:  # some are refused at once
                cycle.call = call

    def on_waiting(self) -> None:
        """Start the time of a body that is not complete, as well."""
        super().on_waiting()
        cycle = self.cycle
        if self._body_timer is None and isinstance(cycle, _Short) and cycle.reading and not self._closing:
            self._body_timer = self.loop.call_later(self._body_timeout, self._answer, cycle, _TIMED_OUT)

    def _call_head(self) -> tuple[Headers, int] | None:
        """Return the headers and the body's length of a request that can go the short way."""
        if (
            self.url != b"/"
            or self.parser.get_method() != b"POST"
            or self.expect_100_continue
            or self.parser.get_http_version() != "1.1"
            or self.limit_concurrency is not None
            or self.flow.write_paused
            or not self._waiting
        ):
            return None
        headers = []
        length = 0
        for name, value in self.headers:
            if name == b"transfer-encoding":
                return None
            if name == b"content-length":
                length = length_of(value)
                if length > self._max_body:
                    return None
            headers.append((name.decode("latin-1"), value.decode("latin-1")))
        return headers, length

    def _go_the_long_way(self) -> None:
        """Leave a request to uvicorn and the ASGI application."""
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.headers, self.expect_100_continue = url, headers, expects
        self.scope["headers"] = headers
        super().on_headers_complete()

    def _answer(self, cycle: "_Short", answer: Answer | None) -> None:
        """Send an answer, and go on to the next request."""
        cycle.call = None
        if answer is None or cycle.disconnected or self._closing:
            return
        cycle.reading = False
        cycle.response_complete = True
        head = self._head(cycle, answer)
        if head is None:
            self.logger.error("A reply with an invalid header was not sent.")
            self._close()
            return
        self.transport.writelines([head, answer.body])
        if not cycle.keep_alive:
            self._close()
        self.on_response_complete()

    def _head(self, cycle: "_Short", answer: Answer) -> bytes | None:
        """Return the head of a reply; None when a header is not allowed."""
        headers = answer.headers
        names = b"".join([name for name, _ in headers])
        values = b"".join([value for _, value in headers])
        if names.translate(None, _NAME_BYTES) or values.translate(None, _VALUE_BYTES):
            return None
        lines = [STATUS_LINE[answer.status]]
        lines += [b"%b: %b\r\n" % header for header in self.server_state.default_headers]
        lines += [b"%b: %b\r\n" % header for header in headers]
        if (b"connection", b"close") in headers:
            cycle.keep_alive = False
        elif not cycle.keep_alive:
            lines.append(b"connection: close\r\n")
        lines.append(b"\r\n")
        return b"".join(lines)

    def _end_body_timer(self) -> None:
        if self._body_timer is not None:
            self._body_timer.cancel()
            self._body_timer = None


class _Short(RequestResponseCycle):
    """A call on the short way: what uvicorn's code wants to know of it, and what we do.

    Args:
        calls: Takes it in.
        headers: Of the request.
        keep_alive: Whether the connection goes on after the answer.
    """

    message_event = asyncio.Event()
    """Nobody waits for it."""
    disconnected = False
    response_complete = False
    reading = True
    """Whether its body is not complete."""
    call: PendingCall | None = None
    """Until it is answered: an idle connection must not hold a call's memory."""

    def __init__(self, calls: Calls, headers: Headers, keep_alive: bool) -> None:
        self.calls = calls
        self.headers = headers
        self.keep_alive = keep_alive
        self.pieces: list[bytes] = []
