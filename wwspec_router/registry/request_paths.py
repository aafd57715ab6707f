"""Values of a request that the row of its ability names, checked against the request's contract.

The table `once` says when two calls are the same, the key `trace` where a request carries a W3C traceparent.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from wwspec_contracts.errors import did_you_mean
from wwspec_contracts.shape import ObjectShape, Scalar, Shape, shape_of
from wwspec_router.logs.traceparent import traceparent_of
from wwspec_router.registry.file import OnceRow

Path = tuple[str, ...]
"""The keys that lead to a value of a request; none for the request itself."""

WHOLE = "*"
"""The key that stands for the whole request."""


class OnceRule(msgspec.Struct, frozen=True, kw_only=True):
    """How an ability runs once."""

    key: Path
    """The value by which a call is recognised."""
    ignore: tuple[Path, ...]
    """Values in which repeats may differ."""
    ttl: float
    """Seconds for which a reply is kept."""
    keep_errors: bool
    """Whether errors are kept, too."""


def once_rule(row: OnceRow, ignore: Iterable[str] = ()) -> OnceRule:
    """Return the rule of a row without faults.

    Args:
        row: The row.
        ignore: Values in which repeats may differ, beside those of the row.
    """
    return OnceRule(
        key=path_of(row.key),
        ignore=tuple(path_of(each) for each in (*row.ignore, *ignore)),
        ttl=row.ttl,
        keep_errors=row.keep_errors,
    )


def once_faults(row: OnceRow, request: Any) -> Iterator[str]:
    """Yield the faults of a row: values that the contract of the requests does not have."""
    shape = shape_of(request)
    for name, paths in (("key", [row.key]), ("ignore", row.ignore)):
        for path in paths:
            if path != WHOLE or name == "ignore":
                yield from (f"{name}: {fault}" for fault in path_faults(shape, path))
    if row.key in row.ignore:
        yield f"ignore: {row.key} is the key; leave it out"


def path_text(path: Path) -> str:
    """Return a path as it is written in errors, such as `$.order.id`."""
    return ".".join(("$", *path))


def path_of(text: str) -> Path:
    """Return the path that a row has as text."""
    return () if text == WHOLE else tuple(text.split("."))


def path_faults(shape: Shape, path: str) -> Iterator[str]:
    """Yield the fault of a path that the contract of the requests does not have."""
    for name in path.split("."):
        if not isinstance(shape, ObjectShape):
            yield f"{path}: {name} is looked for in what is no object in the request's contract"
            return
        field = shape.fields.get(name)
        if field is None:
            fix = did_you_mean(name, shape.fields, f"known: {', '.join(shape.fields)}")
            yield f"{path}: the request's contract has no key {name} there; {fix}"
            return
        shape = field.shape


def trace_faults(path: str, request: Any, once: OnceRow | None) -> Iterator[str]:
    """Yield the faults of a path: a value that the contract of the requests does not have, or that is no text."""
    shape, required = shape_of(request), False
    faults = list(path_faults(shape, path))
    if faults:
        yield from faults
        return
    for name in path.split("."):
        if isinstance(shape, ObjectShape):
            required, shape = shape.fields[name].required, shape.fields[name].shape
    if not (isinstance(shape, Scalar) and shape.kind == "str") or required:
        yield f'{path}: a traceparent is a text that may be missing; declare the key as str, with the default ""'
    if once is not None and once.key == path:
        yield f"{path} is the key of once, which is the same in repeats; a traceparent is another one each time"


def reader_of(path: Path) -> Callable[[str], str]:
    """Return a function that returns the traceparent of a request's JSON text; empty when it has none."""
    type_: Any = Any
    for name in reversed(path):
        type_ = msgspec.defstruct("Traced", [("value", type_, None)], rename={"value": name})
    decoder = msgspec.json.Decoder(type_)
    depth = len(path)

    def read(text: str) -> str:
        try:
            value = decoder.decode(text)
        except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):  # the contract reports it
            return ""
        for _ in range(depth):
            value = getattr(value, "value", None)
        return traceparent_of(value)

    return read
