"""How the platform refuses: an errcode with its cause, and the error that carries them to the caller.

Knows nothing of the APIs.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

import msgspec

from wwspec_contracts.decoding import convert, decode_json
from wwspec_contracts.errcodes import ERRCODES
from wwspec_contracts.errors import ConfigurationError, JsonError, WWSpecError

Answer = dict[str, Any]
"""A reply of the platform, before it becomes JSON."""

T = TypeVar("T")

OR_EARLIER_LIFE = "or from before the emulator's last start or reset"
"""Ends the hint of a refused cursor, token or id: the emulator knows only those that it issued since."""

_MISSING = "Object missing required field"
"""The beginning of msgspec's message for a missing field."""


class RefusedError(WWSpecError):
    """The platform refuses a call.

    Args:
        errcode: WeCom's code.
        hint: What in the request caused it; never a token, a key or a body.
    """

    def __init__(self, errcode: int, hint: str = "") -> None:
        self.errcode = errcode
        self.hint = hint
        super().__init__(f"{errcode} {errmsg(errcode)}: {hint}")

    def answer(self, reference: str) -> Answer:
        """Return the reply in WeCom's style.

        Args:
            reference: Time and number of the call, for the hint.
        """
        hint = f" {self.hint}" if self.hint else ""
        return {"errcode": self.errcode, "errmsg": f"{errmsg(self.errcode)}, hint: [{reference}]{hint}"}


class Parameters(msgspec.Struct, kw_only=True):
    """Base of the requests of APIs: a parameter without a default is needed, and not as an empty text or list."""


class Asked(Parameters, forbid_unknown_fields=True):
    """Base of every object in a request of an SDK API: a field that the API does not have is refused."""


ParametersT = TypeVar("ParametersT", bound=Parameters)


@contextmanager
def refusing() -> Iterator[None]:
    """Refuse with 40058 what is malformed."""
    try:
        yield
    except (msgspec.ValidationError, ConfigurationError) as error:
        raise RefusedError(40058, str(error)) from None


def errmsg(errcode: int) -> str:
    """Return the errmsg of an errcode, for example for one message in an answer."""
    if errcode == 0:
        return "ok"
    return ERRCODES[errcode].cause if errcode in ERRCODES else "refused"  # an errcode of a fault


def accepted(**fields: Any) -> Answer:
    """Return the reply to a call that is accepted."""
    return {"errcode": 0, "errmsg": "ok", **fields}


def read(kind: type[T], body: bytes) -> T:
    """Decode a request's JSON. A parameter that is null though its type has no null is the same as one left out.

    Raises:
        RefusedError: 40058: not JSON, or a parameter of a wrong type or out of its range.
    """
    try:
        return decode_json(body, kind)
    except JsonError as error:
        reason = str(error)
    try:
        if "got `null`" in reason:
            return convert(_without_nulls(decode_json(body)), kind)
    except (JsonError, msgspec.ValidationError) as error:
        reason = str(error)
    raise RefusedError(40058, reason)


def _without_nulls(value: Any) -> Any:
    """Remove each parameter that is null. Not by recursion, since a body may be nested deeply."""
    objects = [value]
    while objects:
        each = objects.pop()
        if isinstance(each, dict):
            for name in [name for name, inner in each.items() if inner is None]:
                del each[name]
            objects += each.values()
        elif isinstance(each, list):
            objects += each
    return value


def asked(kind: type[ParametersT], body: bytes) -> ParametersT:
    """Decode the request of an API.

    Raises:
        RefusedError: 40058, also for a parameter that an SDK API does not have; 40063 for one that is absent or empty
            though it has no default.
    """
    try:
        request = read(kind, body)
    except RefusedError as error:
        raise RefusedError(40063, error.hint) if error.hint.startswith(_MISSING) else error from None
    require(**{name: getattr(request, name) for name in needed(kind)})
    return request


@cache
def needed(kind: type[Parameters]) -> list[str]:
    """Return the names of the parameters without a default."""
    return [each.name for each in msgspec.structs.fields(kind) if each.required]


def require(**parameters: object) -> None:
    """Refuse a call in which one of the parameters is absent or empty.

    Raises:
        RefusedError: 40063, naming the first one.
    """
    for name, value in parameters.items():
        if value in ("", [], None):
            raise RefusedError(40063, name)
