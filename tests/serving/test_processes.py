"""The program as a process, or several: how it stops, what it does when one of them dies, and what it leaves behind."""

import contextlib
import os
import re
import resource
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import httpx
import msgspec
import pytest

from tests.serving.conftest import LIMIT, ROOT, wait_until
from wwspec_router.emulator.standin.wwspec_standin import seal

pytestmark = pytest.mark.slow

ABILITIES = ("whoami", "wait", "hog", "block", "forever", "stubborn", "aside", "leave")
REGISTRY = "\n".join(f"[abilities.{name}]\nhandler = 'abilities.gate:{name}'" for name in ABILITIES)

HANDLERS = '''
import asyncio
import multiprocessing
import os
import re
import threading
import time
from pathlib import Path

from wwspec_router import Context, Contract, Output, ability

FOLDER = Path(__file__).parents[1]
if (FOLDER / "broken").exists() and multiprocessing.parent_process() is not None:
    raise ImportError("not in a worker process")


class Request(Contract):
    name: str = ""


class Reply(Output):
    pid: int = 0


@ability
def whoami(request: Request, ctx: Context) -> Reply:
    return Reply(pid=os.getpid())


def until_opened(name: str) -> Reply:
    """Last until the test lays a file of this name."""
    (FOLDER / f"{name}.entered").write_text(str(os.getpid()))
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
    (FOLDER / f"{request.name}.entered").write_text(str(os.getpid()))
    return await never()


async def never() -> Reply:
    await asyncio.get_running_loop().create_future()


@ability
async def stubborn(request: Request) -> Reply:
    """Take no cancellation for an answer."""
    (FOLDER / f"{request.name}.entered").write_text(str(os.getpid()))
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
    (FOLDER / f"{request.name}.entered").write_text(str(os.getpid()))
    re.match(r"(a|aa)*$", "a" * int(request.name) + "b")
    return Reply(pid=os.getpid())
'''


class Service:
    """`wwspec serve` in a process of its own, with the stand-in in its local mode."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self.key = os.urandom(seal.KEY_BYTES)
        self.calls = 0
        (folder / "zone.key").write_bytes(self.key)
        for package in ("abilities", "schemas", "schemas/api", "schemas/events"):
            (folder / package).mkdir()
            (folder / package / "__init__.py").touch()
        (folder / "abilities" / "gate.py").write_text(HANDLERS)
        (folder / "abilities" / "registry.toml").write_text(REGISTRY)
        (folder / "tmp").mkdir()
        self.log = folder / "log"
        self.command = [sys.executable, "-m", "wwspec_router", "serve", "--sdk", "emulator", "--app", str(folder)]
        self.command += ["--port", "0", *options]
        self.start()

    def start(self) -> None:
        """Start it, or start it again."""
        environment = {
            **os.environ,
            "WWSPEC_EMULATOR_URL": f"local:{self.folder}",
            "TMPDIR": str(self.folder / "tmp"),
        }
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(self.command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        wait_until(lambda: self.process.poll() is not None or self._announced() is not None)
        announced = self._announced()
        assert announced is not None, self.log.read_text()
        self.port = int(announced[1])

    def _announced(self) -> re.Match[str] | None:
        return re.search(r"listening on http://127\.0\.0\.1:(\d+)/", self.log.read_text())

    def call(self, ability_id: str, name: str = "") -> int:
        """Call an ability on a connection of its own, and return the process that answered."""
        self.calls += 1
        content = seal.CallContent(
            corpid="wwtest",
            agentid=1,
            call_type=1,
            ability_id=ability_id,
            data=msgspec.json.encode({"name": name}).decode(),
            request_id=f"1_{self.calls}",
            timestamp=int(time.time()),
        )
        sealed = seal.seal_call(self.key, content)
        with httpx.Client(trust_env=False, timeout=LIMIT) as client:
            response = client.post(f"http://127.0.0.1:{self.port}/", content=sealed.body, headers=sealed.headers)
        reply = msgspec.json.decode(seal.open_reply(self.key, response.headers.items(), response.text).text)
        assert reply["errcode"] == 0, reply
        return int(reply["pid"])

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
        wait_until(lambda: marker.exists() and marker.read_text() != "")
        return int(marker.read_text())

    def refuses(self) -> bool:
        """Whether a new connection is refused."""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) != 0

    def family(self) -> set[int]:
        """The process and all that descend from it."""
        return {self.process.pid} | descendants(self.process.pid)

    def kill(self) -> None:
        for pid in self.family():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()


def descendants(root: int) -> set[int]:
    """Return the processes that descend from one."""
    parents = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(entry.parent.name)] = int(entry.read_text().rpartition(")")[2].split()[1])
    found = {root}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {root}


def command_of(pid: int) -> str:
    """Return the command line of a process; nothing when it is gone."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text()
    return ""


def alive(pid: int) -> bool:
    """Whether a process runs; one that is dead and not reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


Serve = Callable[..., Service]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    with contextlib.ExitStack() as stack:

        def begin(*options: str) -> Service:
            service = Service(tmp_path, *options)
            stack.callback(service.kill)
            return service

        yield begin


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


@pytest.mark.parametrize("options", [(), ("--no-lean-http",)])
@pytest.mark.parametrize(("workers", "code"), [(1, -signal.SIGTERM), (2, 0)])
def test_sigterm_refuses_connections_finishes_calls_and_leaves_nothing(
    serve: Serve, pool: ThreadPoolExecutor, workers: int, code: int, options: tuple[str, ...]
) -> None:
    service = serve("--workers", str(workers), "--grace", str(LIMIT), *options)
    pids = service.pids(workers)
    running = pool.submit(service.call, "wait", "door")
    pid = service.entered("door")
    family = service.family()
    service.process.terminate()
    wait_until(service.refuses)
    assert alive(pid)
    assert not running.done()
    (service.folder / "door").touch()
    assert running.result(LIMIT) == pid
    assert pid in pids
    assert service.process.wait(LIMIT) == code
    wait_until(lambda: not any(map(alive, family)))
    assert list((service.folder / "tmp").iterdir()) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_sigterm_waits_no_longer_than_the_grace(serve: Serve, pool: ThreadPoolExecutor, workers: int) -> None:
    service = serve("--workers", str(workers), "--grace", "0.2")
    service.pids(1)
    running = pool.submit(service.call, "wait", "never")
    service.entered("never")
    family = service.family()
    service.process.terminate()
    service.process.wait(LIMIT)
    with pytest.raises((httpx.HTTPError, seal.SealError)):
        running.result(LIMIT)
    wait_until(lambda: not any(map(alive, family)))
    assert "1 calls and 0 jobs unfinished" in service.log.read_text()


STUCK = """
import os, signal
from wwspec_router.logs import setup_logging
from wwspec_router.supervisor import LastResort

setup_logging()
LastResort(0.0).begin(signal.SIGTERM)
while True:
    os.write(1, bytes(1 << 20))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("ability_id", ["block", "stubborn", "aside", "leave"])
def test_a_program_ends_soon_after_its_grace_whatever_a_handler_does(
    serve: Serve, pool: ThreadPoolExecutor, ability_id: str, number: signal.Signals
) -> None:
    service = serve("--grace", "0.2")
    service.pids(1)
    running = pool.submit(service.call, ability_id, "never")
    service.entered("never")
    service.process.send_signal(number)
    assert service.process.wait(LIMIT) in (-number, 128 + number)
    with pytest.raises((httpx.HTTPError, seal.SealError)):
        running.result(LIMIT)


def test_a_program_whose_log_nobody_reads_ends_soon_after_its_grace(tmp_path: Path) -> None:
    script = tmp_path / "stuck.py"
    script.write_text(STUCK)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, str(script)], env=environment, stdout=subprocess.PIPE) as process:
        assert process.wait(LIMIT) == 128 + signal.SIGTERM


@pytest.mark.parametrize("workers", [1, 2])
def test_a_second_signal_ends_a_program_whose_loop_is_held_up(
    serve: Serve, pool: ThreadPoolExecutor, workers: int
) -> None:
    service = serve("--workers", str(workers), "--grace", "3600")
    service.pids(1)
    running = pool.submit(service.call, "block", "never")
    service.entered("never")
    family = service.family()

    def ended() -> bool:
        service.process.terminate()
        return service.process.poll() is not None

    wait_until(ended)
    assert service.process.wait(LIMIT) == -signal.SIGTERM
    wait_until(lambda: not any(map(alive, family)))
    with pytest.raises(httpx.HTTPError):
        running.result(LIMIT)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_second_signal_ends_the_program_at_once(serve: Serve, pool: ThreadPoolExecutor, workers: int) -> None:
    service = serve("--workers", str(workers), "--grace", "3600")
    service.pids(1)
    running = pool.submit(service.call, "wait", "never")
    service.entered("never")
    family = service.family()
    service.process.terminate()
    wait_until(service.refuses)
    service.process.terminate()
    assert service.process.wait(LIMIT) == -signal.SIGTERM
    wait_until(lambda: not any(map(alive, family)))
    with pytest.raises(httpx.HTTPError):
        running.result(LIMIT)


@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_in_a_terminal_finishes_calls(serve: Serve, pool: ThreadPoolExecutor, workers: int) -> None:
    service = serve("--workers", str(workers), "--grace", str(LIMIT))
    service.pids(workers)
    running = pool.submit(service.call, "wait", "door")
    service.entered("door")
    for pid in service.family():  # a terminal sends it to all
        if "resource_tracker" not in command_of(pid):
            os.kill(pid, signal.SIGINT)
    wait_until(service.refuses)
    (service.folder / "door").touch()
    running.result(LIMIT)
    service.process.wait(LIMIT)
    assert "Traceback" not in service.log.read_text()


def test_a_worker_that_was_killed_is_replaced_while_the_other_answers(serve: Serve, pool: ThreadPoolExecutor) -> None:
    service = serve("--workers", "2")
    first, second = service.pids(2)
    lost: Future[int] = pool.submit(service.call, "wait", "never")
    victim = service.entered("never")
    os.kill(victim, signal.SIGKILL)
    with pytest.raises(httpx.HTTPError):
        lost.result(LIMIT)
    survivor = first if victim == second else second
    assert service.call("whoami") == survivor
    seen = {survivor}

    def replaced() -> bool:
        seen.add(service.call("whoami"))
        return len(seen) == 2

    wait_until(replaced)
    assert victim not in seen
    assert f"worker process {victim} was ended by signal 9 and is replaced" in service.log.read_text()


def test_a_handler_that_holds_up_the_event_loop_is_told_by_its_stack(serve: Serve, pool: ThreadPoolExecutor) -> None:
    service = serve("--hang-after", "0.5")
    service.pids(1)
    running = pool.submit(service.call, "block", "door")
    service.entered("door")
    wait_until(lambda: "the event loop has been held up" in service.log.read_text())
    assert re.search(r"it is at gate\.py:\d+ until_opened < gate\.py:\d+ block < ", service.log.read_text())
    (service.folder / "door").touch()
    assert running.result(LIMIT) == service.process.pid
    wait_until(lambda: "the event loop runs again" in service.log.read_text())
    assert service.log.read_text().count("has been held up") == 1


def test_a_worker_whose_event_loop_is_held_up_is_replaced(serve: Serve, pool: ThreadPoolExecutor) -> None:
    service = serve("--workers", "2", "--hang-after", "3")
    pids = service.pids(2)
    lost = pool.submit(service.call, "block", "never")
    victim = service.entered("never")
    with pytest.raises(httpx.HTTPError):
        lost.result(LIMIT)
    log = service.log.read_text()
    assert "block < " in log
    assert f"worker process {victim} is held up by what it runs" in log
    wait_until(lambda: f"worker process {victim} was ended by signal 9 and is replaced" in service.log.read_text())
    (survivor,) = pids - {victim}
    assert service.pids(2) - {survivor} != {victim}


def test_an_async_handler_that_never_returns_is_told_by_its_own_frames(serve: Serve, pool: ThreadPoolExecutor) -> None:
    service = serve("--hang-after", "0.5", "--grace", "0.2")
    service.pids(1)
    running = pool.submit(service.call, "forever", "never")
    service.entered("never")
    wait_until(lambda: "has been running" in service.log.read_text())
    told = (
        r" #\d+ a call of forever has been running on wwspec-worker-\d+ for \d+ s; the thread was replaced; it is at "
    )
    assert re.search(told + r"gate\.py:\d+ never < gate\.py:\d+ forever < ", service.log.read_text())
    service.process.terminate()
    with pytest.raises((httpx.HTTPError, seal.SealError)):
        running.result(LIMIT)


def test_a_worker_that_is_busy_is_not_taken_for_dead(serve: Serve, pool: ThreadPoolExecutor) -> None:
    service = serve("--workers", "2")
    service.pids(2)
    busy = pool.submit(service.call, "hog", "38")
    pid = service.entered("38")
    assert busy.result(LIMIT) == pid
    assert "replaced" not in service.log.read_text()


@pytest.mark.parametrize("running", [False, True])
def test_workers_whose_parent_was_killed_finish_and_end(serve: Serve, pool: ThreadPoolExecutor, running: bool) -> None:
    service = serve("--workers", "2", "--grace", str(LIMIT))
    pids = service.pids(2)
    family = service.family()
    call = pool.submit(service.call, "wait", "door") if running else None
    if call is not None:
        service.entered("door")
    service.process.kill()
    wait_until(service.refuses)
    (service.folder / "door").touch()
    assert call is None or call.result(LIMIT) in pids
    wait_until(lambda: not any(map(alive, family)))


def test_workers_share_a_folder_that_only_their_user_can_enter(serve: Serve) -> None:
    service = serve("--workers", "2")
    service.pids(2)
    (board,) = (service.folder / "tmp").iterdir()
    assert stat.S_IMODE(board.stat().st_mode) == 0o700


def test_what_a_killed_program_left_of_its_figures_is_removed_by_the_next_one(serve: Serve) -> None:
    service = serve("--workers", "2")
    family = service.family()
    service.process.kill()
    service.process.wait(LIMIT)
    wait_until(lambda: not any(map(alive, family)))
    (left,) = (service.folder / "tmp").iterdir()
    live = service.folder / "tmp" / f"wwspec-board-{os.getpid()}-of-a-process-that-lives"
    live.mkdir()
    service.start()
    wait_until(lambda: not left.exists())
    assert live.exists()


def test_a_program_whose_workers_can_not_start_ends_with_a_message(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "broken").touch()
    service = serve("--workers", "2")
    assert service.process.wait(LIMIT) == 1
    assert "before it served; its reason is in the log above" in service.log.read_text()
    assert list((service.folder / "tmp").iterdir()) == []


SUPERVISE = """
import signal, socket, sys
from wwspec_router.supervisor import Supervisor

def work(listening, pulse):
    print("working", flush=True)
    pulse.serving()
    signal.pause()

if __name__ == "__main__":
    sys.stderr = sys.stdout
    Supervisor(work, socket.create_server(("127.0.0.1", 0)), 1, grace=1.0, silence=2.5).run()
"""


def test_a_worker_that_gives_no_sign_of_life_is_replaced(tmp_path: Path) -> None:
    script, log = tmp_path / "supervise.py", tmp_path / "log"
    script.write_text(SUPERVISE)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with log.open("wb") as output:
        process = subprocess.Popen([sys.executable, str(script)], env=environment, stdout=output, stderr=output)
    try:
        wait_until(lambda: log.read_text().count("working") == 1)
        (worker,) = (pid for pid in descendants(process.pid) if "spawn_main" in command_of(pid))
        os.kill(worker, signal.SIGSTOP)
        wait_until(lambda: log.read_text().count("working") == 2)
        assert not alive(worker)
    finally:
        process.terminate()
        assert process.wait(LIMIT) == 0


def test_a_worker_that_can_not_be_replaced_yet_is_replaced_later(tmp_path: Path) -> None:
    script, log = tmp_path / "supervise.py", tmp_path / "log"
    script.write_text(SUPERVISE)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with log.open("wb") as output:
        process = subprocess.Popen([sys.executable, str(script)], env=environment, stdout=output, stderr=output)
    try:
        wait_until(lambda: log.read_text().count("working") == 1)
        (worker,) = (pid for pid in descendants(process.pid) if "spawn_main" in command_of(pid))
        limits = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (3, limits[1]))
        os.kill(worker, signal.SIGKILL)
        wait_until(lambda: "no worker process can be started (Too many open files); again in 2 s" in log.read_text())
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, limits)
        wait_until(lambda: log.read_text().count("working") == 2)
        assert log.read_text().count(f"worker process {worker} was ended by signal 9") == 1
    finally:
        process.terminate()
        assert process.wait(LIMIT) == 0


def test_a_program_that_can_not_start_its_workers_ends_with_a_message(tmp_path: Path) -> None:
    script = tmp_path / "supervise.py"
    few = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (7, 7))"
    script.write_text(
        SUPERVISE.replace("import signal", f"{few}\nimport signal").replace('"), 1, grace', '"), 3, grace')
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(
        [sys.executable, str(script)], env=environment, capture_output=True, text=True, timeout=LIMIT, check=False
    )
    assert "ConfigurationError: no worker process can be started: Too many open files" in ended.stdout
    assert ended.returncode == 1


def test_the_limit_on_open_files_is_raised_or_told() -> None:
    with tempfile.TemporaryDirectory() as folder:
        service = Service(Path(folder), "--connections", "100000000")
        try:
            assert "raise its limit (ulimit -n), or lower these" in service.log.read_text()
        finally:
            service.kill()
