"""The parent process: what it is, whom it replaces and when, what it says, and how it ends."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.serving.service import SERVE, Serve, Service, is_lost, serve_after
from tests.support.processes import UNMEASURED, alive, children, descendants
from tests.support.skips import only_where
from tests.support.waiting import DEADLINE, wait_until
from wwspec_contracts.support.printable import counted
from wwspec_devtools.testing.ports import held_ports
from wwspec_router.process.cores import usable_cores
from wwspec_router.serving.heartbeat import STEADY, Slot, WorkerProcess

PARENT_BYTES = (22 if sys.version_info >= (3, 14) else 20) << 20  # 3.14 itself takes one more for its inspect and ast
IMPATIENT = serve_after("from wwspec_router.serving import supervisor; supervisor.SILENCE = 2.0")
"""With a parent that waits 2 seconds for a sign of life, instead of a minute."""
SUBREAPER = serve_after("import ctypes; ctypes.CDLL(None).prctl(36, 1)")
"""As the process that gets orphans, as process 1 of a container does."""

FOR_DEVELOPMENT = (
    sys.executable,
    "-c",
    "import os, signal, sys; from wwspec_devtools.child import new_interpreter; "
    "new_interpreter(['serve', *sys.argv[1:]], os.environ, None, None); signal.pause()",
)
"""Started by another process, as `wwspec dev` does it."""
FOR_GOOD = ("sh", "-c", '"$@" & wait', "sh", *SERVE)
"""Started by another process, as a shell or a service manager does it."""


# The parent


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_parent_serves_nothing_loads_nothing_and_stays_small(serve: Serve, workers: str) -> None:
    service = serve("--workers", workers, command=SERVE, environment=UNMEASURED)
    parent = service.process.pid
    assert service.pids(int(workers)) == descendants(parent)
    resident = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{parent}/status").read_text())
    assert resident is not None
    assert int(resident[1]) * 1024 < PARENT_BYTES
    libraries = Path(f"/proc/{parent}/maps").read_text()
    assert "python" in libraries
    assert not re.findall(r"msgspec|uvloop|httptools|sqlite|_asyncio", libraries)
    assert len(list(Path(f"/proc/{parent}/task").iterdir())) == 1


def test_auto_starts_a_worker_for_each_core_and_says_why(serve: Serve) -> None:
    service = serve("--workers", "auto")
    cores = usable_cores()
    assert service.pids(cores.number) == descendants(service.process.pid)
    log = service.log
    processes = counted(cores.number, "worker process", "worker processes")
    assert f"--workers auto: {processes}, {cores.reason}" in log
    assert f"with {processes} of" in log


def test_without_workers_the_program_is_one_process(serve: Serve) -> None:
    service = serve("--workers", "0")
    assert service.call("whoami") == service.process.pid
    assert descendants(service.process.pid) == set()
    assert service.stop() == -signal.SIGTERM


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_port_opens_with_a_worker(serve: Serve, tmp_path: Path, pool: ThreadPoolExecutor, workers: str) -> None:
    (tmp_path / "slow").touch()
    with held_ports(1) as [port]:
        starting = pool.submit(serve, "--workers", workers, "--port", str(port))
        wait_until((tmp_path / "importing").exists)
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0
        (tmp_path / "slow").unlink()
        starting.result(DEADLINE)
        with socket.create_connection(("127.0.0.1", port)):
            pass


# Workers that are replaced


def test_the_only_worker_is_replaced_when_it_was_killed_and_its_counts_are_kept(serve: Serve) -> None:
    service = serve("--workers", "1")
    (victim,) = service.pids(1)
    wait_until(lambda: counts(service) >= 2)
    seen = counts(service)
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: not alive(victim))
    assert service.call("whoami") != victim  # it waits in the backlog until there is another worker
    assert f"worker process {victim} was ended by signal 9 and is replaced" in service.log
    wait_until(lambda: counts(service) > seen)
    assert "takes the place of one that was ended by signal 9" in service.log


def counts(service: Service) -> int:
    """Return how many calls the program has counted since its start, a second ago at the latest."""
    calls = int(service.reply("status")["calls"])
    return calls


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_worker_that_keeps_python_s_lock_is_replaced(serve: Serve, pool: ThreadPoolExecutor, workers: str) -> None:
    service = serve("--workers", workers, "--hang-after", "0.5", command=IMPATIENT)
    lost, victim = service.begin(pool, "hold", "never")
    assert is_lost(lost)
    log = service.log
    assert f"worker process {victim} gave no sign of life for 2 seconds" in log
    assert len(service.pids(int(workers)) - {victim}) == int(workers)


def test_the_only_worker_is_replaced_when_its_event_loop_is_held_up(serve: Serve, pool: ThreadPoolExecutor) -> None:
    service = serve("--workers", "1", "--hang-after", "0.5")
    lost, victim = service.begin(pool, "block", "never")
    assert is_lost(lost)
    log = service.log
    assert "block < " in log
    assert f"worker process {victim} is held up by what it runs" in log
    assert service.call("whoami") != victim


@pytest.mark.slow  # waits for the pauses
def test_pauses_before_a_worker_that_can_not_serve_grow_and_hold_up_nothing_else(serve: Serve) -> None:
    service = serve("--workers", "2", "--grace", "3600")
    first, second = service.pids(2)
    (service.folder / "broken").touch()
    os.kill(first, signal.SIGKILL)
    for pause in ("0.1", "0.2", "0.4", "0.8"):
        wait_until(lambda pause=pause: f"is replaced in {pause} s" in service.log)  # type: ignore[misc]  # no type of pause
    assert "ImportError: not today" in service.log
    assert service.call("whoami") == second
    (service.folder / "broken").unlink()
    assert service.pids(2) > {second}
    (service.folder / "broken").touch()
    for _ in range(2):
        os.kill(next(iter(service.pids(1))), signal.SIGKILL)
    wait_until(lambda: "is replaced in 1.6 s" in service.log)
    assert service.stop() == 0


def test_orphans_are_reaped(serve: Serve) -> None:
    """In a container the parent is process 1, to whom they come."""
    service = serve("--workers", "1", command=SUBREAPER)
    orphan = service.call("orphan", "one")
    wait_until(lambda: not Path(f"/proc/{orphan}").exists())


@pytest.mark.slow  # the parent stands still for seconds
def test_a_parent_that_stood_still_blames_no_worker(serve: Serve) -> None:
    service = serve("--workers", "2", "--hang-after", "0.5", command=IMPATIENT)
    pids = service.pids(2)
    service.process.send_signal(signal.SIGSTOP)
    threading.Event().wait(3.0)  # longer than the silence that it allows
    service.process.send_signal(signal.SIGCONT)
    (victim,) = service.pids(1)
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: f"worker process {victim} was ended by signal 9" in service.log)
    assert pids - {victim} < service.pids(2)
    assert "no sign of life" not in service.log


# The end


@pytest.mark.parametrize("workers", ["1", "2"])
def test_sigterm_ends_a_program_that_is_still_starting(serve: Serve, tmp_path: Path, workers: str) -> None:
    (tmp_path / "slow").touch()
    service = serve("--workers", workers, start=False)
    service.launch()
    wait_until((tmp_path / "importing").exists)
    family = service.family()
    assert service.stop() == 0
    wait_until(lambda: not any(map(alive, family)))
    assert "listening" not in service.log


@pytest.mark.parametrize("workers", ["0", "2"])
def test_all_end_when_who_has_started_them_for_development_is_killed_though_a_call_hangs(
    serve: Serve, pool: ThreadPoolExecutor, workers: str
) -> None:
    service = serve("--workers", workers, "--grace", "3600", command=FOR_DEVELOPMENT)
    lost, _ = service.begin(pool, "wait", "never")
    family = service.family()
    service.process.kill()
    wait_until(lambda: not any(map(alive, family)))
    assert is_lost(lost)
    assert service.refuses()
    assert service.log.count("the process that has started this one is gone: stopping") >= 1


@pytest.mark.slow  # the tests of `lifeline` nearly prove it: only who starts a process for development sets a variable
def test_a_program_goes_on_when_another_process_that_has_started_it_is_killed(serve: Serve) -> None:
    service = serve("--workers", "1", command=FOR_GOOD)
    [parent] = children(service.process.pid)
    try:
        service.process.kill()
        service.process.wait(DEADLINE)
        victim = service.call("whoami")
        os.kill(victim, signal.SIGKILL)  # so that the parent looks at all that it watches
        assert service.call("whoami") != victim
        assert "is gone" not in service.log
    finally:
        for pid in [parent, *descendants(parent)]:
            os.kill(pid, signal.SIGKILL)


def test_sigterm_ends_a_program_whose_worker_ends_before_the_parent_has_looked(serve: Serve, tmp_path: Path) -> None:
    """As when a whole process group is told to stop, or the parent is slow: its worker's end is not a failure."""
    (tmp_path / "slow").touch()
    service = serve("--workers", "1", start=False)
    service.launch()
    wait_until((tmp_path / "importing").exists)
    (worker,) = service.family() - {service.process.pid}
    service.process.send_signal(signal.SIGSTOP)
    os.kill(worker, signal.SIGTERM)
    wait_until(lambda: not alive(worker))
    service.process.terminate()
    service.process.send_signal(signal.SIGCONT)
    assert service.process.wait(DEADLINE) == 0


@pytest.mark.parametrize("workers", ["1", pytest.param("2", marks=pytest.mark.slow)])  # as with one worker: 3 s each
@pytest.mark.parametrize("ability_id", ["hold", "block", "wait"])
def test_sigterm_ends_the_program_whatever_holds_a_worker_up(
    serve: Serve, pool: ThreadPoolExecutor, ability_id: str, workers: str
) -> None:
    """Within the grace and 3 seconds; a machine that is busy with other things may take longer."""
    service = serve("--workers", workers, "--grace", "0.2")
    running, _ = service.begin(pool, ability_id, "never")
    family = service.family()
    service.process.terminate()
    wait_until(service.refuses)
    service.process.wait(3.2 + 4.0)
    wait_until(lambda: not any(map(alive, family)))
    assert is_lost(running)
    if ability_id == "wait":
        assert "1 calls and 0 jobs unfinished" in service.log


# Threads that hang


@pytest.mark.slow  # waits until calls count as hanging
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_worker_whose_threads_all_hang_is_replaced(serve: Serve, pool: ThreadPoolExecutor, workers: str) -> None:
    service = serve("--workers", workers, "--threads", "1", "--hang-after", "0.5", "--grace", "0.2")
    victim, lost = exhausted(service, pool)
    wait_until(lambda: f"worker process {victim} has no thread left and is replaced" in service.log)
    assert "every thread for calls hangs and none can be added" in service.log
    wait_until(lambda: not alive(victim))
    assert victim not in service.pids(int(workers))
    for each in lost:
        assert is_lost(each)


def exhausted(service: Service, pool: ThreadPoolExecutor) -> tuple[int, list[Future[int]]]:
    """Let each thread of a process hang that has one, and the one in its place; return the process, and the calls."""
    calls: list[Future[int]] = []
    victims: list[int] = []
    while len(victims) < 2 or victims.count(victims[-1]) < 2:  # until one process has two of them
        name = f"door{len(calls)}"
        calls.append(pool.submit(service.call, "wait", name))
        victims.append(service.entered(name))
    return victims[-1], [call for call, pid in zip(calls, victims, strict=True) if pid == victims[-1]]


def test_a_process_whose_threads_hang_is_not_ready_until_one_comes_back(serve: Serve, pool: ThreadPoolExecutor) -> None:
    service = serve("--workers", "0", "--threads", "1", "--hang-after", "0.5")
    assert (service.get("/readyz").status_code, service.get("/readyz").text) == (200, "ok\n")
    _, calls = exhausted(service, pool)
    wait_until(lambda: service.get("/readyz").status_code == 503)
    assert service.get("/readyz").text == "threads: every thread hangs and none can be added\n"
    assert service.get("/healthz").text == "ok\n"
    for number in range(2):
        (service.folder / f"door{number}").touch()
    assert [call.result(DEADLINE) for call in calls] == [service.process.pid] * 2
    wait_until(lambda: service.get("/readyz").status_code == 200)


@pytest.mark.slow  # waits until jobs count as hanging
def test_a_worker_whose_threads_for_asynchronous_calls_all_hang_is_replaced(serve: Serve) -> None:
    service = serve("--job-threads", "1", "--hang-after", "0.5", "--grace", "0.2")
    for name in ("first", "second"):
        service.reply("wait", {"name": name}, is_async=True)
    victim = service.entered("first")
    assert service.entered("second") == victim
    wait_until(lambda: f"worker process {victim} has no thread left and is replaced" in service.log)
    assert "every thread for asynchronous calls hangs and none can be added" in service.log
    wait_until(lambda: not alive(victim))
    assert service.call("whoami") != victim


# A system that grants little


THREADS_NEEDED = "this system does not let the program start the threads that it needs"


def test_a_program_that_may_start_few_threads_says_so_and_ends(serve: Serve, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=THREADS_NEEDED) as raised:
        serve(command=limited(tmp_path, 14))
    assert "Traceback" not in str(raised.value)


def test_a_program_with_just_enough_threads_serves(serve: Serve, pool: ThreadPoolExecutor, tmp_path: Path) -> None:
    options = ("--job-threads", "1", "--threads", "8", "--queue-timeout", "0.5")
    service = serve(*options, command=limited(tmp_path, 14))
    running = [pool.submit(service.call, "wait", f"door{number}") for number in range(4)]
    wait_until(lambda: any(tmp_path.glob("door*.entered")))
    wait_until(lambda: "no new worker thread beside the" in service.log)
    with pytest.raises((AssertionError, httpx.HTTPStatusError), match="overloaded|503"):
        service.call("whoami")
    for number in range(4):
        (tmp_path / f"door{number}").touch()
    for each in running:
        with contextlib.suppress(AssertionError, httpx.HTTPStatusError):
            each.result(DEADLINE)
    assert service.stop() == 0
    assert "Traceback" not in service.log


def limited(folder: Path, processes: int) -> list[str]:
    """Return a command that serves as a user who may have so many processes and threads; root may have any number."""
    only_where(os.geteuid() == 0, "the user is root, to be another one whose processes are counted")
    user = str(200_000 + os.getpid())  # nobody else's, so that only these are counted
    for path in (folder, *folder.parents[:3]):
        path.chmod(0o777)
    identity = ["--reuid", user, "--regid", user, "--clear-groups"]
    rights = ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]  # to read Python, wherever it is installed
    limit = ["prlimit", f"--nproc={processes}"]
    return [*limit, "setpriv", *identity, *rights, *SERVE]


UNWRITABLE = """
set -e
for folder in /tmp /var/tmp; do mount --bind $folder $folder; mount -o remount,ro,bind $folder; done
mount --bind "$1" "$1"
mount -o remount,rw,bind "$1"
cd /proc
shift
exec "$@"
"""


def test_worker_processes_need_no_temporary_folder(serve: Serve, tmp_path: Path) -> None:
    unshare = ["unshare", "--mount", "bash", "-c", UNWRITABLE, "bash", str(tmp_path)]
    probe = subprocess.run([*unshare, "true"], capture_output=True, text=True, check=False)
    only_where(probe.returncode == 0, f"the user may mount: {probe.stderr}")
    service = serve("--workers", "2", command=[*unshare, *SERVE], environment={"TMPDIR": "/proc"})
    service.pids(2)
    wait_until(lambda: service.reply("status")["processes"] == 2)


def test_what_strangers_put_into_the_temporary_folder_is_not_looked_at(serve: Serve, tmp_path: Path) -> None:
    stranger = tmp_path / "tmp" / f"wwspec-figures-{'9' * 40}-x"
    stranger.mkdir(parents=True)
    service = serve("--workers", "2")
    service.pids(2)
    assert list((tmp_path / "tmp").iterdir()) == [stranger]


# What a handler forks


def test_a_child_that_a_handler_forks_keeps_neither_port_nor_connections(serve: Serve) -> None:
    service = serve("--workers", "1")
    with socket.create_connection(("127.0.0.1", service.port), DEADLINE) as idle:
        child = service.call("fork")
        try:
            service.process.terminate()
            service.process.wait(DEADLINE)
            assert alive(child)
            assert idle.recv(1) == b""  # closed by all who had it
            with socket.create_server(("127.0.0.1", service.port)):
                pass
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)


def test_a_child_that_a_handler_forks_ends_by_sigterm(serve: Serve) -> None:
    service = serve("--workers", "1")
    child = service.call("fork")
    os.kill(child, signal.SIGTERM)
    wait_until(lambda: not alive(child))
    assert service.call("whoami") != child


# When another is started


def test_pauses_double_up_to_five_seconds_and_end_once_a_worker_has_served_for_a_while() -> None:
    slot = Slot()
    assert [slot.vacate("") for _ in range(8)] == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    ours, theirs = socket.socketpair()
    with ours, theirs:
        slot.worker = WorkerProcess(0, ours, 0)
        slot.worker.served_since = time.monotonic() - STEADY
        assert slot.vacate("") == 0.0
        slot.worker = WorkerProcess(0, ours, 0)
        slot.worker.served_since = time.monotonic()
        assert slot.vacate("") == 0.1
