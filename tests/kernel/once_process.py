"""Processes that answer one call each of an ability that runs once, and kill themselves on the way.

Arguments, for each: the store's URL, a file to which each run of the ability adds a line, and the number of the step
before which the process kills itself, from 0. Steps are what it asks the store for, the side effect, and the end.

They are forked one after the other. The exit codes are printed.
"""

import os
import signal
import sys
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from tests.support.kernel import app_call
from tests.support.once import Orders
from wwspec_router.stores import Store, open_store


class Steps:
    def __init__(self, kill_at: int) -> None:
        self._left = kill_at

    def __call__(self) -> None:
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self._left -= 1


class Stepping:
    """The store, with a step before and after each request that belongs to a claim."""

    def __init__(self, store: Store, step: Steps) -> None:
        self._store = store
        self._step = step

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        if name not in ("claim_once", "keep_once", "release_once"):
            return method

        def stepping(*arguments: Any) -> Any:
            self._step()
            result = method(*arguments)
            self._step()
            return result

        return stepping


def answer(url: str, path: str, kill_at: str) -> None:
    """Answer the call, or be killed."""
    step = Steps(int(kill_at))

    def run() -> None:
        step()
        with Path(path).open("a") as file:
            file.write("ran\n")
        step()

    with closing(open_store(url)) as store:
        orders = Orders()
        orders.on_run = run
        kernel = orders.kernel(Stepping(store, step), timeout=20.0)
        kernel.dispatch(app_call("place_order", '{"order":{"id":"a"}}'))


def exit_code(*arguments: str) -> int:
    """Answer in a process of its own, and return its exit code."""
    process = get_context("fork").Process(target=answer, args=arguments)
    process.start()
    process.join()
    assert process.exitcode is not None
    return process.exitcode


if __name__ == "__main__":
    given = sys.argv[1:]
    if not given[0].startswith("sqlite:"):
        import redis  # noqa: F401 - once for all
    sys.stdout.write(" ".join(str(exit_code(*given[at : at + 3])) for at in range(0, len(given), 3)))
