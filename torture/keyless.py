"""`python -m torture.keyless PORT CONNECTIONS SECONDS SEED`: clients without the zone key that do what they can.

Each connection does one thing after another, chosen at random, and checks what it is told. It prints one line of JSON:
a `KeylessReport`. It is a process of its own, so that what it does takes no time from the process that measures.
"""

import asyncio
import os
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress

import msgspec

__all__ = ["KeylessReport"]

PATIENCE = 20.0
"""Seconds within which the program must have answered and closed."""
AHEAD = 2.0
"""Seconds for which one connection sends ahead."""
SHORTEST = b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"
"""38 bytes: the program has to find out that it is no call, and says so with status 200."""
CLOSING = SHORTEST.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
SMUGGLED = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"
UPGRADE = b"POST / HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAA\r\n"
DIGITS = 5000
MAX_BODY = 16 << 20
LARGEST = 64 << 20

NICENESS = 10
"""Of this process: where there are clients of its kind, they are on other machines."""

_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")


class KeylessReport(msgspec.Struct, kw_only=True):
    """What the connections did."""

    turns: dict[str, int]
    """How often each thing was done."""
    answers: int
    """How many requests that were sent ahead were answered."""
    wrong: dict[str, int]
    """What was answered wrongly -> how often."""


class Keyless:
    """What a connection can do.

    Args:
        port: Where the program listens, on loopback.
        rng: Makes the choices.
    """

    def __init__(self, port: int, rng: random.Random) -> None:
        self._port = port
        self._rng = rng
        self.turns: Counter[str] = Counter()
        self.wrong: Counter[str] = Counter()
        self.answers = 0

    async def go_on(self, ends: float) -> None:
        """Do one thing after another, until a moment of `time.monotonic()`."""
        things: dict[str, Callable[[], Awaitable[None]]] = {
            "send ahead": self._send_ahead,
            "offer to upgrade": self._offer_to_upgrade,
            "length of many digits": self._say_a_length_of_many_digits,
            "body too large": self._send_too_much,
            "garbage": self._send_garbage,
            "half-close": self._half_close,
        }
        while time.monotonic() < ends:
            name = self._rng.choice(list(things))
            self.turns[name] += 1
            try:
                async with asyncio.timeout(PATIENCE):
                    await things[name]()
            except (OSError, TimeoutError) as error:
                self.wrong[f"{name}: {type(error).__name__}"] += 1

    async def _send_ahead(self) -> None:
        """Send as many requests as the program takes, and read what it answers."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        ends = time.monotonic() + AHEAD
        sending = asyncio.create_task(self._flood(writer, ends))
        answers = 0
        with suppress(TimeoutError):
            async with asyncio.timeout_at(asyncio.get_running_loop().time() + AHEAD):
                while received := await reader.read(1 << 16):
                    answers += self._count_good("send ahead", received)
        sending.cancel()
        writer.transport.abort()
        self.answers += answers
        if not answers:
            self.wrong["send ahead: no answer"] += 1

    async def _flood(self, writer: asyncio.StreamWriter, ends: float) -> None:
        requests = SHORTEST * 1000
        while time.monotonic() < ends:
            writer.write(requests)
            await writer.drain()

    def _count_good(self, name: str, received: bytes) -> int:
        statuses = _STATUS.findall(received)
        for status in statuses:
            if status != b"200":
                self.wrong[f"{name}: {status.decode()}"] += 1
        return len(statuses)

    async def _offer_to_upgrade(self) -> None:
        """Offer another protocol, and let a body follow that looks like a request."""
        head = UPGRADE + b"content-length: %d\r\n\r\n" % len(SMUGGLED)
        await self._expect("offer to upgrade", [200, 200], head, SMUGGLED, CLOSING)

    async def _say_a_length_of_many_digits(self) -> None:
        """Announce two bytes, or more than there can be, with 5,000 digits."""
        version = self._rng.choice([b"1.0", b"1.1"])
        digits, status = self._rng.choice([(b"2".rjust(DIGITS, b"0"), 200), (b"9" * DIGITS, 400)])
        head = b"POST / HTTP/%b\r\nconnection: close\r\ncontent-length: %b\r\n\r\n" % (version, digits)
        await self._expect("length of many digits", [status], head + b"{}")

    async def _send_too_much(self) -> None:
        """Send all of a body that is refused, before anything is read."""
        size = self._rng.randint(MAX_BODY + 1, LARGEST)
        piece = b"x" * (1 << 20)
        pieces = [piece] * (size // len(piece)) + [b"x" * (size % len(piece))]
        head = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % size
        await self._expect("body too large", [413], head, *pieces)

    async def _send_garbage(self) -> None:
        """Send what is no request, after some that are."""
        count = self._rng.randint(0, 5)
        garbage = self._rng.choice([b"hello\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/1.1\r\nhost\r\n\r\n"])
        await self._expect("garbage", [200] * count + [400], SHORTEST * count + garbage)

    async def _half_close(self) -> None:
        """Send some requests and close the sending side."""
        count = self._rng.randint(1, 5)
        await self._expect("half-close", [200] * count, SHORTEST * count, half_close=True)

    async def _expect(self, name: str, statuses: list[int], *pieces: bytes, half_close: bool = False) -> None:
        """Send pieces one after another, read until the program closes, and compare the statuses."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
            if half_close:
                writer.write_eof()
            received = [int(status) for status in _STATUS.findall(await reader.read(-1))]
        finally:
            writer.transport.abort()
        if received != statuses:
            self.wrong[f"{name}: {received} in place of {statuses}"] += 1


async def _run(port: int, connections: int, seconds: float, seed: int) -> KeylessReport:
    rng = random.Random(seed)  # noqa: S311 - the same seed, the same choices
    keyless = Keyless(port, rng)
    ends = time.monotonic() + seconds
    await asyncio.gather(*(keyless.go_on(ends) for _ in range(connections)))
    return KeylessReport(turns=dict(keyless.turns), answers=keyless.answers, wrong=dict(keyless.wrong))


if __name__ == "__main__":
    os.nice(NICENESS)
    report = asyncio.run(_run(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])))
    sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
