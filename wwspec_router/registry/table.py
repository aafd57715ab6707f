"""Connects the rows of a registry with APIs and handlers: ability ID -> `Ability`.

Everything that can be decided before a call is decided here: codecs are made, handlers imported, timeouts chosen.
A fault in any row is reported together with all others, before the port is opened.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from wwspec_contracts.administration import ForgetReply, ForgetRequest, JobsReply, JobsRequest
from wwspec_contracts.base import Contract, Output
from wwspec_contracts.errors import ConfigurationError, LoaderError, RegistryError, did_you_mean
from wwspec_contracts.examples import console_example
from wwspec_contracts.matching import mismatches
from wwspec_contracts.wrapping import DO_ASYNC_JOB, AsyncJobRequest, CallbackDataRequest, merged_events
from wwspec_router.codecs.codec import InputCodec, LazyType, OutputCodec, OutputPolicy
from wwspec_router.codecs.from_example import contract_of_file
from wwspec_router.handlers.ability import Handler, handler_of
from wwspec_router.handlers.around import Around
from wwspec_router.handlers.base import ApiCodec, ApiCodecs
from wwspec_router.handlers.lifespan import Lifespan
from wwspec_router.monitoring.status import Status
from wwspec_router.registry.apis import RequestCodecs, add_new_apis, unknown_api
from wwspec_router.registry.events import EventRows, EventTarget, NotificationKind
from wwspec_router.registry.faults import faults_of_type, without_repeats
from wwspec_router.registry.file import AbilityRow, Apis, FuncTable, Passthrough, Registry, parse_registry
from wwspec_router.registry.loader import ApiContract, Application, EventContract
from wwspec_router.registry.marks import with_marks
from wwspec_router.registry.own_settings import OwnSettings
from wwspec_router.registry.program import ProgramRow, own_code
from wwspec_router.registry.request_paths import once_faults, once_rule, path_of, trace_faults
from wwspec_router.registry.targets import (
    Ability,
    ApiTarget,
    CallbackTarget,
    FuncTarget,
    FunctionTarget,
    HandlerTarget,
    ProgramTarget,
)
from wwspec_router.stores.job import NOTIFY_JOB

log = logging.getLogger(__name__)

_MOST_PLACES = 20
"""Places at which an example does not fit that faults name."""


class AbilityTable(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a program answers."""

    registry: Registry
    abilities: dict[str, Ability]
    apis: ApiCodecs
    """How an API is called, by its `Request`; `Context.invoke` looks it up."""
    api_contracts: dict[str, ApiContract]
    events: dict[str, EventContract]
    lifespan: Lifespan | None = None
    """What the application opens while a process serves."""
    settings: OwnSettings | None = None
    """The application's own settings."""
    around: Around | None = None
    """What the application lets run around its code."""
    stored_events: OutputCodec | None = None
    """The codec of abilities that return stored events without keys that no contract lists; None when there are
    none."""
    event_targets: dict[str, EventTarget] = {}
    """The handlers of events, by event_type."""
    kinds: dict[type[Contract], NotificationKind] = {}
    """The notifications that handlers can send, by the payload's type."""

    @property
    def job_names(self) -> frozenset[str]:
        """The names of this program's jobs, as `JobJournal.claim` knows them: it repeats every notification."""
        return frozenset((*self.abilities, *(each.job_name for each in self.event_targets.values()), NOTIFY_JOB))

    @property
    def status_names(self) -> frozenset[str]:
        """The ability IDs that answer the program's figures."""
        kinds = {name: getattr(each.target, "kind", "") for name, each in self.abilities.items()}
        return frozenset(name for name, kind in kinds.items() if kind == "status")

    @property
    def places(self) -> dict[str, str]:
        """Where the row or the mark is of each ability and of each event's code, by the label of their calls."""
        events = {each.job_name: each.place for each in self.event_targets.values()}
        return {name: each.place for name, each in self.abilities.items()} | events

    @property
    def job_limits(self) -> dict[str, int]:
        """How many jobs of events run at once in one process, by their name; those without a limit are absent."""
        targets = self.event_targets.values()
        return {each.job_name: each.row.concurrency for each in targets if each.row.concurrency is not None}


def build_table(folder: Path, registry_path: Path) -> AbilityTable:
    """Load an application and check its registry file whole.

    Args:
        folder: The application folder.
        registry_path: The registry file.

    Raises:
        ConfigurationError: The folder, a contract or the registry file has faults.
    """
    application = Application(folder)
    registry, faults = parse_registry(registry_path)
    try:
        builder = _Builder(registry, application)
    except LoaderError as error:
        if not faults:
            raise
        raise RegistryError([*faults, str(error)]) from error
    table = builder.build()
    if faults := [*faults, *builder.faults]:
        raise RegistryError(without_repeats(faults))
    return table


class _Builder:
    def __init__(self, registry: Registry, application: Application) -> None:
        self._application = application
        self._contracts = application.api_contracts()
        self._events = application.event_contracts()
        registry, self.faults = with_marks(registry, application)  # imports what may import the contracts
        self._registry = registry
        self._abilities: dict[str, Ability] = {}
        self._targets: dict[tuple[str, OutputPolicy, bool], ApiTarget] = {}
        self._rows = EventRows(registry, application, self._events, _pruning_logger)
        self._event_type = self._merged_events()
        self._event_outputs: dict[OutputPolicy, OutputCodec] = {}
        self._program = ProgramRow(registry, application)
        self.faults += [*self._rows.faults, *add_new_apis(registry, application, self._contracts)]

    def build(self) -> AbilityTable:
        for ability_id, row in self._registry.abilities.items():
            self._add(ability_id, self._row_target(ability_id, row), row, "abilities", ability_id)
        if (passthrough := self._registry.passthrough) is not None:
            for api in self._names(passthrough.apis, "passthrough"):
                if self._contracts[api].declared_by == passthrough.prefix + api:
                    continue  # the row is this ability
                target = self._api_target(api, OutputPolicy.PRUNE, passthrough.drop_empty)
                self._add(passthrough.prefix + api, target, passthrough, "passthrough")
        if (func := self._registry.func) is not None:
            self._add_functions(func)
        self._check_scenes()
        program = self._program
        program.check(list(own_code(self._abilities, self._rows.targets)))
        self.faults += program.faults
        return AbilityTable(
            lifespan=program.lifespan,
            settings=program.settings,
            around=program.around,
            registry=self._registry,
            abilities=self._abilities,
            apis=self._apis(),
            api_contracts=self._contracts,
            events=self._events,
            stored_events=self._event_outputs.get(OutputPolicy.PRUNE),
            event_targets=self._rows.targets,
            kinds=self._rows.kinds,
        )

    def _apis(self) -> ApiCodecs:
        codecs = {}
        for api, contract in self._contracts.items():
            codecs[contract] = ApiCodec(api, self._api_target(api).output)
            if contract.replaces is not None:
                codecs[contract.replaces] = ApiCodec(api, _output(contract.replaces, OutputPolicy.PRUNE))
        return RequestCodecs(codecs)

    def _merged_events(self) -> LazyType[Output]:
        """Return the contract of stored events; it is merged now if the application has events that may not fit."""
        contracts = sorted(self._events.values(), key=lambda each: each.is_own)
        added = self._rows.keys
        merged = LazyType(cache(lambda: merged_events({each.name: each.event for each in contracts}, added)))
        if any(each.is_own for each in contracts):
            merged.load()
        return merged

    def _add(
        self, ability_id: str, target: Any, row: AbilityRow | Passthrough, table: str, key: str | None = None
    ) -> None:
        place = self._registry.place(table, key)
        if target is None:
            return
        if ability_id in self._abilities:
            other = self._abilities[ability_id].place
            self.faults.append(
                f"{place}: ability ID {ability_id} is already declared at {other}; "
                "keep one of the two, or list the wanted names in apis"
            )
            return
        timeout = row.timeout if row.timeout is not None else self._registry.program.timeout
        self._abilities[ability_id] = Ability(
            ability_id=ability_id, target=target, timeout=timeout, concurrency=row.concurrency, place=place
        )

    def _row_target(self, ability_id: str, row: AbilityRow) -> Any:
        place = self._registry.place("abilities", ability_id)
        if row.api is not None:
            if row.api not in self._contracts:
                if row.input is None or row.output is None:  # else it has a fault already
                    self.faults.append(f"{place}: {unknown_api(row.api, self._contracts)}")
                return None
            if row.input is None and row.output is None:
                return self._api_target(row.api, row.output_policy or OutputPolicy.PRUNE, row.drop_empty)
            return self._narrowed_target(row.api, row, place)
        if row.handler is not None:
            return self._handler_target(row.handler, row, place)
        if row.kind == "func":
            apis = self._names("*" if row.apis is None else row.apis, "abilities", ability_id)
            return FuncTarget(self._functions(apis, drop_empty=row.drop_empty))
        if row.kind == "status":
            return ProgramTarget(row.kind, InputCodec(Contract), OutputCodec(Status, OutputPolicy.STRICT))
        if row.kind == "jobs":
            return ProgramTarget(row.kind, InputCodec(JobsRequest), OutputCodec(JobsReply, OutputPolicy.STRICT))
        if row.kind == "forget":
            codecs = InputCodec(ForgetRequest), OutputCodec(ForgetReply, OutputPolicy.STRICT)
            return ProgramTarget(row.kind, *codecs, frozenset(row.from_corps))
        return self._callback_target(CallbackDataRequest, row.output_policy or OutputPolicy.PRUNE)

    def _handler(self, name: str, place: str) -> Handler | None:
        try:
            handler = handler_of(self._application.attribute(name))
        except LoaderError as error:
            self.faults.append(f"{place}: {error}")
            return None
        if handler is None:
            self.faults.append(f"{place}: {name} is no handler; mark a function with @wwspec_router.ability")
        return handler

    def _handler_target(self, name: str, row: AbilityRow, place: str) -> HandlerTarget | None:
        handler = self._handler(name, f"{place}: handler")
        if handler is None:
            return None
        request = self._handler_contract(place, "input", row.input, handler.request)
        response = self._handler_contract(place, "output", row.output, handler.response)
        if request is None or response is None:
            return None
        output = OutputCodec(response, row.output_policy or OutputPolicy.STRICT, _pruning_logger(name))
        faults = [] if row.once is None else [f"once: {fault}" for fault in once_faults(row.once, request)]
        if row.trace is not None:
            faults += [f"trace: {fault}" for fault in trace_faults(row.trace, request, row.once)]
        if faults:
            self.faults += [f"{place}: {fault}" for fault in faults]
            return None
        traced = () if row.trace is None else (row.trace,)
        once = None if row.once is None else once_rule(row.once, traced)
        trace = () if row.trace is None else path_of(row.trace)
        return HandlerTarget(handler, InputCodec(request), output, once, trace)

    def _handler_contract(self, place: str, side: str, file: str | None, type_: type | None) -> type | None:
        """Return one side of a handler's contract: from its annotation, or from the file that its row names."""
        if file is not None and type_ is None:
            return self._file_contract(place, side, file)
        if type_ is None:
            self.faults.append(f'{place}: the handler takes a dict, so give {side} = "<file of a console example>"')
            return None
        if file is not None:
            self.faults.append(f"{place}: {side}: the handler's annotation is a contract already; give one of the two")
            return None
        faults = faults_of_type(type_, self._application.folder)
        self.faults += [f"{place}: {side} contract {path}: {why}" for path, why in faults]
        return None if faults else type_

    def _narrowed_target(self, api: str, row: AbilityRow, place: str) -> ApiTarget | None:
        """Return the target of an API under a contract of its own, which must be a subset of the API's."""
        own = self._contracts[api]
        types = []
        for side, file, whole in (("input", row.input, own.request), ("output", row.output, own.response)):
            type_ = whole if file is None else self._file_contract(place, side, file)
            if type_ is not None:
                outside = list(mismatches(console_example(whole), console_example(type_)))
                shown = outside[:_MOST_PLACES]
                self.faults += [f"{place}: {side} {path}: {why} (SDK API {api})" for path, why in shown]
                if more := len(outside) - len(shown):
                    self.faults.append(f"{place}: {side}: {more} more places do not fit (SDK API {api})")
            types.append(type_)
        if None in types:
            return None
        output = OutputCodec(types[1], row.output_policy or OutputPolicy.PRUNE, _pruning_logger(api))
        return ApiTarget(api, InputCodec(types[0], drop_empty=row.drop_empty), output)  # type: ignore[arg-type]  # not None

    def _file_contract(self, place: str, side: str, file: str) -> type | None:
        try:
            return contract_of_file(self._application.folder / file)
        except LoaderError as error:
            self.faults.append(f"{place}: {side}: {error}")
            return None

    def _api_target(self, api: str, policy: OutputPolicy = OutputPolicy.PRUNE, drop_empty: bool = False) -> ApiTarget:
        """Return the target of one API; equal ones share their codecs."""
        key = (api, policy, drop_empty)
        if key not in self._targets:
            contract = self._contracts[api]
            output = _output(contract, policy)
            request = LazyType(lambda: contract.request)
            self._targets[key] = ApiTarget(api, InputCodec(request, drop_empty=drop_empty), output)
        return self._targets[key]

    def _callback_target(
        self, request: type[CallbackDataRequest | AsyncJobRequest], policy: OutputPolicy = OutputPolicy.PRUNE
    ) -> CallbackTarget:
        """Return a target for stored events; those with the same policy share a codec, and report each path once."""
        if policy not in self._event_outputs:
            self._event_outputs[policy] = OutputCodec(self._event_type, policy, _pruning_logger("stored events"))
        return CallbackTarget(InputCodec(request), self._event_outputs[policy])

    def _functions(self, apis: Iterable[str], *, drop_empty: bool) -> dict[str, FunctionTarget]:
        """Return what answers `input.func`: some APIs, and the fetching of stored events."""
        functions: dict[str, FunctionTarget] = {
            api: self._api_target(api, OutputPolicy.PRUNE, drop_empty) for api in apis
        }
        return {**functions, DO_ASYNC_JOB: self._callback_target(AsyncJobRequest)}

    def _add_functions(self, func: FuncTable) -> None:
        """Add an ability for each function: the prefix, and the function's name."""
        functions = self._functions(self._names(func.apis, "func"), drop_empty=func.drop_empty)
        place = self._registry.place("func")
        for name, handler in func.functions.items():
            if not name or not name.isprintable():
                self.faults.append(f"{place}: functions: a function's name is printable text, as input.func has it")
            elif name in functions:
                self.faults.append(f"{place}: functions: {_collision(name, handler)}")
            elif (own := self._own_function(handler, f"{place}: functions: {name}")) is not None:
                functions[name] = own
        for name, each in functions.items():
            self._add(func.prefix + name, FuncTarget({name: each}), func, "func")

    def _own_function(self, name: str, place: str) -> HandlerTarget | None:
        handler = self._handler(name, place)
        if handler is None:
            return None
        if handler.request is None or handler.response is None:
            self.faults.append(f"{place}: {name} takes or returns a dict; annotate it with a Contract and an Output")
            return None
        return self._handler_target(name, AbilityRow(handler=name), place)

    def _names(self, apis: Apis, table: str, key: str | None = None) -> Iterator[str]:
        for api in self._contracts if apis == "*" else apis:
            if api in self._contracts:
                yield api
            else:
                self.faults.append(f"{self._registry.place(table, key)}: {unknown_api(api, self._contracts)}")

    def _check_scenes(self) -> None:
        place = self._registry.place("notify_scenes")
        for event_type in self._registry.notify_scenes:
            if event_type not in self._events:
                fix = did_you_mean(event_type, self._events, f"correct the name, or add schemas/events/{event_type}.py")
                self.faults.append(f"{place}: event {event_type} has no contract; {fix}")


def _collision(name: str, handler: str) -> str:
    other, fix = f"SDK API {name}", ", or leave the API out of apis"
    if name == DO_ASYNC_JOB:
        other, fix = "the fetching of stored events", ""
    return f"{handler} and {other} would both answer input.func {name}; name the function otherwise{fix}"


def _output(contract: ApiContract, policy: OutputPolicy) -> OutputCodec:
    return OutputCodec(LazyType(lambda: contract.response), policy, _pruning_logger(contract.name))


def _pruning_logger(what: str) -> Callable[[str], None]:
    def report(path: str) -> None:
        log.warning("left out of replies, since the contract of %s does not list it: %s", what, path)

    return report


def check_configuration(table: AbilityTable) -> None:
    """Raise ConfigurationError when the table answers nothing at all."""
    if not table.abilities:
        raise ConfigurationError(
            f"{table.registry.path}: no ability is declared; add [passthrough] or a table [abilities.<ability ID>]"
        )
