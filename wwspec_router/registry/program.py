"""Connects the table `[program]` with the application: its lifespan, its settings, and what runs around its code.

It also checks that these fit the application's handlers: `Context[Db]` needs a lifespan that yields a Db.
"""

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, NamedTuple, Union, get_args, get_origin, get_type_hints

from wwspec_contracts.errors import LoaderError
from wwspec_router.handlers.ability import BY_POSITION, Handler
from wwspec_router.handlers.around import AROUND_FORM, Around
from wwspec_router.handlers.events import EventHandler
from wwspec_router.handlers.lifespan import LIFESPAN_FORM, Lifespan
from wwspec_router.registry.events import EventTarget
from wwspec_router.registry.faults import place_of
from wwspec_router.registry.file import Registry, parse_registry
from wwspec_router.registry.loader import Application
from wwspec_router.registry.own_settings import OwnSettings
from wwspec_router.registry.targets import Ability, FuncTarget, HandlerTarget

_UNIONS = (Union, UnionType)


class OwnCode(NamedTuple):
    """A handler, or code on an event."""

    place: str
    """Where the registry file names it."""
    handler: Handler | EventHandler


class ProgramRow:
    """What the table names, loaded and checked.

    Args:
        registry: The registry file.
        application: Where the code is.
    """

    def __init__(self, registry: Registry, application: Application) -> None:
        self._application = application
        self._place = registry.place("program")
        self.faults: list[str] = []
        program = registry.program
        self._has_lifespan, self._has_settings = program.lifespan is not None, program.settings is not None
        self.settings: OwnSettings | None = self._load("settings", program.settings, self._settings)
        self.lifespan: Lifespan | None = self._load("lifespan", program.lifespan, self._lifespan)
        self.around: Around | None = self._load("around", program.around, _around)

    def check(self, code: list[OwnCode]) -> None:
        """Note where the application's code does not fit: see the module."""
        sync = [each for each in code if not each.handler.is_async]
        if sync and self.around is not None and self.around.is_async:
            self.faults.append(
                f"{self._place}: around: {self.around.name} is an async generator, which runs around async def code "
                f"only, and {self._name_of(sync[0])} is a def function: make it a def generator, which runs around both"
            )
        state, settings = self._state_type(), self._settings_type()
        for each in code:
            for given, wanted, misfit in zip(
                (state, settings),
                _types_of_context(each.handler),
                (self._state_misfit, self._settings_misfit),
                strict=False,
            ):
                if not _fits(given, wanted):
                    self.faults.append(f"{each.place}: {self._name_of(each)} {misfit(_name(given), _name(wanted))}")

    def _state_misfit(self, given: str, wanted: str) -> str:
        if self._has_lifespan:
            why = f"the lifespan yields {given}: annotate it with {given}, or let the lifespan yield {wanted}"
        else:
            why = f'there is no lifespan: write lifespan = "package.module:function" in [program], and {LIFESPAN_FORM}'
        return f"takes a state of {wanted}, and {why}"

    def _settings_misfit(self, given: str, wanted: str) -> str:
        if self._has_settings:
            why = f"ctx.settings is {given}: annotate it with {given}"
        else:
            why = f'there are no settings: write settings = "package.module:{wanted}" in [program]'
        return f"takes settings of {wanted}, and {why}"

    def _name_of(self, code: OwnCode) -> str:
        function = code.handler.function
        where = place_of(function, self._application.folder)
        return f"{function.__module__}:{function.__qualname__} ({where})"

    def _load(self, key: str, name: str | None, make: Callable[[str, Any], Any]) -> Any:
        """Return what a key names; None, and a fault, when that is not there or has the wrong form."""
        if name is None:
            return None
        try:
            return make(name, self._application.attribute(name))
        except (LoaderError, TypeError) as error:
            self.faults.append(f"{self._place}: {key}: {error}")
        return None

    def _settings(self, name: str, found: Any) -> OwnSettings:
        return OwnSettings(name, found, self._place)

    def _lifespan(self, name: str, found: Any) -> Lifespan:
        if not callable(found):
            raise TypeError(f"{name} is no function; {LIFESPAN_FORM}")
        parameters = [each for each in _parameters(found) if each.default is each.empty]
        if len(parameters) > 1:
            raise TypeError(f"{name} takes the settings at most, and has {len(parameters)} parameters; {LIFESPAN_FORM}")
        if parameters and not self._has_settings:
            raise TypeError(f'{name} takes the settings: write settings = "package.module:Settings" in [program]')
        return Lifespan(name, found, takes_settings=bool(parameters))

    def _state_type(self) -> Any:
        """Return what the lifespan yields, as its annotation says; Any when it does not say."""
        if not self._has_lifespan:
            return NoneType
        function = None if self.lifespan is None else self.lifespan.make
        try:
            hint = get_type_hints(function).get("return", Any)
        except (NameError, TypeError):
            return Any
        return (get_args(hint) or (Any,))[0]

    def _settings_type(self) -> Any:
        if self._has_settings:
            return Any if self.settings is None else self.settings.type
        return NoneType


def declared_settings(folder: Path, registry_path: Path) -> OwnSettings | None:
    """Return what an application declares as its own settings, without loading anything else of it.

    Raises:
        ConfigurationError: The registry file can't be read, or what it names can't be used.
    """
    registry, _ = parse_registry(registry_path)
    name = registry.program.settings
    if name is None:
        return None
    try:
        return OwnSettings(name, Application(folder).attribute(name), registry.place("program"))
    except TypeError as error:
        raise LoaderError(str(error)) from None


def own_code(abilities: dict[str, Ability], events: dict[str, EventTarget]) -> Iterator[OwnCode]:
    """Yield all code of the application."""
    for ability in abilities.values():
        targets = ability.target.functions.values() if isinstance(ability.target, FuncTarget) else (ability.target,)
        for each in targets:
            if isinstance(each, HandlerTarget):
                yield OwnCode(ability.place, each.handler)
    for event in events.values():
        yield OwnCode(event.place, event.handler)


def _around(name: str, found: Any) -> Around:
    if not (inspect.isgeneratorfunction(found) or inspect.isasyncgenfunction(found)):
        inside = getattr(found, "__wrapped__", None)
        if inspect.isgeneratorfunction(inside) or inspect.isasyncgenfunction(inside):
            raise TypeError(f"{name} has a decorator, and must be the generator itself; remove the decorator")
        raise TypeError(f"{name} is no generator function; {AROUND_FORM}")
    parameters = list(inspect.signature(found).parameters.values())
    if len(parameters) != 1 or parameters[0].kind not in BY_POSITION:
        raise TypeError(f"{name} must take one parameter, the run; {AROUND_FORM}")
    return Around(name, found)


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # of a compiled function
        return []
    return [each for each in parameters if each.kind in BY_POSITION]


def _types_of_context(handler: Handler | EventHandler) -> tuple[Any, ...]:
    """Return the types in brackets of the annotation of a handler's context."""
    if not handler.takes_context:
        return ()
    name = list(inspect.signature(handler.function).parameters)[1]
    return get_args(get_type_hints(handler.function)[name])


def _fits(given: Any, wanted: Any) -> bool:
    """Tell whether a value of a type may be one of another. In doubt it may."""
    if given in (Any, object) or wanted in (Any, object):
        return True
    if get_origin(wanted) in _UNIONS:
        return any(_fits(given, each) for each in get_args(wanted))
    if get_origin(given) in _UNIONS:
        return any(_fits(each, wanted) for each in get_args(given))
    given, wanted = (NoneType if each is None else get_origin(each) or each for each in (given, wanted))
    if not (isinstance(given, type) and isinstance(wanted, type)):
        return True
    if getattr(wanted, "_is_protocol", False):
        return given is not NoneType
    try:
        return issubclass(given, wanted)
    except TypeError:
        return True


def _name(type_: Any) -> str:
    return "None" if type_ in (None, NoneType) else getattr(type_, "__qualname__", str(type_))
