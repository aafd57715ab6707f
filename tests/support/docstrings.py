"""What a docstring says in Google form, and what the signature and the body of its function need.

Errors are found by reading the source: those that a function raises, and those of the functions of our packages that it
calls by a name, a module, `self` or an annotated argument. What travels through a callable or an untyped attribute is
not seen.
"""

import ast
import doctest
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import FunctionType, ModuleType
from typing import Any, get_type_hints

from scripts.rooms import PACKAGES
from wwspec_contracts.errors import WWSpecError

__all__ = ["Documented", "examples_of", "members_of", "raised_by", "sections_of"]


_HEADING = re.compile(r"^(Args|Attributes|Examples|Raises|Returns|Yields):$", re.MULTILINE)
_ENTRY = re.compile(r"^ {4}(\w+)(?: \([^)]*\))?: +\S", re.MULTILINE)
_NOT_SHOWN = ("self", "cls", "core")
"""`core` is no argument of the methods that the functions of `wwspec_client/endpoints.py` become."""


@dataclass(frozen=True)
class Documented:
    """A function, method or property of the public API."""

    name: str
    function: Callable[..., Any]
    owner: type | None = None
    is_constructor: bool = False
    """Its docstring is that of its class."""

    @property
    def text(self) -> str:
        return inspect.cleandoc((self.owner if self.is_constructor else self.function).__doc__ or "")

    @property
    def parameters(self) -> set[str]:
        names = inspect.signature(self.function).parameters
        return {name for name in names if name not in _NOT_SHOWN and not name.startswith("_")}


def sections_of(text: str) -> dict[str, dict[str, str]]:
    parts = _HEADING.split(inspect.cleandoc(text))
    return {
        title: dict.fromkeys(_ENTRY.findall(body), body) for title, body in zip(parts[1::2], parts[2::2], strict=True)
    }


def members_of(name: str, value: type) -> Iterator[Documented]:
    """Give the public methods and properties of a class, and its constructor where it has one of its own."""
    seen: set[str] = set()
    for owner in value.__mro__:
        if not owner.__module__.startswith(PACKAGES):
            continue
        for key, member in vars(owner).items():
            if key in seen or (key.startswith("_") and key not in ("__init__", "__call__")):
                continue
            seen.add(key)
            function = (
                member.fget if isinstance(member, property) else inspect.unwrap(getattr(member, "__func__", member))
            )
            if isinstance(function, FunctionType) and _is_written(function):
                is_constructor = key == "__init__"
                documented_in = value if is_constructor and owner.__name__.startswith("_") else owner
                yield Documented(f"{name}.{key}", function, documented_in, is_constructor=is_constructor)


def examples_of(objects: Mapping[str, object]) -> dict[str, doctest.DocTest]:
    finder = doctest.DocTestFinder(exclude_empty=True)
    tests = [test for name, value in objects.items() for test in finder.find(value, name, module=False, globs={})]
    return {test.name: test for test in tests if test.examples}


@cache
def raised_by(function: Callable[..., Any]) -> frozenset[type[WWSpecError]]:
    """Return the errors of our packages that a function may raise, as far as its source shows them."""
    return frozenset(_raised(function, frozenset()))


def _is_written(function: FunctionType) -> bool:
    """Return whether a function has source in our packages: a generated one, such as of a dataclass, has none."""
    return (function.__module__ or "").startswith(PACKAGES) and not function.__code__.co_filename.startswith("<")


def _raised(function: Any, above: frozenset[Callable[..., Any]]) -> set[type[WWSpecError]]:
    if isinstance(function, type):
        members = (vars(function).get(name) for name in ("__init__", "__post_init__"))
        return {error for member in members if isinstance(member, FunctionType) for error in _raised(member, above)}
    function = inspect.unwrap(function)
    if not isinstance(function, FunctionType) or function in above or not _is_written(function):
        return set()
    return _Reader(function, above | {function}).of(_body(function))


@cache
def _body(function: FunctionType) -> list[ast.stmt]:
    tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    assert isinstance(tree, ast.FunctionDef | ast.AsyncFunctionDef)
    return tree.body


class _Reader:
    """Reads the body of one function."""

    def __init__(self, function: Callable[..., Any], above: frozenset[Callable[..., Any]]) -> None:
        self._scope: dict[str, Any] = function.__globals__
        self._above = above
        self._owner = _owner_of(function)
        self._arguments = {
            name: hint for name, hint in _hints(function).items() if isinstance(hint, type) and name != "return"
        }

    def of(self, statements: list[Any]) -> set[type[WWSpecError]]:
        found: set[type[WWSpecError]] = set()
        for node in statements:
            found |= self._one(node)
        return found

    def _one(self, node: ast.AST) -> set[type[WWSpecError]]:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() | ast.Lambda():
                return set()  # it runs later, if at all
            case ast.Try():
                return self._of_try(node)
            case ast.Raise(exc=ast.expr() as error):
                found = self._class(error)
                return self._below(node) | ({found} if found else set())
            case ast.Call():
                called = self._called(node.func)
                inside = _raised(called, self._above) if callable(called) else set()
                return self._below(node) | inside
        return self._below(node)

    def _below(self, node: ast.AST) -> set[type[WWSpecError]]:
        return self.of(list(ast.iter_child_nodes(node)))

    def _of_try(self, node: ast.Try) -> set[type[WWSpecError]]:
        found = self.of(node.body)
        for handler in node.handlers:
            caught = self._caught(handler)
            if not any(isinstance(each, ast.Raise) and each.exc is None for each in ast.walk(handler)):
                found = {error for error in found if not issubclass(error, caught)}
        return found | self.of(
            [*(each for handler in node.handlers for each in handler.body), *node.orelse, *node.finalbody]
        )

    def _caught(self, handler: ast.ExceptHandler) -> tuple[type, ...]:
        if handler.type is None:
            return (BaseException,)
        kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        values = [self._value(kind) for kind in kinds]
        return tuple(value for value in values if isinstance(value, type))

    def _class(self, error: ast.expr) -> type[WWSpecError] | None:
        value = self._value(error.func if isinstance(error, ast.Call) else error)
        if isinstance(value, FunctionType):
            value = _hints(value).get("return")
        return value if isinstance(value, type) and issubclass(value, WWSpecError) else None

    def _called(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            name = node.value.id
            owner = self._owner if name in ("self", "cls") else self._arguments.get(name)
            if owner is not None:
                member = inspect.getattr_static(owner, node.attr, None)
                return getattr(member, "__func__", member)
        return self._value(node)

    def _value(self, node: ast.expr) -> Any:
        match node:
            case ast.Name(id=name):
                return self._scope.get(name)
            case ast.Attribute(value=value, attr=name):
                inner = self._value(value)
                return getattr(inner, name, None) if isinstance(inner, ModuleType | type) else None
        return None


@cache
def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return get_type_hints(function)
    except NameError:  # of an import for type checkers only
        return {}


def _owner_of(function: Callable[..., Any]) -> Any:
    """Return the class that a method is defined in; None for a function of a module."""
    name, _, _ = function.__qualname__.rpartition(".")
    return function.__globals__.get(name)
