"""Marks a function as an ability's handler, with its contract read from the annotations.

    @ability
    def digest(request: DigestRequest, ctx: Context) -> DigestReply: ...

The mark registers nothing: the registry file says which ability ID a handler answers, or that the marks of its module
count. This module knows neither that file nor how calls arrive.
"""

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, Unpack, get_origin, get_type_hints, overload

import msgspec

from wwspec_contracts.base import UNSET, Contract, Output, UnsetType
from wwspec_router.handlers.context import AsyncContext, Context
from wwspec_router.handlers.marks import AbilityKeywords, Mark, put_mark

_MARK = "__wwspec_handler__"
BY_POSITION = {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])
ContractT = TypeVar("ContractT", bound=Contract)


class Handler(msgspec.Struct, frozen=True):
    """A function and its contract."""

    function: Callable[..., Any]
    request: type[Contract] | None
    """None for `dict[str, Any]`: the registry file names the contract."""
    response: type[Output] | None
    """None for `dict[str, Any]`: the registry file names the contract."""
    is_async: bool
    takes_context: bool


class Signature(NamedTuple):
    """How a handler is called."""

    hints: dict[str, Any]
    """Its annotations."""
    first: str
    """The name of its first parameter."""
    context: str
    """That of its context; empty when it takes none."""
    is_async: bool

    def check_context(self, wanted: type) -> None:
        """Raise TypeError when the annotation of the context is another class."""
        given = self.hints.get(self.context) if self.context else wanted
        if (get_origin(given) or given) is not wanted:
            kind = "an async def" if self.is_async else "a def"
            raise TypeError(f"annotate {self.context} of {kind} handler with wwspec_router.{wanted.__name__}")


def read_signature(function: Callable[..., Any], what: str) -> Signature:
    """Return how a handler is called.

    Args:
        function: The handler.
        what: What it takes, beside the context.

    Raises:
        TypeError: Its signature has another form.
    """
    if inspect.isasyncgenfunction(function) or inspect.isgeneratorfunction(function):
        raise TypeError("a handler returns its result, it can't be a generator")
    try:
        hints = get_type_hints(function)
    except NameError as error:
        raise TypeError(f"{error}; annotations must be importable at run time") from None
    parameters = inspect.signature(function).parameters
    if not 1 <= len(parameters) <= 2 or not {each.kind for each in parameters.values()} <= BY_POSITION:
        raise TypeError(f"a handler takes {what} and, if it wants, a context, by position")
    first, context = (*parameters, "")[:2]
    return Signature(hints, first, context, inspect.iscoroutinefunction(function))


@overload
def ability(function: FunctionT, /) -> FunctionT: ...


@overload
def ability(**keywords: Unpack[AbilityKeywords]) -> Callable[[FunctionT], FunctionT]: ...


def ability(
    function: FunctionT | UnsetType = UNSET, /, **keywords: Unpack[AbilityKeywords]
) -> FunctionT | Callable[[FunctionT], FunctionT]:
    """Mark a function as the handler of an ability. Its annotations are the ability's contract.

    In a module that `[program] modules` of the registry file names, the name of the function is the ability ID.
    Elsewhere a row `handler = "module:function"` of that file names the ID.

    Args:
        function: `def f(request: R, ctx: Context) -> O`, or `async def f(request: R, ctx: AsyncContext) -> O`, where R
            is a subclass of `Contract` and O one of `Output`. The context is optional. `Context[State]` names the type
            of what the program's lifespan yields. R and O may also be `dict[str, Any]`: the registry file then names
            two JSON examples of the admin console as the contract.
        keywords: The keys of a row `[abilities.<ability ID>]`, such as `timeout=5` or `once={"key": "request_id"}`, for
            a function that no row names.

    Returns:
        The same function, which can still be called directly; with keywords a decorator that returns it.

    Raises:
        TypeError: The signature has another form; the text names the fix.

    Examples:
        >>> from wwspec_router import Context, Contract, Output, ability
        >>> from wwspec_contracts import get_group_chat
        >>> class SizeRequest(Contract):
        ...     chatid: str
        >>> class SizeReply(Output):
        ...     members: int = 0
        >>> @ability
        ... def group_size(request: SizeRequest, ctx: Context) -> SizeReply:
        ...     group = ctx.invoke(get_group_chat.Request(chatid=request.chatid))
        ...     return SizeReply(members=len(group.members))
    """

    def mark(function: FunctionT) -> FunctionT:
        setattr(function, _MARK, _read(function))
        return put_mark(function, Mark("abilities", (function.__name__,), {**keywords}, function))

    return mark if function is UNSET else mark(function)


def handler_of(function: object) -> Handler | None:
    """Return the handler that `ability` made of a function, or None when it is not marked."""
    found = getattr(function, _MARK, None)
    # `functools.wraps` copies the mark of the function inside, which must not be called without its wrapper
    return found if isinstance(found, Handler) and found.function is function else None


def _read(function: Callable[..., Any]) -> Handler:
    if not callable(function):
        raise TypeError("@ability takes keywords only: the ability ID is the function's name, or that of a row")
    try:
        found = read_signature(function, "a request")
        request = _side(f"annotate {found.first}", found.hints.get(found.first), Contract)
        response = _side("annotate the return value", found.hints.get("return"), Output)
        found.check_context(AsyncContext if found.is_async else Context)
    except TypeError as error:
        raise TypeError(f"{getattr(function, '__qualname__', repr(function))}: {error}") from None
    return Handler(function, request, response, found.is_async, bool(found.context))


def _side(fix: str, hint: Any, base: type[ContractT]) -> type[ContractT] | None:
    """Return one side of a handler's contract; None for `dict[str, Any]`."""
    if hint == dict[str, Any]:
        return None
    if not (isinstance(hint, type) and issubclass(hint, base)):
        raise TypeError(f"{fix} with a subclass of wwspec_router.{base.__name__}")
    return hint
