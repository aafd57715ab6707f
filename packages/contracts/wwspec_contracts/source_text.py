"""How values, strings, docstrings and names are written as Python source, in the form of ruff format.

Python keeps the docstring of a class; those below its fields are read from its file.
"""

import ast
import inspect
import keyword
import math
import re
import sys
import unicodedata
from collections.abc import Collection
from enum import Enum
from functools import cache, lru_cache
from typing import Any

from wwspec_contracts.errors import WWSpecError
from wwspec_contracts.support.printable import printable

LINE = 120
"""Columns."""
MADE_BY = "Made by `wwspec contracts --client`"
"""The docstring of the module that an enterprise app imports has this text."""


class Name(str):
    """A name where a value could be."""

    __slots__ = ()


class SourceError(WWSpecError):
    """A type has no source.

    Args:
        path: Where it is in the contract.
        why: In a few words.
    """

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path}: {why}")


def class_name(text: str) -> str:
    """Return the name of a class: `chat_digest` becomes `ChatDigest`; empty when nothing is left of the text."""
    words = re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", text))
    name = "".join(word[:1].upper() + word[1:] for word in words)
    return name if name.isidentifier() else f"A{name}" if f"A{name}".isidentifier() and name else ""


def width(line: str) -> int:
    """Return the columns that a line takes: Chinese characters are two wide."""
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in line)


def attribute(key: str, taken: Collection[str]) -> str:
    """Return the attribute for a key: the key itself where it can be one."""
    words = re.sub(r"\W", "_", unicodedata.normalize("NFKC", key))
    name = "".join(each if f"a{each}".isidentifier() else "_" for each in words).lstrip("_")  # \w has more than these
    if not name.isidentifier():
        name = f"key_{name}".rstrip("_")
    while keyword.iskeyword(name) or name in taken:
        name += "_"
    return name


def literal(value: Any, path: str = "$") -> str:
    """Return a value as ruff writes it."""
    match value:
        case None | bool():
            return repr(value)
        case Enum():
            return literal(value.value, path)
        case Name():
            return str(value)
        case str():
            return _string(value)
        case int():
            return repr(int(value))
        case float() if math.isfinite(value):
            return repr(value).replace("e+", "e")
        case list():
            return f"[{', '.join(literal(each, path) for each in value)}]"
        case tuple():
            inside = ", ".join(literal(each, path) for each in value)
            return f"({inside},)" if len(value) == 1 else f"({inside})"
        case dict():
            pairs = (f"{literal(key, path)}: {literal(each, path)}" for key, each in value.items())
            return f"{{{', '.join(pairs)}}}"
    raise SourceError(path, f"the value {value!r} can't be written")


def _string(text: str) -> str:
    """Return a string in double quotes, or in single ones where that saves backslashes."""
    quote = "'" if text.count('"') > text.count("'") else '"'
    escaped = text.replace("\\", "\\\\").replace(quote, f"\\{quote}")
    return f"{quote}{printable(escaped)}{quote}"


def kept(line: str) -> str:
    """Return a statement that ruff does not change, even if it is too long."""
    return line if width(line) <= LINE else f"{line}  # fmt: skip"


def class_doc(text: str) -> list[str]:
    """Return the docstring of a class and an empty line after it; nothing when there is none."""
    lines = _docstring(text)
    return [*lines, ""] if lines else []


def attribute_doc(text: str | None) -> list[str]:
    """Return the text below a field; nothing when there is none."""
    return _docstring(text or "")


def _docstring(text: str) -> list[str]:
    printable = "".join(each if each.isprintable() or each == "\n" else " " for each in inspect.cleandoc(text))
    cleaned = "\n".join(line.rstrip() for line in printable.splitlines()).strip()
    escaped = re.sub('""+|^"|"$', lambda found: '\\"' * len(found[0]), cleaned.replace("\\", "\\\\"))
    if not escaped:
        return []
    if "\n" in escaped:
        return ["" if not line else f"    {line}" for line in f'"""{escaped}\n"""'.split("\n")]
    return [f'    """{escaped}"""']


def docstring(type_: type) -> str:
    """Return the docstring that a class itself has; neither that of a base, nor one that Python made."""
    text = type_.__dict__.get("__doc__")
    return text if isinstance(text, str) and _class_node(type_) is not None else ""


def field_docs(type_: type) -> dict[str, str]:
    """Return the strings below the fields of a class and of its bases, which Python itself does not keep.

    They are empty for fields without one.
    """
    docs: dict[str, str] = {}
    for each in reversed(type_.__mro__):
        node = _class_node(each) if each.__module__.partition(".")[0] not in ("builtins", "enum", "msgspec") else None
        body = node.body if node is not None else []
        for statement, after in zip(body, body[1:], strict=False):
            if target := _target(statement):
                docs[target] = ast.get_docstring(ast.Module([after], [])) or ""
    return docs


def _target(statement: ast.stmt) -> str:
    match statement:
        case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
            return name
    return ""


@lru_cache(256)  # most contracts have the same bases
def _class_node(type_: type) -> ast.ClassDef | None:
    node = _module_node(type_.__module__)
    if type_.__name__ not in _names(type_.__module__):  # a function has made it
        return None
    for name in type_.__qualname__.replace("<locals>.", "").split("."):
        inside = (each for each in ast.walk(node) if getattr(each, "name", "") == name)  # the outermost comes first
        node = next(inside, ast.Module([], []))
    return node if isinstance(node, ast.ClassDef) else None


@cache
def _names(module: str) -> set[str]:
    """Return the names of all functions and classes in a module."""
    return {getattr(each, "name", "") for each in ast.walk(_module_node(module))}


@cache
def _module_node(module: str) -> ast.AST:
    """Return the syntax tree of a module; an empty one for a module without a source."""
    try:
        return ast.parse(inspect.getsource(sys.modules[module]))
    except (KeyError, OSError, TypeError, SyntaxError):
        return ast.Module([], [])
