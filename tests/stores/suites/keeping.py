"""What is checked of a store after `tests.support.keeper` was killed, or the server of its store."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from multiprocessing import get_context
from typing import TextIO

from tests.support import keeper
from tests.support.waiting import DEADLINE
from wwspec_router.stores import Store

ENDED_BEFORE_A_KILL = 20


FORKS = get_context("forkserver")
FORKS.set_forkserver_preload(["redis", "tests.support.keeper"])


class Keeping:
    """A process that runs jobs which keep values, forked from one that has imported all."""

    def __init__(self, url: str) -> None:
        reader, writer = FORKS.Pipe(duplex=False)
        with reader, writer:
            self._process = FORKS.Process(target=keeper.run, args=(url, writer))
            self._process.start()
            self.written: TextIO = os.fdopen(os.dup(reader.fileno()))

    def kill(self) -> None:
        self._process.kill()
        self.wait()

    def wait(self) -> None:
        self._process.join(DEADLINE)
        assert self._process.exitcode is not None

    def close(self) -> None:
        self.kill()
        self._process.close()
        self.written.close()


@contextmanager
def keeping(url: str) -> Iterator[Keeping]:
    """Run a process that runs jobs which keep values; it has ended some of them."""
    with closing(Keeping(url)) as process:
        for _ in range(ENDED_BEFORE_A_KILL):
            assert process.written.readline()
        yield process


def check_kept_with_jobs(process: Keeping, store: Store) -> None:
    """Check that each change of a job has its value, and each value its change."""
    printed = [line.split() for line in process.written.read().splitlines(keepends=True) if line.endswith("\n")]
    process.wait()
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
    value = store.read_kept(keeper.key_of(thread, name))
    return 0 if value is None else int(value.text)
