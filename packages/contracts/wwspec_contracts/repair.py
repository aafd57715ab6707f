"""Repairs JSON that almost fits a contract.

WeCom adds keys over time, and its pages disagree on a few spellings. The platform would refuse the whole reply for one
of these (790014). So all is repaired that needs no change of a listed value: unlisted keys and nulls are left out,
`true` becomes 1 where a flag is declared as a number, 1 becomes 1.0 where a fraction is declared, and the other
spelling of a key becomes the declared one.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from wwspec_contracts.shape import Field, ListShape, ObjectShape, Scalar, Shape

Repair = Callable[[Any], Any]

_REPORTED_PATHS = 1000
"""Most paths that one repair remembers: WeCom decides how many there are."""


def make_repair(shape: Shape, on_pruned: Callable[[str], None]) -> Repair:
    """Return a function that repairs decoded JSON of one shape.

    Args:
        shape: The contract.
        on_pruned: Called once for each path at which something was left out.
    """
    reported: set[str] = set()

    def report(path: str) -> None:
        if path not in reported and len(reported) < _REPORTED_PATHS:
            reported.add(path)
            on_pruned(path)

    return lambda value: _repair(shape, value, "$", report)


def drop_empty(shape: Shape, text: str) -> str:
    """Leave optional empty strings out of a request that fits `shape`, at any depth.

    Returns:
        The same string when there was none, else new JSON text.
    """
    value = msgspec.json.decode(text)
    kept = _without_empty(shape, value)
    return text if kept == value else msgspec.json.encode(kept).decode()


def _repair(shape: Shape, value: Any, path: str, report: Callable[[str], None]) -> Any:
    match shape:
        case ObjectShape() if isinstance(value, dict):
            return _repair_object(shape, value, path, report)
        case ListShape(item=item) if isinstance(value, list):
            return [_repair(item, each, f"{path}[]", report) for each in value]
        case Scalar(kind="int", also="bool") if isinstance(value, bool):
            return int(value)
        case Scalar(kind="bool", also="int") if value in (0, 1):
            return bool(value)
        case Scalar(kind="float") if type(value) is int:
            return float(value)
        case _:
            return value


def _repair_object(shape: ObjectShape, value: dict[str, Any], path: str, report: Callable[[str], None]) -> Any:
    repaired: dict[str, Any] = {}
    for key, item in value.items():
        name = key if key in shape.fields else shape.renamed.get(key)
        if name is None or (item is None and _is_droppable(shape.fields[name])):
            report(f"{path}.{key[:64].encode('unicode_escape').decode('ascii')}")
        elif name == key or name not in value:
            repaired[name] = _repair(shape.fields[name].shape, item, f"{path}.{name}", report)
    return repaired


def _is_droppable(field: Field) -> bool:
    return not field.nullable and not field.required


def _without_empty(shape: Shape, value: Any) -> Any:
    match shape:
        case ObjectShape(fields=fields) if isinstance(value, dict):
            return {
                key: _without_empty(fields[key].shape, item) if key in fields else item
                for key, item in value.items()
                if item != "" or key not in fields or fields[key].required
            }
        case ListShape(item=item_shape) if isinstance(value, list):
            return [_without_empty(item_shape, each) for each in value]
        case _:
            return value
