"""The emulator over HTTP: its own endpoints under /emulator/; those of WeCom are in `wecom_endpoints`.

It only translates: bytes in, the platform's answer out.
"""

from collections.abc import Awaitable, Callable, Iterator

import anyio
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from wwspec_router.emulator.answers import Answer, RefusedError
from wwspec_router.emulator.display.selection import read_selection
from wwspec_router.emulator.http.abilities import Abilities
from wwspec_router.emulator.http.administration import Administration
from wwspec_router.emulator.http.answering import Answering, body_of_request, json_answer, object_of
from wwspec_router.emulator.http.client import EmulatorClient
from wwspec_router.emulator.http.control import Connect, Control
from wwspec_router.emulator.http.control_rows import ControlRow, controls
from wwspec_router.emulator.http.lists import Lists
from wwspec_router.emulator.http.machine_controls import MachineControls
from wwspec_router.emulator.http.machines import MachineControl
from wwspec_router.emulator.http.saved import Saved
from wwspec_router.emulator.http.stream import Streams
from wwspec_router.emulator.http.waiting import Waiting
from wwspec_router.emulator.http.watch import Watch
from wwspec_router.emulator.http.wecom_endpoints import WeComEndpoints
from wwspec_router.emulator.platform import Platform

PROGRAM_THREADS = 256

STREAM_PATH = "/emulator/stream"

Endpoint = Callable[[Request], Awaitable[Response]]


class Endpoints(Answering):
    """The routes of one platform, and the threads that they run on.

    Args:
        platform: What answers.
        connect: Begins to bring notifications to a callback URL.
        command: Begins to bring commands to a command URL.
    """

    def __init__(self, platform: Platform, connect: Connect, command: Connect) -> None:
        super().__init__(platform, anyio.CapacityLimiter(PROGRAM_THREADS))
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

    def routes(self) -> list[Route]:
        """Return every route."""
        control, lists, saved, waiting, watch = self._control, self._lists, self._saved, self._waiting, self._watch
        own = (
            ("POST", "fire", self.fire_as_is),
            ("POST", "fire/{event_type}", self.fire),
            ("GET", "info", self.info),
            ("GET", "notifications", self._by_query(waiting.notifications)),
            ("GET", "idle", self._by_query(waiting.in_work)),
            ("POST", "verify-callback", self._by_body(lambda body: control.verify_callback())),
            ("POST", "clock", self.clock),
            ("GET", "machines/{machine}", self.machine),
            ("POST", "contracts", self._by_body(self._abilities.register)),
            ("GET", "contracts", self._by_query(lambda query: self._abilities.contracts())),
            ("POST", "compare", self._by_body(self._abilities.compare)),
            ("POST", "faults", self._by_body(control.add_fault)),
            ("DELETE", "faults", self._by_query(control.clear_faults)),
            ("GET", "traffic", self._by_query(lambda query: watch.traffic(query.multi_items()))),
            ("GET", "traffic/{number}", self.entry),
            ("GET", "stream", self.stream),
            ("GET", "session", self.session),
            ("GET", "messages", self._by_query(lists.messages)),
            ("GET", "rules", self._by_query(lists.rules)),
            ("POST", "figures", self._by_body(watch.figures)),
            ("POST", "call", self.call),
            ("GET", "requests", self._by_query(saved.names)),
            ("GET", "requests/{name}", self.saved_request),
            ("POST", "requests", self._by_body(saved.save)),
            ("POST", "replay", self._by_body(control.replay)),
            ("POST", "check", self._by_body(watch.check)),
            ("POST", "test", self._by_body(watch.test)),
            ("POST", "reset", self._by_body(lambda body: self.platform.reset())),
        )
        threads = anyio.CapacityLimiter(PROGRAM_THREADS)  # of their own: calls wait for `end_start`, which needs one
        wecom = WeComEndpoints(self.platform, threads, self._administration)
        return [
            *wecom.routes(),
            *(Route(f"/emulator/{path}", call, methods=[verb]) for verb, path, call in own),
            *self._controls(EmulatorClient, control, self._administration, self.platform),
            *self._controls(MachineControls, self._machines),
        ]

    def _controls(self, client: type, *parts: object) -> Iterator[Route]:
        """Yield the routes of the controls of a class of the client; the first part with its method does the work."""
        for row in controls(client):
            part = next((each for each in parts if hasattr(each, row.name)), parts[-1])
            yield Route(row.path, self._control_endpoint(row, getattr(part, row.name)), methods=[row.method])

    def _control_endpoint(self, row: ControlRow, work: Callable[..., Answer]) -> Endpoint:
        async def answer(request: Request) -> Response:
            def do(body: bytes) -> Answer:
                query = request.query_params
                return self.platform.world.answered(lambda: work(**row.arguments(query, body)))

            return await self.with_body(request, do)

        return answer

    def _by_body(self, work: Callable[[bytes], Answer]) -> Endpoint:
        async def answer(request: Request) -> Response:
            return await self.with_body(request, work)

        return answer

    def _by_query(self, work: Callable[[QueryParams], Answer]) -> Endpoint:
        async def answer(request: Request) -> Response:
            return await self.on_thread(work, request.query_params)

        return answer

    async def fire_as_is(self, request: Request) -> Response:
        """Send the body to the program as an event, with any content."""
        event = object_of(await body_of_request(request) or b"")
        if event is None:
            return json_answer(self.refusal(40058, "the event is not a JSON object"))
        return await self.on_thread(self.platform.fire_as_is, event, _corp(request))

    async def fire(self, request: Request) -> Response:
        """Send an event to the program; the body holds overrides or nothing."""
        overrides = object_of(await body_of_request(request) or b"{}")
        if overrides is None:
            return json_answer(self.refusal(40058, "the overrides are not a JSON object"))
        event_type = request.path_params["event_type"]
        return await self.on_thread(self.platform.fire, event_type, overrides, _corp(request))

    async def info(self, request: Request) -> Response:
        """Return who is who."""
        url = str(request.base_url).rstrip("/")
        return json_answer({**self._control.info(_corp(request)), "url": url})

    async def clock(self, request: Request) -> Response:
        """Put the clock forward: {"advance": seconds}."""
        seconds = (object_of(await body_of_request(request) or b"") or {}).get("advance")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            return json_answer(self.refusal(40058, "advance must be a number of seconds"))
        return await self.on_thread(self.platform.advance, seconds)

    async def machine(self, request: Request) -> Response:
        """Wait, ?wait_ms= at most, until the order of a machine is done."""
        return await self.on_thread(self._machines.done, request.path_params["machine"], request.query_params)

    async def entry(self, request: Request) -> Response:
        """Return everything about one entry."""
        return await self.on_thread(self._watch.entry, request.path_params["number"])

    async def stream(self, request: Request) -> Response:
        """Stream what happens, as server-sent events."""
        try:
            selection = read_selection(request.query_params.multi_items())
        except RefusedError as error:
            return json_answer(error.answer(self.platform.world.reference()))
        return self.streams.respond(request, selection)

    async def session(self, request: Request) -> Response:
        """Return the whole session as one file."""
        name = f"wwspec-session-{self._watch.record.session}.json"
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        return StreamingResponse(self._watch.session(), headers=headers, media_type="application/json")

    async def call(self, request: Request) -> Response:
        """Call an ability as the app does: {"ability_id", "request" or "data", "notify_id", "asynchronous"}."""
        return await self.on_thread(self._abilities.call, await body_of_request(request) or b"", _corp(request))

    async def saved_request(self, request: Request) -> Response:
        """Return the text of a saved request: ?ability_id=."""
        ability_id = request.query_params.get("ability_id", "")
        return await self.on_thread(self._saved.text, ability_id, request.path_params["name"])


def _corp(request: Request) -> str:
    return request.query_params.get("corp", "")
