"""The pages of public names: signature, text, members.

A class with methods has a page of its own, everything else is on the page of its module.

griffe reads the source without running it, so an entry is the same on every Python.
"""

import ast
import inspect
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from itertools import takewhile
from pathlib import Path
from typing import Any

import griffe

from scripts.reference.public import NAMES
from scripts.reference.text import Say, first_paragraph, linked, paragraphs
from scripts.rooms import PACKAGES, ROOMS

__all__ = ["INTERNAL", "entry_pages", "function_entry", "loaded", "members", "ordered", "place", "summary"]

ROOT = Path(__file__).resolve().parents[2]

_WIDTH = 100
"""Of a signature in one line; a longer one has a line for each argument."""

INTERNAL = {"commit", "open_mailbox", "timeout_error", "MachineControls.follow", "MachineControls.report"}
"""Methods without an underscore that only the package itself calls: of every class, or of one."""

_SHARED = ("BaseContext", "AdministrationClient", "FaultsClient")
"""Bases whose members are shown with those of the classes that share them, as those of private bases are."""

_LABELS = ("async", "classmethod", "staticmethod")
_UNRESOLVED = {
    "UNSET": "The value of an optional field that is left out. It is msgspec's.",
    "UnsetType": "The type of `UNSET`, for annotations. It is msgspec's.",
}
"""Names of compiled modules, which have no source."""


class _Finder(griffe.ModuleFinder):
    """Finds the modules that public names and their bases are in: to read all the others takes longer than the rest."""

    def submodules(self, module: griffe.Module) -> list[tuple[tuple[str, ...], Path]]:
        """Return these of a package."""
        return [each for each in super().submodules(module) if ".".join((module.name, *each[0])) in _modules()]


@cache
def _modules() -> set[str]:
    """Return the modules of all public names and of their bases, with the packages around them."""
    public = [getattr(import_module(module), name) for module, names in NAMES.items() for name in names]
    defined = [each for value in public for each in getattr(value, "__mro__", [value])]
    found = {str(each.__module__) for each in defined if isinstance(each, type) or inspect.isroutine(each)}
    others = {id(each) for each in public if not (isinstance(each, type) or inspect.isroutine(each))}
    ours = {name: module for name, module in sys.modules.items() if name.startswith("wwspec_")}
    found |= {name for name, module in ours.items() if others & {*map(id, vars(module).values())}} | NAMES.keys()
    return {name[:end] for name in found for end in (*(dot.start() for dot in re.finditer(r"\.", name)), len(name))}


@cache
def _packages() -> Any:
    homes = [str(ROOT / package.parent) for package, _ in ROOMS.values()]
    loader = griffe.GriffeLoader(search_paths=homes, docstring_parser=griffe.Parser.google)
    loader.finder = _Finder(homes)
    for name in PACKAGES:
        loader.load(name)
    loader.resolve_aliases()
    return loader.modules_collection


def loaded(path: str) -> Any:
    """Return what the source has at a path such as `wwspec_client.ZoneClient`."""
    found = _packages()[path]
    return found.final_target if found.is_alias else found


def entry_pages(module: str, names: Iterable[str], say: Say) -> dict[str, str]:
    """Return the entries of names of a module by the file of the page, those of the module's own page as one text."""
    names = ordered(names)
    writer = _Writer(module, {name: place(module, name) for name in names}, say)
    pages = {"index.md": ""}
    for name in names:
        file, anchor, _ = place(module, name).partition("#")
        pages[file] = pages.get(file, "") + writer.entry(name, 2 if anchor else 1) + "\n"
    return pages


def place(module: str, name: str) -> str:
    """Return the page of a public name, below the folder of its module; the module's page with an anchor for most."""
    if name not in _UNRESOLVED:
        found = loaded(f"{module}.{name}")
        if found.is_class and any(each.is_function for each in members(found)):
            return f"{name.lower()}.md"
    return f"index.md#{name.lower()}"


def function_entry(function: griffe.Function, say: Say, level: int, owner: str = "") -> str:
    """Return the entry of a function, or of a method of the class `owner`."""
    name = f"{owner}.{function.name}" if owner else function.name
    title = (
        f"{owner}: `{function.name}`" if owner else f"`{name}`"
    )  # not `Task.status`: its anchor is that of TaskStatus
    label = "".join(f"{label} " for label in _LABELS if label in function.labels)
    signatures = [label + _signature(each, name) for each in function.overloads or [function]]
    return "\n".join([_head(level, title, signatures), *_sections(function, say), *_examples(function, say)])


def ordered(names: Iterable[str]) -> list[str]:
    """Return names by their alphabet."""
    return sorted(names, key=str.lower)


def summary(module: str, name: str) -> str:
    """Return what a public name is, as the first paragraph of its docstring says."""
    return _UNRESOLVED.get(name) or first_paragraph(loaded(f"{module}.{name}").docstring.value)


class _Writer:
    """Writes the entries of a module.

    Args:
        module: The module of the names.
        places: Where each name that has an entry has it.
        say: Chooses the language.
    """

    def __init__(self, module: str, places: Mapping[str, str], say: Say) -> None:
        self._module = module
        self._places = places
        self._say = say

    def entry(self, name: str, level: int) -> str:
        """Return the entry of a name, whose heading has a level."""
        if name in _UNRESOLVED:
            return f"{'#' * level} `{name}`\n\n{self._say.of_code(_UNRESOLVED[name])}\n"
        found = loaded(f"{self._module}.{name}")
        if found.is_class:
            return self._class(found, level)
        if found.is_function:
            return function_entry(found, self._say, level)
        value = _quoted(found.value)
        if len(value) > _WIDTH:
            value = "(\n    {}\n)".format(value.replace(" | ", "\n    | "))
        return "\n".join([_head(level, f"`{name}`", [f"{name} = {value}"]), *_sections(found, self._say)])

    def _class(self, found: griffe.Class, level: int) -> str:
        name, say = found.name, self._say
        init = _init(found)
        is_called = "dataclass" in found.labels or any(_parsed(found, "parameters"))
        signature = _signature(init, name) if init and is_called else name
        parts = [_head(level, f"`{name}`", [f"class {signature}"])]
        bases = [each for each in map(str, found.bases) if not each.startswith(("_", "Generic[", *_SHARED))]
        if bases:
            parts.append(say("Base: ", "基类：") + ", ".join(map(self._base, bases)) + "\n")
        parts += _sections(found, say)
        documented = list(members(found))
        parts += _list(say("Attributes:", "属性："), _attributes(found, documented, say), say)
        parts += _examples(found, say)
        methods = [each for each in documented if each.is_function]
        parts += [function_entry(each, say, level + 1, name) for each in methods]
        text = "\n".join(parts)
        for variable, type_ in _type_arguments(found).items():
            text = re.sub(rf"\b{variable}\b", type_, text)
        return text

    def _base(self, base: str) -> str:
        name = base.partition("[")[0]
        return f"[`{name}`]({self._places[name]})" if name in self._places else f"`{name}`"


def _init(found: griffe.Class) -> Any:
    init: Any = found.all_members.get("__init__")
    return init.final_target if init is not None and init.is_alias else init


def members(found: griffe.Class) -> Iterator[Any]:
    """Yield the public members of a class that have a docstring, those of private bases first."""
    private = takewhile(lambda each: each.name.startswith(("_", *_SHARED)), found.mro())
    by_name: dict[str, Any] = {}
    for owner in (*reversed(list(private)), found):
        by_name |= owner.members
    for name, member in by_name.items():
        is_internal = name.startswith("_") or not INTERNAL.isdisjoint((name, f"{found.name}.{name}"))
        if not is_internal and member.docstring is not None:
            yield member


def _type_arguments(found: griffe.Class) -> dict[str, str]:
    """Return what each type variable of the generic bases of a class stands for in it."""
    arguments: dict[str, str] = {}
    by_name = {each.name: each for each in found.mro()}
    for owner in (found, *by_name.values()):
        for name, types in _subscripts(owner):
            if name in by_name:
                variables = next((names for base, names in _subscripts(by_name[name]) if base == "Generic"), types)
                arguments |= {
                    variable: arguments.get(type_, type_)
                    for variable, type_ in zip(variables, types, strict=True)
                    if variable not in arguments and variable != type_
                }
    return arguments


def _subscripts(found: griffe.Class) -> Iterator[tuple[str, list[str]]]:
    """Yield the bases of a class that have type arguments: name and arguments."""
    for base in found.bases:
        tree = ast.parse(_quoted(base), mode="eval").body
        if isinstance(tree, ast.Subscript):
            given = tree.slice.elts if isinstance(tree.slice, ast.Tuple) else [tree.slice]
            yield ast.unparse(tree.value), [ast.unparse(each) for each in given]


def _attributes(found: griffe.Class, members: Sequence[Any], say: Say) -> Iterator[tuple[str, str]]:
    """Yield the declaration and the text of each attribute, from its own docstring or from that of its class."""
    for section in _parsed(found, "attributes"):
        for each in section.value:
            yield _declaration(found.all_members[each.name], _init(found)), _translated(each.description, say)
    for member in members:
        if member.is_attribute:
            text = re.sub("([:：])\n\n- ", r"\1 ", "\n".join(_sections(member, say)))  # a list of one error
            yield _declaration(member, _init(found)), text.strip()


def _declaration(attribute: Any, init: Any) -> str:
    """Return the name of an attribute with its type and, for a field, its default."""
    annotation, value = attribute.annotation, attribute.value
    if annotation is None and init is not None and f"{value}" in init.parameters:  # self.name = name
        annotation = init.parameters[f"{value}"].annotation
    annotation = _plain(annotation)
    text = attribute.name + (f": {annotation}" if annotation else "")
    is_field = "class-attribute" in attribute.labels and value is not None and not f"{value}".startswith("field(")
    return f"{text} = {_quoted(value)}" if is_field else text


def _plain(annotation: Any) -> Any:
    """Return a type without the limits of its values."""
    while isinstance(annotation, griffe.ExprSubscript) and str(annotation.left) == "Annotated":
        annotation = next(iter(getattr(annotation.slice, "elements", [None])))
    return annotation


def _quoted(expression: Any) -> str:
    """Return an expression with the quotes of the source's format: griffe writes others."""
    text = f"{expression}"
    return text if '"' in text else text.replace("'", '"')


def _head(level: int, title: str, signatures: Sequence[str]) -> str:
    lines = "\n".join(signatures)
    return f"{'#' * level} {title}\n\n```py\n{lines}\n```\n"


def _parsed(found: Any, *kinds: str) -> Iterator[Any]:
    """Yield the sections of a docstring that are of these kinds."""
    if found.docstring is not None:
        options = {"returns_named_value": False, "returns_multiple_items": False, "warnings": False}
        yield from (each for each in found.docstring.parse("google", **options) if each.kind.value in kinds)


def _sections(found: Any, say: Say) -> Iterator[str]:
    """Yield what a docstring says, but for attributes and examples."""
    for section in _parsed(found, "text", "parameters", "returns", "yields", "raises"):
        match section.kind.value:
            case "text":
                yield _translated(section.value, say) + "\n"
            case "parameters":
                arguments = ((each.name, _translated(each.description, say)) for each in section.value)
                yield from _list(say("Arguments:", "参数："), arguments, say)
            case "raises":
                errors = ((f"{each.annotation}", _translated(each.description, say)) for each in section.value)
                yield from _list(say("Raises:", "异常："), errors, say)
            case kind:
                title = say("Returns: ", "返回：") if kind == "returns" else say("Yields: ", "逐个产生：")
                yield f"{title}{_translated(section.value[0].description, say)}\n"


def _examples(found: Any, say: Say) -> Iterator[str]:
    for section in _parsed(found, "examples"):
        yield say("Examples:", "示例：") + "\n"
        for kind, text in section.value:
            yield f"```pycon\n{text}\n```\n" if kind.value == "examples" else f"{_translated(text, say)}\n"


def _list(title: str, items: Iterable[tuple[str, str]], say: Say) -> Iterator[str]:
    colon = say(": ", "：")
    lines = [f"- `{name}`{colon}{text}".replace("\n\n", "\n\n  ") for name, text in items]
    if lines:
        yield f"{title}\n"
        yield "\n".join(lines) + "\n"


def _translated(text: str, say: Say) -> str:
    """Return a text of a docstring in the language of the page, paragraph by paragraph."""
    return "\n\n".join(linked(say.of_code(each)) for each in paragraphs(text).split("\n\n"))


def _signature(function: griffe.Function, name: str) -> str:
    """Return a signature; when it is long, with a line for each argument."""
    for each in function.parameters:
        each.default, each.annotation = _value(each.default), _plain(each.annotation)
    is_class = function.name == "__init__"
    return _wrapped(_quoted(function.signature(name=name, return_type=not is_class)))


def _value(default: Any) -> Any:
    """Return a default as it is, not by the name of a constant of the package."""
    if isinstance(default, griffe.ExprName):
        path = default.canonical_path
        if path.startswith("wwspec_"):
            return loaded(path).value
    return default


def _wrapped(signature: str) -> str:
    if len(signature) <= _WIDTH:
        return signature
    start = last = signature.index("(") + 1
    arguments, depth = [], 0
    for place, character in enumerate(signature[start:], start):
        if depth == 0 and character in ",)":
            arguments.append(signature[last:place].strip())
            last = place + 1
            if character == ")":
                break
        depth += (character in "([") - (character in ")]")
    return "\n".join([signature[:start], *(f"    {each}," for each in arguments), f"){signature[last:]}"])
