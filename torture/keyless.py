"""`python -m torture.keyless PORT CONNECTIONS SECONDS FRAMINGS SEED`: clients without the zone key do what they can.

Each connection does one thing after another, chosen at random, and checks what it is told. Others send random heads and
chunks, and ask for `/healthz` beside each. It prints one line of JSON: a `KeylessReport`. It is a process of its own,
so that what it does takes no time from the process that measures.
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
HOLD = 3.0
"""Seconds for which one connection holds back the last byte of a body."""
FRAMERS = 4
"""How many connections send random heads and chunks at once."""
SHORTEST = b"POST / HTTP/1.1\r\nHost:\r\nContent-Length: 0\r\n\r\n"
"""45 bytes: the program has to find out that it is no call, and says so with status 200."""
CLOSING = SHORTEST.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
SMUGGLED = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"
UPGRADE = (
    b"POST / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAA\r\n"
)
DIGITS = 5000
HEALTH = b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
CALL = b"POST / HTTP/1.1"
OTHERS = [b"POST / HTTP/1.0", b"GET /healthz HTTP/1.1", b"PUT /a HTTP/1.1", b"CONNECT / HTTP/1.1"]
HOST = b"host: x"
HEADERS = [
    HOST,
    b"connection: close",
    b"connection: upgrade\r\nupgrade: h2c",
    b"content-length: 5",
    b"content-length: -5",
    b"expect: 100-continue",
    b"transfer-encoding: gzip, chunked",
    b"transfer-encoding: chunked, chunked",
]
CHUNKED = b"transfer-encoding: chunked"
SIZES = [b"0", b"5", b"-6", b"-8;a", b"-07", b"-0x8", b"+5", b"1_0", b"5 ", b"5;a=b", b"0" * 17 + b"5", b"f" * 16]
"""Sizes of chunks. Those with a sign once held the event loop for good."""
LETTERS = b"-+_0123456789abcdefxX; \t\0"
"""Digits and signs of other sizes."""
MAX_BODY = 16 << 20
LARGEST = 64 << 20

NICENESS = 10
"""Of this process: where there are clients of its kind, they are on other machines."""

_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
_LENGTH = re.compile(rb"content-length: (\d+)")


class KeylessReport(msgspec.Struct, kw_only=True):
    """What the connections did."""

    turns: dict[str, int]
    """How often each thing was done."""
    refused_bodies: int
    """How many bodies without their last byte were refused, since the program held too much of others."""
    health_seconds: float
    """The longest that `/healthz` took beside a random head."""
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
        self.refused_bodies = 0
        self.health_seconds = 0.0

    async def go_on(self, ends: float) -> None:
        """Do one thing after another, until a moment of `time.monotonic()`."""
        things: dict[str, Callable[[], Awaitable[None]]] = {
            "send ahead": self._send_ahead,
            "offer to upgrade": self._offer_to_upgrade,
            "length of many digits": self._say_a_length_of_many_digits,
            "body too large": self._send_too_much,
            "garbage": self._send_garbage,
            "body without its end": self._hold_back_the_last_byte,
            "half-close": self._half_close,
        }
        while time.monotonic() < ends:
            name = self._rng.choice(list(things))
            await self._do(name, things[name])

    async def frame(self, count: int, ends: float) -> None:
        """Send so many random heads and chunks until a moment, and ask for `/healthz` beside each."""
        for number in range(count):
            if time.monotonic() > ends:
                self.wrong["random framing: not sent in time"] += count - number
                break
            await self._do("random framing", self._frame_at_random)

    async def _do(self, name: str, thing: Callable[[], Awaitable[None]]) -> None:
        self.turns[name] += 1
        try:
            async with asyncio.timeout(PATIENCE):
                await thing()
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            self.wrong[f"{name}: {type(error).__name__}"] += 1

    async def _send_ahead(self) -> None:
        """Send as many requests as the program takes, until it closes with the answer to the first."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        sending = asyncio.create_task(self._flood(writer))
        try:
            received = _statuses(await reader.read(-1))
        finally:
            sending.cancel()
            writer.transport.abort()
        if received != [200]:
            self.wrong[f"send ahead: {received}"] += 1

    async def _flood(self, writer: asyncio.StreamWriter) -> None:
        requests = SHORTEST * 1000
        with suppress(ConnectionError):
            while True:
                writer.write(requests)
                await writer.drain()

    async def _frame_at_random(self) -> None:
        """Send a head and chunks that may be none; `/healthz` is answered meanwhile."""
        _, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            request = random_request(self._rng)
            place = self._rng.randint(0, len(request))
            for piece in (request[:place], request[place:]):
                writer.write(piece)
                with suppress(ConnectionError):
                    await writer.drain()
                begun = time.monotonic()
                await self._expect("health", [200], HEALTH)
                self.health_seconds = max(self.health_seconds, time.monotonic() - begun)
        finally:
            writer.transport.abort()

    async def _offer_to_upgrade(self) -> None:
        """Offer another protocol, and let a body follow that looks like a request."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            for piece in (UPGRADE + b"content-length: %d\r\n\r\n" % len(SMUGGLED), SMUGGLED):
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
            head = await reader.readuntil(b"\r\n\r\n")
            length = _LENGTH.search(head)
            body = await reader.readexactly(int(length[1]) if length else 0)
            writer.write(CLOSING)
            received = _statuses(head + body + await reader.read(-1))
        finally:
            writer.transport.abort()
        if received != [200, 200]:
            self.wrong[f"offer to upgrade: {received}"] += 1

    async def _say_a_length_of_many_digits(self) -> None:
        """Announce two bytes, or more than there can be, with 5,000 digits."""
        version = self._rng.choice([b"1.0", b"1.1"])
        digits, status = self._rng.choice([(b"2".rjust(DIGITS, b"0"), 200), (b"9" * DIGITS, 400)])
        head = b"POST / HTTP/%b\r\nhost: x\r\nconnection: close\r\ncontent-length: %b\r\n\r\n" % (version, digits)
        await self._expect("length of many digits", [status], head + b"{}")

    async def _send_too_much(self) -> None:
        """Send all of a body that is refused, before anything is read."""
        size = self._rng.randint(MAX_BODY + 1, LARGEST)
        piece = b"x" * (1 << 20)
        pieces = [piece] * (size // len(piece)) + [b"x" * (size % len(piece))]
        head = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % size
        await self._expect("body too large", [413], head, *pieces)

    async def _hold_back_the_last_byte(self) -> None:
        """Send all of the largest body but its last byte: it is refused at once, or waited for."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        received = b""
        try:
            writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % MAX_BODY)
            writer.write(b"x" * (MAX_BODY - 1))
            await writer.drain()
            with suppress(TimeoutError):
                async with asyncio.timeout(HOLD):
                    received = await reader.read(-1)
        finally:
            writer.transport.abort()
        if received:
            self.refused_bodies += 1
            if _statuses(received) != [503]:
                self.wrong[f"body without its end: {_statuses(received)}"] += 1

    async def _send_garbage(self) -> None:
        """Send what is no request, alone or after some that are."""
        count = self._rng.randint(0, 5)
        garbage = self._rng.choice([b"hello\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/1.1\r\nhost\r\n\r\n"])
        await self._expect("garbage", [200 if count else 400], SHORTEST * count + garbage)

    async def _half_close(self) -> None:
        """Send some requests at once and close the sending side."""
        count = self._rng.randint(1, 5)
        await self._expect("half-close", [200], SHORTEST * count, half_close=True)

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
            received = _statuses(await reader.read(-1))
        finally:
            writer.transport.abort()
        if received != statuses:
            self.wrong[f"{name}: {received} in place of {statuses}"] += 1


def random_request(rng: random.Random) -> bytes:
    """Return a head with chunks, with something wrong in most."""
    headers = rng.sample(HEADERS, rng.randint(0, 2)) + [CHUNKED] * (rng.random() < 0.8)
    lines = [CALL if rng.random() < 0.8 else rng.choice(OTHERS), *[HOST] * (rng.random() < 0.9), *headers]
    if rng.random() < 0.1:
        lines.insert(rng.randint(0, len(lines)), rng.randbytes(rng.randint(0, 100)))
    end = rng.choice([b"\r\n"] * 9 + [b"\n"])
    chunks = b""
    for _ in range(rng.randint(1, 4)):
        size = rng.choice(SIZES) if rng.random() < 0.7 else bytes(rng.choices(LETTERS, k=rng.randint(0, 6)))
        chunks += size + end + rng.choice([b"hello\r\n", b"0\r\n\r\n", b"\r\n", b""])
    return end.join([*lines, b"", b""]) + chunks


def _statuses(received: bytes) -> list[int]:
    return [int(status) for status in _STATUS.findall(received)]


async def _run(port: int, connections: int, seconds: float, framings: int, seed: int) -> KeylessReport:
    rng = random.Random(seed)  # noqa: S311 - the same seed, the same choices
    keyless = Keyless(port, rng)
    ends = time.monotonic() + seconds
    framing = [keyless.frame(framings // FRAMERS, ends + PATIENCE) for _ in range(FRAMERS)]
    await asyncio.gather(*(keyless.go_on(ends) for _ in range(connections)), *framing)
    return KeylessReport(
        turns=dict(keyless.turns),
        refused_bodies=keyless.refused_bodies,
        health_seconds=keyless.health_seconds,
        wrong=dict(keyless.wrong),
    )


if __name__ == "__main__":
    os.nice(NICENESS)
    port, connections, seconds, framings, seed = sys.argv[1:]
    report = asyncio.run(_run(int(port), int(connections), float(seconds), int(framings), int(seed)))
    sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
