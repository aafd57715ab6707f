"""Callers that tell their calls apart, which `wrk` does not: how long the quick ones take among slow ones.

Each has one connection and one call at a time. It knows HTTP only as far as a reply with a length needs it.
"""

import asyncio
import statistics
import time
from collections.abc import Sequence

__all__ = ["median_of_quick"]


async def median_of_quick(port: int, quick: bytes, slow: bytes, callers: int, calls: int, every: int) -> float:
    """Let each caller make its calls, one after the other.

    Args:
        port: The server's.
        quick: A whole request, head and body.
        slow: The one that takes long.
        callers: How many call at once.
        calls: How many calls each makes.
        every: Each how many-th call is slow; 0 for none.

    Returns:
        The median of what the quick ones took, in microseconds.
    """
    plans = [[bool(every) and (index + number) % every == 0 for index in range(calls)] for number in range(callers)]
    taken = await asyncio.gather(*(_caller(port, (quick, slow), plan) for plan in plans))
    return statistics.median(each for times in taken for each in times) * 1e6


async def _caller(port: int, requests: tuple[bytes, bytes], plan: Sequence[bool]) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    taken = []
    for is_slow in plan:
        begun = time.perf_counter()
        writer.write(requests[is_slow])
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"port {port}: {head[:40].decode()}")
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length))
        if not is_slow:
            taken.append(time.perf_counter() - begun)
    writer.close()
    await writer.wait_closed()
    return taken
