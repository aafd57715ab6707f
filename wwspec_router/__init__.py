"""A dispatcher for zone programs in WeCom's Data & Intelligence Zone (数据与智能专区).

Code of a program imports from here:

* `ability` marks a handler.
* `Contract` and `Output` are the bases of its request and reply; `max_bytes`, `UNSET` and `UnsetType` describe fields.
* A handler receives `Context` or `AsyncContext`, code that runs on an event `EventContext` or `AsyncEventContext`.
* `ctx.kept` is a `Kept` or `AsyncKept`; `ctx.follow` returns a `Follow` or `AsyncFollow`, which may have a `FollowGap`,
  and raises `PostponedError` when the job has to run later.
* A handler refuses a call with `AbilityError`. `CallError` is the base of the errors that become the reply of a call,
  such as `ApiError` and `SdkCallError` of SDK calls.

Each name is imported at its first use: commands and the parent of worker processes need none of them, and so start
faster and use less memory.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wwspec_router.contracts import UNSET, Contract, Output, UnsetType, max_bytes
    from wwspec_router.errors import AbilityError, ApiError, CallError, PostponedError, SdkCallError
    from wwspec_router.handlers.ability import ability
    from wwspec_router.handlers.context import AsyncContext, Context
    from wwspec_router.handlers.events import AsyncEventContext, EventContext
    from wwspec_router.handlers.follow import AsyncFollow, Follow, FollowGap
    from wwspec_router.handlers.kept import AsyncKept, Kept

__all__ = [
    "UNSET",
    "AbilityError",
    "ApiError",
    "AsyncContext",
    "AsyncEventContext",
    "AsyncFollow",
    "AsyncKept",
    "CallError",
    "Context",
    "Contract",
    "EventContext",
    "Follow",
    "FollowGap",
    "Kept",
    "Output",
    "PostponedError",
    "SdkCallError",
    "UnsetType",
    "ability",
    "max_bytes",
]

__version__ = "0.1.0"

_HOMES = {
    "ability": "handlers.ability",
    "AsyncContext": "handlers.context",
    "Context": "handlers.context",
    "AsyncEventContext": "handlers.events",
    "EventContext": "handlers.events",
    "AsyncFollow": "handlers.follow",
    "Follow": "handlers.follow",
    "FollowGap": "handlers.follow",
    "AsyncKept": "handlers.kept",
    "Kept": "handlers.kept",
    "UNSET": "contracts",
    "Contract": "contracts",
    "Output": "contracts",
    "UnsetType": "contracts",
    "max_bytes": "contracts",
    "AbilityError": "errors",
    "ApiError": "errors",
    "CallError": "errors",
    "PostponedError": "errors",
    "SdkCallError": "errors",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
