"""The emulator over HTTP: WeCom's endpoints for the app under /cgi-bin/, the emulator's own under /emulator/.

It only translates: bytes in, the platform's answer out. As with WeCom the HTTP status is 200 for every errcode. The
platform blocks, so each request runs on a thread. SDK calls have threads of their own, since the calls that cause them
still occupy theirs.
"""

from collections.abc import Callable
from functools import partial
from http import HTTPMethod, HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote

import anyio
import anyio.to_thread
import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from wwspec_router.contracts.decoding import decode_json
from wwspec_router.emulator.answers import Answer, RefusedError
from wwspec_router.emulator.appside import table as appside, uploads
from wwspec_router.emulator.display.selection import read_selection
from wwspec_router.emulator.http.abilities import Abilities
from wwspec_router.emulator.http.administration import Administration
from wwspec_router.emulator.http.control import Connect, Control
from wwspec_router.emulator.http.lists import Lists
from wwspec_router.emulator.http.machines import MachineControl
from wwspec_router.emulator.http.saved import Saved
from wwspec_router.emulator.http.stream import Streams
from wwspec_router.emulator.http.waiting import Waiting
from wwspec_router.emulator.http.watch import Watch
from wwspec_router.emulator.platform import Platform
from wwspec_router.emulator.standin.wwspec_standin.link import FAULT_STATUS
from wwspec_router.emulator.state.faults import CutError, ReturnCodeError
from wwspec_router.emulator.state.traffic.entries import Head
from wwspec_router.emulator.state.traffic.traces import read_traces
from wwspec_router.emulator.state.world import Caller
from wwspec_router.errors import JsonError

PROGRAM_THREADS = 256
SDK_THREADS = 64
MAX_BODY_BYTES = 10 * 1024 * 1024
"""Larger requests are refused with 40206. WeCom does not publish its own limit."""

STREAM_PATH = "/emulator/stream"

_PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}
"""Of the page of an install link. No form-action: browsers apply it to the redirect to the provider's site, too."""

_Object = dict[str, Any]


class Endpoints:
    """The routes of one platform, and the threads that they run on.

    Args:
        platform: What answers.
        connect: Begins to bring notifications to a callback URL.
        command: Begins to bring commands to a command URL.
    """

    def __init__(self, platform: Platform, connect: Connect, command: Connect) -> None:
        self._platform = platform
        self._administration = Administration(platform, command)
        self._abilities = Abilities(platform)
        self._control = Control(platform, connect)
        self._watch = Watch(platform)
        self._lists = Lists(platform)
        self._saved = Saved(platform)
        self._waiting = Waiting(platform)
        self._machines = MachineControl(platform)
        self.streams = Streams(self._watch, platform.changes)
        """The readers of `/emulator/stream`."""
        self._program_threads = anyio.CapacityLimiter(PROGRAM_THREADS)
        self._sdk_threads = anyio.CapacityLimiter(SDK_THREADS)

    def routes(self) -> list[Route]:
        """Return every route."""
        app_side = [
            Route(f"/cgi-bin/{path}", partial(self.app_call, path), methods=[api.method])
            for path, api in appside.APIS.items()
        ]
        own = (
            ("GET", "zone-key", self.zone_key),
            ("GET", "sdk/{api}", self.has_sdk_api),
            ("POST", "sdk/{api}", self.sdk_call),
            ("POST", "debug-mode", self.debug_mode),
            ("POST", "traces", self.traces),
            ("POST", "fire", self.fire_as_is),
            ("POST", "fire/{event_type}", self.fire),
            ("GET", "info", self.info),
            ("GET", "notifications", self.notifications),
            ("GET", "idle", self.idle),
            ("POST", "verify-callback", self.verify_callback),
            ("POST", "callback", self.set_callback),
            ("DELETE", "callback", self.restore_callback),
            ("GET", "authorisations", self.authorisations),
            ("POST", "authorisation/{act}", self.act),
            ("GET", "commands", self.commands),
            ("POST", "public-key", self.public_key),
            ("POST", "command-callback", self.set_command),
            ("DELETE", "command-callback", self.restore_command),
            ("POST", "clock", self.clock),
            ("DELETE", "clock", self.restore_clock),
            ("POST", "expire-tokens", self.expire_tokens),
            ("POST", "program", self.program),
            ("POST", "program-start", self.begin_start),
            ("DELETE", "program-start", self.end_start),
            ("POST", "machines", self.order_machine),
            ("GET", "machines", self.machines),
            ("POST", "machines/follow", self.follow_machines),
            ("POST", "machines/report", self.report_machine),
            ("GET", "machines/{machine}", self.machine),
            ("POST", "contracts", self.register),
            ("GET", "contracts", self.contracts),
            ("POST", "compare", self.compare),
            ("POST", "faults", self.add_fault),
            ("GET", "faults", self.faults),
            ("DELETE", "faults", self.clear_faults),
            ("GET", "traffic", self.traffic),
            ("GET", "traffic/{number}", self.entry),
            ("GET", "stream", self.stream),
            ("GET", "session", self.session),
            ("GET", "messages", self.messages),
            ("GET", "rules", self.rules),
            ("POST", "receive-events", self.receive_events),
            ("POST", "figures", self.figures),
            ("POST", "say", self.say),
            ("POST", "recall", self.recall),
            ("POST", "call", self.call),
            ("GET", "requests", self.saved_requests),
            ("GET", "requests/{name}", self.saved_request),
            ("POST", "requests", self.save_request),
            ("POST", "replay", self.replay),
            ("POST", "check", self.check),
            ("POST", "test", self.test),
            ("POST", "reset", self.reset),
        )
        return [
            Route(f"/cgi-bin/{uploads.API}", self.upload_media, methods=["POST"]),
            *app_side,
            Route("/3rdapp/install", self.install_page, methods=["GET"]),
            Route("/3rdapp/install", self.install, methods=["POST"]),
            Route("/cgi-bin/{path:path}", self.unmodelled, methods=[*HTTPMethod]),
            *(Route(f"/emulator/{path}", call, methods=[verb]) for verb, path, call in own),
        ]

    async def app_call(self, api: str, request: Request) -> Response:
        """Answer one API of the app's side: /cgi-bin/{api}?access_token=."""
        work = partial(self._platform.app_call, api, request.query_params, head=_head(request))
        return await self._with_body(request, work)

    async def upload_media(self, request: Request) -> Response:
        """POST /cgi-bin/chatdata/upload_media?access_token=&type=file, a multipart form."""
        upload: uploads.Upload | RefusedError
        try:
            upload = await uploads.read_form(request.headers, request.stream())
        except RefusedError as error:
            upload = error
        kind = request.query_params.get("type", "")
        work = partial(self._platform.upload_media, head=_head(request))
        return await self._on_thread(work, request.query_params.get("access_token", ""), kind, upload)

    async def unmodelled(self, request: Request) -> Response:
        """Any other method or path under /cgi-bin/."""
        path = request.path_params["path"]
        work = partial(self._platform.refuse_unmodelled, head=_head(request))
        return await self._on_thread(work, request.method, path)

    async def zone_key(self, request: Request) -> Response:
        """Return the stand-in the key that calls are sealed with."""
        return Response(self._platform.world.zone_key, media_type="application/octet-stream")

    async def has_sdk_api(self, request: Request) -> Response:
        """Answer the stand-in whether a program can call an SDK API: 204, or 404."""
        return Response(status_code=204 if self._platform.can_call(request.path_params["api"]) else 404)

    async def sdk_call(self, request: Request) -> Response:
        """Call one SDK API; 404 for an unknown name, 400 for a body that is not a JSON object."""
        api = request.path_params["api"]
        body = await _body(request)
        if not self._platform.can_call(api):
            return Response(status_code=404)
        if body is None:
            return _json(self._refusal(40206))
        caller = _caller(request)
        if caller is None or _object(body) is None:
            return Response(status_code=400)
        call = partial(self._platform.sdk_call, head=_head(request))
        token = request.headers.get("ww-debug-access-token", "")
        try:
            reply = await anyio.to_thread.run_sync(call, api, caller, body, token, limiter=self._sdk_threads)
        except ReturnCodeError as error:
            return Response(str(error.return_code), status_code=FAULT_STATUS)
        except CutError:
            return _CutResponse()
        return Response(reply, media_type="application/json")

    async def debug_mode(self, request: Request) -> Response:
        """Return the SDK's `spec_open_debug_mode`: {"debug_token": "", "access_token": ""}."""
        asked = _object(await _body(request) or b"") or {}
        opened = self._platform.open_debug_mode(str(asked.get("debug_token")), str(asked.get("access_token")))
        return Response(b"true" if opened else b"false", media_type="application/json")

    async def traces(self, request: Request) -> Response:
        """Take what the program tells of its work: a list of `Trace`."""
        traces = read_traces(await _body(request) or b"")
        self._platform.world.traffic.add_traces(traces)
        return Response(status_code=204)

    async def fire_as_is(self, request: Request) -> Response:
        """Send the body to the program as an event, with any content."""
        event = _object(await _body(request) or b"")
        if event is None:
            return _json(self._refusal(40058, "the event is not a JSON object"))
        return await self._on_thread(self._platform.fire_as_is, event, _corp(request))

    async def fire(self, request: Request) -> Response:
        """Send an event to the program; the body holds overrides or nothing."""
        overrides = _object(await _body(request) or b"{}")
        if overrides is None:
            return _json(self._refusal(40058, "the overrides are not a JSON object"))
        event_type = request.path_params["event_type"]
        return await self._on_thread(self._platform.fire, event_type, overrides, _corp(request))

    async def info(self, request: Request) -> Response:
        """Return who is who."""
        url = str(request.base_url).rstrip("/")
        return _json({**self._control.info(_corp(request)), "url": url})

    async def notifications(self, request: Request) -> Response:
        """Return the latest `program_notify` callbacks: ?after=number&wait_ms=."""
        return await self._on_thread(self._waiting.notifications, request.query_params)

    async def idle(self, request: Request) -> Response:
        """Wait until nothing is in work, ?wait_ms= at most, and return what still is."""
        return await self._on_thread(self._waiting.in_work, request.query_params)

    async def verify_callback(self, request: Request) -> Response:
        """Verify the app's callback URL."""
        return await self._on_thread(self._control.verify_callback)

    async def expire_tokens(self, request: Request) -> Response:
        """Let the access tokens of all apps expire."""
        return _json(self._control.expire_tokens())

    async def set_callback(self, request: Request) -> Response:
        """Set the app's callback URL: {"url", "token", "encoding_aes_key"}."""
        return await self._with_body(request, self._control.set_callback)

    async def restore_callback(self, request: Request) -> Response:
        """Go back to the callback URL of the start."""
        return await self._on_thread(self._control.restore_callback)

    async def authorisations(self, request: Request) -> Response:
        """Return what each corp has authorised the app for."""
        return await self._on_thread(self._administration.authorisations)

    async def act(self, request: Request) -> Response:
        """Do what an admin does to an authorisation: the JSON of an `Act`, ?corp=."""
        act, body = request.path_params["act"], await _body(request) or b""
        return await self._on_thread(self._administration.act, act, body, _corp(request))

    async def commands(self, request: Request) -> Response:
        """Return the latest callbacks to the command URL."""
        return await self._on_thread(self._administration.commands)

    async def public_key(self, request: Request) -> Response:
        """Set the public key of an app: {"public_key", "public_key_ver"}, ?corp=."""
        set_key = self._administration.set_public_key
        return await self._on_thread(set_key, await _body(request) or b"", _corp(request))

    async def set_command(self, request: Request) -> Response:
        """Set the provider's command URL: {"url", "token", "encoding_aes_key"}."""
        return await self._with_body(request, self._administration.set_command)

    async def restore_command(self, request: Request) -> Response:
        """Go back to the command URL of the start."""
        return await self._on_thread(self._administration.restore_command)

    async def install_page(self, request: Request) -> Response:
        """Show the page of an install link: ?suite_id=&pre_auth_code=&redirect_uri=&state=."""
        status, page = self._administration.install_page(request.query_params)
        return HTMLResponse(page, status, headers=_PAGE_HEADERS)

    async def install(self, request: Request) -> Response:
        """Install the suite at the corp whose button was pressed, and go to the provider's site."""
        corp = dict(parse_qsl((await _body(request) or b"").decode(errors="replace"))).get("corp", "")
        install = self._administration.install
        status, text = await anyio.to_thread.run_sync(
            install, request.query_params, corp, limiter=self._program_threads
        )
        if status == HTTPStatus.SEE_OTHER:
            return RedirectResponse(text, status, headers=_PAGE_HEADERS)
        return HTMLResponse(text, status, headers=_PAGE_HEADERS)

    async def clock(self, request: Request) -> Response:
        """Put the clock forward: {"advance": seconds}."""
        seconds = (_object(await _body(request) or b"") or {}).get("advance")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            return _json(self._refusal(40058, "advance must be a number of seconds"))
        return await self._on_thread(self._platform.advance, seconds)

    async def restore_clock(self, request: Request) -> Response:
        """Go back to the real time, or to the fixed time of the start."""
        return await self._on_thread(self._platform.restore_clock)

    async def register(self, request: Request) -> Response:
        """Replace the registered abilities: ability ID -> {"input": example, "output": example, ...}."""
        return _json(self._abilities.register(await _body(request) or b""))

    async def contracts(self, request: Request) -> Response:
        """Return the registered abilities."""
        return await self._on_thread(self._abilities.contracts)

    async def compare(self, request: Request) -> Response:
        """Compare examples: {"own": {"input", "output"}, "registered": {"input", "output"}, either one left out}."""
        return await self._on_thread(self._abilities.compare, await _body(request) or b"")

    async def program(self, request: Request) -> Response:
        """Change where a program listens: {"program_url": url, "program_id": another program, "machine": its number}.

        Both may be left out.
        """
        given = _object(await _body(request) or b"") or {}
        url, program_id, machine = given.get("program_url"), given.get("program_id", ""), given.get("machine", 1)
        if not isinstance(url, str) or not isinstance(program_id, str) or not isinstance(machine, int):
            return _json(self._refusal(40058, "program_url must be a URL, program_id a string, machine a number"))
        return _json(self._platform.point_to(url, program_id, machine))

    async def begin_start(self, request: Request) -> Response:
        """Let calls wait: the program starts."""
        return _json(self._platform.begin_start())

    async def end_start(self, request: Request) -> Response:
        """Let calls through: the program has started, or has the fault ?fault=."""
        return _json(self._platform.end_start(request.query_params.get("fault", "")))

    async def order_machine(self, request: Request) -> Response:
        """Order that a machine is stopped, started or wiped: {"machine", "order"}."""
        return await self._with_body(request, self._machines.give)

    async def machines(self, request: Request) -> Response:
        """Return the machines of the program."""
        return _json(self._machines.states())

    async def machine(self, request: Request) -> Response:
        """Wait, ?wait_ms= at most, until the order of a machine is done."""
        return await self._on_thread(self._machines.done, request.path_params["machine"], request.query_params)

    async def follow_machines(self, request: Request) -> Response:
        """Note that who started the machines does what is ordered."""
        return _json(self._machines.follow())

    async def report_machine(self, request: Request) -> Response:
        """Note that an order is done, or failed: {"machine", "fault"}."""
        return await self._with_body(request, self._machines.report)

    async def add_fault(self, request: Request) -> Response:
        """Set a fault: {"on", "effect", "api", "value", "count"}; or an answer by hand, with "reply" or "url"."""
        return _json(self._control.add_fault(await _body(request) or b""))

    async def faults(self, request: Request) -> Response:
        """List the faults that are still set."""
        return _json(self._control.faults())

    async def clear_faults(self, request: Request) -> Response:
        """Remove the faults of ?id=, ?effect= and ?api=, or all of them."""
        chosen = (request.query_params.get(name, "") for name in ("id", "effect", "api"))
        return _json(self._control.clear_faults(*chosen))

    async def traffic(self, request: Request) -> Response:
        """Return rows of the record: ?since=number&kind=, and the other parameters of `selection`."""
        return await self._on_thread(self._watch.traffic, request.query_params.multi_items())

    async def entry(self, request: Request) -> Response:
        """Return everything about one entry."""
        return await self._on_thread(self._watch.entry, request.path_params["number"])

    async def stream(self, request: Request) -> Response:
        """Stream what happens, as server-sent events."""
        try:
            selection = read_selection(request.query_params.multi_items())
        except RefusedError as error:
            return _json(error.answer(self._platform.world.reference()))
        return self.streams.respond(request, selection)

    async def session(self, request: Request) -> Response:
        """Return the whole session as one file."""
        name = f"wwspec-session-{self._watch.record.session}.json"
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        return StreamingResponse(self._watch.session(), headers=headers, media_type="application/json")

    async def messages(self, request: Request) -> Response:
        """List what was said, newest first: ?before=position&limit=&text=."""
        return await self._on_thread(self._lists.messages, request.query_params)

    async def rules(self, request: Request) -> Response:
        """List keyword rules: ?after=serial&limit=."""
        return await self._on_thread(self._lists.rules, request.query_params)

    async def receive_events(self, request: Request) -> Response:
        """Choose the program as the receiver of the app's events, as the app does."""
        return await self._on_thread(self._control.receive_events, _corp(request))

    async def figures(self, request: Request) -> Response:
        """Return the reply of the program's status ability: {"ability_id"}."""
        return await self._on_thread(self._watch.figures, await _body(request) or b"")

    async def say(self, request: Request) -> Response:
        """Let a person say something: {"from", "to" or "group", "text", "msgtype"}."""
        return _json(self._control.say(await _body(request) or b"", _corp(request)))

    async def recall(self, request: Request) -> Response:
        """Let a message's sender take it back: {"msgid"}."""
        return await self._with_body(request, self._control.recall)

    async def call(self, request: Request) -> Response:
        """Call an ability as the app does: {"ability_id", "request" or "data", "notify_id", "asynchronous"}."""
        return await self._on_thread(self._abilities.call, await _body(request) or b"", _corp(request))

    async def saved_requests(self, request: Request) -> Response:
        """Return the names of the saved requests of an ability: ?ability_id=."""
        return await self._on_thread(self._saved.names, request.query_params.get("ability_id", ""))

    async def saved_request(self, request: Request) -> Response:
        """Return the text of a saved request: ?ability_id=."""
        ability_id = request.query_params.get("ability_id", "")
        return await self._on_thread(self._saved.text, ability_id, request.path_params["name"])

    async def save_request(self, request: Request) -> Response:
        """Save a request as a file: {"ability_id", "name", "data", "replace"}."""
        return await self._with_body(request, self._saved.save)

    async def replay(self, request: Request) -> Response:
        """Send a recorded call again: {"number", "data", "ability_id", "notify_id"}."""
        return await self._on_thread(self._control.replay, await _body(request) or b"")

    async def check(self, request: Request) -> Response:
        """Compare a request with the console contract of an ability: {"ability_id", "data"}."""
        return await self._on_thread(self._watch.check, await _body(request) or b"")

    async def test(self, request: Request) -> Response:
        """Return an exchange as a pytest test: {"number", "asserts", "entries"}."""
        return await self._with_body(request, self._watch.test)

    async def reset(self, request: Request) -> Response:
        """Go back to the start."""
        return await self._on_thread(self._control.reset)

    async def _with_body(self, request: Request, work: Callable[[bytes], Answer]) -> Response:
        body = await _body(request)
        return _json(self._refusal(40206)) if body is None else await self._on_thread(work, body)

    async def _on_thread(self, work: Callable[..., Answer], *arguments: Any) -> Response:
        try:
            return _json(await anyio.to_thread.run_sync(work, *arguments, limiter=self._program_threads))
        except CutError:
            return _CutResponse()

    def _refusal(self, errcode: int, hint: str = "") -> Answer:
        return RefusedError(errcode, hint).answer(self._platform.world.reference())


class _CutResponse(Response):
    """Promises a byte and does not send it, so the server closes the connection in the middle of the reply."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-length", b"1")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})


def _corp(request: Request) -> str:
    return request.query_params.get("corp", "")


def _head(request: Request) -> Head:
    """Return the address and the headers of a request, for the record."""
    scope = request.scope
    query = scope["query_string"]
    path = scope["path"] + (f"?{query.decode('latin-1')}" if query else "")
    return Head(scope["method"], path, scope["headers"])


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
            request_id=headers.get("ww-request-id", ""),
            pid=int(headers["ww-pid"]) if "ww-pid" in headers else None,
            machine=int(headers.get("ww-machine", "0")),
        )
    except (KeyError, ValueError):
        return None


def _object(body: bytes) -> _Object | None:
    try:
        return decode_json(body, _Object)
    except JsonError:
        return None


def _json(answer: Answer) -> Response:
    return Response(msgspec.json.encode(answer), media_type="application/json")
