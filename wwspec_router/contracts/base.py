"""The base types of every contract: WeCom's, an application's and a handler's.

A contract is a pair of msgspec types, one for the request and one for the reply. These bases fix how they behave:
unknown keys are refused, and an absent value has one spelling.

* In a request an optional field is `T | UnsetType` with the default `UNSET`, so that absent and empty differ.
* An `int` is one of 64 bits, with a sign; `Unsigned` has none.
* In a reply an absent scalar or list reads as its empty value (`0`, `""`, `[]`), so that handlers need no test; an
  absent object is `UNSET`, since it has no empty value that the platform's matching rule lets pass.
"""

from typing import Annotated, Any, Generic, TypeVar, get_args, get_origin

import msgspec
from msgspec import UNSET, Meta, UnsetType

__all__ = [
    "UNSET",
    "ApiRequest",
    "Contract",
    "Flag",
    "Output",
    "OutputT",
    "UnsetType",
    "Unsigned",
    "max_bytes",
    "reply_type",
]


class Contract(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """Base of every object inside a contract.

    Instances are invisible to the cyclic garbage collector: don't make one refer to itself.
    """


class Output(Contract):
    """Base of every reply: error replies are `{"errcode", "errmsg"}`, so each output contract carries both keys."""

    errcode: Annotated[int, Meta(examples=[0])] = 0
    """0 = success."""
    errmsg: Annotated[str, Meta(examples=["ok"])] = "ok"
    """Text for errcode; don't match on it."""


OutputT = TypeVar("OutputT", bound=Output, covariant=True)


class ApiRequest(Contract, Generic[OutputT]):
    """Base of an SDK API's request; its parameter is the API's reply.

    The module's name is the API's name: `wwspec_router/wecom/api/sync_msg.py` holds `Request` and `Response` of
    `sync_msg`.
    """


def reply_type(request: type[ApiRequest[Any]]) -> type[Output]:
    """Return the reply of an API's `Request`: the parameter of its base `ApiRequest`.

    Raises:
        TypeError: Its base has no parameter.
    """
    for each in request.__mro__:
        for base in each.__dict__.get("__orig_bases__", ()):
            if get_origin(base) is ApiRequest and isinstance(reply := get_args(base)[0], type):
                return reply
    raise TypeError(f"{request.__module__}.{request.__qualname__} is not a subclass of ApiRequest[Response]")


def max_bytes(limit: int, *, min_length: int | None = None) -> Meta:
    """Limit a string's length in UTF-8 bytes, as WeCom's pages give it.

    msgspec counts characters, of which there are never more than bytes; the codec checks the bytes themselves.
    """
    return Meta(min_length=min_length, max_length=limit, extra={"max_bytes": limit})


Flag = Annotated[int, Meta(ge=0, le=1, extra={"also": "bool"})]
"""0 or 1. WeCom's pages disagree on some flags: a JSON boolean is accepted from WeCom and passed on as 0 or 1."""

Unsigned = Annotated[int, Meta(ge=0, extra={"unsigned": True})]
"""A number of 64 bits without a sign, such as the ids of contents."""
