"""Loads handlers and contracts: the shipped contracts of WeCom, and those of the application, which replace them.

`schemas/api/<api>.py` and `schemas/events/<event_type>.py` of the application replace the shipped contract of that
name, or add one. Shipped contracts are imported when they are first used; those of the application at once, so that
their faults are reported before the port is opened.

The framework never imports `abilities` and `schemas` by name. It puts the application folder first on `sys.path` and
imports through here, and refuses a package of the same name from anywhere else: two copies of one contract would be two
different types. It does not know the registry file or ability IDs.
"""

import importlib
import re
import sys
from functools import cached_property
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import module_from_spec
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, Self, TypeVar

from wwspec_contracts import api as wecom_api, events as wecom_events
from wwspec_contracts.base import ApiRequest, Contract, Output
from wwspec_contracts.errors import LoaderError, did_you_mean
from wwspec_contracts.examples import api_examples, console_example
from wwspec_router.registry.faults import faults_of_type, import_fault, missing_module, module_names

ContractT = TypeVar("ContractT", bound=Contract)

_TARGET = re.compile(r"(?!\d)\w+(\.(?!\d)\w+)*:(?!\d)\w+")
LONGEST_TARGET = 200
"""Most characters of a name that a fault proposes."""


class ModuleContract:
    """A contract that fills a module. The module is imported when a type of it is first asked for.

    Args:
        package: The package of the module: `schemas.api`, for example.
        name: The name of the module, which is that of the API or event.
        is_own: Whether it is the application's.
        replaces: The shipped contract that this one of the application replaces.
    """

    kind: ClassVar[str]
    """What the contract is of."""
    bases: ClassVar[dict[str, type[Contract]]]
    """The base class of each type of the module, by the type's name."""

    def __init__(self, package: str, name: str, *, is_own: bool = False, replaces: Self | None = None) -> None:
        self.name = name
        self.module = f"{package}.{name}"
        self.is_own = is_own
        self.replaces = replaces
        self.files: tuple[str, ...] = (self.file,)
        """All files that it is made of."""

    @property
    def file(self) -> str:
        """The file of its module, such as `schemas/api/sync_msg.py`."""
        return f"{self.module.replace('.', '/')}.py"

    def check(self, folder: Path) -> None:
        """Raise LoaderError when the module lacks a type, or one has a fault, such as a default that does not fit.

        Args:
            folder: The application folder.
        """
        faults = [
            f"{self.file}: {name} {path}: {why}"
            for name, base in self.bases.items()
            for path, why in faults_of_type(self._type(name, base), folder)
        ]
        if faults:
            raise LoaderError("\n".join(faults))

    def example(self, attribute: str) -> Any:
        """Return the console example of one of its types; no shipped contract is imported for it."""
        if self.is_own:
            return console_example(self._type(attribute, self.bases[attribute]))
        return api_examples()[self.module][attribute]

    def _type(self, attribute: str, base: type[ContractT]) -> type[ContractT]:
        found = getattr(importlib.import_module(self.module), attribute, None)
        if not (isinstance(found, type) and issubclass(found, base)):
            raise LoaderError(
                f"{self.file}: must define {attribute} as a subclass of wwspec_contracts.base.{base.__name__}"
            )
        return found


class ApiContract(ModuleContract):
    """The contract of one SDK API."""

    kind = "SDK API"
    bases: ClassVar = {"Request": ApiRequest, "Response": Output}
    declared_by = ""
    """The ability ID of the row whose examples it is; empty for that of a module."""

    @cached_property
    def request(self) -> type[ApiRequest[Any]]:
        """`Request` of its module."""
        return self._type("Request", ApiRequest)

    @cached_property
    def response(self) -> type[Output]:
        """`Response` of its module."""
        return self._type("Response", Output)


class EventContract(ModuleContract):
    """The contract of one event."""

    kind = "event"
    bases: ClassVar = {"Event": Contract}

    @cached_property
    def event(self) -> type[Contract]:
        """`Event` of its module."""
        return self._type("Event", Contract)


ContractOfModuleT = TypeVar("ContractOfModuleT", bound=ModuleContract)


def shipped_apis() -> list[ApiContract]:
    """Return the contracts of all SDK APIs that come with this package."""
    return [ApiContract(wecom_api.__name__, name) for name in module_names(wecom_api.__path__)]


class Application:
    """One application folder.

    Args:
        folder: Holds the packages `abilities` and `schemas`, or only one of them, or none.

    Raises:
        LoaderError: The folder does not exist.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._own: set[str] = set()
        if not self.folder.is_dir():
            raise LoaderError(f"{folder}: there is no such folder; name the application's folder with --app")
        if str(self.folder) not in sys.path:
            sys.path.insert(0, str(self.folder))
            importlib.invalidate_caches()

    def api_contracts(self) -> dict[str, ApiContract]:
        """Return the contract of each SDK API by the API's name; those of the application are imported and checked.

        Raises:
            LoaderError: A module of the application does not import, lacks `Request` or `Response`, or has a type that
                no console example can express.
        """
        return self._contracts(ApiContract, "schemas.api", wecom_api)

    def event_contracts(self) -> dict[str, EventContract]:
        """Return the contract of each event by its event_type; those of the application are imported and checked.

        Raises:
            LoaderError: A module of the application does not import, lacks `Event`, or has a type that no console
                example can express.
        """
        return self._contracts(EventContract, "schemas.events", wecom_events)

    def attribute(self, target: str) -> Any:
        """Import `module:attribute` from the application.

        Raises:
            LoaderError: The text has another form, the module does not import, or it has no such attribute.
        """
        if not _TARGET.fullmatch(target):
            raise LoaderError(f'"{target}" must have the form "{_likely_target(target)}"')
        name, _, attribute = target.partition(":")
        module = self.module(name)
        try:
            return getattr(module, attribute)
        except AttributeError:
            meant = did_you_mean(attribute, [each for each in vars(module) if not each.startswith("_")])
            raise LoaderError(
                f'"{target}": module {name} has no attribute {attribute}{f"; {meant}" if meant else ""}'
            ) from None

    def _contracts(
        self, kind: type[ContractOfModuleT], package: str, shipped_package: ModuleType
    ) -> dict[str, ContractOfModuleT]:
        """Return the shipped contracts, replaced by those of the application where it has them, sorted by name.

        Args:
            kind: What to make of each module.
            package: The application's package, which need not exist.
            shipped_package: The package of the shipped contracts.
        """
        contracts = {name: kind(shipped_package.__name__, name) for name in module_names(shipped_package.__path__)}
        for name in sorted(self._own_names(package)):
            contracts[name] = kind(package, name, is_own=True, replaces=contracts.get(name))
            self.module(contracts[name].module)
            contracts[name].check(self.folder)
        return dict(sorted(contracts.items()))

    def _own_names(self, package: str) -> set[str]:
        top, _, _ = package.partition(".")
        if (self.folder / top).is_dir():
            self.module(top)  # for handlers that import it, too: a foreign package is reported
        if not self.folder.joinpath(*package.split(".")).is_dir():
            return set()
        return module_names(self.module(package).__path__)

    def module(self, name: str) -> ModuleType:
        """Import a module of the application.

        Raises:
            LoaderError: It is not there, it does not import, or it is not the application's.
        """
        top = name.partition(".")[0]
        if top != name:
            self.module(top)  # first and alone, so that a foreign package is reported as such
        elif name not in sys.modules and self._lacks_init(name):
            sys.modules[name] = _package_without_init(name, self.folder / name)
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
                raise LoaderError(missing_module(error.name, self.folder)) from None
            raise LoaderError(import_fault(name, error, self.folder)) from error
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a module may raise anything
            raise LoaderError(import_fault(name, error, self.folder)) from error
        if top == name and name not in self._own:
            self._require_own(module)
            self._own.add(name)
        return module

    def _lacks_init(self, package: str) -> bool:
        """Tell whether a top-level package is a folder of the application without an `__init__.py`."""
        spec = PathFinder.find_spec(package, [str(self.folder)])
        return spec is not None and spec.loader is None and package not in sys.stdlib_module_names

    def _require_own(self, package: ModuleType) -> None:
        """Raise LoaderError when a top-level package is, wholly or in part, not the application's."""
        name = package.__name__
        if name in sys.stdlib_module_names:
            raise LoaderError(
                f"{name} is a module of Python itself; the application's own modules are in {self.folder}"
            )
        file = getattr(package, "__file__", None)
        for folder in getattr(package, "__path__", []) if file is None else [Path(file).parent]:
            if not Path(folder).resolve().is_relative_to(self.folder):
                raise LoaderError(
                    f"{name} was imported from {folder}, not from {self.folder}: "
                    f"another package named {name} comes first; uninstall or rename it"
                )


def _likely_target(target: str) -> str:
    """Return the likely meaning of a text in another form: a file's name, or a point instead of the colon."""
    likely = target.replace(".py", "").replace("/", ".")
    if ":" not in likely:
        likely = ":".join(likely.rsplit(".", 1)) if likely.count(".") > 1 else f"{likely}:function"
    return likely if len(likely) <= LONGEST_TARGET and _TARGET.fullmatch(likely) else "package.module:function"


def _package_without_init(name: str, folder: Path) -> ModuleType:
    """Return the package of this folder. Python would prefer any other package of that name with an __init__.py."""
    spec = ModuleSpec(name, None, is_package=True)
    spec.submodule_search_locations = [str(folder)]
    return module_from_spec(spec)
