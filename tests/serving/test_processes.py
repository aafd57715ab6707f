"""The program as a process, or several: how it stops, what it does when one of them dies, and what it leaves behind."""

import contextlib
import os
import re
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.serving.service import SERVE, Serve, is_lost
from tests.support.apps import ROOT
from tests.support.processes import alive, descendants
from tests.support.waiting import DEADLINE, wait_until

pytestmark = pytest.mark.never_lost


@pytest.mark.parametrize("workers", [1, 2])
def test_sigterm_refuses_connections_and_finishes_calls(serve: Serve, pool: ThreadPoolExecutor, workers: int) -> None:
    service = serve("--workers", str(workers), "--grace", str(DEADLINE))
    pids = service.pids(workers)
    running, pid = service.begin(pool, "wait", "door")
    family = service.family()
    service.process.terminate()
    wait_until(service.refuses)
    assert alive(pid), service.log
    assert not running.done()
    (service.folder / "door").touch()
    assert running.result(DEADLINE) == pid
    assert pid in pids
    assert service.process.wait(DEADLINE) == 0
    wait_until(lambda: not any(map(alive, family)))
    assert list((service.folder / "tmp").iterdir()) == []


@pytest.mark.parametrize("signals", [2, 5, 20, 100])
def test_a_worker_with_several_signals_finishes_its_calls(serve: Serve, pool: ThreadPoolExecutor, signals: int) -> None:
    service = serve("--grace", str(DEADLINE))
    running, pid = service.begin(pool, "wait", "door")
    for _ in range(signals):
        os.kill(pid, signal.SIGTERM)
    service.process.terminate()
    wait_until(service.refuses)
    assert alive(pid), service.log
    (service.folder / "door").touch()
    assert running.result(DEADLINE) == pid


@pytest.mark.slow  # waits for the grace of each
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("ability_id", ["block", "stubborn", "aside", "leave"])
def test_a_program_ends_soon_after_its_grace_whatever_a_handler_does(
    serve: Serve, pool: ThreadPoolExecutor, ability_id: str, number: signal.Signals
) -> None:
    service = serve("--grace", "0.2")
    service.pids(1)
    running, _ = service.begin(pool, ability_id, "never")
    service.process.send_signal(number)
    assert service.process.wait(DEADLINE) in (0, 128 + number)
    assert is_lost(running)


def test_log_lines_go_to_no_client_when_a_handler_closes_standard_output(serve: Serve) -> None:
    """The next connections have the numbers of the descriptors that were closed."""
    service = serve()
    service.call("shut")
    with contextlib.ExitStack() as stack:
        clients = [
            stack.enter_context(socket.create_connection(("127.0.0.1", service.port), DEADLINE)) for _ in range(4)
        ]
        for client in clients:
            client.sendall(b"GET /healthz HTTP/1.1\r\nhost: a\r\n")
        before = service.log
        for _ in range(3):
            service.call("whoami")
        wait_until(lambda: service.log.removeprefix(before).count(" whoami ") == 3)
        for client in clients:
            client.sendall(b"\r\n")
        service.process.terminate()
        for client in clients:
            with client.makefile("rb") as answers:
                answer = answers.read()
            assert answer.startswith(b"HTTP/1.1 200 ")
            assert b"whoami" not in answer


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("ability_id", ["wait", "block"])
def test_a_second_signal_ends_the_program_at_once_also_when_its_loop_is_held_up(
    serve: Serve, pool: ThreadPoolExecutor, ability_id: str, workers: int
) -> None:
    service = serve("--workers", str(workers), "--grace", "3600")
    service.pids(1)
    running, _ = service.begin(pool, ability_id, "never")
    family = service.family()
    service.process.terminate()
    wait_until(service.refuses)
    assert service.stop() == -signal.SIGTERM
    wait_until(lambda: not any(map(alive, family)))
    assert is_lost(running)


@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_in_a_terminal_finishes_calls(serve: Serve, pool: ThreadPoolExecutor, workers: int) -> None:
    service = serve("--workers", str(workers), "--grace", str(DEADLINE))
    service.pids(workers)
    running, _ = service.begin(pool, "wait", "door")
    for pid in service.family():  # a terminal sends it to all
        os.kill(pid, signal.SIGINT)
    wait_until(service.refuses)
    (service.folder / "door").touch()
    running.result(DEADLINE)
    assert service.process.wait(DEADLINE) == 0
    assert "Traceback" not in service.log


def test_a_handler_that_holds_up_the_event_loop_is_told_by_its_stack(serve: Serve, pool: ThreadPoolExecutor) -> None:
    service = serve("--workers", "0", "--hang-after", "0.5")
    running, _ = service.begin(pool, "block", "door")
    wait_until(lambda: "the event loop has been held up" in service.log)
    at = r"it is at (pathlib\.py:\d+ \w+ < )*gate\.py:\d+ until_opened < gate\.py:\d+ block < "
    assert re.search(at, service.log)
    (service.folder / "door").touch()
    assert running.result(DEADLINE) == service.process.pid
    wait_until(lambda: "the event loop runs again" in service.log)
    assert service.log.count("has been held up") == 1


def test_an_async_handler_that_never_returns_is_told_by_its_own_frames(serve: Serve, pool: ThreadPoolExecutor) -> None:
    service = serve("--hang-after", "0.5", "--grace", "0.2")
    service.pids(1)
    running, _ = service.begin(pool, "forever", "never")
    message = (
        r" #\d+ +a call of forever has been running on wwspec-worker-\d+ for \d+ s; the thread was replaced; it is at "
        r"gate\.py:\d+ never < gate\.py:\d+ forever < "
    )
    wait_until(lambda: re.search(message, service.log) is not None)
    service.process.terminate()
    assert is_lost(running)


@pytest.mark.slow  # it is busy for longer than a worker may stand still
def test_a_worker_that_is_busy_is_not_taken_for_dead(serve: Serve, pool: ThreadPoolExecutor) -> None:
    service = serve("--workers", "2")
    service.pids(2)
    busy, pid = service.begin(pool, "hog", "38")
    assert busy.result(DEADLINE) == pid
    assert "replaced" not in service.log


@pytest.mark.slow  # kills processes
@pytest.mark.parametrize("running", [False, True])
def test_workers_whose_parent_was_killed_finish_and_end(serve: Serve, pool: ThreadPoolExecutor, running: bool) -> None:
    service = serve("--workers", "2", "--grace", str(DEADLINE))
    pids = service.pids(2)
    family = service.family()
    call = pool.submit(service.call, "wait", "door") if running else None
    if call is not None:
        service.entered("door")
    service.process.kill()
    wait_until(service.refuses)
    (service.folder / "door").touch()
    assert call is None or call.result(DEADLINE) in pids
    wait_until(lambda: not any(map(alive, family)))


def test_a_program_that_can_not_start_says_why_once(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "broken").touch()
    with pytest.raises(AssertionError, match="ImportError: not today") as raised:
        serve("--workers", "2")
    (line, *more) = str(raised.value).splitlines()
    assert line.startswith(f"Error: {tmp_path}/abilities/registry.toml:1 [abilities.whoami]: handler: ")
    assert all("registry.toml" in each for each in more)


SUPERVISE = """
import logging, os, resource, signal, socket, sys
from wwspec_router.serving import supervisor
from wwspec_router.serving.supervisor import Supervisor

BEFORE
logging.basicConfig(stream=sys.stdout, format="%(message)s")
heartbeat = Supervisor(socket.create_server(("127.0.0.1", 0)), 1, 0.5, 0.0).run()
if heartbeat is not None:
    heartbeat.report("serving")
    print(f"working {os.getpid()}", flush=True)
    WORK
"""


@contextlib.contextmanager
def supervise(
    folder: Path, work: str, before: str = "", stdout: int | None = None
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a supervisor whose only worker does what a piece of code says; its output goes to a file named log."""
    script = folder / "supervise.py"
    script.write_text(SUPERVISE.replace("BEFORE", before).replace("WORK", work))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, str(script)], env=environment, stdout=stdout or log, stderr=subprocess.STDOUT
        )
    try:
        yield process
    finally:
        for pid in [process.pid, *descendants(process.pid)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait(DEADLINE)


def test_a_worker_that_was_stopped_is_replaced(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with supervise(tmp_path, "heartbeat.start(); signal.pause()", "supervisor.SILENCE = 1.5") as process:
        wait_until(lambda: log.read_text().count("working") == 1)
        (worker,) = descendants(process.pid)
        os.kill(worker, signal.SIGSTOP)
        wait_until(lambda: log.read_text().count("working") == 2)
        assert not alive(worker)
        process.terminate()
        assert process.wait(DEADLINE) == 0


def test_a_worker_that_can_not_be_replaced_yet_is_replaced_later(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with supervise(tmp_path, "signal.pause()") as process:
        wait_until(lambda: log.read_text().count("working") == 1)
        (worker,) = descendants(process.pid)
        limits = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (3, limits[1]))
        os.kill(worker, signal.SIGKILL)
        wait_until(lambda: "no worker process can be started (Too many open files); again in 0.4 s" in log.read_text())
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, limits)
        wait_until(lambda: log.read_text().count("working") == 2)
        assert log.read_text().count(f"worker process {worker} was ended by signal 9") == 1
        process.terminate()
        assert process.wait(DEADLINE) == 0


def test_a_parent_that_can_open_no_file_reads_what_its_worker_reports(tmp_path: Path) -> None:
    log, refused = tmp_path / "log", "no worker process can be started (Too many open files)"
    few = "os.register_at_fork(after_in_parent=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3)))"
    with supervise(tmp_path, "os._exit(7)", few) as process:
        wait_until(lambda: refused in log.read_text() or process.poll() is not None)
        assert "Traceback" not in log.read_text()
        process.terminate()
        assert process.wait(DEADLINE) == 0


def test_a_program_that_can_not_start_its_workers_ends_with_a_message(tmp_path: Path) -> None:
    few = "resource.setrlimit(resource.RLIMIT_NOFILE, (6, 6))"
    with supervise(tmp_path, "signal.pause()", few) as process:
        assert process.wait(DEADLINE) == 1
    said = (tmp_path / "log").read_text()
    assert (
        "ConfigurationError: no worker process can be started (Too many open files): raise this system's limits" in said
    )


def test_a_program_whose_log_nobody_reads_ends_soon_after_its_grace(tmp_path: Path) -> None:
    work = "signal.signal(signal.SIGTERM, signal.SIG_IGN); os.write(1, bytes(1 << 20))"
    with supervise(tmp_path, work, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"working")
        assert process.stdout.read(1) == bytes(1)  # from here the worker ignores the signal
        family = descendants(process.pid)
        process.terminate()
        assert process.wait(DEADLINE) == 128 + signal.SIGTERM
        wait_until(lambda: not any(map(alive, family)))
        process.stdout.close()


def test_the_limit_on_open_files_is_raised_or_told(serve: Serve) -> None:
    service = serve("--connections", "100000000")
    assert "raise its limit (ulimit -n), or lower these" in service.log


def test_the_start_says_what_checks_contracts(serve: Serve) -> None:
    service = serve("--workers", "0", command=SERVE, environment={"WWSPEC_PURE": "1"})
    wait_until(lambda: "contracts are checked by msgspec alone (WWSPEC_PURE is set)" in service.log)
