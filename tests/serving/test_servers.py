"""The same answers whichever server runs the program: `wwspec serve --wrap` and, in its place, other ASGI servers."""

import os
import select
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from tests.serving.service import EMPTY, call_content
from tests.serving.wire import read_to_end, reset, statuses
from tests.support.apps import ROOT, write_files
from tests.support.processes import UNMEASURED
from tests.support.sdk import standin_as_vendor
from tests.support.tables import for_each
from tests.support.waiting import DEADLINE, answers, wait_until
from torture.client import http_request
from wwspec_devtools.emulator.standin.wwspec_standin import seal
from wwspec_devtools.testing.ports import held_ports

SERVERS = {
    "uvicorn": "uvicorn --factory wwspec_router.asgi:create_app --port 8080",
    "hypercorn": "hypercorn 'wwspec_router.asgi:create_app()' --bind 127.0.0.1:8080 --graceful-timeout 10",
    "granian": "granian --interface asgi --factory wwspec_router.asgi:create_app --port 8080",
}
"""How the documentation starts each server."""
COMMANDS = {"wwspec serve --wrap": "wwspec_router serve --wrap abilities.web:wrap --port 8080", **SERVERS}
MAX_BODY = 65_536
ABILITIES = ("greet", "refuse", "late", "wait", "mark")
APP = {
    "abilities/__init__.py": "",
    "abilities/registry.toml": "[abilities.get_callback_data]\nkind = 'callback_data'\n"
    + "".join(f"[abilities.{name}]\nhandler = 'abilities.own:{name}'\n" for name in ABILITIES).replace(
        "own:late'", "own:late'\ntimeout = 0.05"
    ),
    "abilities/web.py": """
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse

async def own(request):
    return PlainTextResponse("own")

def wrap(app: Starlette) -> Starlette:
    app.add_route("/own", own)
    return app
""",
    "abilities/own.py": """
import asyncio
import logging
import time
from pathlib import Path

from wwspec_router import AbilityError, Contract, Output, ability

logging.basicConfig(level="INFO")  # the log is the server's, and this one sets none up for others
FOLDER = Path(__file__).parents[1]

class Request(Contract):
    name: str = ""

class Reply(Output):
    text: str = ""

@ability
def greet(request: Request) -> Reply:
    return Reply(text=f"Hello, {request.name}!")

@ability
def refuse(request: Request) -> Reply:
    raise AbilityError("not today", errcode=1001)

@ability
async def late(request: Request) -> Reply:
    return await asyncio.get_running_loop().create_future()

@ability
def wait(request: Request) -> Reply:
    (FOLDER / f"{request.name}.entered").touch()
    while not (FOLDER / f"{request.name}.opened").exists():
        time.sleep(0.01)  # blocks its thread, as the SDK does
    return Reply(text="to the end")

@ability
def mark(request: Request) -> Reply:
    (FOLDER / request.name).touch()
    return Reply(text="marked")
""",
}
SDK = """
def _kept(name, request):
    with open(os.path.join(FOLDER, name), "w") as file:
        file.write(request)
    return '{"errcode": 0, "errmsg": "ok"}'

import os
FOLDER = os.environ["WWSPEC_APP"]
ChatDataSDK.spec_notify_app = lambda self, request: _kept("notified", request)
ChatDataSDK.program_async_job_call_back = lambda self, request: _kept("reported", request)
"""
"""There is no platform: what the program asks of it is kept in files."""


class Program:
    """A program with one thread and one place in its queue, in a process of a server."""

    def __init__(self, server: str, folder: Path, port: int) -> None:
        self.folder = write_files(folder, APP)
        self.key = os.urandom(seal.KEY_BYTES)
        (folder / "zone.key").write_bytes(self.key)
        sdk = standin_as_vendor(folder / "sdk")
        with (sdk / "wwspecapisdk.py").open("a") as module:
            module.write(SDK)
        self.port, self.url = port, f"http://127.0.0.1:{port}"
        self.log = folder / "log"
        settings = {"APP": folder, "SDK": "vendor", "EMULATOR_URL": f"local:{folder}", "WORKERS": 1, "REQUEST_LOG": 1}
        limits = {"THREADS": 1, "QUEUE": 1, "QUEUE_TIMEOUT": DEADLINE, "GRACE": DEADLINE, "MAX_BODY": MAX_BODY}
        environment = {f"WWSPEC_{name}": str(value) for name, value in (settings | limits).items()}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *shlex.split(COMMANDS[server].replace("8080", str(port)))],
                cwd=folder,
                env={**os.environ, **UNMEASURED, **environment, "PYTHONPATH": f"{sdk}:{ROOT}"},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def call(self, ability_id: str, data: Mapping[str, object] = EMPTY, **how: Any) -> dict[str, Any]:
        """Return the reply to a call or an event."""
        sealed = self.seal(ability_id, data, **how)
        return self.opened(self.send("POST", "/", sealed.body.encode(), sealed.headers))

    def seal(
        self,
        ability_id: str,
        data: Mapping[str, object] = EMPTY,
        *,
        call_type: int = 1,
        job_info: str = "",
        notify_id: str = "",
    ) -> seal.Sealed:
        content = call_content(ability_id, data, call_type, "1_1", job_info)
        return seal.seal_call(self.key, content._replace(notify_id=notify_id))

    def opened(self, response: httpx.Response) -> dict[str, Any]:
        assert response.status_code == 200
        content = seal.open_reply(self.key, response.headers.items(), response.text)
        reply: dict[str, Any] = msgspec.json.decode(content.text)
        return {**reply, "is_exception": True} if content.is_exception else reply

    def send(
        self, method: str, path: str, body: bytes | Iterator[bytes] = b"", headers: Mapping[str, str] = EMPTY
    ) -> httpx.Response:
        with httpx.Client(base_url=self.url, trust_env=False, timeout=DEADLINE) as client:
            return client.request(method, path, content=body, headers={**headers})

    def status(self, *request: Any) -> int:
        return self.send(*request).status_code

    def holding(self, pool: ThreadPoolExecutor, name: str) -> Future[dict[str, Any]]:
        """Make a call that takes the thread until a file is made."""
        call = pool.submit(self.call, "wait", {"name": name})
        wait_until((self.folder / f"{name}.entered").exists)
        return call

    def end(self, name: str) -> None:
        """Let such a call end."""
        (self.folder / f"{name}.opened").touch()

    def queued(self, pool: ThreadPoolExecutor) -> Future[dict[str, Any]]:
        """Make two calls while another takes the thread: one is refused, and the one that is returned is queued."""
        calls = {pool.submit(self.call, "mark", {"name": f"queued {number}"}) for number in range(2)}
        refused, waiting = wait(calls, DEADLINE, FIRST_COMPLETED)
        assert [each.result()["errcode"] for each in refused] == [OVERLOADED]
        return waiting.pop()

    def leave_queue(self) -> None:
        """Do the same, and reset the connection of the queued call."""
        clients = []
        for _ in range(2):
            clients.append(client := socket.create_connection(("127.0.0.1", self.port), DEADLINE))
            client.sendall(http_request(self.seal("mark", {"name": "gone"})))
        refused = select.select(clients, [], [], DEADLINE)[0]
        assert len(refused) == 1
        for client in clients:
            reset(client)


OVERLOADED = 710660
ENDED = {"errcode": 0, "errmsg": "ok", "text": "to the end"}
MARKED = {"errcode": 0, "errmsg": "ok", "text": "marked"}
EVENT = {"event_type": "hit_keyword", "timestamp": 1, "hit_keyword": {"token": "t"}}


def fetched(program: Program) -> object:
    """Send an event, and fetch it under the notify_id that the app is told."""
    assert program.call("", EVENT, call_type=2)["errcode"] == 0
    notify_id = msgspec.json.decode((program.folder / "notified").read_bytes())["notify_id"]
    return program.call("get_callback_data", notify_id=notify_id)["event_type"]


def run_later(program: Program) -> object:
    """Call asynchronously, and wait for the report."""
    assert program.call("mark", {"name": "job"}, job_info="job 1")["errcode"] == 0
    wait_until((program.folder / "reported").exists)
    return (program.folder / "job").exists()


def full(program: Program) -> object:
    """Make calls while one runs and another is queued."""
    with ThreadPoolExecutor(3) as pool:
        running = program.holding(pool, "full")
        queued = program.queued(pool)
        program.end("full")
        return [running.result(DEADLINE), queued.result(DEADLINE)]


def left(program: Program) -> object:
    """Leave while a call is queued."""
    with ThreadPoolExecutor(1) as pool:
        running = program.holding(pool, "left")
        program.leave_queue()
        wait_until(lambda: "client hung up" in program.log.read_text())
        program.end("left")
        assert running.result(DEADLINE) == ENDED
    assert program.call("mark", {"name": "after"}) == MARKED
    return (program.folder / "gone").exists()


def stopped(program: Program) -> object:
    """Stop while a call runs, and another is queued; return the replies, and whether a traceback is the program's.

    Hypercorn prints one of its own when a client has left the rest of a refused body behind.
    """
    with ThreadPoolExecutor(3) as pool:
        running = program.holding(pool, "stop")
        queued = program.queued(pool)
        program.process.terminate()
        wait_until(lambda: not answers(f"{program.url}/readyz"))
        program.end("stop")
        replies = [running.result(DEADLINE), queued.result(DEADLINE)]
    program.process.wait(DEADLINE)
    return replies, f'File "{ROOT / "wwspec_router"}' in program.log.read_text()


def in_pieces(size: int) -> Iterator[bytes]:
    yield from (b"x" * 1000 for _ in range(size // 1000))


Do = Callable[[Program], object]
UNDECODED = {"errcode": 710660, "errmsg": "the request could not be verified or decrypted", "is_exception": True}
CASES: list[tuple[str, Do, object]] = [
    ("/healthz", lambda program: program.send("GET", "/healthz").text, "ok\n"),
    ("/readyz", lambda program: program.send("GET", "/readyz").text, "ok\n"),
    ("another method", lambda program: program.status("GET", "/"), 405),
    ("another path", lambda program: program.status("GET", "/none"), 404),
    ("a large body", lambda program: program.status("POST", "/", b"x" * (MAX_BODY + 1)), 413),
    ("a large body in pieces", lambda program: program.status("POST", "/", in_pieces(2 * MAX_BODY)), 413),
    ("a reply", lambda program: program.call("greet", {"name": "Ann"})["text"], "Hello, Ann!"),
    ("an own errcode", lambda program: program.call("refuse"), {"errcode": 1001, "errmsg": "not today"}),
    ("an unknown ability", lambda program: program.call("none")["errcode"], 710660),
    ("undecodable", lambda program: program.opened(program.send("POST", "/", b"{}")), UNDECODED),
    (
        "not UTF-8",
        lambda program: program.opened(program.send("POST", "/", b"\xff")),
        {**UNDECODED, "errmsg": "the request's body is not UTF-8"},
    ),
    ("an event", fetched, "hit_keyword"),
    ("asynchronous", run_later, True),
    ("a time-out", lambda program: program.call("late")["errmsg"], "the ability took longer than its timeout"),
    ("a full queue", full, [ENDED, MARKED]),
    ("a client that is gone", left, False),
    ("a stop", stopped, ([ENDED, MARKED], False)),  # the last one
]


@pytest.fixture(
    # slow: an interpreter and a program for each of them, and uvicorn's shows already that the application works
    params=[each if n < 2 else pytest.param(each, marks=pytest.mark.slow) for n, each in enumerate(COMMANDS)]
)
def program(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Program]:
    with ExitStack() as stack:
        [port] = stack.enter_context(held_ports(1))
        program = Program(request.param, tmp_path, port)
        stack.callback(program.process.wait)
        stack.callback(end_group, program.process.pid)
        wait_until(lambda: answers(f"{program.url}/readyz") or program.process.poll() is not None)
        assert program.process.poll() is None, program.log.read_text()
        yield program


def end_group(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


@for_each(CASES)
def test_calls_are_answered_alike_by_every_server(what: str, do: Do, expected: object, program: Program) -> None:
    assert do(program) == expected, program.log.read_text()


@pytest.mark.slow  # waits for the 30 seconds of a body; `test_connections` has less of them for uvicorn
def test_a_body_that_does_not_come_is_answered_with_status_408(program: Program) -> None:
    with socket.create_connection(("127.0.0.1", program.port), DEADLINE) as client:
        client.sendall(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{")
        assert statuses(read_to_end(client)) == [408]
