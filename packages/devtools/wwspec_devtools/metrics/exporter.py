"""Polls the figures of a program, and serves them for Prometheus over HTTP."""

import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from threading import Event, Lock, Thread
from time import monotonic

import uvicorn
from prometheus_client import CollectorRegistry, make_asgi_app
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from wwspec_client import ZoneClient, ZoneClientError
from wwspec_contracts.support.signals import until_interrupted
from wwspec_contracts.support.stacks import describe
from wwspec_devtools.metrics.counters import Counters
from wwspec_devtools.metrics.families import counter, counter_families, counts_of, gauge, gauge_families
from wwspec_router.logs.lines import setup_logging
from wwspec_router.monitoring.status import Status

LINE_PAUSE = 60.0
"""Seconds between two log lines about polls."""
GRACE = 3
"""Seconds that a scrape has to take its answer when the exporter ends."""

FORGOTTEN = "Series left out since no program has told them for long: there were too many."

_log = logging.getLogger(__name__)


class Exporter(Collector):
    """The metrics of one program.

    Args:
        client: Reaches the program.
        ability_id: The ability of `kind = "status"`.
        interval: Seconds between two polls.
        clock: Seconds of a clock that is never set.
    """

    def __init__(
        self, client: ZoneClient, ability_id: str, interval: float, clock: Callable[[], float] = monotonic
    ) -> None:
        self._client = client
        self._ability_id = ability_id
        self._interval = interval
        self._clock = clock
        self._lock = Lock()
        self._counters = Counters()
        self._status: Status | None = None  # None while the program does not answer
        self._answered: float | None = None
        self._polls = self._errors = 0
        self._lines = _Lines(clock)
        self._stopped = Event()
        self._thread = Thread(target=self._run, name="wwspec-metrics", daemon=True)  # a poll must not keep the process

    def start(self) -> None:
        """Begin to poll."""
        self._thread.start()

    def stop(self) -> None:
        """End, without waiting for the answer to a poll."""
        self._stopped.set()

    def poll(self) -> None:
        """Ask the program once."""
        try:
            status = self._client.call(self._ability_id, {}, reply=Status, retry_unsafe=True)
        except Exception as error:  # after any error the next poll may succeed
            if self._stopped.is_set():
                return  # the client is closed
            with self._lock:
                self._polls, self._errors, self._status = self._polls + 1, self._errors + 1, None
            self._lines.log_failure(str(error) if isinstance(error, ZoneClientError) else describe(error))
            return
        received = self._clock()
        with self._lock:
            self._counters.add(counts_of(status), status.start_id, status.uptime, received)
            self._polls, self._status, self._answered = self._polls + 1, status, received
        self._lines.log_answer()

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics; gauges are left out while the program does not answer."""
        with self._lock:
            status, answered, polls, errors = self._status, self._answered, self._polls, self._errors
            totals, restarts = self._counters.totals.copy(), self._counters.restarts
            forgotten = self._counters.forgotten
        yield gauge("wwspec_up", "1 when the last poll was answered.", status is not None)
        yield counter("wwspec_polls", "Polls of the program.", polls)
        yield counter("wwspec_poll_errors", "Those of them that were not answered with figures.", errors)
        yield counter("wwspec_restarts", "Starts of the program that were noticed.", restarts)
        yield counter("wwspec_forgotten_series", FORGOTTEN, forgotten)
        if answered is not None:
            age = self._clock() - answered
            yield gauge("wwspec_last_poll_age_seconds", "Seconds since a poll was answered.", age)
        yield from counter_families(totals)
        if status is not None:
            yield from gauge_families(status, totals)

    def _run(self) -> None:
        while not self._stopped.is_set():
            begun = self._clock()
            self.poll()
            self._stopped.wait(max(0.0, begun + self._interval - self._clock()))


class _Lines:
    """Logs whether polls are answered: when that changes, and then once in a while; one line a minute at most."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._next = 0.0
        self._fails = False  # as the last line has it
        self._left_out = 0

    def log_failure(self, text: str) -> None:
        if self._clock() < self._next:
            self._left_out += 1
            return
        more = f" (and {self._left_out} more polls since the last such line)" if self._left_out else ""
        self._say(True)
        _log.warning("the program's figures can't be had: %s%s", text, more)

    def log_answer(self) -> None:
        if self._fails and self._clock() >= self._next:
            self._say(False)
            _log.info("the program's figures are back")

    def _say(self, fails: bool) -> None:
        self._fails, self._left_out, self._next = fails, 0, self._clock() + LINE_PAUSE


def create_app(exporter: Exporter) -> Starlette:
    """Return the ASGI application; the exporter polls as long as its lifespan lasts."""
    registry = CollectorRegistry()
    registry.register(exporter)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        exporter.start()
        try:
            yield
        finally:
            exporter.stop()

    return Starlette(routes=[Route("/metrics", _Metrics(registry)), Route("/", _index)], lifespan=lifespan)


def serve(exporter: Exporter, host: str, port: int) -> None:
    """Serve until Ctrl-C or SIGTERM.

    Args:
        exporter: Whose metrics.
        host: Where to listen.
        port: Where to listen; 0 lets the system choose.
    """
    setup_logging()
    config = uvicorn.Config(
        create_app(exporter),
        http="httptools",
        ws="none",
        host=host,
        port=port,
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=GRACE,
    )
    with until_interrupted():
        uvicorn.Server(config).run()


class _Metrics:
    """Prometheus' own application as an endpoint, which Starlette knows by its class."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._app: ASGIApp = make_asgi_app(registry)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)


async def _index(request: Request) -> PlainTextResponse:
    return PlainTextResponse("the metrics are at /metrics\n")
