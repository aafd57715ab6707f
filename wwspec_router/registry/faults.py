"""Says in one line what is wrong with a module of the application, and at which of its lines."""

import inspect
import pkgutil
import re
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import wwspec_contracts
import wwspec_router
from wwspec_contracts.errors import did_you_mean
from wwspec_contracts.examples import contract_faults
from wwspec_contracts.support.printable import error_text
from wwspec_router.codecs.defaults import default_faults

_OF_CONTRACTS = {
    re.compile(r"Required field '(?P<field>.*)' cannot .*", re.DOTALL): (
        "{field} needs a default: a field above has one, in an Output errcode"
    ),
    re.compile(r"Using a .* \((?P<value>.*)\) as a default .*", re.DOTALL): (
        "{value} would be shared: write msgspec.field(default_factory=lambda: {value})"
    ),
}
"""What msgspec says of the class of a contract, and what to say instead."""


def import_fault(name: str, error: BaseException, folder: Path) -> str:
    """Return why a module can't be imported, with the application's file and line.

    Args:
        name: The module.
        error: What its import raised.
        folder: The application folder.
    """
    where = _place(error, folder)
    if isinstance(error, ModuleNotFoundError) and error.name is not None:
        if _is_own(error.name, folder):
            return f"{name} can't be imported: {where}{missing_module(error.name, folder)}"
        return (
            f"{name} can't be imported: {where}it needs {error.name}, which is not installed: "
            "pip install it, and name it in requirements.txt"
        )
    return f"{name} can't be imported: {error_line(error, folder)}"


def error_line(error: BaseException, folder: Path) -> str:
    """Return the last line of the application that an error passed, and the error with its text, in one line."""
    text = error.msg if isinstance(error, SyntaxError) else error_text(error)
    for pattern, better in _OF_CONTRACTS.items():
        if (found := pattern.fullmatch(text)) is not None:
            text = better.format_map(found.groupdict())
    return f"{_place(error, folder)}{' '.join([f'{type(error).__name__}:', *text.split()])}"


def faults_of_type(type_: Any, folder: Path) -> list[tuple[str, str]]:
    """Return the path of each fault of a contract's type, and the reason with the type's place.

    A struct inside the type may be at many paths: of its defaults the path is its name and the field's.
    """
    faults = [(path, f"{why} ({_struct_at(type_, folder)})") for path, why in contract_faults(type_)]
    if faults:  # of such a type no codec can be made, perhaps
        return faults
    return [
        (
            f"$.{field.encode_name}" if struct is type_ else f"{struct.__name__}.{field.name}",
            f"{why} ({_struct_at(struct, folder)})",
        )
        for struct, field, why in default_faults(type_)
    ]


def _struct_at(type_: type, folder: Path) -> str:
    return f"{type_.__name__} at {place_of(type_, folder)}"


def without_repeats(faults: Iterable[str]) -> list[str]:
    """Return faults of rows, but of a module that can't be imported only that of the first row that names it."""
    first: dict[str, str] = {}
    for fault in faults:
        first.setdefault(fault.partition(" can't be imported: ")[2] or fault, fault)
    return list(first.values())


def missing_module(name: str, folder: Path) -> str:
    """Return that the application has no such module, and which one may be meant."""
    package, _, last = name.rpartition(".")
    inside = folder.joinpath(*package.split(".")) if package else folder
    meant = did_you_mean(last, module_names([str(inside)]))
    if not package and name in module_names([str(folder / "abilities")]):
        meant = f"did you mean abilities.{name}?"
    return f"{name}: there is no such module in {folder}{f'; {meant}' if meant else ''}"


def module_names(path: Iterable[str]) -> set[str]:
    """Return the modules in the folders of a package; not those whose names begin with an underscore."""
    return {each.name for each in pkgutil.iter_modules(path) if not each.name.startswith("_")}


def place_of(thing: Any, folder: Path) -> str:
    """Return where a class or function of the application is, such as `abilities/shop.py:12`; else its module."""
    try:
        file, (_, line) = inspect.getfile(thing), inspect.getsourcelines(thing)
    except (OSError, TypeError):  # made at run time
        return str(thing.__module__)
    return f"{_relative(file, folder)}:{line}"


def _place(error: BaseException, folder: Path) -> str:
    """Return the last line of the application that an error passed, such as `abilities/shop.py:12: `."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{_relative(error.filename, folder)}:{error.lineno}: "
    frames = [each for each in traceback.extract_tb(error.__traceback__) if not each.filename.startswith("<frozen")]
    own = [each for each in frames if _is_written_in(Path(each.filename).resolve(), folder)]
    if not (own or frames):
        return ""
    last = (own or frames)[-1]
    return f"{_relative(last.filename, folder)}:{last.lineno}: "


def _is_written_in(file: Path, folder: Path) -> bool:
    """Tell whether a file is the application's, and neither of its environment nor of the framework."""
    others = (sys.prefix, wwspec_router.__path__[0], wwspec_contracts.__path__[0])
    return file.is_relative_to(folder) and not any(file.is_relative_to(Path(each).resolve()) for each in others)


def _relative(file: str, folder: Path) -> str:
    path = Path(file).resolve()
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name


def _is_own(name: str, folder: Path) -> bool:
    """Tell whether a module would be the application's, if it were there."""
    top = name.partition(".")[0]
    return (folder / top).is_dir() or (folder / f"{top}.py").is_file()
