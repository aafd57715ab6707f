"""A process that answers one call of an ability that runs once, and may be killed on the way.

Arguments: the store's URL, a file to which each run of the ability adds a line, and the number of the step before which
the process kills itself, from 0. Steps are what it asks the store for, the
side effect, and the end.
"""

import os
import signal
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.support.kernel import app_call
from tests.support.once import Orders
from wwspec_router.stores import Store, open_store

url, path, kill_at = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
steps = 0


def step() -> None:
    global steps
    if steps == kill_at:
        os.kill(os.getpid(), signal.SIGKILL)
    steps += 1


class Stepping:
    """The store, with a step before and after each request that belongs to a claim."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        if name not in ("claim_once", "keep_once", "release_once"):
            return method

        def stepping(*arguments: Any) -> Any:
            step()
            result = method(*arguments)
            step()
            return result

        return stepping


def run() -> None:
    step()
    with path.open("a") as file:
        file.write("ran\n")
    step()


with closing(open_store(url)) as store:
    orders = Orders()
    orders.on_run = run
    kernel = orders.kernel(Stepping(store), timeout=20.0)
    kernel.dispatch(app_call("place_order", '{"order":{"id":"a"}}'))
