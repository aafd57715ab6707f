"""Makes contracts from console examples, the JSON that a team already registered [100019].

Every key of an example may be missing, as the platform's rule has it; unknown keys and other types are refused.
"""

from pathlib import Path
from typing import Annotated, Any, cast

import msgspec
from msgspec import Meta

from wwspec_contracts.base import UNSET, Contract, UnsetType
from wwspec_contracts.errors import ConfigurationError, LoaderError
from wwspec_contracts.files import read_json
from wwspec_contracts.matching import merged, mismatches
from wwspec_router.codecs.bounds import LEAST, MOST

MOST_VALUES = 10_000
"""Values that an example has at most: WeCom's own have less than 1,000, and a contract is made of each."""


def contract_of_file(path: Path) -> type[Contract]:
    """Return the contract that a file with a console example describes.

    Raises:
        LoaderError: The file can't be read, or holds no JSON object that can be a contract.
    """
    try:
        example = read_json(path)
    except ConfigurationError as error:
        raise LoaderError(str(error)) from None
    if not isinstance(example, dict):
        raise LoaderError(f"{path}: a contract is a JSON object")
    if _has_more_values(example, MOST_VALUES):
        raise LoaderError(
            f"{path}: the example has more than {MOST_VALUES:,} values; an array needs one element, which has all keys"
        )
    for place, why in mismatches(example, example):
        raise LoaderError(f"{path}: the example does not fit itself at {place}: {why}")
    try:
        return contract_of_example(path.name.partition(".")[0], example)
    except ValueError as error:
        raise LoaderError(f"{path}: {error}") from None


def contract_of_example(name: str, example: dict[str, Any]) -> type[Contract]:
    """Return the contract that a console example describes.

    Args:
        name: What to call the type, for error messages.
        example: The decoded example.

    Raises:
        ValueError: A key holds a quotation mark, a backslash or a control character, or an integer has more than
            64 bits.
    """
    fields: list[Any] = []
    for number, (key, value) in enumerate(example.items()):
        # Keys may not be Python names, so attributes are numbered, and the keys are their names in JSON.
        fields.append((f"f{number}", _type_of(f"{name}.{key}", value) | UnsetType, UNSET))
    names = {f"f{number}": key for number, key in enumerate(example)}
    return cast(type[Contract], msgspec.defstruct(name, fields, bases=(Contract,), kw_only=True, rename=names))


def _has_more_values(value: Any, most: int) -> bool:
    """Tell whether a value and all values inside it are more than some number."""
    waiting, count = [value], 0
    while waiting and count <= most:
        each = waiting.pop()
        count += 1
        waiting += each.values() if isinstance(each, dict) else each if isinstance(each, list) else ()
    return count > most


def _type_of(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return contract_of_example(name, value)
    if isinstance(value, list):
        if not value:
            return Annotated[list[Any], Meta(max_length=0)]
        return list[_type_of(name, merged(value))]  # type: ignore[misc]  # a type made at run time
    if value is None:
        return None
    if isinstance(value, int) and not LEAST <= value <= MOST:
        raise ValueError(f"{name}: an integer of a contract has 64 bits at most")
    # The author wrote this example, so the same one is shown again.
    return Annotated[type(value), Meta(examples=[value])]
