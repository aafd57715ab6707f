"""The WeCom platform in small: one object over the emulator's state, without HTTP.

Every method returns a value; where the platform has an errcode it raises nothing. Safe under threads. Calls of the
program and events block until the program has answered. `control` has what a test can do to the platform.
"""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec

from wwspec_contracts.errcodes import TOKEN_CODES
from wwspec_contracts.files import ConsoleContract
from wwspec_contracts.support.printable import short
from wwspec_devtools.emulator import administration
from wwspec_devtools.emulator.answers import Answer, RefusedError, accepted, refusing
from wwspec_devtools.emulator.apis.by_hand import answer_by_hand
from wwspec_devtools.emulator.apis.table import APIS
from wwspec_devtools.emulator.appside import config as appconfig, permissions, table as appside, uploads
from wwspec_devtools.emulator.callbacks.delivery import COMMANDS, DATA, Kind, courier_of
from wwspec_devtools.emulator.display.verdicts import digest
from wwspec_devtools.emulator.events import sender as announcer
from wwspec_devtools.emulator.events.outbox import Outbox
from wwspec_devtools.emulator.matching import MISFITS
from wwspec_devtools.emulator.settings import CallbackSpec, EmulatorSettings, check_url
from wwspec_devtools.emulator.state.accounts import App
from wwspec_devtools.emulator.state.clock import Clock
from wwspec_devtools.emulator.state.faults import CutError, ReturnCodeError
from wwspec_devtools.emulator.state.machines import Machines
from wwspec_devtools.emulator.state.programs import LinkedProgram
from wwspec_devtools.emulator.state.starts import NOT_STARTED
from wwspec_devtools.emulator.state.tickets import Command, Delivery
from wwspec_devtools.emulator.state.timers import Ticker
from wwspec_devtools.emulator.state.traffic.changes import Changes
from wwspec_devtools.emulator.state.traffic.entries import APP, CLOCK, SDK, Attempt, Entry, Head
from wwspec_devtools.emulator.state.traffic.record import under
from wwspec_devtools.emulator.state.traffic.references import app_references, given_cursors, sdk_references
from wwspec_devtools.emulator.state.world import Caller, Channel, World

log = logging.getLogger(__name__)

_CALLS = {"sync_call_program": "call", "async_program_task": "async"}
"""The APIs by which the app calls the program, as the log names them: the program may not get a call that is refused.
"""

MAX_ADVANCE = 10 * 365 * 86400
"""The most seconds by which the clock is put forward at once."""

SHOWN_PATH = 64
"""The most characters of an unmodelled path that an answer shows."""

KEY_MISMATCH = -10008
"""Return code of the vendor's SDK for a changed key, for example when its access token has expired [100052]."""
UNSUPPORTED_API = -10006
"""Return code of the vendor's SDK for an API that it does not have [100052]."""
IDLE_SECONDS = 15.0
"""Seconds that `wait_idle` waits for events, and again for notifications."""


class Platform:
    """One emulated platform.

    Args:
        settings: How to build it.
        channel: The way to the program.

    Raises:
        ConfigurationError: The EncodingAESKey of a callback URL is malformed.
    """

    def __init__(self, settings: EmulatorSettings, channel: Channel) -> None:
        self.settings = settings
        self.clock = Clock(settings.clock_start)
        """The clock of all its times."""
        self._channel = channel
        specs = {DATA: settings.callback, COMMANDS: settings.command_callback}
        self.couriers = {kind: courier_of(settings, each, self.clock, kind) for kind, each in specs.items() if each.url}
        """The ways to the callback URLs that the app has."""
        self.changes = Changes()
        """Wakes the watchers after each change, even after a reset."""
        self._outbox = Outbox()
        self._ticker = Ticker(lambda: self.world.timers)
        self.world = self._new_world(None)

    def start(self) -> None:
        """Begin to run timed actions, and to send the events that the platform raises by itself and callbacks.

        Each has a thread. Without these threads timed actions wait for `advance`, and events for `wait_idle`.
        """
        for each in self.couriers.values():
            each.start(self._record_callback)
        self._outbox.start()
        self._ticker.start()

    def stop(self) -> None:
        """End the threads; waiting actions, events and callbacks are dropped."""
        self.world.faults.end()
        self._ticker.stop()
        self._outbox.stop()
        for each in self.couriers.values():
            each.stop()

    def wait_idle(self) -> bool:
        """Wait until no event and no notification is on its way to program or app; return whether that is so."""
        return self._outbox.wait_idle(IDLE_SECONDS) and self.world.wait_delivered(IDLE_SECONDS)

    def reset(self) -> Answer:
        """Go back to the state and the time of the start.

        Connections between the parts stay: the zone key, the program's URL, its console contracts, its choice as
            receiver of events, and other linked programs.
        """
        old = self.world
        old.faults.end()
        self._outbox.clear()
        self._outbox.wait_idle(IDLE_SECONDS)
        self.clock.restart()
        world = self._new_world(old.zone_key)
        with old.lock:
            program, former = world.program, old.program
            program.machines, program.contracts, program.start = former.machines, former.contracts, former.start
            program.machines.forget()
            program.registrations = former.registrations
            for app, earlier in zip(world.apps, old.apps, strict=True):
                app.receiver = None if earlier.receiver is None else program
            others = {name: each for name, each in old.app.programs.items() if name != self.settings.program_id}
            world.app.programs.update(others)
        self.world = world
        old.timers.wake()
        self.changes.wake_all()
        for each in self.couriers.values():
            each.verify_soon()
        return accepted(now=self.clock.seconds())

    def set_callback_url(self, kind: Kind, spec: CallbackSpec | None) -> Answer:
        """Send callbacks of a kind to another URL from now on, and return its `url`; None: only record them.

        Raises:
            RefusedError: 40058: the URL or the key is malformed.
        """
        courier = None
        if spec is not None:
            with refusing():
                check_url("url", spec.url)
                courier = courier_of(self.settings, spec, self.clock, kind)
            courier.start(self._record_callback)
        sent = self.world.notifications if kind is DATA else self.world.commands
        sent.deliver_by(None if courier is None else courier.deliver)
        if (old := self.couriers.pop(kind, None)) is not None:
            old.stop()
        if courier is not None:
            self.couriers[kind] = courier
        return accepted(url="" if spec is None else spec.url)

    def _record_callback(self, delivery: Delivery, state: str, attempts: int, last: Attempt | None = None) -> None:
        """Record the outcome of a callback."""
        sent = self.world.commands if isinstance(delivery, Command) else self.world.notifications
        sent.record(delivery, state, attempts, last)

    def app_call(self, api: str, query: Mapping[str, str], body: bytes, *, head: Head | None = None) -> Answer:
        """Answer one HTTP API of the app side.

        Args:
            api: A path in `appside.table.APIS`, such as `chatdata/sync_call_program`.
            query: The parameters of the URL, with the access token.
            body: The request's JSON.
            head: Of the HTTP request, for the record.

        Raises:
            CutError: A fault cuts the connection.
        """
        row, world = appside.APIS[api], self.world
        entry = self._begin_app(row.name, row.recorded(query, body), head, appside.caller(world, query, body))
        return self._answer_app(entry, lambda: row.answer(world, query, body))

    def call_as_app(self, api: str, body: bytes, app: App) -> tuple[Answer | None, int]:
        """Let an app of the emulator call an HTTP API, with a valid token.

        Args:
            api: As for `app_call`.
            body: The request's JSON.
            app: Which one.

        Returns:
            The answer, None when a fault cuts the connection; and the number of the entry.
        """
        world = self.world
        with world.lock:
            token, _ = world.accounts.issue_token_of(app, self.clock.now(), world.ids)
        head = Head("POST", f"/cgi-bin/{api}?access_token={token}", [])
        row = appside.APIS[api]
        entry = self._begin_app(row.name, body, head, app)
        try:
            answer = self._answer_app(entry, lambda: row.answer(world, {"access_token": token}, body))
        except CutError:
            return None, entry.number
        return answer, entry.number

    def refuse_unmodelled(self, method: str, path: str, *, head: Head | None = None) -> Answer:
        """Answer a call of an unmodelled API under /cgi-bin/, and name the modelled ones.

        Args:
            method: Of HTTP.
            path: What follows /cgi-bin/.
            head: Of the HTTP request, for the record.
        """
        shown = path[:SHOWN_PATH]

        def refuse() -> Answer:
            modelled = ", ".join(appside.MODELLED)
            raise RefusedError(48002, f"the emulator does not model {method} /cgi-bin/{shown}, but {modelled}")

        return self._answer_app(self._begin_app(shown, b"", head, None), refuse)

    def upload_media(
        self, access_token: str, kind: str, upload: uploads.Upload | RefusedError, *, head: Head | None = None
    ) -> Answer:
        """Answer `upload_media`; see `uploads`.

        Args:
            access_token: Of the app.
            kind: The query's `type`.
            upload: The file, or why the form has none.
            head: Of the HTTP request, for the record.

        Raises:
            CutError: A fault cuts the connection.
        """

        def answer() -> Answer:
            app = appside.allowed(world, uploads.API, access_token)
            if isinstance(upload, RefusedError):
                raise upload
            return uploads.upload_media(world, app, kind, upload)

        world = self.world
        length = 0 if isinstance(upload, RefusedError) else len(upload.content)
        request = msgspec.json.encode({"type": kind, "bytes": length})
        caller = appside.caller(world, {"access_token": access_token}, b"")
        return self._answer_app(self._begin_app("upload_media", request, head, caller), answer)

    def sdk_call(
        self, api: str, caller: Caller, body: bytes, debug_access_token: str = "", *, head: Head | None = None
    ) -> bytes:
        """Answer one SDK API to a program.

        Args:
            api: The API's name, one of `SDK_APIS` or of an answer by hand.
            caller: The corp and app that the program calls for.
            body: The request's JSON.
            debug_access_token: In debug mode, the token with which the SDK opened it.
            head: Of the HTTP request, for the record.

        Returns:
            The reply's JSON.

        Raises:
            ReturnCodeError: A fault lets the call fail with a return code, or the token has expired.
            CutError: A fault cuts the connection.
        """
        world = self.world

        def call() -> Answer:
            by_hand = world.faults.meet(SDK, api, entry)
            if debug_access_token:
                self._check_debug_mode(debug_access_token, caller)
            if by_hand is not None:
                return answer_by_hand(by_hand, api, body)
            if api not in APIS:  # its answer by hand has been used up meanwhile
                raise ReturnCodeError(UNSUPPORTED_API)
            permissions.check_sdk(world, caller, api)
            with under(entry):
                return APIS[api](world, caller, body)

        entry = self._begin_sdk(api, caller, body, head)
        try:
            answer = world.answered(call)
        except ReturnCodeError as error:
            world.traffic.end(entry, error.return_code)
            raise
        except CutError:
            world.traffic.end(entry, "cut")
            raise
        reply = msgspec.json.encode(answer)
        errcode = answer.get("errcode")
        world.traffic.end(entry, errcode if isinstance(errcode, int) else 0, reply, keys=given_cursors(answer))
        return reply

    def can_call(self, api: str) -> bool:
        """Return whether a program can call an SDK API: the emulator has it, or a test answers it by hand."""
        return api in APIS or self.world.faults.has_answer(api)

    def _begin_sdk(self, api: str, caller: Caller, body: bytes, head: Head | None) -> Entry:
        return self.world.traffic.begin(
            SDK,
            api,
            body,
            refers_to=sdk_references(caller.job_info, caller.request_id, body),
            ability=caller.ability_id,
            corpid=caller.corpid,
            agentid=caller.agentid,
            pid=caller.pid,
            machine=caller.machine or None,
            head=head,
        )

    def open_debug_mode(self, debug_token: str, access_token: str) -> bool:
        """Answer the SDK's `spec_open_debug_mode`: whether both credentials are valid."""
        world = self.world
        with world.lock:
            try:
                app = world.accounts.app_of_token(access_token, self.clock.now())
            except RefusedError:
                return False
            opened = appconfig.valid_debug_token(world, debug_token)
            for program_id in app.programs if opened else ():
                app.operation(program_id).sdk_debugs = True
        return opened

    def fire(self, event_type: str, overrides: Mapping[str, Any] | None = None, corp: str = "") -> Answer:
        """Send an event to the program that `set_receive_callback` chose.

        Args:
            event_type: One of `EVENT_TYPES`.
            overrides: Fields of the event's own object, and `timestamp`.
            corp: Of which corp's app; empty for the first one.

        Returns:
            errcode, errmsg, `event` (what was sent), `reply` (the text that the program answered), `notified` (of what
            the program has notified the app by then), and `number` (of the entry).
        """
        world = self.world
        return world.answered(lambda: announcer.fire(world, world.app_of(corp), event_type, overrides or {}))

    def fire_as_is(self, event: dict[str, Any], corp: str = "") -> Answer:
        """Send an event whose whole content is given; it need not be valid. Returns as `fire` does."""
        world = self.world
        return world.answered(lambda: announcer.fire_as_is(world, world.app_of(corp), event))

    def register(self, contracts: Mapping[str, ConsoleContract] | None) -> Answer:
        """Replace the console contracts of the program; None is the open mode."""
        with self.world.lock:
            program = self.world.program
            program.contracts, program.registrations = contracts, program.registrations + 1
        self.changes.wake_all()
        return accepted()

    def point_to(self, program_url: str, program_id: str = "", machine: int = 1) -> Answer:
        """Change where a machine of a program listens.

        Args:
            program_url: Its root.
            program_id: Another program or model to link with the app; without it, the program.
            machine: The number of the machine.
        """

        def change() -> Answer:
            with refusing():
                check_url("program_url", program_url)
            with self.world.lock:
                programs, name = self.world.app.programs, program_id or self.settings.program_id
                if name not in programs:
                    programs[name] = LinkedProgram(program_id=name, machines=Machines(program_url), contracts=None)
                programs[name].machines.point_to(program_url, machine)
            self.changes.wake_all()
            return accepted()

        return self.world.answered(change)

    def begin_start(self) -> Answer:
        """Let calls of the program wait while it starts; see `Start`."""
        with self.world.lock:
            self.world.program.start.begin()
        return accepted()

    def end_start(self, fault: str) -> Answer:
        """Let the calls that wait for the program's start through, or refuse them when it has a fault."""
        with self.world.lock:
            self.world.program.start.end(fault)
        return accepted()

    def advance(self, seconds: float) -> Answer:
        """Put the clock forward; return the new time once due actions are done and the program has their events."""

        def move() -> Answer:
            self._check_advance(seconds)
            entry = self.world.traffic.begin(CLOCK, "advance", msgspec.json.encode({"seconds": seconds}))
            timers = self.world.timers
            timers.until = until = self.clock.now() + seconds
            while (due := timers.next_due()) is not None and due <= until:
                self.clock.advance_to(due)
                timers.run_due(due)
            timers.until = None
            self.clock.advance_to(until)
            self.world.traffic.end(entry, 0, msgspec.json.encode({"now": self.clock.seconds()}))
            self.wait_idle()
            return accepted(now=self.clock.seconds())

        return self.world.answered(move)

    def restore_clock(self) -> Answer:
        """Put the clock back to the real time, or to its fixed start; answer the new time. What was done stays."""

        def move() -> Answer:
            request = msgspec.json.encode({"seconds": -round(self.clock.ahead(), 3)})
            entry = self.world.traffic.begin(CLOCK, "back", request)
            self.clock.restart()
            self.world.traffic.end(entry, 0, msgspec.json.encode({"now": self.clock.seconds()}))
            return accepted(now=self.clock.seconds())

        return self.world.answered(move)

    @staticmethod
    def _check_advance(seconds: float) -> None:
        if not 0 <= seconds <= MAX_ADVANCE:
            raise RefusedError(40058, f"the clock is put forward by 0 to {MAX_ADVANCE} seconds")

    def _new_world(self, zone_key: bytes | None) -> World:
        notify, command = (self.couriers[kind].deliver if kind in self.couriers else None for kind in (DATA, COMMANDS))
        world = World(self.settings, self.clock, self._channel, notify, zone_key, self.changes.wake_all, command)
        world.on_event = partial(announcer.queue, world, self._outbox)
        administration.begin(world)
        return world

    def _check_debug_mode(self, access_token: str, caller: Caller) -> None:
        """Check the token of debug mode.

        Raises:
            ReturnCodeError: It has expired: then the SDK returns this [100052].
            RefusedError: 710641, when it is of another app. What WeCom answers is not documented.
        """
        try:
            app = self.world.calling_app(access_token)
        except RefusedError:
            raise ReturnCodeError(KEY_MISMATCH) from None
        if (app.corpid, app.agentid) != (caller.corpid, caller.agentid):
            raise RefusedError(710641, f"debug mode is open with an access token of the app of corp {app.corpid}")

    def _answer_app(self, entry: Entry, work: Callable[[], Answer]) -> Answer:
        world, name = self.world, entry.name

        def meet_and_work() -> Answer:
            world.faults.meet(APP, name, entry)
            with under(entry):
                return work()

        try:
            answer = world.answered(meet_and_work)
        except CutError:
            world.traffic.end(entry, "cut")
            raise
        world.traffic.end(entry, answer["errcode"], msgspec.json.encode(answer))
        is_shown = answer["errcode"] not in TOKEN_CODES and NOT_STARTED not in answer["errmsg"]  # its starter shows why
        if answer["errcode"] and name in _CALLS and is_shown:
            errcode, called = answer["errcode"], short(entry.ability, SHOWN_PATH) or name
            why = digest(entry).reason[0] if errcode in MISFITS else answer["errmsg"]
            head = f"{_CALLS[name]:<5}  {called:<24}  {f'errcode {errcode}':<14}"  # as in the line of a call that came
            log.warning("%s  the platform refused it: %s", head, why, extra={"request": entry.number})
        return answer

    def _begin_app(self, name: str, request: bytes, head: Head | None, app: App | None) -> Entry:
        references = app_references(name, request)
        return self.world.traffic.begin(
            APP,
            name,
            request,
            refers_to=references.cause,
            follows=references.before,
            ability=references.ability,
            corpid="" if app is None else app.corpid,
            agentid=None if app is None else app.agentid,
            head=head,
        )


class PlatformPart:
    """What tests and people use of one platform; see the modules of `http`.

    Args:
        platform: The platform.
    """

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
