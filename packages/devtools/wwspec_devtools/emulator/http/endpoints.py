"""The emulator over HTTP: its own endpoints under /emulator/; those of WeCom are in `wecom_endpoints`.

It only translates: bytes in, the platform's answer out.
"""

import inspect
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import anyio
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from wwspec_devtools.emulator.answers import Answer, RefusedError, read
from wwspec_devtools.emulator.display.selection import read_selection
from wwspec_devtools.emulator.http.abilities import Abilities
from wwspec_devtools.emulator.http.administration import Administration
from wwspec_devtools.emulator.http.answering import Answering, json_answer
from wwspec_devtools.emulator.http.client import EmulatorClient
from wwspec_devtools.emulator.http.commands import Control
from wwspec_devtools.emulator.http.control_rows import ControlRow, controls, read_arguments, request_of
from wwspec_devtools.emulator.http.controls import MachineControls
from wwspec_devtools.emulator.http.lists import Lists
from wwspec_devtools.emulator.http.machines import MachineControl
from wwspec_devtools.emulator.http.reads import Watch
from wwspec_devtools.emulator.http.stream import Streams
from wwspec_devtools.emulator.http.waiting import Waiting
from wwspec_devtools.emulator.http.wecom_endpoints import WeComEndpoints
from wwspec_devtools.emulator.platform import Platform

PROGRAM_THREADS = 256

_WHOLE = ("body", "query", "corp", "base_url")
"""Parameters that get more of a request than an argument; see `_route`."""


class Endpoints(Answering):
    """The routes of one platform, and the threads that they run on.

    Args:
        platform: What answers.
    """

    def __init__(self, platform: Platform) -> None:
        super().__init__(platform, anyio.CapacityLimiter(PROGRAM_THREADS))
        self._administration = Administration(platform)
        self._abilities = Abilities(platform)
        self._control = Control(platform)
        self._watch = Watch(platform)
        self._lists = Lists(platform)
        self._waiting = Waiting(platform)
        self._machines = MachineControl(platform)
        self.streams = Streams(self._watch, platform.changes)
        """The readers of `/emulator/stream`."""

    def routes(self) -> list[Route]:
        """Return every route."""
        control, abilities, machines = self._control, self._abilities, self._machines
        lists, waiting, watch = self._lists, self._waiting, self._watch
        own: tuple[tuple[str, str, Callable[..., Answer]], ...] = (
            ("POST", "fire", self._fire_as_is),
            ("POST", "fire/{event_type}", self._fire),
            ("GET", "info", control.info),
            ("GET", "notifications", waiting.notifications),
            ("GET", "idle", waiting.in_work),
            ("POST", "verify-callback", control.verify_callback),
            ("GET", "machines/{machine}", machines.done),
            ("POST", "contracts", abilities.register),
            ("GET", "contracts", abilities.contracts),
            ("POST", "compare", abilities.compare),
            ("POST", "faults", control.add_fault),
            ("DELETE", "faults", control.clear_faults),
            ("GET", "traffic", watch.traffic),
            ("GET", "traffic/{number}", watch.entry),
            ("POST", "figures", watch.figures),
            ("POST", "call", abilities.call),
            ("POST", "replay", control.replay),
            ("POST", "check", watch.check),
            ("POST", "test", watch.test),
            ("POST", "reset", control.reset),
        )
        threads = anyio.CapacityLimiter(PROGRAM_THREADS)  # of their own: calls wait for `end_start`, which needs one
        wecom = WeComEndpoints(self.platform, threads, self._administration)
        return [
            *wecom.routes(),
            Route("/emulator/stream", self.stream, methods=["GET"]),
            *(self._route(method, f"/emulator/{path}", work, None) for method, path, work in own),
            *self._controls(EmulatorClient, control, lists, self._administration, self.platform),
            *self._controls(MachineControls, machines),
        ]

    def _controls(self, client: type, *parts: object) -> Iterator[Route]:
        """Yield the routes of the controls of a class of the client; the first part with its method does the work."""
        for row in controls(client):
            part = next((each for each in parts if hasattr(each, row.name)), parts[-1])
            yield self._route(row.method, row.path, getattr(part, row.name), row)

    def _route(self, method: str, path: str, work: Callable[..., Answer], row: ControlRow | None) -> Route:
        """Return the route to a function that does the work. Its parameters are those of a request.

        Some are not in the arguments of the request: `body` gets the whole body, `query` the whole query, `corp` the
        corp that the query names, and `base_url` where the emulator listens.

        Args:
            method: Of HTTP. Arguments are in the body of a POST that is not taken whole, otherwise texts.
            path: Its parts in braces are arguments, too.
            work: Returns the answer, on a thread, or raises `RefusedError`.
            row: Of a control, which has the types of the arguments.
        """
        parameters = inspect.signature(work).parameters
        own = [each for name, each in parameters.items() if name not in _WHOLE]
        request = row.request if row else request_of(work.__name__, own)
        is_body = method == "POST" and "body" not in parameters

        def answer(asked: Request, body: bytes) -> Answer:
            query = asked.query_params
            whole = {"body": body, "query": query, "corp": query.get("corp", "")}
            whole["base_url"] = f"{asked.base_url}".rstrip("/")
            of_query = {} if "query" in parameters else {name: each for name, each in query.items() if name != "corp"}
            given = read_arguments(request, None if is_body else of_query | asked.path_params, body)
            return work(**given, **{name: each for name, each in whole.items() if name in parameters})

        async def respond(asked: Request) -> Response:
            return await self.with_body(asked, lambda body: self.platform.world.answered(partial(answer, asked, body)))

        return Route(path, respond, methods=[method])

    def _fire_as_is(self, body: bytes, corp: str) -> Answer:
        """Send the body to the program as an event, with any content."""
        return self.platform.fire_as_is(read(dict[str, Any], body), corp)

    def _fire(self, event_type: str, body: bytes, corp: str) -> Answer:
        """Send an event to the program; the body holds overrides or nothing."""
        return self.platform.fire(event_type, read(dict[str, Any], body or b"{}"), corp)

    async def stream(self, request: Request) -> Response:
        """Stream what happens, as server-sent events."""
        try:
            selection = read_selection(request.query_params.multi_items())
        except RefusedError as error:
            return json_answer(error.answer(self.platform.world.reference()))
        return self.streams.respond(request, selection)
