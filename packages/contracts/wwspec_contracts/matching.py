"""The platform's matching rule: does a JSON value fit a contract's JSON example [100019]?

The page says: a JSON passes when it is a *subset* of the example, that is, each of its keys occurs there with the same
value type; keys may be missing. The page leaves some cases open. Here they are decided once, in the strict way, so that
a JSON that passes here passes the platform under any reading:

* `1` and `1.0` are of different types, and so are `true` and `1`;
* `null` fits only an example's `null`;
* each element of an array must fit the example's element, and an empty array fits any array; an example with
  several elements is read as their common shape: the objects' keys taken together;
* nothing but an empty array or object fits an example's empty array or object;
* no nesting deeper than `MAX_DEPTH`.

Used by the framework, the emulator and the command line alike. It knows JSON values, not msgspec types.
"""

from collections.abc import Iterator
from typing import Any

MAX_DEPTH = 64
"""Arrays and objects inside one another; deeper values are a mismatch."""


def mismatches(example: Any, value: Any) -> Iterator[tuple[str, str]]:
    """Yield a path and a reason for each place where `value` does not fit `example`.

    Args:
        example: The contract's JSON example, decoded.
        value: The JSON to test, decoded.

    Yields:
        Pairs such as `("$.msg_list[0].msgid", "expected a string, got an integer")`.
    """
    yield from _compare(example, value, "$", 0, {})


def matches(example: Any, value: Any) -> bool:
    """Tell whether `value` fits `example`."""
    return next(mismatches(example, value), None) is None


def kind(value: Any) -> str:
    """Name the JSON type of a decoded value, with its article."""
    return _KINDS.get(type(value), "null")


_KINDS: dict[type, str] = {
    bool: "a boolean",
    int: "an integer",
    float: "a number with a fraction",
    str: "a string",
    list: "an array",
    dict: "an object",
}


def _compare(example: Any, value: Any, path: str, depth: int, elements: dict[int, Any]) -> Iterator[tuple[str, str]]:
    """Yield the mismatches below a path; `elements` has the element of each array of the example, by the array's id."""
    if depth > MAX_DEPTH:
        yield path, f"nested deeper than {MAX_DEPTH} levels"
    elif kind(example) != kind(value):
        yield path, f"expected {kind(example)}, got {kind(value)}"
    elif isinstance(value, dict):
        for key, item in value.items():
            if key in example:
                yield from _compare(example[key], item, f"{path}.{key}", depth + 1, elements)
            else:
                yield f"{path}.{key}", "this key is not in the contract"
    elif isinstance(value, list) and value:
        if not example:
            yield path, "the contract's array is empty, so no element is known"
        else:
            if id(example) not in elements:
                elements[id(example)] = merged(example)
            for index, item in enumerate(value):
                yield from _compare(elements[id(example)], item, f"{path}[{index}]", depth + 1, elements)


def merged(examples: list[Any], depth: int = 0) -> Any:
    """Return the common shape of several examples: the keys of objects taken together, else the first value.

    Args:
        examples: One or more.
        depth: How deep they are inside what is merged: what is too deep for any contract is left as it is.
    """
    first = examples[0]
    if len(examples) == 1 or depth > MAX_DEPTH:
        return first
    if isinstance(first, dict):
        values: dict[str, list[Any]] = {}
        for each in examples:
            if isinstance(each, dict):
                for key, value in each.items():
                    values.setdefault(key, []).append(value)
        return {key: merged(several, depth + 1) for key, several in values.items()}
    if isinstance(first, list):
        return [item for each in examples if isinstance(each, list) for item in each]
    return first
