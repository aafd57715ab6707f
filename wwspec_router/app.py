"""The ASGI application: POST / for the channel, GET /healthz for people.

It reads a request, hands the whole exchange to a worker thread, and sends what comes back. It decides when a call is
given up: the client hung up, the ability's time is over, the queue is full. It knows nothing of abilities or of JSON.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from wwspec_router.config import Settings
from wwspec_router.context import LoopPortal
from wwspec_router.dispatch import Dispatcher
from wwspec_router.errors import CallError, HandlerTimeoutError, OverloadedError
from wwspec_router.exchange import Answer, Exchange, Ticket
from wwspec_router.jobs import Jobs
from wwspec_router.logs import SdkLogHandler, describe
from wwspec_router.sdk.base import Sdk
from wwspec_router.sdk.vendor import SdkSource, load_sdk
from wwspec_router.stores import open_store
from wwspec_router.stores.base import Store
from wwspec_router.table import AbilityTable, build_table
from wwspec_router.watch import GivenUp, Watch
from wwspec_router.workers import WorkerPool

__all__ = ["ZoneProgram", "create_app"]

log = logging.getLogger(__name__)

REFUSAL_THREADS = 2
"""Threads that only answer calls which the workers can't: the queue is full, or a call's time is over."""


def create_app(settings: Settings) -> ASGIApp:
    """Build the ASGI application of one program.

    Raises:
        ConfigurationError: The application, the registry file, the SDK or the store can't be used.
    """
    table = build_table(settings.app, settings.registry_path)
    sdk = load_sdk(settings.sdk)
    if settings.debug_token:
        sdk.open_debug_mode(settings.debug_token, settings.access_token)
    if sdk.source is SdkSource.VENDOR:  # the stand-in prints to where our own lines go already
        logging.getLogger().addHandler(SdkLogHandler(sdk.log))
    log.info("SDK: %s", sdk.description)
    return ZoneProgram(table, sdk, open_store(settings.store_url), settings)


class ZoneProgram:
    """A zone program as an ASGI application.

    The zone path is taken before any router: it is the one that carries load.

    Args:
        table: What answers which ability ID.
        sdk: The loaded SDK.
        store: Keeps events; closed when the program stops.
        settings: Threads, limits and time-outs.
    """

    def __init__(self, table: AbilityTable, sdk: Sdk, store: Store, settings: Settings) -> None:
        self._table = table
        self._sdk = sdk
        self._store = store
        self._settings = settings
        self._endpoint: _Endpoint | None = None
        self._pages = Starlette(
            routes=[
                Route("/healthz", self._health, methods=["GET"]),
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

    @asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        settings = self._settings
        portal = LoopPortal(asyncio.get_running_loop())
        jobs = Jobs(self._store, self._sdk, settings.job_threads) if settings.job_threads else None
        dispatcher = Dispatcher(self._table, self._sdk, self._store, portal, jobs)
        if jobs is not None:
            jobs.start(dispatcher.run_job)
        workers = WorkerPool(settings.threads, settings.queue)
        refusals = WorkerPool(REFUSAL_THREADS, settings.queue, name="wwspec-refusal")
        await workers.start()
        await refusals.start()
        self._endpoint = _Endpoint(Exchange(self._sdk, dispatcher), workers, refusals, settings)
        try:
            yield
        finally:
            self._endpoint = None
            ending = asyncio.create_task(asyncio.to_thread(jobs.stop, settings.grace)) if jobs is not None else None
            abandoned = await workers.stop(settings.grace)
            await refusals.stop(0.0)
            unfinished = await ending if ending is not None else 0
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


async def _only_post(request: Request) -> Response:
    return PlainTextResponse("the channel POSTs here\n", 405, {"allow": "POST"})


class _Endpoint:
    """POST /: one exchange."""

    def __init__(self, exchange: Exchange, workers: WorkerPool, refusals: WorkerPool, settings: Settings) -> None:
        self._exchange = exchange
        self._workers = workers
        self._refusals = refusals
        self._max_body = settings.max_body
        self._body_timeout = settings.body_timeout
        self._watch = Watch()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await self._read(scope, receive)
        except _NotReadError as error:
            if error.status:
                await PlainTextResponse(error.text, error.status, {"connection": "close"})(scope, receive, send)
            return
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        try:
            answer = await self._answer(Ticket(headers, body), receive)
        except OverloadedError:
            await PlainTextResponse("overloaded\n", 503)(scope, receive, send)
        except Exception as error:
            log.error("no reply could be sealed: %s", describe(error))
            await PlainTextResponse("no reply\n", 500)(scope, receive, send)
        else:
            if answer is not None:
                await send({"type": "http.response.start", "status": 200, "headers": answer.headers})
                await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, ticket: Ticket, receive: Receive) -> Answer | None:
        """Return what to send, or None when the client is gone."""
        try:
            job: asyncio.Future[Answer] = self._workers.submit(self._exchange.answer, ticket)
        except OverloadedError as error:
            return await self._refuse(ticket, error)
        watched = self._watch.add(ticket, job, receive)
        try:
            return await job
        except asyncio.CancelledError:
            if watched.given_up is None:  # the server is stopping
                raise
        finally:
            self._watch.remove(watched)
        if watched.given_up is GivenUp.CLIENT_GONE:
            return None
        return await self._refuse(ticket, HandlerTimeoutError("the ability took longer than its timeout"))

    async def _refuse(self, ticket: Ticket, error: CallError) -> Answer:
        log.warning("a call was refused: %s", error.message)
        answer: Answer = await self._refusals.submit(self._exchange.refuse, ticket, error)
        return answer

    async def _read(self, scope: Scope, receive: Receive) -> bytes:
        """Read the request's body, within its limits on size and time."""
        for name, value in scope["headers"]:
            if name == b"content-length" and value.isdigit() and int(value) > self._max_body:
                raise _NotReadError(413, "the body is too large\n")
        body = bytearray()
        more = True
        try:
            async with asyncio.timeout(self._body_timeout):
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise _NotReadError(0, "")
                    body += message.get("body", b"")
                    more = message.get("more_body", False)
                    if len(body) > self._max_body:
                        raise _NotReadError(413, "the body is too large\n")
        except TimeoutError:
            raise _NotReadError(408, "the body did not arrive in time\n") from None
        return bytes(body)


class _NotReadError(Exception):
    """The body was not read; status 0 when there is nobody left to tell."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
