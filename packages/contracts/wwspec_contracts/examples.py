"""Console examples: the JSON that a team pastes into WeCom's admin console to register a contract [100019].

Values are real ones, never type names: a console example filled with "number, required" refuses every call (790016).
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from wwspec_contracts.shape import ListShape, ObjectShape, Scalar, Shape, shape_of, structs_inside


def console_example(type_: Any) -> Any:
    """Return the JSON value to register for one side of a contract.

    Args:
        type_: The msgspec type of the request or the reply.

    Returns:
        A value with every key of the contract; every JSON that fits the type fits this example.
    """
    return _example(shape_of(type_))


def contract_faults(type_: Any) -> Iterator[tuple[str, str]]:
    """Yield a path and a reason for each part of a type that no console example can express."""
    try:
        structs_inside(type_)
        shape = shape_of(type_)
    except (TypeError, NameError) as error:  # types that msgspec can't decode into, and annotations that name nothing
        yield "$", f"not a type that msgspec takes: {error}"
    except RecursionError:
        yield "$", "not a type that msgspec takes: it is nested too deeply, or contains itself"
    else:
        yield from _faults(shape, "$", ())


def _example(shape: Shape) -> Any:
    match shape:
        case ObjectShape(fields=fields):
            return {name: _example(field.shape) for name, field in fields.items()}
        case ListShape(item=item, example=example, least=least, most=most):
            return example if example is not None else [_example(item)] * (least if least == most else 1)
        case _:
            return shape.example


def _faults(shape: Shape, path: str, above: tuple[int, ...]) -> Iterator[tuple[str, str]]:
    match shape:
        case ObjectShape(fields=fields):
            if id(shape) in above:
                yield path, f"{shape.name} contains itself: the console example would have no end"
                return
            for name, field in fields.items():
                if field.nullable and not _is_open(field.shape):
                    yield (f"{path}.{name}", "may be null, which the platform refuses; use UNSET to leave the key out")
                else:
                    yield from _faults(field.shape, f"{path}.{name}", (*above, id(shape)))
        case ListShape(nullable=True, item=item) if not _is_open(item):
            yield f"{path}[]", "may be null, which the platform refuses; leave the element out"
        case ListShape(item=item):
            yield from _faults(item, f"{path}[]", above)
        case _:
            if shape.fault:
                yield path, shape.fault


def _is_open(shape: Shape) -> bool:
    """Tell whether a type has a fault that says more than that it may be null, as `Any` does."""
    return isinstance(shape, Scalar) and shape.kind == "open"


API_EXAMPLES = Path(__file__).with_name("api_examples.json")

Examples = dict[str, dict[str, Any]]
"""Maps module and type, such as `wwspec_contracts.api.sync_msg` and `Request`, to the console example."""


@cache
def api_examples() -> Examples:
    """Return the examples of all contracts of WeCom, from a file: a start-up compares contracts without importing them.

    `scripts/fix` writes the file from the contracts.
    """
    return msgspec.json.decode(API_EXAMPLES.read_bytes(), type=Examples)
