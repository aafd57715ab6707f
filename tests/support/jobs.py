"""Jobs without a platform: what is reported is recorded, and a function of the test answers the abilities."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from msgspec.structs import replace

from tests.support.kernel import EMPTY, app_call, with_handler
from tests.support.sdk import MemorySdk
from tests.support.waiting import DEADLINE, Gate, wait_until
from wwspec_contracts.base import Contract, Output
from wwspec_router.envelope import Call
from wwspec_router.handlers.ability import ability
from wwspec_router.handlers.context import Context
from wwspec_router.jobs.runner import LEASE, Jobs
from wwspec_router.kernel.dispatch import Dispatcher
from wwspec_router.kernel.intake import JobIntake
from wwspec_router.monitoring.figures import Figures
from wwspec_router.sdk.base import Sdk
from wwspec_router.stores.base import JobJournal, Store

REPORT = "program_async_job_call_back"
SHORT = 0.3
"""A lease, in seconds, so short that a test can wait until it is over."""


class Platform(MemorySdk):
    """The platform's end of the reports: what it was told, and what it answers."""

    def __init__(self, *answers: int | str | Exception | Callable[[], None]) -> None:
        super().__init__()
        self.answers = list(answers)
        self.reports: list[tuple[str, Any]] = []
        self.changed = threading.Condition()
        self.replies[REPORT] = self._on_report
        self.on_report: Callable[[str, Any], None] = lambda job_info, report: None

    def _on_report(self, request: str) -> str:
        answer = self.answers.pop(0) if self.answers else 0
        if callable(answer):
            answer()
            answer = 0
        own = threading.current_thread().name  # other threads report at the same time
        job_info = next(call.job_info for call in reversed(self.calls) if call.thread == own)
        self.on_report(job_info, json.loads(request))
        with self.changed:
            self.reports.append((job_info, json.loads(request)))
            self.changed.notify_all()
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, str):
            return answer
        return json.dumps({"errcode": answer, "errmsg": "x"})

    def wait_for(self, reports: int) -> list[tuple[str, Any]]:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.reports) >= reports, DEADLINE)
            return list(self.reports)


class Work(Contract):
    number: int = 0
    note: str = ""
    kill: bool = False


class Result(Output):
    said: str = ""
    attempt: int = 0


Run = Callable[[Call], Result]


def answering(run: Run, store: Store, sdk: Sdk) -> Dispatcher:
    """Return a kernel whose abilities `any`, `old` and `new` are answered by one function."""

    @ability
    def handler(request: Work, ctx: Context) -> Result:
        return run(ctx.call)

    [made] = with_handler(EMPTY, handler).abilities.values()
    abilities = {name: replace(made, ability_id=name) for name in ("any", "old", "new")}
    return Dispatcher(replace(EMPTY, abilities=abilities), sdk, store)


class Process:
    """The part of a program that accepts asynchronous calls and runs them."""

    def __init__(
        self,
        store: Any,
        sdk: Sdk,
        run: Run | Dispatcher,
        threads: int = 2,
        *,
        lease: float = LEASE,
        hang_after: float = 60.0,
        figures: Figures | None = None,
        **options: Any,
    ) -> None:
        wake = self.wake = threading.Event()
        dispatcher = run if isinstance(run, Dispatcher) else answering(run, store, sdk)
        self.accept = JobIntake(store, wake.set).accept
        self.jobs = Jobs(store, sdk, dispatcher, figures or Figures(()), wake, threads, hang_after, lease, **options)


@contextmanager
def working(store: Any, sdk: Sdk, run: Run | Dispatcher, threads: int = 2, **options: Any) -> Iterator[Process]:
    process = Process(store, sdk, run, threads, **options)
    process.jobs.start()
    try:
        yield process
    finally:
        assert process.jobs.stop(DEADLINE) == 0


def accept(store: JobJournal, call: Call) -> None:
    JobIntake(store, lambda: None).accept(call)


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
    wait_until(lambda: store.job_figures().waiting + store.job_figures().claimed == 0)


def all_reported(store: Store, sdk: Platform, reports: int = 1) -> list[tuple[str, Any]]:
    """Wait until there are so many reports and no job is left, and return the reports."""
    found = sdk.wait_for(reports)
    wait_empty(store)
    return found


def leave_behind(store: Store, times: int = 1) -> None:
    """Begin the only job as often as processes that die while it runs."""
    for _ in range(times):
        while not (claimed := store.claim("a process that died", 1, 0.05)):
            threading.Event().wait(0.01)
        assert store.begin("a process that died", claimed[0].job_id)


def answer(call: Call) -> Result:
    return Result(said=call.data)


def job(job_info: str = "job-1", data: str = "{}") -> Call:
    return app_call("any", data, is_async=True, job_info=job_info)


def reported(
    store: Any, sdk: Platform, run: Run | Dispatcher, call: Call | None = None, reports: int = 1, **options: Any
) -> list[tuple[str, Any]]:
    """Run a call as a job until the journal is empty, and return the reports, of which there are so many at least."""
    with working(store, sdk, run, **options) as process:
        process.accept(call or job())
        return all_reported(store, sdk, reports)


class Held(Gate):
    """A run that lasts until the test lets it go on; other runs than of the job that is named, if any is, do not."""

    def __init__(self, job_info: str = "", result: Run = answer) -> None:
        super().__init__()
        self.calls: list[Call] = []
        self._job_info = job_info
        self._result = result

    def __call__(self, call: Call) -> Result:
        self.calls.append(call)
        if self._job_info in ("", call.job_info):
            self.hold()
        return self._result(call)

    @property
    def order(self) -> list[str]:
        return [call.job_info for call in self.calls]
