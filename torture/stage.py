"""What `kills`, `redis`, `failover` and `soak` play on: store, emulator, program and load, and the reckoning.

Everything lives in a folder of its own and is gone with it.
"""

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from torture.backends import Backend, open_backend, wait_for_empty_journal
from torture.ledger import Ledger
from torture.load import RECENT, Load
from torture.program import ServeProcess, emulator, write_registry

__all__ = ["JOB_LEASE", "REPORT_LIMIT", "WORKERS", "Stage", "set_up"]

JOB_LEASE = ("--job-lease", "2", "--once-lease", "1", "--retry-pause", "0.2")
"""Options that let a job which was left behind, or failed, be begun again while the run lasts, and another follow; some
outages outlast a lease."""
GIVEN_UP = "of event:conversation_new_message ended none of its"
"""What the program logs of an event whose code was begun too often without an end."""
WORKERS = 2
"""Worker processes of the program."""
REPORT_LIMIT = 900.0
"""Seconds within which every accepted job must be reported at the end: the longest pause between two runs is 300, that
between two notifications 600, and a busy machine works off what has piled up."""


class Stage(NamedTuple):
    """The parts, all of them running, but for the load."""

    folder: Path
    backend: Backend
    emulator_url: str
    program: ServeProcess
    ledger: Ledger
    load: Load

    def reckon(self) -> dict[str, Any]:
        """End the load, fetch every event, end the program, compare the books with the store; return the figures."""
        self.load.stop()
        began = time.monotonic()
        messages = self.load.read_all()
        # Code on events ends, and the app is told after it until it fetches.
        wait_for_empty_journal(self.backend.url, REPORT_LIMIT, self.load.fetch_unfetched)
        self.load.wait_reported(REPORT_LIMIT)
        reported_after = time.monotonic() - began
        self.load.compare_readings(messages)
        self.load.fetch_all()
        self.end_program()
        figures = self.ledger.close(given_up=self.program.said().count(GIVEN_UP))
        store, faults = self.backend.check()
        for fault in faults:
            self.ledger.fail(fault)
        return {"settled_s": round(reported_after, 1), **figures, "store": store}

    def end_program(self, *, kept: bool = True) -> None:
        """End the program as the platform does, once no job is left; without `kept` events may have expired."""
        fetch = partial(self.load.fetch_unfetched, kept=kept)
        if not wait_for_empty_journal(self.backend.url, REPORT_LIMIT, fetch):
            self.ledger.fail(f"after {REPORT_LIMIT:g} seconds there are still jobs in the journal")
        if not self.program.stop():
            self.ledger.fail("the program did not end on SIGTERM")


@contextmanager
def set_up(
    store: str,
    seed: int,
    *,
    pause: float,
    notify_ttl: float,
    recent: int = RECENT,
    allowed: frozenset[str] = frozenset(),
    options: Sequence[str] = (),
) -> Iterator[Stage]:
    """Yield a stage, and end what is left of it.

    Args:
        store: `sqlite`, `redis` or `sentinel`.
        seed: Makes the choices of the load.
        pause: Seconds between two calls of one caller.
        notify_ttl: Seconds for which the program keeps events.
        recent: How many of the latest events are fetched while the load runs.
        allowed: Texts of errors that the program may answer.
        options: Further options of `wwspec serve`.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wwspec-torture-")))
        backend = stack.enter_context(open_backend(store, folder))
        registry = write_registry(folder, notify_ttl)
        url = stack.enter_context(emulator(folder, registry))
        serve = ["--workers", str(WORKERS), "--store", backend.url, *options]
        program = stack.enter_context(ServeProcess(folder, registry, url, serve))
        ledger = Ledger(allowed)
        load = Load(url, program.url, ledger, seed, pause, recent)
        stack.callback(load.close)
        yield Stage(folder, backend, url, program, ledger, load)
