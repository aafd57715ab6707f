"""The ASGI application: POST / for the channel, GET /healthz and /readyz for those who operate the program.

It reads a request, passes the whole exchange to a worker thread, and sends the answer. It knows nothing of abilities or
of JSON.
"""

import asyncio
import gc
import logging
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from time import monotonic
from typing import NamedTuple

from msgspec.json import encode
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from wwspec_router.config import SdkSource, Settings
from wwspec_router.contracts.fitting import ENGINE
from wwspec_router.errors import ConfigurationError, NoThreadError
from wwspec_router.handlers.portal import LoopPortal
from wwspec_router.jobs.runner import Jobs
from wwspec_router.kernel.call_log import call_log_of
from wwspec_router.kernel.dispatch import Dispatcher
from wwspec_router.kernel.intake import JobIntake
from wwspec_router.log_handlers import SdkLogHandler
from wwspec_router.logs import log_stray
from wwspec_router.monitoring.figures import Figures
from wwspec_router.monitoring.monitor import Monitor
from wwspec_router.monitoring.shared import SharedFigures
from wwspec_router.protocol.answers import (
    LARGE_BODY,
    LATE_BODY,
    STOPPING,
    WRONG_METHOD,
    Answer,
    Headers,
    OnAnswer,
    plain,
)
from wwspec_router.protocol.framing import content_length
from wwspec_router.protocol.program import Submit
from wwspec_router.registry.table import AbilityTable, build_table, check_configuration
from wwspec_router.sdk.base import Sdk
from wwspec_router.sdk.debug_mode import in_debug_mode
from wwspec_router.sdk.vendor import load_sdk
from wwspec_router.serving.calls import Calls
from wwspec_router.serving.exchange import Exchange, MeasuredExchange
from wwspec_router.serving.gauges import read_gauges, read_stored
from wwspec_router.serving.liveness import CallWatch, Liveness
from wwspec_router.serving.readiness import Readiness
from wwspec_router.serving.workers import WorkerPool
from wwspec_router.stores import open_store, risks_of
from wwspec_router.stores.base import Store

__all__ = ["ZoneProgram", "create_app"]

log = logging.getLogger(__name__)

LEAST_CLOSING = 1.0
"""Seconds that a lifespan has to close, even when calls have used the whole grace."""
GC_THRESHOLD = 10_000
"""New objects, less those that were freed, after which the garbage collector checks the young ones."""


def create_app(settings: Settings, shared: SharedFigures | None = None) -> "ZoneProgram":
    """Build the ASGI application of one program.

    Args:
        settings: Of the program.
        shared: Where its processes show each other their figures; None with one process.

    Raises:
        ConfigurationError: The application, the registry file, the SDK or the store can't be used, or they don't fit.
        StoreError: The store does not work.
    """
    gc.disable()
    table = build_table(settings.app, settings.registry_path)
    check_configuration(table)
    loaded = load_sdk(settings.sdk, settings.app)
    if loaded.source is SdkSource.VENDOR:  # the stand-in prints to where our own lines go already
        logging.getLogger().addHandler(SdkLogHandler(loaded.log))
    log.info("SDK: %s", loaded.description)
    log.info("contracts are checked by %s", ENGINE)
    sdk = in_debug_mode(loaded, settings)
    store = open_store(settings.store_url, program=table.registry.program.name)
    for risk in risks_of(store):
        log.warning("store: %s", risk)
    if settings.processes > 1 and not store.shared:
        raise ConfigurationError(
            f"--store {settings.store}: worker processes don't share it, so an event stored by one would be "
            "missing in another; use a sqlite: store, or --workers 1"
        )
    if table.event_targets and not settings.job_threads:
        raise ConfigurationError(
            "--job-threads 0: the registry file has code that runs on events, and no thread would run it; "
            "give at least 1, or remove the rows [events.…]"
        )
    program = ZoneProgram(table, sdk, store, settings, shared)
    if settings.freeze_gc:
        _spare_the_collector()
    gc.enable()
    return program


def _spare_the_collector() -> None:
    """Keep the garbage collector from checking what start-up made, and from running every few calls.

    What a call makes is freed by its references; cycles are rare, and are still found. Little of what start-up made
    is garbage: a search for it takes longer than it is worth.
    """
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD, 10, 10)


class ZoneProgram:
    """A zone program as an ASGI application.

    The zone path is taken before any router: it is the one that carries load.

    Args:
        table: What answers which ability ID.
        sdk: The loaded SDK.
        store: Keeps events; closed when the program stops.
        settings: Threads, limits and timeouts.
        shared: Where its processes show each other their figures; None with one process.
    """

    def __init__(
        self, table: AbilityTable, sdk: Sdk, store: Store, settings: Settings, shared: SharedFigures | None = None
    ) -> None:
        self._table = table
        self._sdk, self._call_log = call_log_of(sdk, is_wanted=settings.request_log, quiet=self._table.status_names)
        self._store = store
        self._settings = settings
        self._shared = shared
        self._running: _Running | None = None
        self._endpoint: _Endpoint | None = None
        self._calls: Calls | None = None
        self.submit: Submit = _refuse
        """Takes calls without ASGI."""
        self.is_stopping = False
        """Whether a stop has begun; set by the server when it gets the signal."""
        self.stop_by: float | None = None
        """When a stop must be over, in seconds of `time.monotonic()`; the server sets it as the stop begins."""
        self.on_held_up: Callable[[], None] = lambda: None
        """Called, from a thread, when the event loop has been held up for `hang_after` seconds; set by the server."""
        self.on_exhausted: Callable[[], None] = lambda: None
        """Called once when every thread hangs and none can be added; set by the server."""
        self._pages = Starlette(
            routes=[
                Route("/healthz", self._health, methods=["GET"]),
                Route("/readyz", self._ready, methods=["GET"]),
                Route("/", _only_post, methods=["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"]),
            ],
            lifespan=self._lifespan,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        endpoint = self._endpoint
        if endpoint is not None and scope["type"] == "http" and scope["path"] == "/" and scope["method"] == "POST":
            await endpoint(scope, receive, send)
        else:
            await self._pages(scope, receive, send)

    @property
    def calls(self) -> Calls | None:
        """The calls in hand; None while the program is not running."""
        return self._calls

    def page(self, path: str) -> Answer | None:
        """Return what GET of a path is answered; None when there is nothing."""
        if path == "/healthz":
            return plain(200, "ok\n")
        if path != "/readyz":
            return None
        faults = self._running.readiness.faults() if self._running is not None else ["not running"]
        return plain(503, "".join(f"{fault}\n" for fault in faults)) if faults else plain(200, "ok\n")

    @asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        await self.start()
        try:
            yield
        finally:
            await self.stop()

    async def start(self) -> None:
        """Start what answers calls, on the running loop; harmless when it runs.

        Raises:
            NoThreadError: The system does not start the threads that are needed.
            StoreError: The store does not work.
            LifespanError: The application's lifespan failed.
        """
        if self._running is not None:
            return
        state = await self._table.lifespan.open() if self._table.lifespan is not None else None
        try:
            await self._start(state)
        except BaseException as error:
            await self._close_lifespan(self._settings.grace)
            if isinstance(error, RuntimeError | MemoryError):
                raise NoThreadError from None
            raise

    async def _close_lifespan(self, seconds: float) -> None:
        if self._table.lifespan is not None:
            await self._table.lifespan.close(seconds)

    async def _start(self, state: object) -> None:
        settings = self._settings
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(partial(log_stray, with_text=self._sdk.is_emulated))
        stopper = ThreadPoolExecutor(1, "wwspec-stopper")
        await loop.run_in_executor(stopper, self._store.check)  # which lets its thread be there when it is needed
        workers = WorkerPool(settings.threads, settings.queue)
        figures = Figures(self._table.abilities)
        portal = LoopPortal(loop)
        wake_jobs = threading.Event()
        intake = JobIntake(self._store, wake_jobs.set) if settings.job_threads else None
        dispatcher = Dispatcher(
            self._table,
            self._sdk,
            self._store,
            portal,
            intake,
            lambda: encode(monitor.status()).decode(),  # runs in calls only; the monitor is made after the jobs
            state,
            with_text=self._sdk.is_emulated,
            once_lease=settings.once_lease,
        )
        jobs = self._jobs(dispatcher, figures, wake_jobs) if settings.job_threads else None
        monitor = Monitor(
            figures,
            partial(read_gauges, workers, jobs),
            partial(read_stored, self._store, self._table.job_names),
            settings.monitor_interval,
            self._shared,
        )
        call_watch = CallWatch(workers, settings.hang_after, dispatcher.abandon, portal.task_of)
        liveness = Liveness(call_watch, jobs, settings.hang_after, self.on_held_up, self.on_exhausted)
        readiness = Readiness(self._store, lambda: liveness.is_exhausted, lambda: self.is_stopping)
        calls = Calls(self._exchange(dispatcher), workers, figures, settings, self._call_log)
        await workers.start(threads=1)
        await calls.start()
        liveness.start()
        monitor.start()
        readiness.start()
        if jobs is not None:  # last: it takes calls up at once
            jobs.start()
        self._running = _Running(workers, jobs, calls, liveness, monitor, readiness, stopper)
        self._calls = calls
        self.submit = calls.submit
        self._endpoint = _Endpoint(calls, settings)

    def _exchange(self, dispatcher: Dispatcher) -> Exchange:
        if self._call_log is None:
            return Exchange(self._sdk, dispatcher)
        return MeasuredExchange(self._sdk, dispatcher, self._call_log)

    def _jobs(self, dispatcher: Dispatcher, figures: Figures, wake: threading.Event) -> Jobs:
        settings = self._settings
        return Jobs(
            self._store,
            self._sdk,
            dispatcher,
            figures,
            wake,
            settings.job_threads,
            settings.hang_after,
            settings.job_lease,
            abilities=self._table.job_names,
            limits=self._table.job_limits,
            orphan_after=settings.job_orphan,
            call_log=self._call_log,
            retry_pause=settings.retry_pause,
        )

    async def stop(self) -> None:
        """Finish what runs, within the grace, and close the store; harmless when nothing runs."""
        running, self._running = self._running, None
        if running is None:
            return
        self._endpoint = self._calls = None
        self.submit = _refuse
        settings, jobs = self._settings, running.jobs
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
            self._store.close()

    async def _health(self, request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def _ready(self, request: Request) -> Response:
        faults = self._running.readiness.faults() if self._running is not None else ["not running"]
        if not faults:
            return PlainTextResponse("ok\n")
        return PlainTextResponse("".join(f"{fault}\n" for fault in faults), 503)


class _Running(NamedTuple):
    """What a program is made of while it runs."""

    workers: WorkerPool
    jobs: Jobs | None
    calls: Calls
    liveness: Liveness
    monitor: Monitor
    readiness: Readiness
    stopper: ThreadPoolExecutor
    """A thread for what blocks while the program stops."""


def _refuse(headers: Headers, body: bytes, on_answer: OnAnswer) -> None:
    """Answer a call while the program does not run."""
    on_answer(STOPPING)


async def _only_post(request: Request) -> Response:
    response = Response(WRONG_METHOD.body, WRONG_METHOD.status)
    response.raw_headers = WRONG_METHOD.headers.copy()
    return response


async def _send(send: Send, answer: Answer) -> None:
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    await send({"type": "http.response.body", "body": answer.body})


class _Endpoint:
    """POST /: one exchange."""

    def __init__(self, calls: Calls, settings: Settings) -> None:
        self._calls = calls
        self._max_body = settings.max_body
        self._body_timeout = settings.body_timeout

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await self._read(scope, receive)
        except _NotReadError as error:
            if error.answer is not None:
                await _send(send, error.answer)
            return
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        answered: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()

        def on_answer(answer: Answer | None) -> None:
            if not answered.done():
                answered.set_result(answer)

        async def hung_up() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass

        call = self._calls.submit(headers, body, on_answer, hung_up)
        try:
            answer = await answered
        except asyncio.CancelledError:  # the server is stopping
            call.hang_up()
            raise
        if answer is not None:
            await _send(send, answer)

    async def _read(self, scope: Scope, receive: Receive) -> bytes:
        """Read the request's body, within its limits on size and time."""
        if content_length(scope["headers"]) > self._max_body:
            raise _NotReadError(LARGE_BODY)
        body = bytearray()
        more = True
        try:
            async with asyncio.timeout(self._body_timeout):
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise _NotReadError(None)
                    body += message.get("body", b"")
                    more = message.get("more_body", False)
                    if len(body) > self._max_body:
                        raise _NotReadError(LARGE_BODY)
        except TimeoutError:
            raise _NotReadError(LATE_BODY) from None
        return bytes(body)


class _NotReadError(Exception):
    """The body was not read; without an answer when there is nobody left to send it to."""

    def __init__(self, answer: Answer | None) -> None:
        super().__init__("the body was not read")
        self.answer = answer
