"""One zone program in one process: its parts, and how it starts and stops.

It knows no HTTP: `asgi.py` and the connections of `wwspec serve` hand requests to `Calls.submit`. It changes nothing of
the process that it runs in.
"""

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from time import monotonic
from typing import NamedTuple

import msgspec
from msgspec import UNSET
from msgspec.json import encode

from wwspec_contracts.errors import ConfigurationError, NoThreadError
from wwspec_contracts.support.printable import short
from wwspec_contracts.support.stacks import FramesOf
from wwspec_router.codecs.fitting import ENGINE
from wwspec_router.config import Settings, variable
from wwspec_router.handlers.async_bridge import LoopPortal
from wwspec_router.http1.answers import STOPPING, Answer, Headers, OnAnswer, plain
from wwspec_router.jobs.runner import Jobs
from wwspec_router.kernel.call_log import CALLS, CallLog
from wwspec_router.kernel.dispatch import Dispatcher
from wwspec_router.kernel.intake import JobIntake
from wwspec_router.kernel.measured_sdk import MeasuredSdk
from wwspec_router.kernel.observer import observer_of
from wwspec_router.monitoring.figures import UNKNOWN, Figures, Gauges
from wwspec_router.monitoring.monitor import Monitor
from wwspec_router.monitoring.shared import SharedFigures
from wwspec_router.monitoring.status import JobStatus, Stored
from wwspec_router.registry.own_settings import read_own_settings
from wwspec_router.registry.table import AbilityTable, build_table, check_configuration
from wwspec_router.sdk.base import Sdk
from wwspec_router.sdk.debug_mode import open_debug_mode
from wwspec_router.sdk.vendor import VendorSdk, load_sdk
from wwspec_router.serving.calls import Calls, Exchange, PendingCall
from wwspec_router.serving.health import CallWatch, Liveness, Readiness
from wwspec_router.serving.workers import WorkerPool
from wwspec_router.stores import open_store, risks_of
from wwspec_router.stores.base import Store

log = logging.getLogger(__name__)

_MOST_NAMES = 20
"""The most abilities in one log line that the registry file lacks."""
OLDEST_JOBS = 20
"""How many jobs are listed one by one."""
LEAST_CLOSING = 1.0
"""Seconds that a lifespan has at least to close, even when calls have used the whole grace."""


def create_program(
    settings: Settings,
    shared: SharedFigures | None = None,
    *,
    is_alone: bool,
    on_sdk: Callable[[VendorSdk], object] = lambda sdk: None,
) -> "ZoneProgram":
    """Build one program from its settings.

    Args:
        settings: Of the program.
        shared: Where its processes show each other their figures; None with one process.
        is_alone: Whether no other process serves the program.
        on_sdk: Called with the SDK as soon as it is loaded.

    Raises:
        ConfigurationError: The application, the registry file, the SDK or the store can't be used, or they don't fit.
        StoreError: The store does not work.
    """
    table = build_table(settings.app, settings.registry_path)
    check_configuration(table)
    if table.event_targets and not settings.job_threads:
        raise ConfigurationError(
            "--job-threads 0: the program has code that runs on events, and no thread would run it; "
            "give at least 1, or remove the rows [events.…] and the marks @on_event"
        )
    own = read_own_settings(table.settings, settings.config, os.environ)
    sdk = load_sdk(settings.sdk, settings.app)
    on_sdk(sdk)
    log.info("SDK: %s", sdk.description)
    log.info("contracts are checked by %s", ENGINE)
    open_debug_mode(sdk, settings)
    store = open_store(settings.store_url, program=table.registry.program.name)
    for risk in risks_of(store):
        log.warning("store: %s", risk)
    if unknown := store.unknown_names(table.job_names):
        log.warning(
            "jobs wait whose abilities the registry file lacks: %s; they run when a program on this store has the rows "
            "again, an older instance too; else remove them: `wwspec job list`, `wwspec job drop ID`",
            ", ".join(f"{count} of {short(name, 64)}" for name, count in sorted(unknown.items())[:_MOST_NAMES]),
        )
    if not (is_alone or store.shared):
        store.close()
        raise ConfigurationError(
            f"--store {settings.store}: worker processes don't share it, so an event stored by one would be "
            f"missing in another; use a sqlite: store, or one process with --workers 1 or {variable('workers')}=1"
        )
    return ZoneProgram(table, sdk, store, settings, shared, own)


# A struct, as others here that keep what they are given: a dataclass is compiled anew at each start.
class ZoneProgram(msgspec.Struct, eq=False, dict=True):
    """A zone program.

    Attributes:
        settings: See above.
        is_emulated: Whether the SDK is the emulator's.
    """

    table: AbilityTable
    """What answers which ability ID."""
    sdk: Sdk
    """The loaded SDK."""
    store: Store
    """Keeps events; closed when the program stops."""
    settings: Settings
    """Threads, limits and timeouts."""
    shared: SharedFigures | None = None
    """Where its processes show each other their figures; None with one process."""
    own: object = None
    """The application's own settings."""

    def __post_init__(self) -> None:
        self._observer = observer_of(self.sdk.trace) if self.sdk.is_emulated else None
        self._call_log: CallLog | None = None
        # Without lines nothing is measured. The emulator's SDK has lines also when nobody asks for them.
        if (self.sdk.is_emulated or self.settings.request_log) and logging.getLogger(CALLS).isEnabledFor(logging.INFO):
            table = self.table
            handled = {name: target.row.notify for name, target in table.event_targets.items()}
            measured = MeasuredSdk(self.sdk, handled, self._observer)
            names = table.status_names
            self._call_log = CallLog(measured, names, table.registry.program, self._observer, table.places)
        self._sdk = self.sdk if self._call_log is None else self._call_log.sdk
        self.is_emulated = self.sdk.is_emulated
        self._running: _Running | None = None
        self.submit: Callable[..., PendingCall | None] = _refuse
        """Takes calls, as `Calls.submit`; answers them at once while the program does not run."""
        self.is_stopping = False
        """Whether a stop has begun; set by the server when it gets the signal."""
        self.stop_by: float | None = None
        """When a stop must be over, in seconds of `time.monotonic()`; the server sets it as the stop begins."""
        self.on_held_up: Callable[[], None] = lambda: None
        """Called, from a thread, when the event loop has been held up for `hang_after` seconds; set by the server."""
        self.on_exhausted: Callable[[], None] = lambda: None
        """Called once when every thread hangs and none can be added; set by the server."""

    def page(self, path: str) -> Answer | None:
        """Return what GET of a path is answered; None when there is nothing."""
        if path == "/healthz":
            return plain(200, "ok\n")
        if path != "/readyz":
            return None
        faults = self._running.readiness.faults() if self._running is not None else ["not running"]
        return plain(503, "".join(f"{fault}\n" for fault in faults)) if faults else plain(200, "ok\n")

    async def start(self) -> None:
        """Start to answer calls, on the running loop; does nothing when it is started.

        Raises:
            NoThreadError: The system does not start the threads that are needed.
            StoreError: The store does not work.
            LifespanError: The application's lifespan failed.
        """
        if self._running is not None:
            return
        state = await self.table.lifespan.open(self.own) if self.table.lifespan is not None else None
        try:
            await self._start(state)
        except BaseException as error:
            await self._close_lifespan(self.settings.grace)
            if isinstance(error, RuntimeError | MemoryError):
                raise NoThreadError from None
            raise

    async def _close_lifespan(self, seconds: float) -> None:
        if self.table.lifespan is not None:
            await self.table.lifespan.close(seconds)

    async def _start(self, state: object) -> None:
        settings = self.settings
        loop = asyncio.get_running_loop()
        stopper = ThreadPoolExecutor(1, "wwspec-stopper")
        await loop.run_in_executor(stopper, self.store.check)  # which lets its thread be there when it is needed
        workers = WorkerPool(settings.threads, settings.queue)
        figures = Figures(self.table.abilities)
        portal = LoopPortal(loop)
        wake_jobs = threading.Event()
        intake = JobIntake(self.store, wake_jobs.set) if settings.job_threads else None
        dispatcher = Dispatcher(
            self.table,
            self._sdk,
            self.store,
            portal,
            intake,
            lambda: encode(monitor.status()).decode(),  # runs in calls only; the monitor is made after the jobs
            state,
            self.own,
            with_text=self._sdk.is_emulated,
            once_lease=settings.once_lease,
            with_timeouts=not settings.debug,
            observer=self._observer,
        )
        jobs = self._jobs(dispatcher, figures, wake_jobs, portal.frames_of) if settings.job_threads else None
        monitor = Monitor(
            figures,
            partial(read_gauges, workers, jobs),
            partial(read_stored, self.store, self.table.job_names),
            settings.monitor_interval,
            self.shared,
        )
        call_watch = CallWatch(workers, settings.hang_after, dispatcher.abandon, portal.task_of)
        liveness = Liveness(call_watch, jobs, settings.hang_after, self.on_held_up, self.on_exhausted)
        readiness = Readiness(self.store, lambda: liveness.is_exhausted, lambda: self.is_stopping)
        exchange = Exchange(self._sdk, dispatcher, self._call_log)
        calls = Calls(exchange, workers, figures, settings, portal.frames_of)
        await workers.start(threads=1)
        await calls.start()
        liveness.start()
        monitor.start()
        readiness.start()
        if jobs is not None:  # last: it takes calls up at once
            jobs.start()
        self._running = _Running(workers, jobs, calls, liveness, monitor, readiness, stopper)
        self.submit = calls.submit

    def _jobs(self, dispatcher: Dispatcher, figures: Figures, wake: threading.Event, frames_of: FramesOf) -> Jobs:
        settings = self.settings
        return Jobs(
            self.store,
            self._sdk,
            dispatcher,
            figures,
            wake,
            settings.job_threads,
            settings.hang_after,
            settings.job_lease,
            abilities=self.table.job_names,
            limits=self.table.job_limits,
            call_log=self._call_log,
            retry_pause=settings.retry_pause,
            frames_of=frames_of,
        )

    async def stop(self) -> None:
        """Finish running calls and jobs within the grace, and close the store; does nothing when nothing runs."""
        running, self._running = self._running, None
        if running is None:
            return
        self.submit = _refuse
        settings, jobs = self.settings, running.jobs
        grace = settings.grace if self.stop_by is None else max(0.0, self.stop_by - monotonic())
        started = monotonic()
        loop = asyncio.get_running_loop()
        ending = loop.run_in_executor(running.stopper, jobs.stop, grace) if jobs is not None else None
        abandoned = await running.workers.stop(grace)
        await running.calls.stop()
        unfinished = await ending if ending is not None else 0
        running.liveness.stop()
        running.readiness.stop()
        await loop.run_in_executor(running.stopper, running.monitor.stop)
        running.stopper.shutdown(wait=False)
        await self._close_lifespan(max(LEAST_CLOSING, started + grace - monotonic()))
        if abandoned or unfinished:
            log.error(
                "stopped with %d calls and %d jobs unfinished after %g seconds; the jobs are kept",
                abandoned,
                unfinished,
                settings.grace,
            )
        else:
            self.store.close()


class _Running(NamedTuple):
    """The parts of a program that runs."""

    workers: WorkerPool
    jobs: Jobs | None
    calls: Calls
    liveness: Liveness
    monitor: Monitor
    readiness: Readiness
    stopper: ThreadPoolExecutor
    """A thread for what blocks while the program stops."""


def _refuse(headers: Headers, body: bytes, on_answer: OnAnswer, watch: object = None) -> None:
    """Answer a call while the program does not run."""
    on_answer(STOPPING)


def read_gauges(workers: WorkerPool, jobs: Jobs | None) -> Gauges:
    """Return what the program is doing just now."""
    return Gauges(
        busy=workers.busy,
        threads=workers.threads,
        queued=workers.queued,
        jobs_running=jobs.running if jobs is not None else 0,
        hung=workers.replaced + (jobs.threads.replaced if jobs is not None else 0),
    )


def read_stored(store: Store, names: Collection[str]) -> Stored:
    """Return how full the store is. Blocks.

    Args:
        store: Which one.
        names: The names of this program's jobs. Other names are not shown: another program or a caller chose them.

    Raises:
        StoreError: The store can't be read.
    """
    events, jobs = store.figures(), store.job_figures()
    has_failed = jobs.failed or jobs.forgotten
    return Stored(
        store_rows=events.rows,
        store_bytes=events.bytes,
        jobs_waiting=jobs.waiting,
        jobs_claimed=jobs.claimed,
        jobs_oldest_age_s=int(jobs.oldest_age),
        notifications_unfetched=jobs.unfetched or UNSET,
        jobs_set_aside=jobs.failed if has_failed else UNSET,
        jobs_forgotten=jobs.forgotten if has_failed else UNSET,
        oldest_jobs=[
            JobStatus(
                ability_id=each.name if each.name in names else UNKNOWN,
                state=each.state,
                attempt=each.attempt,
                lease_s=int(each.left),
                age_s=int(each.age),
            )
            for each in store.oldest_jobs(OLDEST_JOBS)
        ],
    )
