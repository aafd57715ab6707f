"""An HTTPS proxy that leads clients with a hard-coded base URL to the emulator.

A client that honours HTTPS_PROXY asks for a tunnel to WeCom's host; the proxy answers as that host, with a certificate
of the emulator's own authority, and passes what it decrypts on to the emulator. It opens no connection to any other
machine: a tunnel to another host is refused. Knows nothing of what is inside the requests.
"""

import asyncio
import contextlib
import logging
import threading
from types import TracebackType
from typing import Self

from wwspec_router.emulator.authority import Authority
from wwspec_router.emulator.settings import WECOM_HOST, is_loopback
from wwspec_router.errors import ConfigurationError

__all__ = ["Proxy"]

log = logging.getLogger(__name__)

HEAD_LIMIT = 16 * 1024
"""Bytes that a request for a tunnel may have."""
HEAD_SECONDS = 10.0
_CHUNK = 64 * 1024


class Proxy:
    """Listens from `with` to its end, on a thread with a loop of its own.

    Args:
        authority: Signs for the hosts.
        emulator: Host and port of the emulator.
        host: A loopback address to listen on.
        port: 0 lets the system choose.
        stands_for: The hosts that lead to the emulator.

    Raises:
        ConfigurationError: `host` is not a loopback address.
    """

    def __init__(
        self,
        authority: Authority,
        emulator: tuple[str, int],
        host: str = "127.0.0.1",
        port: int = 0,
        stands_for: frozenset[str] = frozenset({WECOM_HOST}),
    ) -> None:
        if not is_loopback(host):
            raise ConfigurationError(f"the proxy binds to loopback only, not to {host!r}")
        self._authority = authority
        self._emulator = emulator
        self._address = (host, port)
        self._hosts = stands_for
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="emulator-proxy")
        self._tunnels: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """What HTTPS_PROXY is set to."""
        if self._server is None:
            raise RuntimeError("the proxy does not listen")
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"http://{host}:{port}"

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        except OSError as error:
            self.__exit__(None, None, None)
            raise ConfigurationError(f"the proxy's port can't be opened ({error.strerror})") from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._accept, *self._address, limit=HEAD_LIMIT, backlog=2048)

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        for tunnel in list(self._tunnels):
            tunnel.cancel()
        await asyncio.gather(*self._tunnels, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tunnels.add(task)
            task.add_done_callback(self._tunnels.discard)
        try:
            host = await self._asked_for(reader)
            if host not in self._hosts:
                log.warning("a tunnel to %r was refused: the proxy leads to the emulator only", host[:64])
                writer.write(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                await writer.drain()
                return
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await writer.drain()
            await writer.start_tls(self._authority.context(host))
            await self._carry(reader, writer)
        except (OSError, EOFError, ValueError, TimeoutError, asyncio.LimitOverrunError) as error:
            log.info("a tunnel ended: %s", type(error).__name__)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _asked_for(self, reader: asyncio.StreamReader) -> str:
        """Read `CONNECT host:port`; empty for anything else."""
        async with asyncio.timeout(HEAD_SECONDS):
            head = await reader.readuntil(b"\r\n\r\n")
        method, _, rest = head.decode("latin-1").partition(" ")
        target = rest.partition(" ")[0]
        return target.rpartition(":")[0].strip("[]").lower() if method == "CONNECT" else ""

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection(*self._emulator)
        try:
            ways = [_copy(reader, inner_writer), _copy(inner_reader, writer)]
            tasks = [asyncio.ensure_future(way) for way in ways]
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            inner_writer.close()
            with contextlib.suppress(OSError):
                await inner_writer.wait_closed()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_CHUNK):
        writer.write(data)
        await writer.drain()
