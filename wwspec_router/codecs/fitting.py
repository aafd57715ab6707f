"""The quick check of a contract: compiled code, without Python objects, finds out whether a JSON text certainly fits.

The compiled module is optional. Without it, or with `WWSPEC_PURE=1` in the environment, msgspec checks every text. With
it, msgspec only checks texts that do not certainly fit. Results and errors are the same.
"""

import os
from collections.abc import Callable
from functools import partial
from sys import maxsize

from wwspec_contracts.shape import ListShape, ObjectShape, Scalar, Shape

Fits = Callable[[str], bool]
"""True when a text certainly fits; False says nothing."""

Plan = tuple[object, ...] | None
"""The argument of `speedups.Fitter`: a node is its kind and its parts, or None where no text certainly fits."""

_LEAST, _MOST = -(2**63), 2**63 - 1
_MAX_DEPTH, _MAX_KEYS = 64, 64
"""The limits of speedups.c."""


def _find() -> tuple[Callable[[Plan], Fits] | None, str]:
    """Return the function that makes a quick check of a plan, or None; and what checks contracts, for people."""
    if os.environ.get("WWSPEC_PURE", "") not in ("", "0"):
        return None, "msgspec alone (WWSPEC_PURE is set)"
    try:
        from wwspec_router.codecs.speedups import Fitter
    except ImportError:
        return None, "msgspec alone (the compiled part, only faster, is in the wheel for CPython 3.12 on Linux)"
    return lambda plan: Fitter(plan).fits, "compiled code and msgspec"


_compiled, ENGINE = _find()
"""`ENGINE` is the name, for people, of what checks contracts in this process."""


def make_fitter(shape: Shape, *, is_request: bool) -> Fits | None:
    """Return the quick check of a contract; None without the compiled module, or when the contract has no quick check.

    Args:
        shape: The contract's type.
        is_request: Whether strings have the limits in bytes of a request.
    """
    plan = plan_of(shape, is_request=is_request)
    if _compiled is None or plan is None:
        return None
    try:
        return _compiled(plan)
    except ValueError:  # larger than any contract of WeCom's
        return None


def plan_of(shape: Shape, *, is_request: bool, above: tuple[int, ...] = ()) -> Plan:
    """Return the plan of a contract, or of its part below others; None when no text would certainly fit."""
    if len(above) >= _MAX_DEPTH or id(shape) in above:
        return None
    plan = partial(plan_of, is_request=is_request, above=(*above, id(shape)))
    match shape:
        case Scalar(hidden=False):
            return _scalar(shape, is_request)
        case ListShape(hidden=False):
            return "list", plan(shape.item), shape.least, maxsize if shape.most is None else shape.most
        case ObjectShape(hidden=False) if len(shape.fields) <= _MAX_KEYS:
            keys = [(key, plan(field.shape), field.required) for key, field in shape.fields.items()]
            return ("object", tuple(keys)) if all(map(_is_plain, shape.fields)) else None
        case _:
            return None


def _scalar(scalar: Scalar, is_request: bool) -> Plan:
    least, most = scalar.least, scalar.most
    match scalar.kind:
        case "str" if scalar.choices:
            return ("texts", scalar.choices) if all(type(each) is str for each in scalar.choices) else None
        case "str":
            limit = scalar.max_bytes if is_request else None
            return "text", least or 0, maxsize if most is None else most, maxsize if limit is None else _within(limit)
        case "int" if scalar.choices:
            integers = sorted(each for each in scalar.choices if type(each) is int and _LEAST <= each <= _MOST)
            return "integers", tuple(integers)
        case "int":
            return "integer", _within(_LEAST if least is None else least), _within(_MOST if most is None else most)
        case "bool":
            return ("boolean",)
        case _:
            return None


def _within(value: int) -> int:
    return max(_LEAST, min(_MOST, value))


def _is_plain(key: str) -> bool:
    """Whether a key is written in JSON without an escape."""
    return key.isprintable() and '"' not in key and "\\" not in key
