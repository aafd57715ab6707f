"""Where the requests of an ability carry a W3C traceparent: the key `trace` of its row, checked by the contract."""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from wwspec_contracts.shape import ObjectShape, Scalar, shape_of
from wwspec_router.logs.traceparent import traceparent_of
from wwspec_router.registry.file import OnceRow
from wwspec_router.registry.once import Path, path_faults


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
