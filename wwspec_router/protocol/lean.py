"""The short way of a call: from uvicorn's parser to the program and back, without ASGI's scope, messages and task.

Only what a call nearly always is goes this way: `POST /` with HTTP/1.1, a head that comes in one piece, a body of a
known size that is not too large, and nothing else going on on its connection. All other requests take uvicorn's own
code and ASGI, on the same connection and in order. It knows nothing of abilities or of JSON.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from uvicorn.config import Config
from uvicorn.server import ServerState

from wwspec_router.protocol.answers import CLOSE, LATE_BODY, Answer, Headers, OnAnswer
from wwspec_router.protocol.connection import Connection, reply_head
from wwspec_router.protocol.framing import length_of

__all__ = ["LeanConnection", "Submit"]

_NAME_BYTES = bytes({*range(0x21, 0x7F), *range(0x80, 0x100)} - set(b'()<>@,;:\\[]={}"'))
_VALUE_BYTES = bytes([9, *range(0x20, 0x7F), *range(0x80, 0x100)])
"""What uvicorn allows in a header's name and value."""

_REQUEST_LINE = b"POST / HTTP/1.1\r\n"
_COPIED = 16 << 10
"""Bytes of a body up to which a copy costs less than a second buffer."""


class PendingCall(Protocol):
    """A call that the program has taken."""

    def hang_up(self) -> None:
        """Note that the client is gone."""
        ...


Submit = Callable[[Headers, bytes, OnAnswer], PendingCall]
"""Takes a call: its headers, its body, and what is called once with the answer."""


class LeanConnection(Connection):
    """Serves one connection, calls the short way.

    Args:
        config: uvicorn's configuration.
        server_state: What all connections of the server share.
        app_state: The state of the lifespan.
        head_timeout: As for `Connection`.
        body_timeout: Seconds within which a request's body must have arrived.
        max_body: Largest body that is read, in bytes.
        submit: Returns what takes calls; None while the program does not run.
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
        submit: Callable[[], Submit | None],
    ) -> None:
        super().__init__(config, server_state, app_state, _loop, head_timeout=head_timeout)
        self._body_timeout = body_timeout
        self._max_body = max_body
        self._submit = submit
        self._body_timer: asyncio.TimerHandle | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Give up the call that nobody waits for any more."""
        self._end_body_timer()
        cycle = self.cycle
        super().connection_lost(exc)
        if isinstance(cycle, _LeanCycle) and cycle.call is not None:
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
        submit = self._submit()
        head = self._call_head() if submit is not None else None
        if submit is None or head is None:
            self._go_the_long_way()
            return
        headers, length = head
        self._take_head()
        self._unparsed.expect_bytes(length)
        cycle = _LeanCycle(submit, headers, self.parser.should_keep_alive(), self.transport)
        self.cycle = cycle  # type: ignore[assignment]  # has what is asked of one, see there

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body."""
        cycle = self.cycle
        if isinstance(cycle, _LeanCycle):
            self._advanced = True
            if cycle.reading:
                cycle.pieces.append(body)
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Hand a call to the program."""
        cycle = self.cycle
        if not isinstance(cycle, _LeanCycle):
            super().on_message_complete()
            return
        self._unfinished = False
        if cycle.reading:
            self._busy = True
            cycle.reading = False
            self._end_body_timer()
            body = b"".join(cycle.pieces)
            cycle.pieces.clear()
            call = cycle.submit(cycle.headers, body, lambda answer: self._answer(cycle, answer))
            if not cycle.response_complete:  # some are refused at once
                cycle.call = call

    def on_waiting(self) -> None:
        """Start the time of a body that is not complete, as well."""
        super().on_waiting()
        cycle = self.cycle
        if self._body_timer is None and isinstance(cycle, _LeanCycle) and cycle.reading and not self._closing:
            self._body_timer = self.loop.call_later(self._body_timeout, self._answer, cycle, LATE_BODY)

    def _call_head(self) -> tuple[Headers, int] | None:
        """Return the headers and the body's length of a request that can go the short way."""
        if (
            not self._piece.startswith(_REQUEST_LINE)
            or self.expect_100_continue
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

    def _answer(self, cycle: "_LeanCycle", answer: Answer | None) -> None:
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
        if len(answer.body) > _COPIED:
            self.transport.writelines([head, answer.body])
        else:
            self.transport.write(head + answer.body)
        if not cycle.keep_alive:
            self._close()
        self.on_response_complete()

    def _head(self, cycle: "_LeanCycle", answer: Answer) -> bytes | None:
        """Return the head of a reply; None when a header is not allowed."""
        headers = answer.headers
        names = b"".join([name for name, _ in headers])
        values = b"".join([value for _, value in headers])
        if names.translate(None, _NAME_BYTES) or values.translate(None, _VALUE_BYTES):
            return None
        if CLOSE in headers:
            cycle.keep_alive = False
        elif not cycle.keep_alive:
            headers = [*headers, CLOSE]
        return reply_head(answer.status, self.server_state.default_headers, headers)

    def _end_body_timer(self) -> None:
        if self._body_timer is not None:
            self._body_timer.cancel()
            self._body_timer = None


class _LeanCycle:
    """One call on the short way.

    It takes the place of uvicorn's `RequestResponseCycle`, and has what uvicorn's protocol class and ours ask of one;
    `tests/protocol` holds that together.

    Args:
        submit: Takes it.
        headers: Of the request.
        keep_alive: Whether the connection goes on after the answer.
        transport: The connection's.
    """

    __slots__ = (
        "call",
        "disconnected",
        "headers",
        "keep_alive",
        "pieces",
        "reading",
        "response_complete",
        "submit",
        "transport",
    )

    message_event = asyncio.Event()
    """Nobody waits for it."""

    def __init__(self, submit: Submit, headers: Headers, keep_alive: bool, transport: asyncio.Transport) -> None:
        self.submit = submit
        self.headers = headers
        self.keep_alive = keep_alive
        self.transport = transport
        self.pieces: list[bytes] = []
        self.reading = True
        """Whether its body is not complete."""
        self.call: PendingCall | None = None
        """Until it is answered: an idle connection must not hold a call's memory."""
        self.disconnected = False
        self.response_complete = False
