"""Worker processes with a core of their own: when they get one, who gets which, and what is not held to it."""

import os
import re
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.serving.service import SERVE, Serve, Service
from tests.support.processes import descendants
from tests.support.skips import only_where
from tests.support.tools import tool
from tests.support.waiting import DEADLINE, wait_until

CORES = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
AS_MANY = ("--workers", str(len(CORES)))


@pytest.fixture(autouse=True)
def several_cores() -> None:
    only_where(len(CORES) > 1, "there are several cores")


def contained() -> tuple[str, ...]:
    """`wwspec serve` as process 1, as in a container."""
    bwrap = tool("bwrap"), "--dev-bind", "/", "/", "--unshare-pid", "--as-pid-1", "--die-with-parent"
    return (*bwrap, *SERVE)


def cores_of(pid: int) -> set[int]:
    """Return which cores a process may use, as Linux says it: such as `0-1,3`."""
    found = re.search(r"Cpus_allowed_list:\s+(\S+)", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    pairs = [(each.split("-") * 2)[:2] for each in found[1].split(",")]
    return {core for first, last in pairs for core in range(int(first), int(last) + 1)}


def workers_of(service: Service) -> dict[int, set[int]]:
    """Return the cores of each worker process; a worker has more than one thread."""
    family = [pid for pid in descendants(service.process.pid) if len(list(Path(f"/proc/{pid}/task").iterdir())) > 1]
    return {pid: cores_of(pid) for pid in family}


ON, OFF = ("--pin-workers", "on"), ("--pin-workers", "off")


@pytest.mark.parametrize(
    ("options", "is_contained", "said"),
    [((*AS_MANY, *ON), False, "on"), (AS_MANY, True, "auto")],
    ids=["on", "auto in a container whose cores they fill"],
)
def test_each_process_has_its_own_core(serve: Serve, options: tuple[str, ...], is_contained: bool, said: str) -> None:
    service = serve(*options, command=contained() if is_contained else ())
    service.pids(len(CORES))
    assert sorted(workers_of(service).values(), key=min) == [{core} for core in sorted(CORES)]
    assert is_contained or cores_of(service.process.pid) == CORES  # the parent's
    assert f"--pin-workers {said}: each worker process has a core of its own" in service.log


@pytest.mark.parametrize(
    ("options", "is_contained"),
    [((*AS_MANY, *OFF), False), (AS_MANY, False), ((*AS_MANY, *OFF), True), (("--workers", "1"), True)],
    ids=["off", "auto, the default, not in a container", "off in a container", "auto in one with cores to spare"],
)
def test_without_it_each_process_may_use_all_cores(serve: Serve, options: tuple[str, ...], is_contained: bool) -> None:
    service = serve(*options, command=contained() if is_contained else ())
    service.pids(int(options[1]))
    assert set(map(frozenset, workers_of(service).values())) == {frozenset(CORES)}


def test_the_successor_of_a_worker_process_takes_its_core(serve: Serve) -> None:
    service = serve(*AS_MANY, "--pin-workers", "on")
    service.pids(len(CORES))
    before = workers_of(service)
    victim = next(iter(before))
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: victim not in workers_of(service) and len(workers_of(service)) == len(CORES))
    service.pids(len(CORES))
    (successor,) = workers_of(service).keys() - before.keys()
    assert workers_of(service)[successor] == before[victim]


@pytest.mark.slow  # waits until calls count as hanging
def test_the_successor_of_a_process_that_has_not_ended_takes_its_core(serve: Serve, pool: ThreadPoolExecutor) -> None:
    """While it ends, its successor has another number, but the same place."""
    options = "--threads", "1", "--hang-after", "0.5", "--grace", str(DEADLINE)
    service = serve(*AS_MANY, "--pin-workers", "on", *options)
    service.pids(len(CORES))
    before = workers_of(service)
    (victim,) = (pid for pid, cores in before.items() if cores == {max(CORES)})
    with ExitStack() as stack:
        hanging = 0
        while hanging < 2:  # its thread, and the one in the place of that
            client = stack.enter_context(httpx.Client(trust_env=False, timeout=DEADLINE))
            if service.reply("whoami", client=client)["pid"] == victim:
                hanging += 1
                pool.submit(service.reply, "wait", {"name": f"door{hanging}"}, client=client)
                service.entered(f"door{hanging}")
        wait_until(lambda: workers_of(service).keys() - before.keys())
        (successor,) = workers_of(service).keys() - before.keys()
        wait_until(lambda: len(workers_of(service)[successor]) == 1)
        assert victim in workers_of(service)
        for number in (1, 2):
            (service.folder / f"door{number}").touch()
        assert cores_of(successor) == {max(CORES)}


def test_a_call_runs_on_the_core_of_its_worker_process_and_what_it_starts_may_use_all(serve: Serve) -> None:
    service = serve("--workers", "1", "--pin-workers", "on")
    assert service.reply("cores")["cores"] == [min(CORES)]
    for way in ("fork", "subprocess", "posix_spawn"):
        assert service.reply("cores", {"name": way})["cores"] == sorted(CORES), way


def test_on_says_when_there_are_fewer_cores_than_worker_processes(serve: Serve) -> None:
    many = len(CORES) + 1
    service = serve("--workers", str(many), "--pin-workers", "on")
    expected = f"--pin-workers on has no effect: there are {many} worker processes and {len(CORES)} cores"
    assert expected in service.log
    service.pids(many)
    assert set(map(frozenset, workers_of(service).values())) == {frozenset(CORES)}


def test_on_one_core_there_is_nothing_to_choose(serve: Serve) -> None:
    os.sched_setaffinity(0, {min(CORES)})
    try:
        service = serve("--workers", "1", "--pin-workers", "on", command=SERVE)
    finally:
        os.sched_setaffinity(0, CORES)
    assert "--pin-workers on has no effect: there is 1 core" in service.log


def test_a_library_with_threads_of_its_own_keeps_all_cores(serve: Serve, tmp_path: Path) -> None:
    """Such as NumPy's, which compute without the interpreter's lock."""
    (tmp_path / "native").touch()
    service = serve(*AS_MANY, command=contained())
    service.pids(len(CORES))
    assert set(map(frozenset, workers_of(service).values())) == {frozenset(CORES)}
    assert "this worker process uses all cores: a library has started 1 thread of its own" in service.log
