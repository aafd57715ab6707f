"""The emulator over HTTP: WeCom's endpoints for the app under /cgi-bin/, the emulator's own under /emulator/.

Translates only: bytes in, the platform's answer out. As with WeCom the HTTP status is 200 whatever the
errcode. The platform blocks, so each request runs on a thread; SDK calls have threads of their own, because
they come in while calls of the program, which cause them, hold theirs.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from urllib.parse import unquote, urlsplit

import anyio
import anyio.to_thread
import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from wwspec_router.emulator import appside
from wwspec_router.emulator.answers import Answer, RefusedError, read
from wwspec_router.emulator.apis.names import SDK_APIS
from wwspec_router.emulator.platform import Platform
from wwspec_router.emulator.settings import AbilityContract, is_loopback
from wwspec_router.emulator.world import Caller

PROGRAM_THREADS = 256
SDK_THREADS = 64
MAX_BODY_BYTES = 10 * 1024 * 1024
"""Larger requests are refused with 40206. WeCom does not publish its own limit."""

Handler = Callable[[Request], Awaitable[Response]]

_Object = dict[str, Any]


class Endpoints:
    """The routes of one platform, and the threads that they run on.

    Args:
        platform: What answers.
    """

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._program_threads = anyio.CapacityLimiter(PROGRAM_THREADS)
        self._sdk_threads = anyio.CapacityLimiter(SDK_THREADS)

    def routes(self) -> list[Route]:
        """Return every route."""
        app_side = [
            Route(f"/cgi-bin/chatdata/{api}", partial(self.app_call, api), methods=["POST"]) for api in appside.APIS
        ]
        own = (
            ("GET", "zone-key", self.zone_key),
            ("POST", "sdk/{api}", self.sdk_call),
            ("POST", "fire/{event_type}", self.fire),
            ("GET", "info", self.info),
            ("GET", "notifications", self.notifications),
            ("POST", "clock", self.clock),
            ("POST", "program", self.program),
            ("POST", "contracts", self.contracts),
        )
        return [
            Route("/cgi-bin/gettoken", self.get_token, methods=["GET"]),
            *app_side,
            *(Route(f"/emulator/{path}", _own_machine(call), methods=[verb]) for verb, path, call in own),
        ]

    async def get_token(self, request: Request) -> Response:
        """GET /cgi-bin/gettoken?corpid=&corpsecret=."""
        query = request.query_params
        return _json(self._platform.get_token(query.get("corpid", ""), query.get("corpsecret", "")))

    async def app_call(self, api: str, request: Request) -> Response:
        """POST /cgi-bin/chatdata/{api}?access_token=."""
        body = await _body(request)
        if body is None:
            return _json(self._refusal(40206))
        token = request.query_params.get("access_token", "")
        answer = await anyio.to_thread.run_sync(
            self._platform.app_call, api, token, body, limiter=self._program_threads
        )
        return _json(answer)

    async def zone_key(self, request: Request) -> Response:
        """Give the stand-in the key that calls are sealed with."""
        return Response(self._platform.world.zone_key, media_type="application/octet-stream")

    async def sdk_call(self, request: Request) -> Response:
        """Answer one SDK API; 404 for an unknown name, 400 for a body that is no JSON object."""
        api = request.path_params["api"]
        body = await _body(request)
        if api not in SDK_APIS:
            return Response(status_code=404)
        if body is None:
            return _json(self._refusal(40206))
        caller = _caller(request)
        if caller is None or _object(body) is None:
            return Response(status_code=400)
        reply = await anyio.to_thread.run_sync(self._platform.sdk_call, api, caller, body, limiter=self._sdk_threads)
        return Response(reply, media_type="application/json")

    async def fire(self, request: Request) -> Response:
        """Send an event to the program; the body holds overrides or nothing."""
        overrides = _object(await _body(request) or b"{}")
        if overrides is None:
            return _json(self._refusal(40058, "the overrides are not a JSON object"))
        event_type = request.path_params["event_type"]
        answer = await anyio.to_thread.run_sync(
            self._platform.fire, event_type, overrides, limiter=self._program_threads
        )
        return _json(answer)

    async def info(self, request: Request) -> Response:
        """Tell who is who."""
        url = str(request.base_url).rstrip("/")
        return _json({**self._platform.info(), "url": url})

    async def notifications(self, request: Request) -> Response:
        """Give the latest `program_notify` callbacks."""
        return _json(self._platform.notifications())

    async def clock(self, request: Request) -> Response:
        """Put the clock forward: {"advance": seconds}."""
        seconds = (_object(await _body(request) or b"") or {}).get("advance")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            return _json(self._refusal(40058, "advance must be a number of seconds"))
        return _json(self._platform.advance(seconds))

    async def contracts(self, request: Request) -> Response:
        """Register the console contracts anew: ability ID -> {"input": example, "output": example}."""
        body = await _body(request)
        try:
            contracts = read(dict[str, AbilityContract], body or b"")
        except RefusedError as error:
            return _json(error.answer(self._platform.world.reference()))
        return _json(self._platform.register(contracts))

    async def program(self, request: Request) -> Response:
        """Change where the program listens: {"program_url": url}."""
        url = (_object(await _body(request) or b"") or {}).get("program_url")
        if not isinstance(url, str):
            return _json(self._refusal(40058, "program_url must be a URL"))
        return _json(self._platform.point_to(url))

    def _refusal(self, errcode: int, hint: str = "") -> Answer:
        return RefusedError(errcode, hint).answer(self._platform.world.reference())


def _own_machine(handler: Handler) -> Handler:
    """Keep the emulator's own endpoints from other machines and from web pages open in a browser."""

    async def guarded(request: Request) -> Response:
        origin = request.headers.get("origin")
        hosts = [request.client.host if request.client else "", request.url.hostname or ""]
        hosts += [] if origin is None else [urlsplit(origin).hostname or ""]
        if not all(map(is_loopback, hosts)):
            return Response(status_code=403)
        return await handler(request)

    return guarded


async def _body(request: Request) -> bytes | None:
    """Return the body, or None when it is too large."""
    chunks = bytearray()
    async for chunk in request.stream():
        chunks += chunk
        if len(chunks) > MAX_BODY_BYTES:
            return None
    return bytes(chunks)


def _caller(request: Request) -> Caller | None:
    headers = request.headers
    try:
        return Caller(
            corpid=unquote(headers["ww-corpid"]),
            agentid=int(headers["ww-agentid"]),
            ability_id=unquote(headers.get("ww-ability-id", "")),
            job_info=unquote(headers.get("ww-job-info", "")),
        )
    except (KeyError, ValueError):
        return None


def _object(body: bytes) -> _Object | None:
    try:
        return msgspec.json.decode(body, type=_Object)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _json(answer: Answer) -> Response:
    return Response(msgspec.json.encode(answer), media_type="application/json")
