"""Loads the application: the folder that holds `abilities/` and `schemas/`.

The framework never imports those two packages by name. It puts the application folder first on `sys.path` and
imports through here, and refuses a package of the same name from anywhere else: two copies of one contract would be
two types that don't know each other. It is not aware of the registry file or of ability IDs.
"""

import importlib
import pkgutil
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from wwspec_router.contracts import ApiRequest, Contract, Output
from wwspec_router.errors import LoaderError

__all__ = ["ApiContract", "Application"]


class ApiContract(msgspec.Struct, frozen=True):
    """The contract of one SDK API."""

    name: str
    request: type[ApiRequest[Any]]
    response: type[Output]


class Application:
    """One application folder.

    Args:
        folder: Holds the packages `abilities` and `schemas`.

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
        """Import every module of `schemas/api/`; the module's name is the API's name.

        Raises:
            LoaderError: A module does not import or lacks `Request` or `Response`.
        """
        contracts = {}
        for name, module in self._modules("schemas.api").items():
            request, response = getattr(module, "Request", None), getattr(module, "Response", None)
            _require(module, "Request", request, ApiRequest)
            _require(module, "Response", response, Output)
            contracts[name] = ApiContract(name, request, response)  # type: ignore[arg-type]  # checked above
        return contracts

    def event_contracts(self) -> dict[str, type[Contract]]:
        """Import every module of `schemas/events/`; the module's name is the event_type.

        Raises:
            LoaderError: A module does not import or lacks `Event`.
        """
        contracts: dict[str, type[Contract]] = {}
        for name, module in self._modules("schemas.events").items():
            event = getattr(module, "Event", None)
            _require(module, "Event", event, Contract)
            contracts[name] = event  # type: ignore[assignment]  # checked above
        return contracts

    def attribute(self, target: str) -> Any:
        """Import `module:attribute` from the application.

        Raises:
            LoaderError: The text has another form, the module does not import, or it has no such attribute.
        """
        name, colon, attribute = target.partition(":")
        if not (colon and attribute.isidentifier() and all(each.isidentifier() for each in name.split("."))):
            raise LoaderError(f'"{target}" must have the form "package.module:attribute"')
        module = self._import(name)
        try:
            return getattr(module, attribute)
        except AttributeError:
            raise LoaderError(f'"{target}": module {name} has no attribute {attribute}') from None

    def _modules(self, package_name: str) -> dict[str, ModuleType]:
        package = self._import(package_name)
        names = sorted(each.name for each in pkgutil.iter_modules(package.__path__) if not each.name.startswith("_"))
        return {name: self._import(f"{package_name}.{name}") for name in names}

    def _import(self, name: str) -> ModuleType:
        top = name.partition(".")[0]
        if top != name:
            self._import(top)  # first and alone, so that a foreign package is told as such
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
                raise LoaderError(f"{name}: there is no such module in {self.folder}") from None
            raise LoaderError(f"{name} can't be imported: it needs {error.name}, which is not installed") from error
        except (Exception, SystemExit) as error:
            raise LoaderError(f"{name} can't be imported: {_where(error)}") from error
        if top == name and name not in self._own:
            self._require_own(module)
            self._own.add(name)
        return module

    def _require_own(self, package: ModuleType) -> None:
        name, file = package.__name__, getattr(package, "__file__", None)
        if name in sys.stdlib_module_names:
            raise LoaderError(
                f"{name} is a module of Python itself; the application's own modules lie in {self.folder}"
            )
        if file is None:
            raise LoaderError(f"{name} has no __init__.py; add an empty one in {self.folder}")
        if not Path(file).resolve().is_relative_to(self.folder):
            raise LoaderError(
                f"{name} was imported from {Path(file).parent}, not from {self.folder}: "
                f"another package named {name} comes first; uninstall or rename it"
            )


def _require(module: ModuleType, name: str, found: Any, base: type) -> None:
    if not (isinstance(found, type) and issubclass(found, base)):
        raise LoaderError(
            f"{module.__name__} must define {name} as a subclass of wwspec_router.contracts.{base.__name__}"
        )


def _where(error: BaseException) -> str:
    text = " ".join([f"{type(error).__name__}:", *str(error).split()])
    if isinstance(error, SyntaxError):  # says itself where
        return text
    frames = [each for each in traceback.extract_tb(error.__traceback__) if not each.filename.startswith("<frozen")]
    return f"{text} ({Path(frames[-1].filename).name}, line {frames[-1].lineno})"
