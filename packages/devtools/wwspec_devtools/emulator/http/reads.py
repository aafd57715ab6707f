"""What can be watched of an emulator: its exchanges, clock, faults and program.

Its methods return values, change nothing and know no more of HTTP than a query. `commands` has what a test changes.
"""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from starlette.datastructures import QueryParams

from wwspec_contracts.decoding import convert
from wwspec_contracts.errors import did_you_mean
from wwspec_contracts.files import ConsoleContract
from wwspec_devtools.emulator.answers import Answer, RefusedError, accepted
from wwspec_devtools.emulator.display.selection import Selection, read_selection
from wwspec_devtools.emulator.display.verdicts import request_fit
from wwspec_devtools.emulator.display.views import row, row_with_bodies, whole
from wwspec_devtools.emulator.http.lists import shown_message
from wwspec_devtools.emulator.http.machines import shown_connection, shown_machine
from wwspec_devtools.emulator.platform import PlatformPart
from wwspec_devtools.emulator.program.programs import reply_to_empty_call
from wwspec_devtools.emulator.pytests.flow import Exchange, Flow
from wwspec_devtools.emulator.pytests.recorded import Asserts, recorded_test
from wwspec_devtools.emulator.state.traffic.entries import Entry
from wwspec_devtools.emulator.state.traffic.record import Traffic

_NO_CONTRACTS = "the emulator has no console contracts, so every request passes"

FIGURES_SECONDS = 5.0
"""Seconds to wait for the program's figures."""

Json = dict[str, Any]


class Watch(PlatformPart):
    """Reads what can be watched of one platform."""

    @property
    def record(self) -> Traffic:
        """The exchanges of the present session."""
        return self._platform.world.traffic

    def traffic(self, query: QueryParams) -> Answer:
        """Return the chosen rows, oldest first.

        Args:
            query: See `selection`. With `bodies=true` rows have their bodies; with `wait=false` it does not wait for
                events on their way to the program.
        """
        selection = read_selection(query.multi_items())
        if query.get("wait") != "false":
            self._platform.wait_idle()
        return self._rows(selection, row_with_bodies if query.get("bodies") == "true" else row)

    def _rows(self, selection: Selection, shown: Any) -> Answer:
        record = self.record
        bounds = record.bounds
        chosen = selection.choose(record.kept_entries(selection.since))
        return accepted(
            session=record.session, first=bounds.first, last=bounds.last, traffic=[shown(entry) for entry in chosen]
        )

    def entry(self, number: int) -> Answer:
        """Return everything about one entry."""
        record = self.record
        entry = record.get(number)
        if entry is None:
            raise self._no_entry(number)
        shown = {**whole(entry), "cause": self._cause(entry), "children": record.children(number)}
        return accepted(session=record.session, entry=shown)

    def test(self, number: int, asserts: Asserts | None = None) -> Answer:
        """Return the pytest `test` of an exchange; None when no test can do it.

        Args:
            number: Of its entry.
            asserts: None for the default of the entry.
        """
        record = self.record

        def whole_of(exchange: Exchange) -> Exchange:
            entry = record.get(exchange.number)
            return convert(whole(entry), Exchange) if entry else exchange

        chosen = record.get(number)
        if chosen is None:
            raise self._no_entry(number)
        flow = (convert(row(entry), Exchange) for entry in record.kept_entries() if entry.flow == chosen.flow)
        rows = {each.number: each for each in flow}
        return accepted(test=msgspec.to_builtins(recorded_test(Flow(number, rows, whole_of), asserts)))

    def _no_entry(self, number: int) -> RefusedError:
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
        world = self._platform.world
        with world.lock:
            program = world.program
            machines = program.machines
            return {
                "program_id": program.program_id,
                "url": world.app.debug_url(program) or program.url,
                **shown_connection(machines.all),
                "machines": [shown_machine(each) for each in machines.all] if machines.are_several else [],
                "receives_events": world.app.receiver is program,
                "abilities": None if program.contracts is None else sorted(program.contracts),
                "registrations": program.registrations,
            }

    def figures(self, ability_id: Annotated[str, msgspec.Meta(min_length=1)]) -> Answer:
        """Return the `reply` of the program's ability that returns its figures.

        The call is not recorded, since it comes often, and no fault hits it.
        """
        world = self._platform.world
        with world.lock:
            program = world.program
        before = shown_connection(program.machines.all)
        try:
            return accepted(reply=reply_to_empty_call(world, program, ability_id, FIGURES_SECONDS))
        finally:
            if shown_connection(program.machines.all) != before:
                self._platform.changes.wake_all()

    def check(self, ability_id: str, data: str) -> Answer:
        """Return whether a request that a person is writing, given as JSON text, may go to the program.

        `verdict` is as in a row. It is None when the ability has no console contract; `reason` then says why.
        """
        contracts = self._contracts()
        if contracts is None:
            return accepted(verdict=None, reason=_NO_CONTRACTS)
        contract = contracts.get(ability_id)
        if contract is None:
            return accepted(
                verdict=None, reason=did_you_mean(ability_id, contracts, "no contract is registered for it")
            )
        return accepted(verdict=request_fit(contract, data or " "), reason="")

    def _contracts(self) -> Mapping[str, ConsoleContract] | None:
        world = self._platform.world
        with world.lock:
            return world.program.contracts

    def _cause(self, entry: Entry) -> Json | None:
        cause, world = entry.cause, self._platform.world
        if cause is None:
            return None
        with world.lock:
            chats = world.corp(world.app_of(entry.corpid)).chats
            message = None if cause.message is None else shown_message(chats, cause.message)
        return {"fired": cause.is_fired, "message": message}
