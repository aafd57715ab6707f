"""One HTTP/1.1 connection of a zone program: a state machine over httptools, given to uvicorn by its setting `http`.

A connection has one request at a time. A client sends the next one when it has the answer [RFC 9112, 9.3.2]: what it
sends earlier is dropped, and the connection closes after the answer to the first [9.6]. So a client that sends ahead
fills no memory. Each phase except `ANSWER` has a time limit. A client that closes its sending side is answered.
"""

import asyncio
import logging
from contextlib import suppress
from enum import IntEnum, auto
from math import inf
from typing import TYPE_CHECKING, Any

from wwspec_router.http1 import answers, bounds
from wwspec_router.http1.answers import Answer, RequestHandler, SubmittedRequest, answer_without_call
from wwspec_router.http1.bounds import Limits
from wwspec_router.http1.budget import BodyBudget
from wwspec_router.http1.framing import BadRequestError, Reader, head_of
from wwspec_router.http1.turns import Turns

if TYPE_CHECKING:
    from uvicorn import Config
    from uvicorn.server import ServerState

_COPIED = 16 << 10
"""Bytes up to which copying head and body into one buffer costs less than sending two buffers."""

_log = logging.getLogger("uvicorn.error")  # where lines about clients are bounded


class Phase(IntEnum):
    """What a connection waits for; up to `BODY` it reads."""

    IDLE = 0
    """The first byte of the next request."""
    HEAD = auto()
    """The end of a head: of the first one, or of one that has begun."""
    BODY = auto()
    """The end of a body."""
    ANSWER = auto()
    """The program's answer."""
    LINGER = auto()
    """The client's end of the connection: the last answer was written, and what still comes is dropped."""
    END = auto()
    """The transport's end, once all was sent."""


class Connection(asyncio.BufferedProtocol):
    """Serves one connection.

    Args:
        config: uvicorn's; `timeout_keep_alive` is also how long a client may take to read its answer.
        server_state: What all connections of the server share.
        app_state: Of ASGI's lifespan; not used.
        _loop: The event loop; None for the running one.
        program: What answers.
        limits: What is kept.
        bodies: The budget of large bodies that all connections of the server share.
        turns: The turns in which all of them read.
    """

    def __init__(
        self,
        config: "Config",
        server_state: "ServerState",
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        program: RequestHandler,
        limits: Limits,
        bodies: BodyBudget,
        turns: Turns,
    ) -> None:
        self._server = server_state
        self._loop = _loop or asyncio.get_running_loop()
        self._program = program
        self._bodies = bodies
        self._turns = turns
        self._buffer = turns.piece
        self._share = bounds.SHARE
        """Work that is left of this connection's share of the turn."""
        self._has_had_its_share = False
        """Whether it has used up one since its request began."""
        self._rest = b""
        """What came when the turn was used up for all."""
        self._most = limits.connections
        self._timeouts = (config.timeout_keep_alive, limits.head_timeout, limits.body_timeout)
        """The seconds of each phase that reads."""
        self._reader = Reader(limits.max_body)
        self._phase = Phase.HEAD
        self._deadline: float | None = None
        """The time at which the phase must have ended, by the loop's clock; None before it is set."""
        self._timer: asyncio.TimerHandle | None = None
        self._fires_at = inf
        """The time at which the timer fires. It stays when the deadline moves later: each call would pay for a move."""
        self._call: SubmittedRequest | None = None
        self._dropped = 0
        """Bytes that came after the last answer."""
        self._is_read_paused = self._is_write_paused = False
        self._is_half_closed = self._is_stopping = self._is_waiting = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, and start the time of the first head."""
        self._transport = transport
        self._server.connections.add(self)  # type: ignore[arg-type]  # as good as one of uvicorn's
        self._is_surplus = self._is_crowded()
        if self._is_crowded(bounds.SURPLUS):
            transport.abort()
        self._expect_within(self._timeouts[Phase.HEAD])

    def connection_lost(self, exc: Exception | None) -> None:
        """Give up the pending call: its client is gone."""
        self._server.connections.discard(self)
        self._enter(Phase.END)
        self._reader.close()
        self._rest = b""
        if self._timer is not None:
            self._timer.cancel()
        if self._call is not None:
            self._call.hang_up()

    def get_buffer(self, sizehint: int) -> memoryview:
        """Return what is read into; no other connection reads before `buffer_updated`."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Read what has come; drop it, and let the connection end, when an answer must be sent or read first."""
        if self._phase <= Phase.BODY and not self._is_write_paused:
            data = bytes(self._buffer[:nbytes])
            if self._turns.left <= 0 and nbytes > bounds.SMALL and self._buffer is self._turns.piece:
                self._rest = data
                self._wait()
            else:
                self._read(data)
        elif self._phase is Phase.LINGER:
            self._drop(nbytes)
        elif self._phase is Phase.ANSWER:
            self._reader.is_followed = True
            self._pause_reading(True)
        elif self._phase is not Phase.END:
            self._close()

    def eof_received(self) -> bool:
        """Return whether to stay open for an answer: the client may be gone, or wait for it."""
        self._is_half_closed = True
        if self._phase is Phase.ANSWER:
            return True
        self._end()
        return False

    def pause_writing(self) -> None:
        """Read no further request of a client until it has read its answers."""
        self._is_write_paused = True

    def resume_writing(self) -> None:
        """Read the next request."""
        self._is_write_paused = False

    def shutdown(self) -> None:
        """Begin to stop: close as soon as the answer that is due is sent."""
        self._is_stopping = True
        if self._phase in (Phase.BODY, Phase.ANSWER):
            self._reader.keep_alive = False
        elif self._phase is not Phase.END:
            self._end()

    def go_on(self) -> None:
        """Read on in the turn that has come; for `Turns`."""
        self._is_waiting = False
        data, self._rest = self._rest, b""
        if self._phase <= Phase.BODY:
            self._share = bounds.SHARE
            if data:
                self._read(data)
        if not self._is_waiting:
            self._pause_reading(False)

    def _wait(self) -> None:
        """Wait for a turn, and leave to the system what comes meanwhile."""
        self._is_waiting = True
        self._pause_reading(True)
        self._turns.wait(self, has_had_its_share=self._has_had_its_share)

    def _read(self, data: bytes) -> None:
        """Read what has come, and begin to answer the request that it ends."""
        reader = self._reader
        try:
            reader.feed(data)
        except BadRequestError as error:
            _log.warning(str(error))
            self._respond(answers.plain(400, str(error), answers.CLOSE))
            return
        finally:
            work = reader.work + len(data) // bounds.UNIT
            reader.work = 0
            self._turns.left -= work
            if self._turns.left <= 0:
                self._turns.begin_soon()
        if reader.is_complete:
            self._enter(Phase.ANSWER)
            self._ask()
        elif reader.has_head:
            is_new = self._phase is not Phase.BODY
            if is_new:
                self._enter(Phase.BODY)
                self._expect_within(self._timeouts[Phase.BODY])
                if not reader.is_chunked:
                    self._buffer = self._turns.buffer
            if self._refusal() is not None:  # whatever the rest is
                self._ask()
                return
            if is_new and reader.expects:
                self._transport.write(answers.CONTINUE)
            self._spend(work)
            self._bodies.grow(self, self._deadline or inf, reader.size)
        else:
            if self._phase is Phase.IDLE:
                self._enter(Phase.HEAD)
                self._expect_within(self._timeouts[Phase.HEAD])
            self._spend(work)

    def _spend(self, work: int) -> None:
        """Count work of a request that goes on, and leave the rest of the turn to others once its share is used up."""
        self._share -= work
        if self._share <= 0:
            self._has_had_its_share = True
            self._wait()

    def _ask(self) -> None:
        reader = self._reader
        refusal = self._refusal()
        if refusal is not None:
            if refusal is answers.TOO_MANY:
                _log.warning("Exceeded concurrency limit.")
            self._respond(refusal)
        elif reader.is_call:
            call = self._program.submit(*reader.pop_call(), self._on_answer)
            self._call = call if self._phase is Phase.ANSWER else None  # some are refused at once
            if call is not None and reader.size > bounds.FREE_BODY:
                self._bodies.submit(call)
        else:
            self._respond(answer_without_call(self._program, reader.method, reader.path))

    def refuse_body(self) -> None:
        """Refuse the body that is coming, since the worker holds too much of others; for `BodyBudget`."""
        _log.warning("Large bodies exceed the memory for them.")
        self._respond(answers.NO_ROOM)

    def _refusal(self) -> Answer | None:
        """Return the refusal that the head or the size of the body decides, or None."""
        if self._is_surplus and self._is_crowded():
            return answers.TOO_MANY
        if self._reader.is_encoded:
            return answers.ENCODED_BODY
        return answers.LARGE_BODY if self._reader.is_too_large else None

    def _on_answer(self, answer: Answer | None) -> None:
        self._call = None
        if answer is not None and self._phase is Phase.ANSWER:
            self._respond(answer)

    def _respond(self, answer: Answer) -> None:
        """Send an answer, and wait for the next request."""
        reader = self._reader
        keep_alive = reader.keep_alive and not reader.is_followed and answers.CLOSE not in answer.headers
        body = b"" if reader.method == b"HEAD" else answer.body
        reader.forget()
        head = head_of(answer, self._server.default_headers, keep_alive=keep_alive)
        if head is None:
            _log.error("A reply with an invalid header was not sent.")
            self._close()
            return
        if len(body) > _COPIED:
            self._transport.writelines([head, body])
        else:
            self._transport.write(head + body)
        self._server.total_requests += 1
        if not keep_alive:
            self._close()
        elif self._is_half_closed:
            self._end()
        else:
            self._enter(Phase.IDLE)
            self._expect_within(self._timeouts[Phase.IDLE])
            self._share = bounds.SHARE
            self._has_had_its_share = False

    def _close(self) -> None:
        """Close, so that the client can read its last answer.

        Closing a socket with unread data resets the connection, and the client may lose an answer that is on its way
        [RFC 9112, 9.6]. So, while the client may still send, only our side is closed at first.
        """
        is_sending = self._phase <= Phase.BODY or self._reader.is_followed
        if not is_sending or self._is_half_closed or self._is_stopping:
            self._end()
            return
        self._enter(Phase.LINGER)
        self._expect_within(bounds.LINGER_SECONDS)
        self._buffer = self._turns.buffer
        with suppress(OSError):  # the client is gone; connection_lost follows
            self._transport.write_eof()
        self._pause_reading(False)

    def _drop(self, size: int) -> None:
        """Drop what comes after the last answer, and receive on later."""
        self._dropped += size
        if self._dropped > bounds.LINGER_BYTES:
            self._end()
        else:
            self._has_had_its_share = True
            self._pause_reading(True)
            self._loop.call_later(bounds.LINGER_PAUSE, self._wait)

    def _end(self) -> None:
        """Close, once what was written is sent."""
        self._enter(Phase.END)
        self._transport.close()
        if self._transport.get_write_buffer_size():
            self._expect_within(self._timeouts[Phase.IDLE])

    def _enter(self, phase: Phase) -> None:
        if self._phase is Phase.BODY:
            self._bodies.end(self)
            self._buffer = self._turns.piece
        self._phase = phase
        self._deadline = None

    def _expect_within(self, seconds: float) -> None:
        """Let the phase end within so many seconds."""
        self._deadline = self._loop.time() + seconds
        if self._deadline < self._fires_at:
            self._set_timer(self._deadline)

    def _set_timer(self, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(when, self._on_timer)
        self._fires_at = when

    def _on_timer(self) -> None:
        self._fires_at = inf
        if self._deadline is None:
            return
        if self._loop.time() < self._deadline:
            self._set_timer(self._deadline)
        elif self._phase is Phase.BODY:
            self._respond(answers.LATE_BODY)
        elif self._transport.get_write_buffer_size() and self._phase is not Phase.LINGER:
            self._transport.abort()  # the client does not read its answer
        else:
            self._end()

    def _pause_reading(self, wanted: bool) -> None:
        if wanted is not self._is_read_paused and self._phase is not Phase.END:
            self._is_read_paused = wanted
            (self._transport.pause_reading if wanted else self._transport.resume_reading)()

    def _is_crowded(self, surplus: int = 0) -> bool:
        return len(self._server.connections) > self._most + surplus
