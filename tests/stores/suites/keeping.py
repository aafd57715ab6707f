"""What is checked of a store after `tests.support.keeper` was killed, or the server of its store."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support import keeper
from tests.support.apps import ROOT
from tests.support.waiting import DEADLINE
from wwspec_router.stores import Store

ENDED_BEFORE_A_KILL = 20


@contextmanager
def keeping(url: str) -> Iterator["subprocess.Popen[str]"]:
    """Run a process that runs jobs which keep values; it has ended some of them."""
    command = [sys.executable, "-m", "tests.support.keeper", url]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            for _ in range(ENDED_BEFORE_A_KILL):
                assert process.stdout.readline()
            yield process
        finally:
            process.kill()


def check_kept_with_jobs(process: "subprocess.Popen[str]", store: Store) -> None:
    """Check that each change of a job has its value, and each value its change."""
    assert process.stdout is not None
    printed = [line.split() for line in process.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
    process.wait(DEADLINE)
    left = {each.name: each for each in store.claim("after", 99, 600)}
    for thread in range(keeper.THREADS):
        outcome, end = (number_of(store, thread, name) for name in ("outcome", "end"))
        assert end >= max((int(number) for name, number in printed if name == str(thread)), default=0)
        job = left.get(str(thread))
        if job is None:
            assert outcome == end
            continue
        assert job.job_id == f"{thread} {end + 1}"
        assert outcome == (end if job.outcome is None else end + 1)


def number_of(store: Store, thread: int, name: str) -> int:
    """Return the number that a thread has kept."""
    value = store.read_kept(keeper.key_of(thread, name))
    return 0 if value is None else int(value.text)
