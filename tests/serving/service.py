"""`wwspec serve` in a process of its own, over a small application whose handlers do what the tests need."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import msgspec

from tests.support.apps import ROOT, write_files
from tests.support.forks import fork
from tests.support.processes import descendants
from tests.support.waiting import DEADLINE, wait_until
from wwspec_contracts.support.certificates import trusted
from wwspec_devtools.child import Process
from wwspec_devtools.emulator.standin.wwspec_standin import seal

ABILITIES = "whoami wait hog hold block forever stubborn aside leave fork orphan shut cores".split()
REGISTRY = "\n".join(f"[abilities.{name}]\nhandler = 'abilities.gate:{name}'" for name in ABILITIES)
REGISTRY += "\n[abilities.status]\nkind = 'status'\n"

HANDLERS = '''
import asyncio
import ctypes
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from wwspec_router import Context, Contract, Output, ability

FOLDER = Path(__file__).parents[1]
(FOLDER / "importing").touch()
while (FOLDER / "slow").exists():
    time.sleep(0.01)
if (FOLDER / "broken").exists():
    raise ImportError("not today")
if (FOLDER / "native").exists():
    libc = ctypes.CDLL(None)
    libc.pthread_create(ctypes.byref(ctypes.c_ulong()), None, libc.pause, None)  # a thread that Python does not know

class Request(Contract):
    name: str = ""

class Reply(Output):
    pid: int = 0

@ability
def whoami(request: Request, ctx: Context) -> Reply:
    return Reply(pid=os.getpid())

def enter(name: str) -> None:
    """Tell the test which process is here. A reader finds all of it, also when it is written again."""
    part = FOLDER / f"{name}.{threading.get_ident()}"
    part.write_text(str(os.getpid()))
    part.replace(FOLDER / f"{name}.entered")

def until_opened(name: str) -> Reply:
    """Last until the test makes a file of this name."""
    enter(name)
    while not (FOLDER / name).exists():
        time.sleep(0.01)
    return Reply(pid=os.getpid())

@ability
def wait(request: Request, ctx: Context) -> Reply:
    return until_opened(request.name)

@ability
async def block(request: Request) -> Reply:
    """Hold up the event loop."""
    return until_opened(request.name)

@ability
async def forever(request: Request) -> Reply:
    enter(request.name)
    return await never()

async def never() -> Reply:
    await asyncio.get_running_loop().create_future()

@ability
async def stubborn(request: Request) -> Reply:
    """Take no cancellation for an answer."""
    enter(request.name)
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            pass

@ability
async def aside(request: Request) -> Reply:
    """Keep a thread of the loop's executor, which asyncio waits for at the end."""
    return await asyncio.to_thread(until_opened, request.name)

@ability
def leave(request: Request) -> Reply:
    """Leave a thread behind, which Python waits for at the end."""
    threading.Thread(target=until_opened, args=(request.name,), daemon=False).start()
    return until_opened(request.name)

@ability
def hog(request: Request, ctx: Context) -> Reply:
    """Let no other thread of the process run for seconds."""
    enter(request.name)
    re.match(r"(a|aa)*$", "a" * int(request.name) + "b")
    return Reply(pid=os.getpid())

@ability
def hold(request: Request) -> Reply:
    """Let no other thread of the process run for an hour: a C call that keeps the interpreter's lock."""
    enter(request.name)
    ctypes.PyDLL(None).sleep(3600)
    return Reply(pid=os.getpid())

@ability
def fork(request: Request) -> Reply:
    """Leave a child process behind that waits to be ended."""
    heard, tell = os.pipe()
    child = os.fork()
    while not child:
        os.write(tell, b"!")
        signal.pause()
    os.read(heard, 1)  # by now it is on its own
    return Reply(pid=child)

class Cores(Output):
    cores: list[int] = []

@ability
def cores(request: Request) -> Cores:
    """Name the cores of this thread, or of a process that it starts in the way that the request names."""
    heard, tell = os.pipe()
    os.set_inheritable(tell, True)
    say = f"import os; os.write({tell}, str(sorted(os.sched_getaffinity(0))).encode())"
    if request.name == "fork":
        child = os.fork()
        if not child:
            exec(say)
            os._exit(0)
        os.waitpid(child, 0)
    elif request.name == "posix_spawn":
        os.waitpid(os.posix_spawn(sys.executable, [sys.executable, "-c", say], os.environ), 0)
    elif request.name:
        subprocess.run([sys.executable, "-c", say], check=True, close_fds=False)
    else:
        exec(say)
    os.close(tell)
    with open(heard) as answer:
        return Cores(cores=[int(each) for each in re.findall("[0-9]+", answer.read())])

@ability
def shut(request: Request) -> Reply:
    """Close standard output and error."""
    os.close(1)
    os.close(2)
    return Reply(pid=os.getpid())

@ability
def orphan(request: Request) -> Reply:
    """Leave a process behind that has no parent any more, and has ended."""
    child = os.fork()
    if not child:
        grandchild = os.fork()
        if grandchild:
            (FOLDER / f"{request.name}.orphan").write_text(str(grandchild))
        os._exit(0)
    os.waitpid(child, 0)
    return Reply(pid=int((FOLDER / f"{request.name}.orphan").read_text()))
'''


SERVE = (sys.executable, "-m", "wwspec_router", "serve")
"""`wwspec serve` in a new interpreter."""
EMPTY: Mapping[str, Any] = {}


def serve_after(code: str) -> tuple[str, ...]:
    """Return what runs `wwspec serve` in a new interpreter, after a piece of code."""
    serve = "from wwspec_router.cli.main import main; main(['serve', *sys.argv[1:]])"
    return sys.executable, "-c", f"import sys\n{code}\n{serve}"


CORP = "wwtest"


def call_content(ability_id: str, data: object, call_type: int, request_id: str, job_info: str) -> seal.CallContent:
    """Return a call, which is asynchronous if it has a `job_info`."""
    return seal.CallContent(
        corpid=CORP,
        agentid=1,
        call_type=call_type,
        ability_id=ability_id,
        data=msgspec.json.encode(data).decode(),
        request_id=request_id,
        is_async=bool(job_info),
        job_info=job_info,
        timestamp=int(time.time()),
    )


def is_lost(call: Future[int]) -> bool:
    return isinstance(call.exception(DEADLINE), httpx.HTTPError)


Serve = Callable[..., "Service"]
"""The fixture `serve`."""


class Service:
    """`wwspec serve` in a process of its own, with the stand-in in its local mode.

    Args:
        folder: Of the application.
        options: Further ones of `wwspec serve`.
        command: Starts it, such as `SERVE` in a new interpreter; by default it is forked.
        environment: Added to that of the tests.
        files: Added to the application, by their paths.
        rows: Added to its registry file.
        start: Whether it is started at once.
    """

    process: Process

    def __init__(
        self,
        folder: Path,
        *options: str,
        command: Sequence[str] = (),
        environment: Mapping[str, str] = EMPTY,
        files: Mapping[str, str] = EMPTY,
        rows: str = "",
        start: bool = True,
    ) -> None:
        self.folder = folder
        self.key = os.urandom(seal.KEY_BYTES)
        self.calls = 0
        (folder / "zone.key").write_bytes(self.key)
        packages = ("abilities", "schemas", "schemas/api", "schemas/events")
        write_files(folder, {f"{each}/__init__.py": "" for each in packages})
        write_files(folder, {"abilities/gate.py": HANDLERS, "abilities/registry.toml": REGISTRY + rows, **files})
        (folder / "tmp").mkdir(exist_ok=True)
        self._command = command
        self._options = ["--sdk", "emulator", "--app", str(folder), "--port", "0", *options]
        self._environment = environment
        if start:
            try:
                self.start()
            except BaseException:
                self.kill()
                raise

    def start(self) -> None:
        self.launch()
        wait_until(lambda: self.process.poll() is not None or self._announced() is not None)
        announced = self._announced()
        assert announced is not None, self.log
        self.port = int(announced[1])

    def launch(self) -> None:
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "WWSPEC_EMULATOR_URL": f"local:{self.folder}",
            "TMPDIR": str(self.folder / "tmp"),
            **self._environment,
        }
        with (self.folder / "log").open("wb") as log:
            if self._command:
                command = [*self._command, *self._options]
                self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
            else:
                streams = [0, log.fileno(), log.fileno()]
                self.process = fork(["serve", *self._options], environment, streams, folder=ROOT)

    def _announced(self) -> re.Match[str] | None:
        return re.search(r"listening on http://127\.0\.0\.1:(\d+)/", self.log)

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def call(self, ability_id: str, name: str = "") -> int:
        """Call an ability on a connection of its own, and return the process that answered."""
        return int(self.reply(ability_id, {"name": name})["pid"])

    def begin(self, pool: ThreadPoolExecutor, ability_id: str, name: str) -> tuple[Future[int], int]:
        return pool.submit(self.call, ability_id, name), self.entered(name)

    def reply(self, ability_id: str, data: Mapping[str, object] = EMPTY, **how: Any) -> Any:
        """Return the reply to a call or an event as `reply_text` does, which must be no error."""
        reply = msgspec.json.decode(self.reply_text(ability_id, data, **how))
        assert reply["errcode"] == 0, reply
        return reply

    def reply_text(
        self,
        ability_id: str,
        data: object = EMPTY,
        *,
        is_async: bool = False,
        call_type: int = 1,
        client: httpx.Client | None = None,
        entry: int | None = None,
    ) -> str:
        """Call an ability, or send an event, on a connection of its own or that of a client, and return the reply.

        Args:
            entry: The number that the emulator gives it.
        """
        self.calls += 1
        job_info = f"job {self.calls}" if is_async else ""
        content = call_content(ability_id, data, call_type, f"1_{self.calls}", job_info)
        sealed = seal.seal_call(self.key, content)
        headers = dict(sealed.headers) | ({} if entry is None else {seal.ENTRY_HEADER: str(entry)})
        new = partial(httpx.Client, verify=trusted(), trust_env=False, timeout=DEADLINE)
        with contextlib.nullcontext(client) if client else new() as caller:
            response = caller.post(f"{self.url}/", content=sealed.body, headers=headers)
        response.raise_for_status()
        return seal.open_reply(self.key, response.headers.items(), response.text).text

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", verify=trusted(), trust_env=False, timeout=DEADLINE)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def pids(self, workers: int) -> set[int]:
        """Call until so many processes have answered."""
        found: set[int] = set()

        def all_seen() -> bool:
            with contextlib.suppress(httpx.HTTPError):
                found.add(self.call("whoami"))
            return len(found) >= workers

        wait_until(all_seen)
        return found

    def entered(self, name: str) -> int:
        """Wait until a handler runs, and return its process."""
        marker = self.folder / f"{name}.entered"
        wait_until(marker.exists)
        return int(marker.read_text())

    def refuses(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) != 0

    def family(self) -> set[int]:
        """The process and all that descend from it."""
        return {self.process.pid} | descendants(self.process.pid)

    def stop(self) -> int:
        """End it by SIGTERM, and return its exit code."""
        self.process.terminate()
        return self.process.wait(DEADLINE)

    def kill(self) -> None:
        for pid in self.family():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
