"""When two calls of an ability are the same: the table `once` of its row, checked against the request's contract."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from wwspec_contracts.errors import did_you_mean
from wwspec_contracts.shape import ObjectShape, Shape, shape_of
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
