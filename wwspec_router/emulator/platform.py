"""The WeCom platform in small: one object over the emulator's state, without HTTP.

Every method answers a value and raises nothing that the platform has an errcode for. Safe under threads;
calls of the program and events block until the program has answered. It knows neither how a request came in
nor the framework.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from wwspec_router.emulator import appside
from wwspec_router.emulator.accounts import Program
from wwspec_router.emulator.answers import Answer, RefusedError, accepted
from wwspec_router.emulator.apis.table import APIS
from wwspec_router.emulator.clock import Clock
from wwspec_router.emulator.events import EVENT_TYPES, build_event
from wwspec_router.emulator.programs import ask_program
from wwspec_router.emulator.seal import CallContent
from wwspec_router.emulator.settings import AbilityContract, EmulatorSettings, check_url
from wwspec_router.emulator.tickets import Notification
from wwspec_router.emulator.world import Caller, Channel, World
from wwspec_router.envelope import CallType
from wwspec_router.errors import ConfigurationError


class Platform:
    """One emulated platform.

    Args:
        settings: How to build it.
        channel: The way to the program.
        clock: What everything is timed by; by default one that starts at `settings.clock_start`.
        deliver: Takes each notification that goes to the app's callback URL; None when there is none.
    """

    def __init__(
        self,
        settings: EmulatorSettings,
        channel: Channel,
        *,
        clock: Clock | None = None,
        deliver: Callable[[Notification], None] | None = None,
    ) -> None:
        self.settings = settings
        self.clock = clock or Clock(settings.clock_start)
        self.world = World(settings, self.clock, channel, deliver)

    def get_token(self, corpid: str, secret: str) -> Answer:
        """Answer `gettoken`: an access token that is valid two hours."""

        def issue() -> Answer:
            with self.world.lock:
                token, seconds = self.world.accounts.issue_token(corpid, secret, self.clock.now(), self.world.rng)
            return accepted(access_token=token, expires_in=seconds)

        return self._answered(issue)

    def app_call(self, api: str, access_token: str, body: bytes) -> Answer:
        """Answer one HTTP API of the app side.

        Args:
            api: A name in `appside.APIS`, such as `sync_call_program`.
            access_token: From `get_token`.
            body: The request's JSON.
        """

        def call() -> Answer:
            with self.world.lock:
                app = self.world.accounts.app_of_token(access_token, self.clock.now())
            return appside.APIS[api](self.world, app, body)

        return self._answered(call)

    def sdk_call(self, api: str, caller: Caller, body: bytes) -> bytes:
        """Answer one SDK API to a program.

        Args:
            api: The API's name.
            caller: In whose name the program calls.
            body: The request's JSON.

        Returns:
            The reply's JSON; 48001 for an API that the emulator does not model.
        """

        def call() -> Answer:
            function = APIS.get(api)
            if function is None:
                raise RefusedError(48001, api)
            return function(self.world, caller, body)

        return msgspec.json.encode(self._answered(call))

    def fire(self, event_type: str, overrides: Mapping[str, Any] | None = None) -> Answer:
        """Send an event to the program that `set_receive_callback` chose.

        Args:
            event_type: One of `EVENT_TYPES`.
            overrides: Fields of the event's own object, and `timestamp`.

        Returns:
            errcode, errmsg, `event` (what was sent), and `reply` (the text that the program answered).
        """
        event: Answer = {}

        def send() -> Answer:
            if event_type not in EVENT_TYPES:
                raise RefusedError(40058, f"no such event; there are {', '.join(EVENT_TYPES)}")
            app = self.world.app
            with self.world.lock:
                program = app.receiver
                if program is None:
                    raise RefusedError(710645, "no program receives events: call set_receive_callback first")
                event.update(build_event(self.world, app, event_type, overrides or {}))
            call = CallContent(
                corpid=app.corpid,
                agentid=app.agentid,
                call_type=CallType.EVENT,
                data=msgspec.json.encode(event).decode(),
                request_id=self.world.reference(),
                timestamp=self.clock.seconds(),
            )
            return accepted(reply=ask_program(self.world, program, call))

        return {"reply": "", **self._answered(send), "event": event}

    def info(self) -> Answer:
        """Answer who is who: enough for an app to call its program."""
        settings = self.settings
        with self.world.lock:
            receiver = self.world.app.receiver
            program = self._program()
            contracts = program.contracts
            messages = len(self.world.conversations[settings.corpid].messages)
        return accepted(
            corpid=settings.corpid,
            agentid=settings.agentid,
            secret=settings.secret,
            program_id=settings.program_id,
            program_url=program.url,
            callback_url=settings.callback_url,
            abilities=None if contracts is None else sorted(contracts),
            events=list(EVENT_TYPES),
            receives_events=receiver is not None,
            messages=messages,
            seed=settings.seed,
            now=self.clock.seconds(),
        )

    def register(self, contracts: dict[str, AbilityContract] | None) -> Answer:
        """Replace the console contracts of the program; None is the open mode."""
        with self.world.lock:
            self._program().contracts = contracts
        return accepted()

    def point_to(self, program_url: str) -> Answer:
        """Change where the program listens."""

        def change() -> Answer:
            try:
                check_url("program_url", program_url)
            except ConfigurationError as error:
                raise RefusedError(40058, str(error)) from None
            with self.world.lock:
                self._program().url = program_url
            return accepted()

        return self._answered(change)

    def _program(self) -> Program:
        return self.world.app.programs[self.settings.program_id]

    def notifications(self) -> Answer:
        """Answer the latest `program_notify` callbacks, newest last."""
        with self.world.lock:
            return accepted(notifications=msgspec.to_builtins(list(self.world.notifications)))

    def advance(self, seconds: float) -> Answer:
        """Put the clock forward and answer the new time."""

        def move() -> Answer:
            try:
                self.clock.advance(seconds)
            except ValueError as error:
                raise RefusedError(40058, str(error)) from None
            return accepted(now=self.clock.seconds())

        return self._answered(move)

    def _answered(self, work: Callable[[], Answer]) -> Answer:
        try:
            return work()
        except RefusedError as error:
            return error.answer(self.world.reference())
