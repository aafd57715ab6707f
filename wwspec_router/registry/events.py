"""Connects the rows `[events.…]` and `[notifications.…]` with functions and contracts.

It also collects the keys that these rows add to the replies of `get_callback_data`. It does not know abilities.
"""

from collections.abc import Callable, Iterator
from keyword import iskeyword

import msgspec

from wwspec_contracts.base import Contract
from wwspec_contracts.errors import LoaderError, did_you_mean
from wwspec_router.codecs.codec import LazyType, OutputCodec, OutputPolicy
from wwspec_router.handlers.events import EventHandler, read_event_handler
from wwspec_router.registry.faults import faults_of_type
from wwspec_router.registry.file import EventRow, Registry
from wwspec_router.registry.loader import Application, EventContract
from wwspec_router.stores.job import EVENT_JOB


class EventTarget(msgspec.Struct, frozen=True, kw_only=True):
    """The handler of events of one type."""

    event_type: str
    row: EventRow
    handler: EventHandler
    input: OutputCodec
    """How events are read: as WeCom's replies are, without keys that no contract lists."""
    output: OutputCodec | None
    """How the result is written; None when there is none."""
    timeout: float | None
    """Seconds from the handler's beginning to its end; None for no limit."""
    place: str
    """Where the registry file declares it."""

    @property
    def job_name(self) -> str:
        """The name of its jobs."""
        return EVENT_JOB + self.event_type

    @property
    def result_key(self) -> str | None:
        """The key under which the app gets the result beside the event; None when it gets no result."""
        return f"{self.event_type}_result" if self.output is not None and self.row.notify == "after" else None


class NotificationKind(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of notification that handlers can send to the app."""

    name: str
    output: OutputCodec


class EventRows(msgspec.Struct, eq=False, dict=True):
    """The rows, checked."""

    registry: Registry
    """The registry file."""
    application: Application
    """Where functions and contracts are."""
    events: dict[str, EventContract]
    """The contract of each event."""
    pruning_logger: Callable[[str], Callable[[str], None]]
    """Returns a function that is called with each path that is left out of a text."""

    def __post_init__(self) -> None:
        self.faults: list[str] = []
        self.targets: dict[str, EventTarget] = {}
        """The code on events, by event_type."""
        self.kinds: dict[type[Contract], NotificationKind] = {}
        """The kinds, by the payload's type."""
        for event_type, row in self.registry.events.items():
            self._add_target(event_type, row)
        for kind, notification in self.registry.notifications.items():
            self._add_kind(kind, notification.contract)
        self.keys = self._free_keys()
        """The contract of each key that these rows add to the replies of `get_callback_data`."""

    def _free_keys(self) -> dict[str, type[Contract]]:
        """Return the contract of each added key that no event, and no other row, has."""
        added = list(self._added_keys())
        if not added:  # the contracts of events are imported when they are needed
            return {}
        taken = dict.fromkeys(("event_type", "timestamp", "errcode", "errmsg"), "every reply")
        for contract in self.events.values():
            taken = dict.fromkeys(contract.example("Event"), f"event {contract.name}") | taken
        keys = {}
        for place, key, type_ in added:
            if key in taken:
                self.faults.append(f"{place}: in get_callback_data {key} is a key of {taken[key]}; choose another name")
            else:
                taken[key], keys[key] = place, type_
        return keys

    def _added_keys(self) -> Iterator[tuple[str, str, type[Contract]]]:
        """Yield the place, the key and the contract of each addition of these rows."""
        for target in self.targets.values():
            if target.result_key is not None and target.handler.response is not None:
                yield target.place, target.result_key, target.handler.response
        for type_, kind in self.kinds.items():
            yield self.registry.place("notifications", kind.name), kind.name, type_

    def _add_target(self, event_type: str, row: EventRow) -> None:
        place = self.registry.place("events", event_type)
        contract = self.events.get(event_type)
        if contract is None:
            fix = did_you_mean(event_type, self.events, f"correct the name, or add schemas/events/{event_type}.py")
            self.faults.append(f"{place}: event {event_type} has no contract; {fix}")
            return
        handler = self._handler(place, row.handler, contract)
        if handler is None:
            return
        response = handler.response
        timeout = row.timeout if row.timeout is not None else self.registry.program.timeout
        event = LazyType(lambda: contract.event)
        self.targets[event_type] = EventTarget(
            event_type=event_type,
            row=row,
            handler=handler,
            input=OutputCodec(event, OutputPolicy.PRUNE, self.pruning_logger(f"event {event_type}")),
            output=None if response is None else OutputCodec(response, OutputPolicy.STRICT),
            timeout=timeout,
            place=place,
        )

    def _handler(self, place: str, name: str, contract: EventContract) -> EventHandler | None:
        try:
            handler = read_event_handler(self.application.attribute(name))
            event = contract.event
        except LoaderError as error:
            self.faults.append(f"{place}: handler: {error}")
            return None
        except TypeError as error:
            self.faults.append(f"{place}: handler: {name}: {error}")
            return None
        if event not in handler.events:
            self.faults.append(
                f"{place}: handler: {name} does not take this event; annotate its first parameter with "
                f"{contract.module}.Event, or with a union that holds it"
            )
            return None
        faults = [] if handler.response is None else faults_of_type(handler.response, self.application.folder)
        found = [f"{place}: handler: {name} returns {path}: {why}" for path, why in faults]
        self.faults += found
        return None if found else handler

    def _add_kind(self, kind: str, contract: str) -> None:
        place = self.registry.place("notifications", kind)
        if not kind.isidentifier() or iskeyword(kind):
            self.faults.append(f"{place}: a kind is a key of JSON made of letters, digits and _, such as daily_digest")
            return
        try:
            type_ = self.application.attribute(contract)
        except LoaderError as error:
            self.faults.append(f"{place}: contract: {error}")
            return
        if not (isinstance(type_, type) and issubclass(type_, Contract)):
            self.faults.append(f"{place}: contract: {contract} is no subclass of wwspec_router.Contract")
            return
        own = faults_of_type(type_, self.application.folder)
        faults = [f"{place}: contract: {contract} {path}: {why}" for path, why in own]
        if type_ in self.kinds:
            other = self.registry.place("notifications", self.kinds[type_].name)
            faults.append(f"{place}: contract: {contract} is also that of {other}; give each kind a type of its own")
        self.faults += faults
        if not faults:
            self.kinds[type_] = NotificationKind(name=kind, output=OutputCodec(type_, OutputPolicy.STRICT))
