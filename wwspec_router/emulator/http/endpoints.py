"""The emulator over HTTP: its own endpoints under /emulator/; those of WeCom are in `wecom_endpoints`.

It only translates: bytes in, the platform's answer out.
"""

from typing import Any

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from wwspec_router.emulator.answers import RefusedError
from wwspec_router.emulator.display.selection import read_selection
from wwspec_router.emulator.http.abilities import Abilities
from wwspec_router.emulator.http.administration import Administration
from wwspec_router.emulator.http.answering import Answering, body_of_request, json_answer, object_of
from wwspec_router.emulator.http.control import Connect, Control
from wwspec_router.emulator.http.lists import Lists
from wwspec_router.emulator.http.machines import MachineControl
from wwspec_router.emulator.http.saved import Saved
from wwspec_router.emulator.http.stream import Streams
from wwspec_router.emulator.http.waiting import Waiting
from wwspec_router.emulator.http.watch import Watch
from wwspec_router.emulator.http.wecom_endpoints import WeComEndpoints
from wwspec_router.emulator.platform import Platform

PROGRAM_THREADS = 256

STREAM_PATH = "/emulator/stream"

_Object = dict[str, Any]


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
        own = (
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
        wecom = WeComEndpoints(self.platform, self.threads, self._administration)
        return [*wecom.routes(), *(Route(f"/emulator/{path}", call, methods=[verb]) for verb, path, call in own)]

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

    async def notifications(self, request: Request) -> Response:
        """Return the latest `program_notify` callbacks: ?after=number&wait_ms=."""
        return await self.on_thread(self._waiting.notifications, request.query_params)

    async def idle(self, request: Request) -> Response:
        """Wait until nothing is in work, ?wait_ms= at most, and return what still is."""
        return await self.on_thread(self._waiting.in_work, request.query_params)

    async def verify_callback(self, request: Request) -> Response:
        """Verify the app's callback URL."""
        return await self.on_thread(self._control.verify_callback)

    async def expire_tokens(self, request: Request) -> Response:
        """Let the access tokens of all apps expire."""
        return json_answer(self._control.expire_tokens())

    async def set_callback(self, request: Request) -> Response:
        """Set the app's callback URL: {"url", "token", "encoding_aes_key"}."""
        return await self.with_body(request, self._control.set_callback)

    async def restore_callback(self, request: Request) -> Response:
        """Go back to the callback URL of the start."""
        return await self.on_thread(self._control.restore_callback)

    async def authorisations(self, request: Request) -> Response:
        """Return what each corp has authorised the app for."""
        return await self.on_thread(self._administration.authorisations)

    async def act(self, request: Request) -> Response:
        """Do what an admin does to an authorisation: the JSON of an `Act`, ?corp=."""
        act, body = request.path_params["act"], await body_of_request(request) or b""
        return await self.on_thread(self._administration.act, act, body, _corp(request))

    async def commands(self, request: Request) -> Response:
        """Return the latest callbacks to the command URL."""
        return await self.on_thread(self._administration.commands)

    async def public_key(self, request: Request) -> Response:
        """Set the public key of an app: {"public_key", "public_key_ver"}, ?corp=."""
        set_key = self._administration.set_public_key
        return await self.on_thread(set_key, await body_of_request(request) or b"", _corp(request))

    async def set_command(self, request: Request) -> Response:
        """Set the provider's command URL: {"url", "token", "encoding_aes_key"}."""
        return await self.with_body(request, self._administration.set_command)

    async def restore_command(self, request: Request) -> Response:
        """Go back to the command URL of the start."""
        return await self.on_thread(self._administration.restore_command)

    async def clock(self, request: Request) -> Response:
        """Put the clock forward: {"advance": seconds}."""
        seconds = (object_of(await body_of_request(request) or b"") or {}).get("advance")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            return json_answer(self.refusal(40058, "advance must be a number of seconds"))
        return await self.on_thread(self.platform.advance, seconds)

    async def restore_clock(self, request: Request) -> Response:
        """Go back to the real time, or to the fixed time of the start."""
        return await self.on_thread(self.platform.restore_clock)

    async def register(self, request: Request) -> Response:
        """Replace the registered abilities: ability ID -> {"input": example, "output": example, ...}."""
        return json_answer(self._abilities.register(await body_of_request(request) or b""))

    async def contracts(self, request: Request) -> Response:
        """Return the registered abilities."""
        return await self.on_thread(self._abilities.contracts)

    async def compare(self, request: Request) -> Response:
        """Compare examples: {"own": {"input", "output"}, "registered": {"input", "output"}, either one left out}."""
        return await self.on_thread(self._abilities.compare, await body_of_request(request) or b"")

    async def program(self, request: Request) -> Response:
        """Change where a program listens: {"program_url": url, "program_id": another program, "machine": its number}.

        Both may be left out.
        """
        given = object_of(await body_of_request(request) or b"") or {}
        url, program_id, machine = given.get("program_url"), given.get("program_id", ""), given.get("machine", 1)
        if not isinstance(url, str) or not isinstance(program_id, str) or not isinstance(machine, int):
            return json_answer(self.refusal(40058, "program_url must be a URL, program_id a string, machine a number"))
        return json_answer(self.platform.point_to(url, program_id, machine))

    async def begin_start(self, request: Request) -> Response:
        """Let calls wait: the program starts."""
        return json_answer(self.platform.begin_start())

    async def end_start(self, request: Request) -> Response:
        """Let calls through: the program has started, or has the fault ?fault=."""
        return json_answer(self.platform.end_start(request.query_params.get("fault", "")))

    async def order_machine(self, request: Request) -> Response:
        """Order that a machine is stopped, started or wiped: {"machine", "order"}."""
        return await self.with_body(request, self._machines.give)

    async def machines(self, request: Request) -> Response:
        """Return the machines of the program."""
        return json_answer(self._machines.states())

    async def machine(self, request: Request) -> Response:
        """Wait, ?wait_ms= at most, until the order of a machine is done."""
        return await self.on_thread(self._machines.done, request.path_params["machine"], request.query_params)

    async def follow_machines(self, request: Request) -> Response:
        """Note that who started the machines does what is ordered."""
        return json_answer(self._machines.follow())

    async def report_machine(self, request: Request) -> Response:
        """Note that an order is done, or failed: {"machine", "fault"}."""
        return await self.with_body(request, self._machines.report)

    async def add_fault(self, request: Request) -> Response:
        """Set a fault: {"on", "effect", "api", "value", "count"}; or an answer by hand, with "reply" or "url"."""
        return json_answer(self._control.add_fault(await body_of_request(request) or b""))

    async def faults(self, request: Request) -> Response:
        """List the faults that are still set."""
        return json_answer(self._control.faults())

    async def clear_faults(self, request: Request) -> Response:
        """Remove the faults of ?id=, ?effect= and ?api=, or all of them."""
        chosen = (request.query_params.get(name, "") for name in ("id", "effect", "api"))
        return json_answer(self._control.clear_faults(*chosen))

    async def traffic(self, request: Request) -> Response:
        """Return rows of the record: ?since=number&kind=, and the other parameters of `selection`."""
        return await self.on_thread(self._watch.traffic, request.query_params.multi_items())

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

    async def messages(self, request: Request) -> Response:
        """List what was said, newest first: ?before=position&limit=&text=."""
        return await self.on_thread(self._lists.messages, request.query_params)

    async def rules(self, request: Request) -> Response:
        """List keyword rules: ?after=serial&limit=."""
        return await self.on_thread(self._lists.rules, request.query_params)

    async def receive_events(self, request: Request) -> Response:
        """Choose the program as the receiver of the app's events, as the app does."""
        return await self.on_thread(self._control.receive_events, _corp(request))

    async def figures(self, request: Request) -> Response:
        """Return the reply of the program's status ability: {"ability_id"}."""
        return await self.on_thread(self._watch.figures, await body_of_request(request) or b"")

    async def say(self, request: Request) -> Response:
        """Let a person say something: {"from", "to" or "group", "text", "msgtype"}."""
        return json_answer(self._control.say(await body_of_request(request) or b"", _corp(request)))

    async def recall(self, request: Request) -> Response:
        """Let a message's sender take it back: {"msgid"}."""
        return await self.with_body(request, self._control.recall)

    async def call(self, request: Request) -> Response:
        """Call an ability as the app does: {"ability_id", "request" or "data", "notify_id", "asynchronous"}."""
        return await self.on_thread(self._abilities.call, await body_of_request(request) or b"", _corp(request))

    async def saved_requests(self, request: Request) -> Response:
        """Return the names of the saved requests of an ability: ?ability_id=."""
        return await self.on_thread(self._saved.names, request.query_params.get("ability_id", ""))

    async def saved_request(self, request: Request) -> Response:
        """Return the text of a saved request: ?ability_id=."""
        ability_id = request.query_params.get("ability_id", "")
        return await self.on_thread(self._saved.text, ability_id, request.path_params["name"])

    async def save_request(self, request: Request) -> Response:
        """Save a request as a file: {"ability_id", "name", "data", "replace"}."""
        return await self.with_body(request, self._saved.save)

    async def replay(self, request: Request) -> Response:
        """Send a recorded call again: {"number", "data", "ability_id", "notify_id"}."""
        return await self.on_thread(self._control.replay, await body_of_request(request) or b"")

    async def check(self, request: Request) -> Response:
        """Compare a request with the console contract of an ability: {"ability_id", "data"}."""
        return await self.on_thread(self._watch.check, await body_of_request(request) or b"")

    async def test(self, request: Request) -> Response:
        """Return an exchange as a pytest test: {"number", "asserts", "entries"}."""
        return await self.with_body(request, self._watch.test)

    async def reset(self, request: Request) -> Response:
        """Go back to the start."""
        return await self.on_thread(self._control.reset)


def _corp(request: Request) -> str:
    return request.query_params.get("corp", "")
