"""Sends events to the program: at once when a test fires them, in their order when the platform raises them.

`types` makes the content of events. The reply is passed on as it is, since WeCom documents none.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from wwspec_contracts.call_type import CallType
from wwspec_contracts.errors import did_you_mean
from wwspec_devtools.emulator.answers import Answer, RefusedError, accepted
from wwspec_devtools.emulator.events.outbox import Outbox
from wwspec_devtools.emulator.events.types import EVENT_TYPES, OF_MESSAGES, build_event, wrap_event
from wwspec_devtools.emulator.program.programs import ask_program, begin, new_call
from wwspec_devtools.emulator.standin.wwspec_standin.seal import CallContent
from wwspec_devtools.emulator.state.accounts import App
from wwspec_devtools.emulator.state.conversations import Message
from wwspec_devtools.emulator.state.tickets import Delivery
from wwspec_devtools.emulator.state.traffic.entries import Cause, Entry
from wwspec_devtools.emulator.state.traffic.record import Traffic
from wwspec_devtools.emulator.state.world import World

_log = logging.getLogger(__name__)


def fire(world: World, app: App, event_type: str, overrides: Mapping[str, Any]) -> Answer:
    """Send an event of an app made from the emulator's data; see `Platform.fire`."""

    def build() -> tuple[dict[str, Any], Message | None]:
        if event_type not in EVENT_TYPES:
            known = f"there are {', '.join(EVENT_TYPES)}"
            raise RefusedError(40058, f"no such event; {did_you_mean(event_type, EVENT_TYPES, known)}")
        event = build_event(world, app, event_type, overrides)
        chats = world.corp(app).chats
        return event, chats.at(chats.end - 1) if event_type in OF_MESSAGES else None

    return _fire(world, app, build)


def fire_as_is(world: World, app: App, event: dict[str, Any]) -> Answer:
    """Send an event whose whole content is given."""

    def check() -> tuple[dict[str, Any], None]:
        if not isinstance(event.get("event_type"), str):
            raise RefusedError(40058, "an event has an event_type")
        return event, None

    return _fire(world, app, check)


def queue(
    world: World, outbox: Outbox, app: App, event_type: str, fields: dict[str, Any], message: Message | None = None
) -> None:
    """Give an event its number and time now, and queue it. It takes no lock of the world."""
    program = app.receiver
    if program is None:
        return
    event = wrap_event(event_type, fields, world.clock.seconds())
    call, entry = _begin(world, app, event, None if message is None else Cause(message))

    def send() -> None:
        try:
            ask_program(world, program, call, entry=entry)
        except RefusedError as error:
            _log.warning("event %s did not reach the program: %s", event_type, error)

    outbox.put(send)


def _fire(world: World, app: App, build: Callable[[], tuple[dict[str, Any], Message | None]]) -> Answer:
    event: Answer = {}
    sent: Answer = {"reply": "", "number": None, "notified": []}

    def send() -> Answer:
        with world.lock:
            program = app.receiver
            if program is None:
                raise RefusedError(710645, "no program receives events: call set_receive_callback first")
            built, message = build()
            event.update(built)
            if why := world.withheld(app, event["event_type"]):
                raise RefusedError(710726, f"{why}, so WeCom sends no event: wwspec zone renew")
        call, entry = _begin(world, app, event, Cause(message, is_fired=True))
        sent["number"] = entry.number
        reply = ask_program(world, program, call, entry=entry)
        return accepted(reply=reply, notified=msgspec.to_builtins(list(_notified(world.traffic, entry.number))))

    answer = world.answered(send)
    return {**sent, **answer, "event": event}


def _notified(record: Traffic, number: int) -> Iterator[Delivery]:
    """Yield the notifications that the program has sent by now while it worked on an event."""
    calls = set(record.children(number))
    for entry in record.kept_entries(number):
        if entry.parent in calls and entry.notification is not None:
            yield entry.notification


def _begin(world: World, app: App, event: dict[str, Any], cause: Cause | None) -> tuple[CallContent, Entry]:
    call = new_call(world, app.corpid, app.agentid, msgspec.json.encode(event).decode(), CallType.EVENT)
    return call, begin(world, event["event_type"], call, keys=tuple(_tokens(event)), cause=cause)


def _tokens(event: dict[str, Any]) -> Iterator[str]:
    """Yield the event's token. The program pulls with it, perhaps after the call has ended."""
    for fields in event.values():
        if isinstance(fields, dict) and isinstance(token := fields.get("token"), str):
            yield token
