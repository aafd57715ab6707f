"""The base types of every contract: WeCom's, an application's and a handler's.

A contract is a pair of msgspec types, one for the request and one for the reply. These bases fix how they behave:
unknown keys are refused, and an absent value has one spelling.

* In a request an optional field is `T | UnsetType` with the default `UNSET`, so that absent and empty differ.
* An `int` is one of 64 bits, with a sign; `Unsigned` has none.
* In a reply an absent scalar or list reads as its empty value (`0`, `""`, `[]`), so that handlers need no test; an
  absent object is `UNSET`, since it has no empty value that the platform's matching rule lets pass.
"""

import sys
from types import CellType, FunctionType, MemberDescriptorType
from typing import Annotated, Any, ClassVar, Generic, TypeVar, get_args, get_origin

import msgspec
from msgspec import UNSET, Meta, UnsetType

from wwspec_contracts.errcodes import ProgramErrcodes

__all__ = [
    "UNSET",
    "AbilityRequest",
    "ApiRequest",
    "Contract",
    "Flag",
    "Output",
    "OutputT",
    "PagedRequest",
    "PolledOutput",
    "ResultT",
    "TaskRequest",
    "UnsetType",
    "Unsigned",
    "max_bytes",
    "reply_type",
]


class Contract(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """Base of every object inside a contract: a msgspec struct whose arguments are given by keyword.

    A JSON with a key that the contract does not list is refused. A field without a default is required. In a request
    an optional field has the type `T | UnsetType` and the default `UNSET`.

    The cyclic garbage collector ignores instances: don't make one refer to itself.

    Examples:
        >>> from typing import Annotated
        >>> import msgspec
        >>> from wwspec_router import UNSET, Contract, UnsetType, max_bytes
        >>> class OrderRequest(Contract):
        ...     order_id: Annotated[str, max_bytes(64)]
        ...     amount: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1
        ...     note: str | UnsetType = UNSET
        >>> msgspec.json.decode(b'{"order_id": "A-1"}', type=OrderRequest)
        OrderRequest(order_id='A-1', amount=1, note=UNSET)
    """

    if sys.version_info >= (3, 14):

        def __init_subclass__(cls) -> None:
            """Let annotations, which are evaluated at their first use, not see the fields: `str: str` names a type."""
            super().__init_subclass__()
            annotate = cls.__dict__.get("__annotate_func__")
            if isinstance(annotate, FunctionType):
                names = {key: each for key, each in vars(cls).items() if not isinstance(each, MemberDescriptorType)}
                cells = zip(annotate.__code__.co_freevars, annotate.__closure__ or (), strict=True)
                closure = tuple(CellType(names) if name == "__classdict__" else cell for name, cell in cells)
                cls.__annotate__ = FunctionType(annotate.__code__, annotate.__globals__, closure=closure)


class Output(Contract):
    """Base of every reply: a `Contract` with `errcode` and `errmsg`.

    An error reply has these two keys only, so it fits every output contract. In a reply give each field a default: an
    absent scalar or list reads as its empty value.

    Examples:
        >>> from wwspec_router import Contract, Output
        >>> class Sender(Contract):
        ...     id: str
        ...     messages: int = 0
        >>> class DigestReply(Output):
        ...     senders: list[Sender] = []
        >>> DigestReply(senders=[Sender(id="zhangsan", messages=3)])
        DigestReply(errcode=0, errmsg='ok', senders=[Sender(id='zhangsan', messages=3)])
    """

    errcode: Annotated[int, Meta(examples=[0])] = 0
    """0 is success."""
    errmsg: Annotated[str, Meta(examples=["ok"])] = "ok"
    """The text of the errcode; don't compare it."""


OutputT = TypeVar("OutputT", bound=Output, covariant=True)


class ApiRequest(Contract, Generic[OutputT]):
    """Base of an SDK API's request; its parameter is the API's reply.

    The module's name is the API's name: `api/sync_msg.py` holds `Request` and `Response` of `sync_msg`.
    """


class AbilityRequest(ApiRequest[OutputT]):
    """Base of a request of an application's own ability, in the module that `wwspec contracts --client` writes."""

    ability_id: ClassVar[str]
    """What the request is sent to."""
    errcodes: ClassVar[ProgramErrcodes | None] = None
    """Those of its program; None when they are the usual ones."""
    idempotency_field: ClassVar[str] = ""
    """The key by which its program recognises a repeated call, such as `order.id`, or `*` for the whole request; empty
    for an ability without `once`."""
    trace_field: ClassVar[str] = ""
    """The value of the request that carries a W3C traceparent, such as `meta.traceparent`; empty without one."""


class PagedRequest(ApiRequest[OutputT]):
    """Base of a request whose reply comes in pages: it has `cursor`, and its reply `has_more` and `next_cursor`."""


class PolledOutput(Output):
    """Base of the reply of an API that is asked again and again until a task has ended."""

    @property
    def is_running(self) -> bool:
        """Whether there is no result yet."""
        return False

    @property
    def failure(self) -> tuple[int, str]:
        """The errcode and errmsg of a task that failed; 0 and an empty text for one that did not."""
        return 0, ""


ResultT = TypeVar("ResultT", bound=PolledOutput, covariant=True)


class TaskRequest(ApiRequest[OutputT], Generic[OutputT, ResultT]):
    """Base of a request that creates a task, whose reply has `jobid`; its second parameter is the task's result."""

    result: ClassVar[type[ApiRequest[Any]]]
    """The request of the API that returns the result; it has `jobid`."""


def reply_type(request: type[ApiRequest[Any]]) -> type[Output]:
    """Return the reply of an API's `Request`: the first parameter of its base.

    Raises:
        TypeError: Its base has no parameter.
    """
    for each in request.__mro__:
        for base in each.__dict__.get("__orig_bases__", ()):
            origin, arguments = get_origin(base), get_args(base)
            if isinstance(origin, type) and issubclass(origin, ApiRequest) and isinstance(arguments[0], type):
                return arguments[0]
    raise TypeError(f"{request.__module__}.{request.__qualname__} is not a subclass of ApiRequest[Response]")


def max_bytes(limit: int, *, min_length: int | None = None) -> Meta:
    """Limit a string's length in UTF-8 bytes, the unit of WeCom's pages.

    msgspec itself counts characters, of which there are never more than bytes; the program checks the bytes of each
    request and reply.

    Args:
        limit: The largest length, in bytes.
        min_length: The smallest length, in characters; none by default.

    Returns:
        What `Annotated[str, ...]` takes.

    Examples:
        >>> from typing import Annotated
        >>> from wwspec_router import Contract, max_bytes
        >>> class GroupRequest(Contract):
        ...     chatid: Annotated[str, max_bytes(64, min_length=1)]
    """
    return Meta(min_length=min_length, max_length=limit, extra={"max_bytes": limit})


Flag = Annotated[int, Meta(ge=0, le=1, extra={"also": "bool"})]
"""0 or 1. WeCom's pages disagree on some flags: a JSON boolean is accepted from WeCom and passed on as 0 or 1."""

Unsigned = Annotated[int, Meta(ge=0, extra={"unsigned": True})]
"""A number of 64 bits without a sign, such as the ids of contents."""
