"""Codecs of contracts, built once at start-up and used for every call.

An `InputCodec` decodes and checks a request; an `OutputCodec` makes sure that a reply fits before it is sent. A reply
that already fits is returned as the very same string, never encoded again. What msgspec does not check by itself is
worked out of the type at a codec's first call: a program has a hundred codecs, and start-up waits for none of them.
"""

import re
from collections.abc import Callable
from enum import StrEnum
from functools import cached_property, partial
from typing import Any, Generic, TypeVar

import msgspec

from wwspec_router.contracts.mend import Mender, drop_empty, make_mender
from wwspec_router.contracts.shape import ListShape, ObjectShape, Scalar, Shape, shape_of
from wwspec_router.errors import InputError, OutputError

__all__ = ["InputCodec", "OutputCodec", "OutputPolicy"]

T = TypeVar("T")

_PATH = re.compile(r"^(?P<reason>.*?)(?: - at `(?P<path>\$[^`]*)`)?$", re.DOTALL)
_NAMED = re.compile(r"^Object (?P<what>contains unknown|missing required) field `(?P<name>.*)`$", re.DOTALL)
_REASONS = {"contains unknown": "unknown key", "missing required": "missing key"}
_UNREADABLE = (msgspec.DecodeError, UnicodeError, RecursionError, ValueError)


class OutputPolicy(StrEnum):
    """What happens to a reply that does not fit its output contract."""

    PRUNE = "prune"
    """Keys that the contract does not list are left out; what still does not fit is refused."""
    STRICT = "strict"
    """It is refused."""
    OFF = "off"
    """It is passed on unchecked."""


class InputCodec(Generic[T]):
    """Decodes one kind of request.

    Args:
        type_: The msgspec type of the request.
        drop_empty: Leave optional empty strings out of what is passed on to the SDK.
    """

    def __init__(self, type_: type[T], *, drop_empty: bool = False) -> None:
        self.type = type_
        self._decode = msgspec.json.Decoder(type_).decode
        self._drops = drop_empty

    @cached_property
    def _shape(self) -> Shape:
        return shape_of(self.type)

    @cached_property
    def _check_bytes(self) -> "_Check | None":
        return _byte_check(self._shape, {})

    def decode(self, text: str) -> T:
        """Decode and check a request.

        Args:
            text: JSON text.

        Raises:
            InputError: It does not fit; the error names the path.
        """
        try:
            value = self._decode(text)
        except msgspec.ValidationError as error:
            raise InputError(*_place(error)) from None
        except _UNREADABLE:
            raise InputError("$", "not valid JSON") from None
        if self._check_bytes is not None:
            self._check_bytes(value, "$")
        return value

    def decode_plain(self, text: str) -> Any:
        """Check a request and return it as plain dicts and lists, for handlers that take no struct.

        Raises:
            InputError: It does not fit; the error names the path.
        """
        self.decode(text)
        return msgspec.json.decode(text)

    def forward(self, text: str) -> str:
        """Check a request that is passed on to the SDK.

        Returns:
            The same string, unless this codec drops empty strings and there is one to drop.

        Raises:
            InputError: It does not fit; the error names the path.
        """
        self.decode(text)
        return drop_empty(self._shape, text) if self._drops and '""' in text else text


class OutputCodec:
    """Makes sure that replies of one kind fit their contract.

    Args:
        type_: The msgspec type of the reply.
        policy: What to do with a reply that does not fit.
        on_pruned: Called once for each path at which a key was left out, such as `$.msg_list[].colour`.
    """

    def __init__(
        self,
        type_: Any,
        policy: OutputPolicy = OutputPolicy.STRICT,
        on_pruned: Callable[[str], None] = lambda path: None,
    ) -> None:
        self.type = type_
        self.policy = policy
        self._decode = msgspec.json.Decoder(type_).decode
        self._encode = msgspec.json.Encoder().encode
        self._on_pruned = on_pruned

    @cached_property
    def _mend(self) -> Mender:
        return make_mender(shape_of(self.type), self._on_pruned)

    @cached_property
    def _has_float(self) -> bool:
        return _has_float(shape_of(self.type), set())

    def fit(self, text: str) -> str:
        """Return reply text that fits: the same string when it fits already.

        Raises:
            OutputError: It can't be made to fit under this codec's policy; the error names the path.
        """
        if self.policy is OutputPolicy.OFF:
            return text
        try:
            self._decode(text)
        except msgspec.ValidationError as error:
            if self.policy is OutputPolicy.STRICT:
                raise OutputError(*_place(error)) from None
            return self._mended(text)[1]  # never the text itself: of a key that came twice, only one place may be amiss
        except _UNREADABLE:
            raise OutputError("$", "not valid JSON") from None
        if not self._has_float:
            return text
        changed, mended = self._mended(text)  # a whole number decodes as a float
        return mended if changed else text

    def encode(self, value: object) -> str:
        """Encode what a handler returned, and check it: msgspec does not check a struct that Python code fills.

        A whole number in a field declared as a float is written with a fraction: `1` would not fit `0.5` [100019].

        Raises:
            OutputError: It does not fit the contract; the error names the path.
        """
        try:
            data = self._encode(value)
            if self.policy is not OutputPolicy.OFF:
                decoded = self._decode(data)
                if self._has_float:
                    data = self._encode(decoded)
        except msgspec.ValidationError as error:
            raise OutputError(*_place(error)) from None
        except (TypeError, OverflowError, *_UNREADABLE) as error:
            raise OutputError("$", f"{type(value).__name__} can't be encoded as JSON") from error
        return data.decode()

    def _mended(self, text: str) -> tuple[bool, str]:
        """Return whether anything was mended, and the mended text."""
        try:
            value = msgspec.json.decode(text)
            mended = self._mend(value)
            msgspec.convert(mended, self.type)
            data = self._encode(mended)
            return data != self._encode(value), data.decode()
        except msgspec.ValidationError as error:
            raise OutputError(*_place(error)) from None
        except (OverflowError, *_UNREADABLE):
            raise OutputError("$", "not valid JSON") from None


def _has_float(shape: Shape, above: set[int]) -> bool:
    match shape:
        case ListShape(item=item):
            return _has_float(item, above)
        case ObjectShape() if id(shape) not in above:
            above.add(id(shape))
            return any(_has_float(field.shape, above) for field in shape.fields.values())
        case _:
            return isinstance(shape, Scalar) and shape.kind == "float"


def _place(error: msgspec.ValidationError) -> tuple[str, str]:
    """Split msgspec's message into the failing path and a reason that holds no value of the JSON."""
    found = _PATH.match(str(error))
    path, reason = (found["path"] or "$", found["reason"]) if found else ("$", str(error))
    if named := _NAMED.match(reason):
        return f"{path}.{_printable(named['name'])}", _REASONS[named["what"]]
    if reason.startswith("Invalid enum value"):
        return path, "not one of the documented values"
    return path, reason[:1].lower() + reason[1:].replace("`", "")


def _printable(name: str) -> str:
    return name[:64].encode("unicode_escape").decode("ascii")


_Check = Callable[[Any, str], None]


def _byte_check(shape: Shape, known: dict[int, _Check | None]) -> _Check | None:
    """Compile the check of limits in bytes; None when the type has none."""
    match shape:
        case Scalar(max_bytes=int(limit)):
            return partial(_check_text, limit=limit)
        case ListShape(item=item):
            check = _byte_check(item, known)
            return None if check is None else partial(_check_list, check=check)
        case ObjectShape():
            if id(shape) not in known:
                checks: list[tuple[str, str, _Check]] = []
                known[id(shape)] = partial(_check_object, checks=checks)  # for a type that contains itself
                checks += [
                    (field.attribute, field.name, check)
                    for field in shape.fields.values()
                    if (check := _byte_check(field.shape, known)) is not None
                ]
                if not checks:
                    known[id(shape)] = None
            return known[id(shape)]
        case _:
            return None


def _check_text(value: Any, path: str, limit: int) -> None:
    if isinstance(value, str) and len(value) * 4 > limit and len(value.encode()) > limit:
        raise InputError(path, f"longer than {limit} bytes")


def _check_list(value: Any, path: str, check: _Check) -> None:
    if isinstance(value, list | tuple):
        for index, item in enumerate(value):
            check(item, f"{path}[{index}]")


def _check_object(value: Any, path: str, checks: list[tuple[str, str, _Check]]) -> None:
    for attribute, name, check in checks:
        check(getattr(value, attribute, None), f"{path}.{name}")
