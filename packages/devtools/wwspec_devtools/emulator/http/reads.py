"""What can be watched of an emulator: its exchanges, clock, faults and program.

Its methods return values, change nothing and do not know HTTP. `control` has what a test changes.
"""

import time
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from typing import Annotated, Any

import msgspec

from wwspec_contracts.decoding import convert
from wwspec_contracts.errors import did_you_mean
from wwspec_devtools.emulator.answers import Answer, RefusedError, accepted, read
from wwspec_devtools.emulator.display.selection import Selection, read_selection
from wwspec_devtools.emulator.display.verdicts import request_fit
from wwspec_devtools.emulator.display.views import row, row_with_bodies, whole
from wwspec_devtools.emulator.http.lists import shown_message
from wwspec_devtools.emulator.http.machines import shown_connection, shown_machine
from wwspec_devtools.emulator.platform import Platform
from wwspec_devtools.emulator.program.programs import reply_to_empty_call
from wwspec_devtools.emulator.pytests.flow import Exchange, Flow
from wwspec_devtools.emulator.pytests.recorded import Asserts, recorded_test
from wwspec_devtools.emulator.state.traffic.entries import Entry
from wwspec_devtools.emulator.state.traffic.record import Traffic

_NO_CONTRACTS = "the emulator has no console contracts, so every request passes"

FILE_VERSION = 2
"""The version of a session file."""

FIGURES_SECONDS = 5.0
"""Seconds to wait for the program's figures."""

Json = dict[str, Any]


class FiguresOf(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """The ability that returns the program's figures."""

    ability_id: Annotated[str, msgspec.Meta(min_length=1)]


class Draft(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A request that a person is writing."""

    ability_id: str
    data: str
    """Its JSON text."""


class TestWanted(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """The entry to write a pytest test of."""

    number: int
    asserts: Asserts | None = None
    """None for the default of the entry."""
    entries: list[Exchange] = []
    """The flow of an entry in a session file; empty for an entry of this emulator."""


class Watch:
    """Reads what can be watched of one platform.

    Args:
        platform: The platform.
    """

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    @property
    def record(self) -> Traffic:
        """The exchanges of the present session."""
        return self._platform.world.traffic

    def traffic(self, parameters: Iterable[tuple[str, str]]) -> Answer:
        """Return the chosen rows, oldest first.

        Args:
            parameters: See `selection`. With `bodies=true` rows have their bodies; with `wait=false` it does not wait
                for events on their way to the program.
        """

        def answer() -> Answer:
            asked = list(parameters)
            selection = read_selection(asked)
            if ("wait", "false") not in asked:
                self._platform.wait_idle()
            return self._rows(selection, row_with_bodies if ("bodies", "true") in asked else row)

        return self._platform.world.answered(answer)

    def _rows(self, selection: Selection, shown: Any) -> Answer:
        record = self.record
        bounds = record.bounds
        chosen = selection.choose(record.kept_entries(selection.since))
        return accepted(
            session=record.session,
            first=bounds.first,
            last=bounds.last,
            traffic=[shown(entry) for entry in chosen],
        )

    def entry(self, number: str) -> Answer:
        """Return everything about one entry."""
        record = self.record

        def answer() -> Answer:
            entry = record.get(int(number)) if number.isascii() and number.isdecimal() and len(number) < 19 else None
            if entry is None:
                raise self._no_entry(number[:20])
            return accepted(session=record.session, entry=self._whole(entry, record))

        return self._platform.world.answered(answer)

    def test(self, body: bytes) -> Answer:
        """Return the pytest `test` of an exchange, given as the JSON of a `TestWanted`; None when no test can do it."""
        record = self.record

        def answer() -> Answer:
            wanted = read(TestWanted, body)

            def whole_of(exchange: Exchange) -> Exchange:
                entry = None if wanted.entries else record.get(exchange.number)
                return convert(whole(entry), Exchange) if entry else exchange

            chosen = record.get(wanted.number)
            flow = [entry for entry in record.kept_entries() if chosen and entry.flow == chosen.flow]
            rows = {each.number: each for each in wanted.entries or (convert(row(entry), Exchange) for entry in flow)}
            if wanted.number not in rows:
                raise self._no_entry(wanted.number)
            written = recorded_test(Flow(wanted.number, rows, whole_of), wanted.asserts)
            return accepted(test=msgspec.to_builtins(written))

        return self._platform.world.answered(answer)

    def _no_entry(self, number: int | str) -> RefusedError:
        bounds = self.record.bounds
        return RefusedError(40058, f"no entry {number} is kept; there are {bounds.first} to {bounds.last}")

    def clock(self) -> Json:
        """Return the values of the clock that are shown."""
        clock = self._platform.clock
        return {"now_ms": int(clock.now() * 1000), "running": clock.runs, "ahead_ms": round(clock.ahead() * 1000)}

    def clock_state(self) -> Json:
        """Return the values of the clock that change only when it is moved or restarted."""
        return {"moves": self._platform.clock.moves}

    def faults(self) -> Json:
        """Return the faults that are still set."""
        return {"faults": [fault.shown() for fault in self._platform.world.faults.listed()]}

    def program(self) -> Json:
        """Return what the emulator knows about the program."""
        world, program_id = self._platform.world, self._platform.settings.program_id
        with world.lock:
            program = world.app.programs[program_id]
            machines = program.machines
            return {
                "program_id": program_id,
                "url": world.app.debug_url(program) or program.url,
                **shown_connection(machines.all),
                "machines": [shown_machine(each) for each in machines.all] if machines.are_several else [],
                "receives_events": world.app.receiver is program,
                "abilities": None if program.contracts is None else sorted(program.contracts),
                "registrations": program.registrations,
            }

    def figures(self, body: bytes) -> Answer:
        """Return the `reply` of the program's status ability, given as the JSON of a `FiguresOf`.

        The call is not recorded, since it comes often, and no fault hits it.
        """
        world = self._platform.world

        def ask() -> Answer:
            asked = read(FiguresOf, body)
            with world.lock:
                program = world.app.programs[self._platform.settings.program_id]
            before = shown_connection(program.machines.all)
            try:
                return accepted(reply=reply_to_empty_call(world, program, asked.ability_id, FIGURES_SECONDS))
            finally:
                if shown_connection(program.machines.all) != before:
                    self._platform.changes.wake_all()

        return world.answered(ask)

    def check(self, body: bytes) -> Answer:
        """Return whether a request, given as the JSON of a `Draft`, may go to the program.

        `verdict` is as in a row. It is None when the ability has no console contract; `reason` then says why.
        """

        def answer() -> Answer:
            draft = read(Draft, body)
            world, program_id = self._platform.world, self._platform.settings.program_id
            with world.lock:
                contracts = world.app.programs[program_id].contracts
            if contracts is None:
                return accepted(verdict=None, reason=_NO_CONTRACTS)
            contract = contracts.get(draft.ability_id)
            if contract is None:
                reason = did_you_mean(draft.ability_id, contracts, "no contract is registered for it")
                return accepted(verdict=None, reason=reason)
            return accepted(verdict=request_fit(contract, draft.data or " "), reason="")

        return self._platform.world.answered(answer)

    def session(self) -> Iterator[bytes]:
        """Yield the JSON of the session file, piece by piece: it may be large."""
        record = self.record
        head = {
            "wwspec_session": FILE_VERSION,
            "session": record.session,
            "exported_ms": int(time.time() * 1000),
            "version": version("wwspec-router"),
            "clock": self.clock(),
            "program": self.program(),
            **self.faults(),
            "contracts": self._contracts(),
        }
        yield msgspec.json.encode(head)[:-1] + b',"entries":['
        comma = b""
        for entry in record.kept_entries():
            yield comma + msgspec.json.encode(self._whole(entry, record))
            comma = b","
        yield b"]}\n"

    def _contracts(self) -> Any:
        world = self._platform.world
        with world.lock:
            contracts = world.app.programs[self._platform.settings.program_id].contracts
            return None if contracts is None else msgspec.to_builtins(dict(contracts))

    def _whole(self, entry: Entry, record: Traffic) -> Json:
        return {**whole(entry), "cause": self._cause(entry), "children": record.children(entry.number)}

    def _cause(self, entry: Entry) -> Json | None:
        cause, world = entry.cause, self._platform.world
        if cause is None:
            return None
        with world.lock:
            chats = world.corp(world.app_of(entry.corpid)).chats
            message = None if cause.message is None else shown_message(chats, cause.message)
        return {"fired": cause.is_fired, "message": message}
