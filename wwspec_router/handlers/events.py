"""Code that runs on an event: what it receives, and how its contract is read from its annotations.

    def on_new_message(event: conversation_new_message.Event, ctx: EventContext) -> None: ...

The registry file names the function, and says for which events it runs; or the mark `on_event` does. This module knows
neither that file nor how events arrive.
"""

import inspect
import json
from collections.abc import Callable
from hashlib import sha256
from types import NoneType, UnionType
from typing import Any, Union, Unpack, get_args, get_origin, overload

import msgspec

from wwspec_contracts.base import UNSET, Contract, UnsetType
from wwspec_router.handlers.ability import FunctionT, read_signature
from wwspec_router.handlers.base import SettingsT, StateT
from wwspec_router.handlers.context import AsyncContext, Context
from wwspec_router.handlers.marks import EventKeywords, Mark, put_mark

_MODULES = ("wwspec_contracts.events", "schemas.events")
"""The packages that have a module for each event type."""


class EventContext(Context[StateT, SettingsT]):
    """What a `def` function that runs on an event receives: all of `Context`, and the event's type.

    An event has no ability, so `ability_id` is empty. `notify_id` is the one under which the app fetches the event;
    it is empty with `notify = "never"`. The function runs at least once for each event: `attempt` is the number of the
    run, and `event_key` the same in all of them.

    Examples:
        >>> from wwspec_router import Contract, EventContext
        >>> from wwspec_contracts import get_hit_msg_list
        >>> from wwspec_contracts.events import hit_keyword
        >>> class Hits(Contract):  # what the app reads beside the event, with notify = "after"
        ...     messages: int
        >>> def on_hit(event: hit_keyword.Event, ctx: EventContext) -> Hits:
        ...     page = ctx.invoke(get_hit_msg_list.Request(token=event.hit_keyword.token))
        ...     return Hits(messages=len(page.msg_list))
    """

    event_type: str = ""
    """The type of the event, such as `hit_keyword`."""

    @property
    def event_key(self) -> str:
        """The name of the event: the same in every run, and for the same event of the same corp and app.

        It is a hash of corpid, agentid and the event's text. WeCom gives events no id; that it sends an event again,
        with the same text, is our inference: no page of WeCom says when it does.
        """
        return event_key_of(self.corpid, self.agentid, self.call.data)


class AsyncEventContext(AsyncContext[StateT, SettingsT]):
    """What an `async def` function that runs on an event receives: all of `AsyncContext`, and the event's type.

    Its attributes are those of `EventContext`.

    Examples:
        >>> from wwspec_router import AsyncEventContext
        >>> from wwspec_contracts import sync_msg
        >>> from wwspec_contracts.events import conversation_new_message
        >>> async def on_new_message(event: conversation_new_message.Event, ctx: AsyncEventContext) -> None:
        ...     request = sync_msg.Request(token=event.conversation_new_message.token)
        ...     async for page in ctx.follow(request, name="count"):
        ...         print(ctx.event_type, len(page.msg_list))
    """

    event_type: str = ""
    """The type of the event, such as `hit_keyword`."""

    @property
    def event_key(self) -> str:
        """The name of the event; see `EventContext.event_key`."""
        return event_key_of(self.corpid, self.agentid, self.call.data)


class EventHandler(msgspec.Struct, frozen=True):
    """A function that runs on events, and its contract."""

    function: Callable[..., Any]
    events: tuple[type[Contract], ...]
    """The `Event` types that it takes."""
    response: type[Contract] | None
    """What it returns; None for nothing."""
    is_async: bool
    takes_context: bool


@overload
def on_event(function: FunctionT, /) -> FunctionT: ...


@overload
def on_event(**keywords: Unpack[EventKeywords]) -> Callable[[FunctionT], FunctionT]: ...


def on_event(
    function: FunctionT | UnsetType = UNSET, /, **keywords: Unpack[EventKeywords]
) -> FunctionT | Callable[[FunctionT], FunctionT]:
    """Mark a function as code that runs on an event: on the one that its first parameter is annotated with.

    The mark counts in a module that `[program] modules` of the registry file names, and is there what a row
    `[events.<event_type>]` would be; with a union of events, a row for each.

    Args:
        function: `def f(event: E, ctx: EventContext) -> R`, or `async def f(event: E, ctx: AsyncEventContext) -> R`,
            where E is an `Event`, or a union of them, and R a `Contract` or None. The context is optional.
        keywords: The keys of such a row, such as `retries=6` or `notify="after"`.

    Returns:
        The same function; with keywords a decorator that returns it.

    Raises:
        TypeError: The function has another form; the text names the fix.

    Examples:
        >>> from wwspec_router import EventContext, on_event
        >>> from wwspec_contracts.events import hit_keyword
        >>> @on_event(retries=6)
        ... def on_hit(event: hit_keyword.Event, ctx: EventContext) -> None:
        ...     print(ctx.event_type)
    """

    def mark(function: FunctionT) -> FunctionT:
        if not callable(function):
            raise TypeError("@on_event takes keywords only: the annotation of the first parameter names the event")
        try:
            types = read_event_handler(function).events
            if not all(each.__module__.rpartition(".")[0] in _MODULES for each in types):
                raise TypeError(_no_event(next(iter(inspect.signature(function).parameters))))
        except TypeError as error:
            raise TypeError(f"{getattr(function, '__qualname__', repr(function))}: {error}") from None
        keys = tuple(each.__module__.rpartition(".")[2] for each in types)
        return put_mark(function, Mark("events", keys, {**keywords}, function))

    return mark if function is UNSET else mark(function)


def event_key_of(corpid: str, agentid: int, text: str) -> str:
    """Return the name of an event: the SHA-256 hash of whose it is, and of its text, in hexadecimal digits."""
    return sha256(json.dumps([corpid, agentid, text]).encode()).hexdigest()


def read_event_handler(function: object) -> EventHandler:
    """Return a function with its contract.

    Args:
        function: `def f(event: E, ctx: EventContext) -> R`, or `async def f(event: E, ctx: AsyncEventContext) -> R`,
            where E is an `Event`, or a union of them, and R a `Contract` or None. The context may be left out;
            `EventContext[State]` says what the program's lifespan yields.

    Raises:
        TypeError: The function has another form; the text says what to change.
    """
    if not inspect.isfunction(function):
        raise TypeError("it is no function")
    found = read_signature(function, "an event")
    found.check_context(AsyncEventContext if found.is_async else EventContext)
    events = _events(found.first, found.hints.get(found.first))
    return EventHandler(function, events, _response(found.hints), found.is_async, bool(found.context))


def _events(name: str, hint: Any) -> tuple[type[Contract], ...]:
    types = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    if not all(isinstance(each, type) and issubclass(each, Contract) for each in types):
        raise TypeError(_no_event(name))
    return types


def _no_event(name: str) -> str:
    return f"annotate {name} with the Event of a module of wwspec_contracts.events, or a union of them"


def _response(hints: dict[str, Any]) -> type[Contract] | None:
    hint = hints.get("return", Any)
    if hint is NoneType:
        return None
    if not (isinstance(hint, type) and issubclass(hint, Contract)):
        raise TypeError("annotate the return value with None or a subclass of wwspec_router.Contract")
    return hint
