"""Codecs of contracts, made once at start-up and used for every call.

An `InputCodec` decodes and checks a request; an `OutputCodec` makes sure that a reply fits before it is sent. A reply
that already fits is returned as the very same string, never encoded again. A codec makes everything for its type at its
first call: a program has a hundred codecs, and the start-up must not wait for them.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from functools import cached_property
from typing import Any, Generic, TypeVar

import msgspec

from wwspec_contracts.decoding import BUILDING, UNREADABLE
from wwspec_contracts.errors import InputError, OutputError
from wwspec_contracts.repair import Repair, drop_empty, make_repair
from wwspec_contracts.shape import ListShape, ObjectShape, Scalar, Shape, shape_at, shape_of
from wwspec_contracts.support.printable import printable
from wwspec_router.codecs.bounds import Check, bounded, extra_check, read_text
from wwspec_router.codecs.fitting import Fits, make_fitter

T = TypeVar("T")

_PATH = r"(?s)^(?P<reason>.*?)(?: - at `(?P<path>\$[^`]*)`)?$"
_NAMED = r"(?s)^Object (?P<what>contains unknown|missing required) field `(?P<name>.*)`$"
_REASONS = {"contains unknown": "unknown key", "missing required": "missing key"}
_BEYOND = r"^Expected `(?P<kind>int|float)` [<>]"
_MOST_VALUES = 20
"""Allowed values that a refusal names."""
_EMPTY_ARRAY = re.compile(r"[ \t\n\r]*\[[ \t\n\r]*\][ \t\n\r]*")


_ACCEPTED = re.compile(r'\s*\{\s*"errcode"\s*:\s*0\s*,')


class _Errcode(msgspec.Struct):
    errcode: int = 0


_encode_bounded = msgspec.json.Encoder(enc_hook=str).encode
"""Encodes a value of a bounded type: of its parts, only a `DecimalText` is unknown to msgspec."""

_decode_errcode = msgspec.json.Decoder(_Errcode).decode


class OutputPolicy(StrEnum):
    """What happens to a reply that does not fit its output contract."""

    PRUNE = "prune"
    """Keys that the contract does not list are left out; what still does not fit is refused."""
    STRICT = "strict"
    """It is refused."""
    OFF = "off"
    """It is passed on unchecked."""


class LazyType(msgspec.Struct, Generic[T], frozen=True):
    """A type that is imported when a codec first needs it."""

    load: Callable[[], type[T]]


class _MadeOnce(cached_property[T]):
    """A property that is made at its first use, by one thread at a time: see `BUILDING`."""

    def __get__(self, instance: object, owner: type[Any] | None = None) -> Any:
        with BUILDING:
            return super().__get__(instance, owner)


class _Codec:
    """The parts that both codecs make of their type when they are needed."""

    _is_request: bool

    def __init__(self, type_: Any) -> None:
        self._given = type_

    @_MadeOnce
    def type(self) -> Any:
        return self._given.load() if isinstance(self._given, LazyType) else self._given

    @_MadeOnce
    def _decode(self) -> Callable[[str | bytes], Any]:
        return msgspec.json.Decoder(self.type).decode

    @_MadeOnce
    def _shape(self) -> Shape:
        return shape_of(self.type)

    @_MadeOnce
    def _bounded(self) -> Any:
        return bounded(self.type)

    @_MadeOnce
    def _decode_bounded(self) -> Callable[[str | bytes], Any]:
        return (
            self._decode
            if self._bounded is self.type
            else msgspec.json.Decoder(self._bounded, dec_hook=read_text).decode
        )

    @_MadeOnce
    def _check(self) -> Check | None:
        return extra_check(self._shape, is_request=self._is_request)

    @_MadeOnce
    def _fits(self) -> Fits | None:
        return make_fitter(self._shape, is_request=self._is_request)

    def _place(self, error: msgspec.ValidationError) -> tuple[str, str]:
        """Split msgspec's message into the failing path and a reason that holds no value of the JSON."""
        found = re.match(_PATH, str(error))
        path, reason = (found["path"] or "$", found["reason"]) if found else ("$", str(error))
        if named := re.match(_NAMED, reason):
            return f"{path}.{_printable(named['name'])}", _REASONS[named["what"]]
        if reason.startswith("Invalid enum value"):
            return path, _unlisted_reason(shape_at(self._shape, path))
        if beyond := re.match(_BEYOND, reason):
            scalar = shape_at(self._shape, path)
            if isinstance(scalar, Scalar) and scalar.bounds:
                return path, f"expected {beyond['kind']} {scalar.bounds}"
        return path, reason[:1].lower() + reason[1:].replace("`", "")


class InputCodec(_Codec, Generic[T]):
    """Decodes one kind of request.

    Args:
        type_: The msgspec type of the request.
        drop_empty: Leave optional empty strings out of the request to the SDK.
    """

    _is_request = True

    def __init__(self, type_: type[T] | LazyType[T], *, drop_empty: bool = False) -> None:
        super().__init__(type_)
        self._drops = drop_empty

    @_MadeOnce
    def _accepts_empty(self) -> bool:
        """Whether the contract has no required field."""
        try:
            self._decode("{}")
        except msgspec.ValidationError:
            return False
        return True

    def decode(self, text: str) -> T:
        """Decode and check a request.

        Args:
            text: JSON text.

        Raises:
            InputError: It does not fit; the error names the path.
        """
        fitting, value = self._fitting(text)
        request: T = value if self._bounded is self.type else self._decode(fitting)
        return request

    def decode_plain(self, text: str) -> Any:
        """Check a request and return it as plain dicts and lists, for handlers that take no struct.

        Raises:
            InputError: It does not fit; the error names the path.
        """
        fitting, _ = self._fitting(text)
        return msgspec.json.decode(fitting)

    def forward(self, text: str) -> str:
        """Check a request that is passed on to the SDK.

        Returns:
            The same string, unless it is an empty array, or this codec drops empty strings and there is one to drop.

        Raises:
            InputError: It does not fit; the error names the path.
        """
        fitting = text if self._fits is not None and self._fits(text) else self._fitting(text)[0]
        return drop_empty(self._shape, fitting) if self._drops and '""' in fitting else fitting

    def _fitting(self, text: str) -> tuple[str, Any]:
        """Check a request; return its text and its value, of the bounded type.

        An empty array, which is what PHP makes of an empty object, is read as one when nothing is required.
        """
        try:
            value = self._decode_bounded(text)
        except msgspec.ValidationError as error:
            if not (_EMPTY_ARRAY.fullmatch(text) and self._accepts_empty):
                raise InputError(*self._place(error)) from None
            text, value = "{}", self._decode_bounded("{}")
        except UNREADABLE:
            raise InputError("$", "not valid JSON") from None
        if self._check is not None:
            self._check(value, "$")
        return text, value


class OutputCodec(_Codec):
    """Makes sure that replies of one kind fit their contract.

    Args:
        type_: The msgspec type of the reply.
        policy: What to do with a reply that does not fit.
        on_pruned: Called once for each path at which a key was left out, such as `$.msg_list[].colour`.
    """

    _is_request = False

    def __init__(
        self,
        type_: Any,
        policy: OutputPolicy = OutputPolicy.STRICT,
        on_pruned: Callable[[str], None] = lambda path: None,
    ) -> None:
        super().__init__(type_)
        self.policy = policy
        self._encode = msgspec.json.Encoder().encode
        self._on_pruned = on_pruned

    @_MadeOnce
    def _repair(self) -> Repair:
        return make_repair(self._shape, self._on_pruned)

    @_MadeOnce
    def _has_float(self) -> bool:
        return _has_float(self._shape, set())

    def fit(self, text: str) -> str:
        """Return reply text that fits: the same string when it fits already.

        Raises:
            OutputError: It can't be made to fit under this codec's policy; the error names the path.
        """
        if self.policy is OutputPolicy.OFF or (self._fits is not None and self._fits(text)):
            return text
        try:
            value = self._decode_bounded(text)
        except msgspec.ValidationError as error:
            if self.policy is OutputPolicy.STRICT:
                raise OutputError(*self._place(error), text) from None
            return self._repair_text(text)[1]  # not the text itself: a key may come twice, once with a wrong value
        except UNREADABLE:
            raise OutputError("$", "not valid JSON") from None
        self._check_limits(value, text)
        if not self._has_float:
            return text
        changed, repaired = self._repair_text(text)  # a whole number decodes as a float
        return repaired if changed else text

    def strictly(self, text: str | bytes) -> Any:
        """Return the value of a text that fits without a repair.

        Raises:
            msgspec.DecodeError: It does not fit.
            ValueError: It is not Unicode, or has a number of too many digits.
        """
        return self._decode_bounded(text)

    def decode(self, text: str) -> Any:
        """Return the value of a text that `fit` has returned."""
        return self._decode(text)

    def report_unlisted(self, text: str) -> None:
        """Report each path at which `fit` would leave something out of a text, if it was not reported before."""
        with suppress(*UNREADABLE):
            self._repair(msgspec.json.decode(text))

    def encode(self, value: object) -> str:
        """Encode what a handler returned, and check it: msgspec does not check a struct that Python code fills.

        A whole number in a field declared as a float is written with a fraction: `1` would not fit `0.5` [100019].

        Raises:
            OutputError: It does not fit the contract; the error names the path.
        """
        data = b""
        try:
            data = self._encode(value)
            if self.policy is not OutputPolicy.OFF:
                decoded = self._decode_bounded(data)
                self._check_limits(decoded, data)
                if self._has_float:
                    data = _encode_bounded(decoded)
        except msgspec.ValidationError as error:
            raise OutputError(*self._place(error), data) from None
        except (TypeError, OverflowError, *UNREADABLE) as error:
            raise OutputError("$", f"{type(value).__name__} can't be encoded as JSON") from error
        return data.decode()

    def _check_limits(self, value: Any, reply: str | bytes) -> None:
        """Check the limits that msgspec does not know."""
        if self._check is None:
            return
        try:
            self._check(value, "$")
        except OutputError as error:
            error.reply = reply
            raise

    def _repair_text(self, text: str) -> tuple[bool, str]:
        """Return whether the text was changed, and the text that fits."""
        try:
            value = msgspec.json.decode(text)
            repaired = self._repair(value)
            fitting = msgspec.convert(repaired, self._bounded, dec_hook=read_text)
            self._check_limits(fitting, text)
            data = self._encode(repaired)
            return data != self._encode(value), data.decode()
        except msgspec.ValidationError as error:
            raise OutputError(*self._place(error), text) from None
        except (OverflowError, *UNREADABLE):
            raise OutputError("$", "not valid JSON") from None


def errcode_of(reply: str) -> int:
    """Return the errcode that the JSON text of a reply carries; 0 when it carries none."""
    if _ACCEPTED.match(reply):  # as most do: a long one is not read to its end
        return 0
    try:
        return _decode_errcode(reply).errcode
    except UNREADABLE:
        return 0


def _has_float(shape: Shape, above: set[int]) -> bool:
    match shape:
        case ListShape(item=item):
            return _has_float(item, above)
        case ObjectShape() if id(shape) not in above:
            above.add(id(shape))
            return any(_has_float(field.shape, above) for field in shape.fields.values())
        case _:
            return isinstance(shape, Scalar) and shape.kind == "float"


def _unlisted_reason(shape: Shape | None) -> str:
    """Return why a value is refused that the type does not list."""
    if not isinstance(shape, Scalar) or not shape.choices:
        return "not one of the allowed values"
    listed = ", ".join(printable(str(each)) for each in shape.choices[:_MOST_VALUES])
    more = f" and {left} more" if (left := len(shape.choices) - _MOST_VALUES) > 0 else ""
    return f"not one of the {'documented' if shape.documented else 'allowed'} values ({listed}{more})"


def _printable(name: str) -> str:
    return name[:64].encode("unicode_escape").decode("ascii")
