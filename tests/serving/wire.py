"""A program whose connections tests see byte for byte: what they send, and how it is served.

The vendor's SDK is closed, so these tests bring one of their own: a call travels as plain JSON, and what the platform
would answer is the test's to say.
"""

import asyncio
import contextlib
import fcntl
import re
import select
import socket
import struct
import termios
import threading
from array import array
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import httpx
import msgspec
import uvicorn
from uvicorn.config import HTTP_PROTOCOLS
from uvicorn.importer import import_from_string

from tests.support.apps import ROOT
from tests.support.waiting import DEADLINE, wait_until
from wwspec_contracts.errors import DecodeError
from wwspec_contracts.support.certificates import trusted
from wwspec_router.config import Settings
from wwspec_router.envelope import Call
from wwspec_router.http1.connection import Phase
from wwspec_router.registry.table import AbilityTable
from wwspec_router.sdk.base import Headers, SealedReply
from wwspec_router.serving.asgi import ZoneApplication
from wwspec_router.serving.joined import Joined
from wwspec_router.serving.program import ZoneProgram
from wwspec_router.serving.server import server_config
from wwspec_router.stores import open_store


class PlainSdk:
    """Calls and replies as plain JSON; `invoke` is the test's."""

    is_emulated = False

    def __init__(self) -> None:
        self.invoke: Callable[[str, str], str] = lambda api, request: '{"errcode":0,"errmsg":"ok"}'
        self.decoded_on: list[str] = []
        self.encoded_on: list[str] = []
        self.fails_to_encode = False

    def decode(self, headers: Headers, body: str) -> Call:
        self.decoded_on.append(threading.current_thread().name)
        if dict(headers).get("ww-plain") != "yes":
            raise DecodeError("the request could not be verified or decrypted")
        return msgspec.json.decode(body, type=Call)

    def encode(self, text: str) -> SealedReply:
        self.encoded_on.append(threading.current_thread().name)
        if self.fails_to_encode:
            raise RuntimeError("a secret that must not be seen")
        return SealedReply(headers={"Ww-Sealed": "yes"}, body=text)

    def encode_refusal(self, text: str) -> SealedReply:
        return SealedReply(headers={"Ww-Exception": "yes"}, body=text)

    def client(self, corpid: str, agentid: int, ability_id: str, job_info: str) -> "PlainSdk":
        return self

    def new_notify_id(self) -> str:
        return "notify-1"

    def trace(self, reference: str, text: str = "") -> None:
        """Tell nobody."""


def sealed(ability_id: str, data: Any = None, **call: Any) -> bytes:
    fields = {"corpid": "corp", "agentid": 1, "call_type": 1, "ability_id": ability_id, **call}
    return msgspec.json.encode({**fields, "data": msgspec.json.encode({} if data is None else data).decode()})


BODY = sealed("invoke_sync_msg", {"limit": 2})
HOST = b"host: x\r\n"
"""With this alone the SDK of the tests decodes nothing."""
PLAIN = HOST + b"ww-plain: yes\r\n"
LENGTH = b"content-length: %d\r\n" % len(BODY)
CALL = b"POST / HTTP/1.1\r\n" + PLAIN + LENGTH + b"\r\n" + BODY
LAST = b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
"""Makes the program close, once it has answered it."""
SHORTEST = b"POST / HTTP/1.1\r\nHost:\r\nContent-Length: 0\r\n\r\n"
"""45 bytes that a program has to work for, without the zone key."""
OK = b'{"errcode":0,"errmsg":"ok"}'


def post(
    path: bytes = b"/", version: bytes = b"1.1", head: bytes = PLAIN, more: bytes = b"", body: bytes = BODY
) -> bytes:
    length = b"content-length: %d\r\n" % len(body)
    return b"POST %b HTTP/%b\r\n" % (path, version) + head + more + length + b"\r\n" + body


def chunked(*chunks: bytes, extension: bytes = b"", trailers: bytes = b"") -> bytes:
    encoded = b"".join(b"%x%b\r\n%b\r\n" % (len(chunk), extension, chunk) for chunk in chunks)
    head = b"POST / HTTP/1.1\r\n" + PLAIN + b"transfer-encoding: chunked\r\n\r\n"
    return head + encoded + b"0" + extension + b"\r\n" + trailers + b"\r\n"


class _Server(uvicorn.Server):
    """Starts and stops its program, as the server of `wwspec serve` does."""

    def __init__(self, config: uvicorn.Config, program: ZoneProgram) -> None:
        super().__init__(config)
        self._program = program

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await self._program.start()
        await super().startup(sockets)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        await self._program.stop()


class Served:
    """One running program, served as `wwspec serve` does, or by uvicorn's own protocol class."""

    loop: asyncio.AbstractEventLoop

    def __init__(
        self,
        table: AbilityTable,
        sdk: PlainSdk | None = None,
        loop: str = "auto",
        by_uvicorn: bool = False,
        **options: Any,
    ) -> None:
        self.sdk = sdk or PlainSdk()
        settings = Settings(app=ROOT, **{"grace": DEADLINE, **options})
        self.app = ZoneProgram(table, self.sdk, open_store("memory:"), settings)
        config = server_config(self.app, settings)
        if by_uvicorn:
            http: Any = partial(Joined, import_from_string(HTTP_PROTOCOLS["httptools"]))
            config.http, config.app, config.lifespan = http, ZoneApplication(self.app), "on"
        self.is_by_uvicorn = by_uvicorn
        config.loop = loop
        self.server = _Server(config, self.app)
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.port: int = self.socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._run, name="program")

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=self.server.config.get_loop_factory()) as runner:
            self.loop = runner.get_loop()
            runner.run(self.server.serve([self.socket]))

    def start(self) -> None:
        self._thread.start()
        wait_until(lambda: self.server.started)

    def stop(self) -> None:
        self.server.should_exit = True
        self._thread.join(DEADLINE)
        assert not self._thread.is_alive()
        self.socket.close()

    @property
    def pending(self) -> int:
        assert self.app._running is not None
        return len(self.app._running.calls._pending)

    def post(self, ability_id: str, data: Any = None, **call: Any) -> httpx.Response:
        content = sealed(ability_id, data, **call)
        with httpx.Client(verify=trusted(), trust_env=False, timeout=DEADLINE) as client:
            return client.post(f"{self.url}/", content=content, headers={"ww-plain": "yes"})

    def connect(self) -> socket.socket:
        client = socket.create_connection(("127.0.0.1", self.port), DEADLINE)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return client

    @contextlib.contextmanager
    def calling(self, gate: "Gate", call: bytes = CALL) -> Iterator[socket.socket]:
        """Connect and make a call, which the gate holds."""
        self.sdk.invoke = gate
        with self.connect() as client:
            client.sendall(call)
            assert gate.entered.acquire(timeout=DEADLINE)
            yield client

    def connect_narrow(self) -> socket.socket:
        """Connect so that the system holds but a few KB of what the client does not read."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        client = socket.socket()
        client.settimeout(DEADLINE)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", self.port))
        return client

    @property
    def unsent(self) -> int:
        connections: set[Any] = self.server.server_state.connections.copy()
        return sum(each._transport.get_write_buffer_size() for each in connections)

    @property
    def unread(self) -> int:
        """Bytes that clients have sent and the program has not read."""
        connections: set[Any] = self.server.server_state.connections.copy()
        return sum(unread(each._transport) for each in connections)

    def read_all(self) -> None:
        """Let the program read what has been sent, before more is."""

        async def turns() -> None:
            for _ in range(3):
                await asyncio.sleep(0)

        asyncio.run_coroutine_threadsafe(turns(), self.loop).result(DEADLINE)

    def read_sent(self, client: socket.socket, *, answered: bool = False) -> None:
        """Let the program read all that a client has sent, and, if `answered`, answer the request that this ends."""
        name = client.getsockname()

        async def is_read() -> bool:
            connections: set[Any] = self.server.server_state.connections
            for each in connections:
                transport = each.transport if self.is_by_uvicorn else each._transport
                if transport.get_extra_info("peername") == name:
                    if not self.is_by_uvicorn and each._phase is Phase.ANSWER:
                        return not answered
                    return transport.is_closing() or not unread(transport)
            return bool(select.select([client], [], [], 0)[0])  # has closed; else it was not accepted yet

        wait_until(lambda: asyncio.run_coroutine_threadsafe(is_read(), self.loop).result(DEADLINE))
        self.read_all()

    def talk(self, *pieces: bytes) -> bytes:
        """Send pieces, each when the request that the one before has ended is answered; return all answers.

        uvicorn's own protocol class gets the pieces as fast as it reads them.
        """
        with self.connect() as client:
            for piece in pieces:
                with contextlib.suppress(ConnectionError):  # it may have closed
                    client.sendall(piece)
                if self.is_by_uvicorn:
                    self.read_all()
                else:
                    self.read_sent(client, answered=True)
            return without_date(read_to_end(client))

    @property
    def open(self) -> int:
        return len(self.server.server_state.connections)


def unread(transport: asyncio.BaseTransport) -> int:
    size = array("i", [0])
    fcntl.ioctl(transport.get_extra_info("socket").fileno(), termios.FIONREAD, size)
    return size[0]


def read_to_end(client: socket.socket) -> bytes:
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := client.recv(1 << 16):
            received += piece
    return received


def read_reply(client: socket.socket) -> bytes:
    """Return one reply, as its content-length tells."""
    received = b""
    while b"\r\n\r\n" not in received:
        piece = client.recv(1 << 16)
        assert piece, received
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head)
    while length is not None and len(body) < int(length[1]):
        body += client.recv(1 << 16)
    return without_date(head + b"\r\n\r\n" + body)


def ask(client: socket.socket) -> None:
    client.sendall(CALL)
    assert read_reply(client).endswith(OK)


def finish(*clients: socket.socket) -> None:
    """Send the last byte of a request on each connection; all are answered."""
    for client in clients:
        client.sendall(b"x")
        assert statuses(read_reply(client)) == [200]


def without_date(received: bytes) -> bytes:
    return re.sub(rb"date: [^\r]*", b"date: now", received)


def statuses(received: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", received)]


def reset(client: socket.socket) -> None:
    """Leave as a client does whose process was killed with unread data, or whose machine was restarted."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def until_closed(client: socket.socket) -> None:
    assert read_to_end(client) == b""


def reply_of(text: str) -> str:
    return f'{{"errcode":0,"errmsg":"{text}"}}'


class Gate:
    """An SDK call that lasts until the test opens the gate."""

    def __init__(self, reply: str = OK.decode()) -> None:
        self.opened = threading.Event()
        self.entered = threading.Semaphore(0)
        self.calls = 0
        self._reply = reply

    def __call__(self, api: str, request: str) -> str:
        self.calls += 1
        self.entered.release()
        assert self.opened.wait(3 * DEADLINE)  # no test gets there
        return self._reply


Start = Callable[..., Served]


@contextlib.contextmanager
def starting(table: AbilityTable) -> Iterator[Start]:
    with contextlib.ExitStack() as stack:

        def begin(sdk: PlainSdk | None = None, **options: Any) -> Served:
            program = Served(table, sdk, **options)
            program.start()
            stack.callback(program.stop)
            return program

        yield begin
