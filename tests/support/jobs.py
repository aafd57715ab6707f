"""Jobs without a platform: what is reported is recorded, what an ability answers is the test's to say."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.support.kernel import app_call
from tests.support.sdk import MemorySdk
from tests.support.waiting import DEADLINE, wait_until
from wwspec_router.envelope import Call, Reply
from wwspec_router.errors import CallError
from wwspec_router.handlers.context import Deadline
from wwspec_router.jobs.runner import LEASE, Jobs
from wwspec_router.jobs.runs import Kernel
from wwspec_router.monitoring.figures import Figures
from wwspec_router.stores.base import JobJournal, Store

REPORT = "program_async_job_call_back"
SHORT = 0.3
"""A lease, in seconds, so short that a test can wait until it is over."""


class Platform(MemorySdk):
    """The platform's end of the reports: what it was told, and what it answers."""

    def __init__(self, *answers: int | str | Exception) -> None:
        super().__init__()
        self.answers = list(answers)
        self.heard: list[tuple[str, Any]] = []
        self.changed = threading.Condition()
        self.replies[REPORT] = self._hear

    def _hear(self, request: str) -> str:
        answer = self.answers.pop(0) if self.answers else 0
        with self.changed:
            self.heard.append((self.calls[-1].job_info, json.loads(request)))
            self.changed.notify_all()
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, str):
            return answer
        return json.dumps({"errcode": answer, "errmsg": "x"})

    def wait_for(self, reports: int) -> list[tuple[str, Any]]:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.heard) >= reports, DEADLINE)
            return list(self.heard)


@dataclass
class Runs:
    """A kernel that answers by a function."""

    run: Callable[[Call], Reply]

    def deadline(self, call: Call, since: float) -> Deadline:
        return Deadline()

    def run_job(self, call: Call, deadline: Deadline) -> Reply:
        return self.run(call)

    def refusal(self, error: CallError) -> Reply:
        return Reply(json.dumps({"errcode": 710660, "errmsg": error.message}), 710660)


@contextmanager
def working(
    store: JobJournal,
    sdk: MemorySdk,
    run: Callable[[Call], Reply] | Kernel,
    threads: int = 2,
    *,
    lease: float = LEASE,
    hang_after: float = 60.0,
    figures: Figures | None = None,
    **options: Any,
) -> Iterator[Jobs]:
    jobs = Jobs(store, sdk, threads, hang_after, lease, **options)
    jobs.start(Runs(run) if callable(run) else run, figures or Figures(()))
    try:
        yield jobs
    finally:
        assert jobs.stop(DEADLINE) == 0


class Wrapped:
    """A journal of which one method does something else the first times."""

    def __init__(self, store: Store, method: str, instead: Callable[..., Any], times: int = 1) -> None:
        self._store = store
        self._method = method
        self._instead = instead
        self._times = times
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        if name != self._method:
            return getattr(self._store, name)
        self.calls += 1
        return self._instead if self.calls <= self._times else getattr(self._store, name)


def fails(error: BaseException) -> Callable[..., Any]:
    def fail(*args: object, **more: object) -> Any:
        raise error

    return fail


def wait_empty(store: Store) -> None:
    """Wait until the journal holds no job."""
    wait_until(lambda: store.job_figures().waiting + store.job_figures().claimed == 0)


def leave_behind(store: Store, times: int = 1) -> None:
    """Begin the only job as often as processes that die while it runs."""
    for _ in range(times):
        while not (claimed := store.claim("a process that died", 1, 0.05)):
            threading.Event().wait(0.01)
        assert store.begin("a process that died", claimed[0].job_id)


def answer(call: Call) -> Reply:
    return Reply(json.dumps({"errcode": 0, "errmsg": "ok", "said": call.data}))


def job(job_info: str = "job-1", data: str = "{}") -> Call:
    return app_call("any", data, is_async=True, job_info=job_info)
