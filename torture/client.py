"""Sealed calls straight to a program, over kept-alive connections: at a fixed rate, or as fast as answers come.

At a fixed rate nothing waits for an answer: each call has its moment, and its latency counts from there, also when the
sender was late. One thread, one loop; calls are sealed before, replies opened after, so that little is done meanwhile.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import msgspec

from wwspec_devtools.emulator.standin.wwspec_standin import seal

__all__ = ["Answered", "Client", "SealedCalls"]

CONNECTIONS = 1000
"""Connections at most, unless told otherwise; a call that finds none idle then waits for one."""
DRAIN = 10.0
"""Seconds that answers are waited for after the last call."""
TICK = 0.001
"""Seconds between two looks at which calls are due."""


class SealedCalls:
    """Calls of one ability with a number each, as they travel.

    Args:
        key: The zone key.
        ability_id: Which ability.
        count: How many; they are sent again and again.
    """

    def __init__(self, key: bytes, ability_id: str, count: int = 256) -> None:
        self._key = key
        self.requests = [self._sealed(ability_id, number) for number in range(count)]

    def _sealed(self, ability_id: str, number: int) -> bytes:
        content = seal.CallContent(
            corpid="wwtorture",
            agentid=1,
            call_type=1,
            ability_id=ability_id,
            data=f'{{"number":{number}}}',
            request_id=f"1_{number}",
            timestamp=int(time.time()),
        )
        return http_request(seal.seal_call(self._key, content))

    def reply(self, head: bytes, body: bytes) -> Any:
        """Open a reply and return its JSON value.

        Raises:
            SealError: It is none of this zone.
        """
        lines = [line.split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line]
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in lines]
        return msgspec.json.decode(seal.open_reply(self._key, headers, body.decode()).text)


def http_request(sealed: seal.Sealed) -> bytes:
    """Return a sealed call as an HTTP request."""
    headers = "".join(f"{name}: {value}\r\n" for name, value in sealed.headers.items())
    head = f"POST / HTTP/1.1\r\nhost: 127.0.0.1\r\n{headers}content-length: {len(sealed.body)}\r\n\r\n"
    return (head + sealed.body).encode()


class Answered(NamedTuple):
    """One call and what came back."""

    number: int
    """Of the call, as `SealedCalls` numbers them."""
    seconds: float
    """From its moment to the last byte of the reply."""
    late: float
    """Seconds by which it was sent too late."""
    status: int
    head: bytes
    body: bytes


class Client:
    """Calls one program.

    Args:
        port: Where it listens, on loopback.
        calls: What is sent, in turn.
        connections: How many at most.
    """

    def __init__(self, port: int, calls: Sequence[bytes], connections: int = CONNECTIONS) -> None:
        self._connections = connections
        self._due: deque[tuple[int, float]] = deque()
        self._port = port
        self._calls = calls
        self._idle: list[_Lane] = []
        self._lanes: set[_Lane] = set()
        self._answered: list[Answered] = []
        self._on_answer: Callable[[Answered], None] = self._answered.append
        self._waiting = 0
        self._lost = 0
        self._next: _Refill | None = None
        self._drain = asyncio.Event()

    @property
    def lost(self) -> int:
        """Calls that were never answered: the connection was closed, or the time was over."""
        return self._lost

    async def at_rate(
        self, rate: float, seconds: float, on_answer: Callable[[Answered], None] | None = None
    ) -> list[Answered]:
        """Send so many calls a second, evenly, whatever becomes of them.

        Args:
            rate: Calls a second.
            seconds: How long.
            on_answer: Given each answer, which is then not kept.

        Returns:
            The answers, in the order in which they came.
        """
        self._answered = []
        self._on_answer = on_answer or self._answered.append
        began = time.perf_counter()
        count = round(rate * seconds)
        sent = 0
        while sent < count:
            due = min(count, int((time.perf_counter() - began) * rate) + 1)
            for number in range(sent, due):
                await self._send(number, began + number / rate)
            sent = due
            await asyncio.sleep(TICK)
        return await self._drained()

    async def closed(self, connections: int, seconds: float) -> list[Answered]:
        """Keep so many calls under way, each connection sending again once it is answered."""
        self._answered = []
        self._on_answer = self._answered.append
        refill = _Refill(time.perf_counter() + seconds)
        self._next = refill
        for _ in range(connections):
            await self._send(refill.number(), time.perf_counter())
        await asyncio.sleep(seconds)
        self._next = None
        return await self._drained()

    def close(self) -> None:
        """Close every connection."""
        for lane in list(self._lanes):
            lane.close()

    def done(self, lane: "_Lane", answered: Answered) -> None:
        """Take an answer; called by the connection."""
        self._on_answer(answered)
        self._finish_one()
        if self._next is not None and time.perf_counter() < self._next.ends:
            self._waiting += 1
            self._give(lane, self._next.number(), time.perf_counter())
        elif self._due:
            self._give(lane, *self._due.popleft())
        else:
            self._idle.append(lane)

    def gone(self, lane: "_Lane", *, waiting: bool) -> None:
        """Take note of a connection that was closed; called by the connection."""
        self._lanes.discard(lane)
        if lane in self._idle:
            self._idle.remove(lane)
        if waiting:
            self._lost += 1
            self._finish_one()

    def _finish_one(self) -> None:
        self._waiting -= 1
        if not self._waiting:
            self._drain.set()

    async def _send(self, number: int, moment: float) -> None:
        self._waiting += 1
        if self._idle:
            self._give(self._idle.pop(), number, moment)
        elif len(self._lanes) >= self._connections:
            self._due.append((number, moment))
        elif (lane := await self._connected()) is not None:
            self._give(lane, number, moment)
        else:
            self._lost += 1
            self._finish_one()

    def _give(self, lane: "_Lane", number: int, moment: float) -> None:
        index = number % len(self._calls)
        lane.send(index, self._calls[index], moment)

    async def _connected(self) -> "_Lane | None":
        try:
            _, lane = await asyncio.get_running_loop().create_connection(lambda: _Lane(self), "127.0.0.1", self._port)
        except OSError:
            return None
        self._lanes.add(lane)
        return lane

    async def _drained(self) -> list[Answered]:
        self._drain = asyncio.Event()
        if self._waiting:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._drain.wait(), DRAIN)
        self._due.clear()
        self._lost += self._waiting
        self._waiting = 0
        return self._answered


class _Refill:
    """Numbers for calls that follow answers, until a moment."""

    def __init__(self, ends: float) -> None:
        self.ends = ends
        self._count = 0

    def number(self) -> int:
        self._count += 1
        return self._count


class _Lane(asyncio.Protocol):
    """One connection: a call at a time."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._sent: tuple[int, float, float] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a socket's always is
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._client.gone(self, waiting=self._sent is not None)
        self._sent = None

    def send(self, index: int, request: bytes, moment: float) -> None:
        now = time.perf_counter()
        self._sent = (index, moment, max(0.0, now - moment))
        if self._transport is not None:
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end or self._sent is None or len(body) < _length(head):
            return
        index, moment, late = self._sent
        self._sent = None
        self._received = b""
        status = int(head[9:12])
        self._client.done(self, Answered(index, time.perf_counter() - moment, late, status, head, body))

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()


def _length(head: bytes) -> int:
    lower = head.lower()
    start = lower.index(b"content-length:") + len(b"content-length:")
    end = lower.find(b"\r\n", start)
    return int(lower[start : None if end < 0 else end])
