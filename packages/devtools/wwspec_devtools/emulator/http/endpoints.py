"""The emulator over HTTP: its own endpoints under /emulator/; those of WeCom are in `wecom_endpoints`.

It only translates: bytes in, the platform's answer out.
"""

from collections.abc import Awaitable, Callable, Iterator
from functools import partial

import anyio
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from wwspec_devtools.emulator.answers import Answer, RefusedError
from wwspec_devtools.emulator.display.selection import read_selection
from wwspec_devtools.emulator.http.abilities import Abilities, Saved
from wwspec_devtools.emulator.http.administration import Administration
from wwspec_devtools.emulator.http.answering import Answering, json_answer, object_of
from wwspec_devtools.emulator.http.client import EmulatorClient
from wwspec_devtools.emulator.http.commands import Connect, Control
from wwspec_devtools.emulator.http.control_rows import ControlRow, controls
from wwspec_devtools.emulator.http.controls import MachineControls
from wwspec_devtools.emulator.http.lists import Lists
from wwspec_devtools.emulator.http.machines import MachineControl
from wwspec_devtools.emulator.http.reads import Watch
from wwspec_devtools.emulator.http.stream import Streams
from wwspec_devtools.emulator.http.waiting import Waiting
from wwspec_devtools.emulator.http.wecom_endpoints import WeComEndpoints
from wwspec_devtools.emulator.platform import Platform

PROGRAM_THREADS = 256

Work = Callable[[Request, bytes], Answer]
"""Answers a request with this body, on a thread."""


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
        control, abilities, machines = self._control, self._abilities, self._machines
        lists, saved, waiting, watch = self._lists, self._saved, self._waiting, self._watch
        own: tuple[tuple[str, str, Work], ...] = (
            ("POST", "fire", self._fire_as_is),
            ("POST", "fire/{event_type}", self._fire),
            ("GET", "info", lambda asked, body: {**control.info(_corp(asked)), "url": f"{asked.base_url}".rstrip("/")}),
            ("GET", "notifications", lambda asked, body: waiting.notifications(asked.query_params)),
            ("GET", "idle", lambda asked, body: waiting.in_work(asked.query_params)),
            ("POST", "verify-callback", lambda asked, body: control.verify_callback()),
            ("POST", "clock", self._clock),
            (
                "GET",
                "machines/{machine}",
                lambda asked, body: machines.done(asked.path_params["machine"], asked.query_params),
            ),
            ("POST", "contracts", lambda asked, body: abilities.register(body)),
            ("GET", "contracts", lambda asked, body: abilities.contracts()),
            ("POST", "compare", lambda asked, body: abilities.compare(body)),
            ("POST", "faults", lambda asked, body: control.add_fault(body)),
            ("DELETE", "faults", lambda asked, body: control.clear_faults(asked.query_params)),
            ("GET", "traffic", lambda asked, body: watch.traffic(asked.query_params.multi_items())),
            ("GET", "traffic/{number}", lambda asked, body: watch.entry(asked.path_params["number"])),
            ("GET", "messages", lambda asked, body: lists.messages(asked.query_params)),
            ("GET", "rules", lambda asked, body: lists.rules(asked.query_params)),
            ("POST", "figures", lambda asked, body: watch.figures(body)),
            ("POST", "call", lambda asked, body: abilities.call(body, _corp(asked))),
            ("GET", "requests", lambda asked, body: saved.names(asked.query_params)),
            ("GET", "requests/{name}", lambda asked, body: saved.text(asked.query_params, asked.path_params["name"])),
            ("POST", "requests", lambda asked, body: saved.save(body)),
            ("POST", "replay", lambda asked, body: control.replay(body)),
            ("POST", "check", lambda asked, body: watch.check(body)),
            ("POST", "test", lambda asked, body: watch.test(body)),
            ("POST", "reset", lambda asked, body: self.platform.reset()),
        )
        threads = anyio.CapacityLimiter(PROGRAM_THREADS)  # of their own: calls wait for `end_start`, which needs one
        wecom = WeComEndpoints(self.platform, threads, self._administration)
        return [
            *wecom.routes(),
            Route("/emulator/stream", self.stream, methods=["GET"]),
            Route("/emulator/session", self.session, methods=["GET"]),
            *(Route(f"/emulator/{path}", self._endpoint(work), methods=[method]) for method, path, work in own),
            *self._controls(EmulatorClient, control, self._administration, self.platform),
            *self._controls(MachineControls, self._machines),
        ]

    def _controls(self, client: type, *parts: object) -> Iterator[Route]:
        """Yield the routes of the controls of a class of the client; the first part with its method does the work."""
        for row in controls(client):
            part = next((each for each in parts if hasattr(each, row.name)), parts[-1])
            yield Route(row.path, self._endpoint(self._work(row, getattr(part, row.name))), methods=[row.method])

    def _work(self, row: ControlRow, work: Callable[..., Answer]) -> Work:
        def answer(asked: Request, body: bytes) -> Answer:
            return self.platform.world.answered(lambda: work(**row.arguments(asked.query_params, body)))

        return answer

    def _endpoint(self, work: Work) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            return await self.with_body(request, partial(work, request))

        return answer

    def _fire_as_is(self, request: Request, body: bytes) -> Answer:
        """Send the body to the program as an event, with any content."""
        event = object_of(body)
        if event is None:
            return self.refusal(40058, "the event is not a JSON object")
        return self.platform.fire_as_is(event, _corp(request))

    def _fire(self, request: Request, body: bytes) -> Answer:
        """Send an event to the program; the body holds overrides or nothing."""
        overrides = object_of(body or b"{}")
        if overrides is None:
            return self.refusal(40058, "the overrides are not a JSON object")
        return self.platform.fire(request.path_params["event_type"], overrides, _corp(request))

    def _clock(self, request: Request, body: bytes) -> Answer:
        """Put the clock forward: {"advance": seconds}."""
        seconds = (object_of(body) or {}).get("advance")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            return self.refusal(40058, "advance must be a number of seconds")
        return self.platform.advance(seconds)

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


def _corp(request: Request) -> str:
    return request.query_params.get("corp", "")
