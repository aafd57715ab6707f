"""WeCom's side over HTTP: the APIs of the app under /cgi-bin/, the page of an install link, and what the stand-in asks.

As with WeCom the HTTP status is 200 for every errcode. SDK calls have threads of their own, since the calls that cause
them still occupy theirs.
"""

from functools import partial
from http import HTTPMethod, HTTPStatus
from urllib.parse import parse_qsl, unquote

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from wwspec_devtools.emulator.answers import RefusedError
from wwspec_devtools.emulator.appside import table as appside, uploads
from wwspec_devtools.emulator.http.administration import Administration
from wwspec_devtools.emulator.http.answering import (
    Answering,
    CutResponse,
    body_of_request,
    head_of,
    json_answer,
    object_of,
)
from wwspec_devtools.emulator.platform import Platform
from wwspec_devtools.emulator.standin.wwspec_standin.link import FAULT_STATUS
from wwspec_devtools.emulator.state.faults import CutError, ReturnCodeError
from wwspec_devtools.emulator.state.traffic.traces import read_traces
from wwspec_devtools.emulator.state.world import Caller

SDK_THREADS = 64

_PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}
"""Of the page of an install link. No form-action: browsers apply it to the redirect to the provider's site, too."""


class WeComEndpoints(Answering):
    """The routes that an app and a program call.

    Args:
        platform: What answers.
        threads: The threads that requests of the app run on.
        administration: Answers install links.
    """

    def __init__(self, platform: Platform, threads: anyio.CapacityLimiter, administration: Administration) -> None:
        super().__init__(platform, threads)
        self._administration = administration
        self._sdk_threads = anyio.CapacityLimiter(SDK_THREADS)

    def routes(self) -> list[Route]:
        """Return every route."""
        app_side = [
            Route(f"/cgi-bin/{path}", partial(self.app_call, path), methods=[api.method])
            for path, api in appside.APIS.items()
        ]
        return [
            Route(f"/cgi-bin/{uploads.API}", self.upload_media, methods=["POST"]),
            *app_side,
            Route("/cgi-bin/{path:path}", self.unmodelled, methods=[*HTTPMethod]),
            Route("/3rdapp/install", self.install_page, methods=["GET"]),
            Route("/3rdapp/install", self.install, methods=["POST"]),
            Route("/emulator/zone-key", self.zone_key, methods=["GET"]),
            Route("/emulator/sdk/{api}", self.has_sdk_api, methods=["GET"]),
            Route("/emulator/sdk/{api}", self.sdk_call, methods=["POST"]),
            Route("/emulator/debug-mode", self.debug_mode, methods=["POST"]),
            Route("/emulator/traces", self.traces, methods=["POST"]),
        ]

    async def app_call(self, api: str, request: Request) -> Response:
        """Answer one API of the app's side: /cgi-bin/{api}?access_token=."""
        work = partial(self.platform.app_call, api, request.query_params, head=head_of(request))
        return await self.with_body(request, work)

    async def upload_media(self, request: Request) -> Response:
        """POST /cgi-bin/chatdata/upload_media?access_token=&type=file, a multipart form."""
        upload: uploads.Upload | RefusedError
        try:
            upload = await uploads.read_form(request.headers, request.stream())
        except RefusedError as error:
            upload = error
        kind = request.query_params.get("type", "")
        work = partial(self.platform.upload_media, head=head_of(request))
        return await self.on_thread(work, request.query_params.get("access_token", ""), kind, upload)

    async def unmodelled(self, request: Request) -> Response:
        """Any other method or path under /cgi-bin/."""
        path = request.path_params["path"]
        work = partial(self.platform.refuse_unmodelled, head=head_of(request))
        return await self.on_thread(work, request.method, path)

    async def zone_key(self, request: Request) -> Response:
        """Return the stand-in the key that calls are sealed with."""
        return Response(self.platform.world.zone_key, media_type="application/octet-stream")

    async def has_sdk_api(self, request: Request) -> Response:
        """Answer the stand-in whether a program can call an SDK API: 204, or 404."""
        return Response(status_code=204 if self.platform.can_call(request.path_params["api"]) else 404)

    async def sdk_call(self, request: Request) -> Response:
        """Call one SDK API; 404 for an unknown name, 400 for a body that is not a JSON object."""
        api = request.path_params["api"]
        body = await body_of_request(request)
        if not self.platform.can_call(api):
            return Response(status_code=404)
        if body is None:
            return json_answer(self.refusal(40206))
        caller = _caller(request)
        if caller is None or object_of(body) is None:
            return Response(status_code=400)
        call = partial(self.platform.sdk_call, head=head_of(request))
        token = request.headers.get("ww-debug-access-token", "")
        try:
            reply = await anyio.to_thread.run_sync(call, api, caller, body, token, limiter=self._sdk_threads)
        except ReturnCodeError as error:
            return Response(str(error.return_code), status_code=FAULT_STATUS)
        except CutError:
            return CutResponse()
        return Response(reply, media_type="application/json")

    async def debug_mode(self, request: Request) -> Response:
        """Return the SDK's `spec_open_debug_mode`: {"debug_token": "", "access_token": ""}."""
        asked = object_of(await body_of_request(request) or b"") or {}
        opened = self.platform.open_debug_mode(str(asked.get("debug_token")), str(asked.get("access_token")))
        return Response(b"true" if opened else b"false", media_type="application/json")

    async def traces(self, request: Request) -> Response:
        """Take what the program tells of its work: a list of `Trace`."""
        traces = read_traces(await body_of_request(request) or b"")
        self.platform.world.traffic.add_traces(traces)
        return Response(status_code=204)

    async def install_page(self, request: Request) -> Response:
        """Show the page of an install link: ?suite_id=&pre_auth_code=&redirect_uri=&state=."""
        status, page = self._administration.install_page(request.query_params)
        return HTMLResponse(page, status, headers=_PAGE_HEADERS)

    async def install(self, request: Request) -> Response:
        """Install the suite at the corp whose button was pressed, and go to the provider's site."""
        corp = dict(parse_qsl((await body_of_request(request) or b"").decode(errors="replace"))).get("corp", "")
        install = self._administration.install
        status, text = await anyio.to_thread.run_sync(install, request.query_params, corp, limiter=self.threads)
        if status == HTTPStatus.SEE_OTHER:
            return RedirectResponse(text, status, headers=_PAGE_HEADERS)
        return HTMLResponse(text, status, headers=_PAGE_HEADERS)


def _caller(request: Request) -> Caller | None:
    headers = request.headers
    try:
        return Caller(
            corpid=unquote(headers["ww-corpid"]),
            agentid=int(headers["ww-agentid"]),
            ability_id=unquote(headers.get("ww-ability-id", "")),
            job_info=unquote(headers.get("ww-job-info", "")),
            request_id=headers.get("ww-request-id", ""),
            pid=int(headers["ww-pid"]) if "ww-pid" in headers else None,
            machine=int(headers.get("ww-machine", "0")),
        )
    except (KeyError, ValueError):
        return None
