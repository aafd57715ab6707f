"""An emulator on a port that the kernel chooses, programs that a test makes up, and a fixture of both for a module."""

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette

from tests.support.sealing import seal_reply
from tests.support.waiting import DEADLINE, wait_until
from wwspec_contracts.support.certificates import trusted
from wwspec_devtools.emulator.http.app import create_app
from wwspec_devtools.emulator.http.client import EmulatorClient
from wwspec_devtools.emulator.http.server import Server
from wwspec_devtools.emulator.platform import Platform
from wwspec_devtools.emulator.settings import EmulatorSettings
from wwspec_devtools.emulator.standin.wwspec_standin import seal

Json = dict[str, Any]
Response = tuple[int, Mapping[str, str], bytes]


def program_state(client: EmulatorClient) -> Json:
    """Return what a reader of the stream is told of the program."""
    with closing(client.stream()) as events:
        return next(dict(event.data) for event in events if event.name == "program")


def free_socket() -> socket.socket:
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    return bound


def url_of(bound: socket.socket) -> str:
    return f"http://127.0.0.1:{bound.getsockname()[1]}"


@contextmanager
def running(server: uvicorn.Server, bound: socket.socket) -> Iterator[str]:
    url = url_of(bound)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, name="emulator-under-test")
    thread.start()
    try:
        wait_until(lambda: server.started)
        yield url
    finally:
        server.should_exit = True
        thread.join(DEADLINE)
        assert not thread.is_alive()


def serving(app: Starlette, bound: socket.socket | None = None) -> AbstractContextManager[str]:
    return running(Server(app), bound or free_socket())


def served(app: Any) -> AbstractContextManager[str]:
    """Serve an app's own ASGI application by uvicorn, and give its URL."""
    return running(uvicorn.Server(uvicorn.Config(app, log_config=None)), free_socket())


@contextmanager
def http_server(
    post: Callable[[list[tuple[str, str]], bytes], Response],
    get: Callable[[str], Response] | None = None,
    connections: list[socket.socket] | None = None,
) -> Iterator[str]:
    """Serve functions over HTTP/1.1 on threads and yield the URL; the list gets each connection."""
    made: list[socket.socket] = [] if connections is None else connections

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # headers and body in one packet: two would wait 40 ms for each other

        def setup(self) -> None:
            super().setup()
            made.append(self.connection)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            self._send(*post([*self.headers.items(), (":path", self.path)], body))

        def do_GET(self) -> None:
            assert get is not None
            self._send(*get(self.path))

        def _send(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = False
        block_on_close = True

        def handle_error(self, *args: object) -> None:
            """Say nothing: the emulator hangs up on programs that are too slow."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        for connection in made:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        server.server_close()


class Emulator:
    def __init__(self, settings: EmulatorSettings, stack: ExitStack) -> None:
        app = create_app(settings)
        self.settings = settings
        self.platform: Platform = app.state.platform
        self.url = stack.enter_context(serving(app))
        self.http = stack.enter_context(
            httpx.Client(base_url=self.url, verify=trusted(), trust_env=False, timeout=DEADLINE)
        )

    @property
    def key(self) -> bytes:
        return self.http.get("/emulator/zone-key").content

    def token(self) -> str:
        query = {"corpid": self.settings.corpid, "corpsecret": self.settings.secret}
        return str(self._json(self.http.get("/cgi-bin/gettoken", params=query))["access_token"])

    def app_call(self, api: str, body: Json, token: str | None = None) -> Json:
        """Call an API of the app's side, one of chatdata when no folder is named."""
        path = api if "/" in api else f"chatdata/{api}"
        query = {"access_token": self.token() if token is None else token}
        return self._json(self.http.post(f"/cgi-bin/{path}", params=query, json=body))

    def app_get(self, api: str, **query: str) -> Json:
        """Call an API of the app's side that takes its arguments in the query, with a good token if none is given."""
        query = (
            query if {"access_token", "suite_access_token"} & query.keys() else {"access_token": self.token(), **query}
        )
        return self._json(self.http.get(f"/cgi-bin/{api}", params=query))

    def call_program(
        self, data: str = "{}", ability_id: str = "echo", *, api: str = "sync_call_program", **more: str
    ) -> Json:
        body = {"program_id": self.settings.program_id, "ability_id": ability_id, "request_data": data}
        return self.app_call(api, body | more)

    def receive_events(self) -> None:
        answer = self.app_call("set_receive_callback", {"program_id": self.settings.program_id})
        assert answer == {"errcode": 0, "errmsg": "ok"}

    def fire(self, event_type: str, overrides: Json | None = None) -> Json:
        return self._json(self.http.post(f"/emulator/fire/{event_type}", json=overrides or {}))

    def event_token(self) -> str:
        world = self.platform.world
        with world.lock:
            return world.issue_event_token(world.app)

    def sdk(
        self,
        api: str,
        request: Json,
        *,
        corpid: str = "",
        agentid: int | None = None,
        request_id: str = "",
        job_info: str = "",
        machine: int = 0,
    ) -> Json:
        """Call an SDK API as the stand-in does: for a request, a job or neither, of a machine or of none."""
        headers = {
            "ww-request-id": request_id,
            "ww-job-info": quote(job_info, safe=""),
            "ww-machine": str(machine),
            "ww-corpid": quote(corpid or self.settings.corpid),
            "ww-agentid": str(self.settings.agentid if agentid is None else agentid),
        }
        return self._json(self.http.post(f"/emulator/sdk/{api}", json=request, headers=headers))

    def notifications(self) -> list[Json]:
        found: list[Json] = self._json(self.http.get("/emulator/notifications"))["notifications"]
        return found

    def advance(self, seconds: float) -> None:
        assert self._json(self.http.post("/emulator/clock", json={"advance": seconds}))["errcode"] == 0

    @staticmethod
    def _json(response: httpx.Response) -> Json:
        assert response.status_code == 200
        answer: Json = response.json()
        return answer


class SealedProgram:
    """A program that opens calls and seals what `reply` gives: a text, or a whole response."""

    def __init__(self, stack: ExitStack) -> None:
        self.url = stack.enter_context(http_server(self._answer))
        self.key = b""
        self.calls: list[seal.CallContent] = []
        self.reply: Callable[[seal.CallContent], str | Response] = lambda call: call.data

    def _answer(self, headers: list[tuple[str, str]], body: bytes) -> Response:
        call = seal.open_call(self.key, headers, body.decode())
        self.calls.append(call)
        reply = self.reply(call)
        if isinstance(reply, str):
            sealed = seal_reply(self.key, reply, call.request_id, 0)
            return 200, sealed.headers, sealed.body.encode()
        return reply


@pytest.fixture(scope="module")
def module_zone() -> Iterator[tuple[Emulator, SealedProgram]]:
    """An emulator and a program for all tests of a module: most of a test's time goes into starting and ending."""
    with ExitStack() as stack:
        program = SealedProgram(stack)
        settings = EmulatorSettings(messages=60, clock_start=1_750_000_000, program_url=program.url)
        emulator = Emulator(settings, stack)
        program.key = emulator.key
        yield emulator, program


@pytest.fixture
def zone(module_zone: tuple[Emulator, SealedProgram]) -> tuple[Emulator, SealedProgram]:
    emulator, program = module_zone
    emulator.platform.register(None)
    emulator.platform.point_to(program.url)
    emulator.platform.world.app.receiver = None
    emulator.platform.reset()
    program.key = emulator.key
    program.calls.clear()
    program.reply = lambda call: call.data
    return module_zone
