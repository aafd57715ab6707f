"""A dispatcher for zone programs in WeCom's Data & Intelligence Zone.

What a program's own code needs is here: `ability` marks a handler, `Contract` and `Output` are the bases of its
request and reply, `Context` or `AsyncContext` is what it receives, `AbilityError` is how it refuses a call. Code that
runs on an event receives `EventContext` or `AsyncEventContext`.

Each is imported when it is first asked for: commands and the parent of worker processes, which need none of them, start
sooner and stay small.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wwspec_router.contracts import UNSET, Contract, Output, UnsetType, max_bytes
    from wwspec_router.errors import AbilityError, ApiError, CallError, SdkCallError
    from wwspec_router.handlers.ability import ability
    from wwspec_router.handlers.context import AsyncContext, Context
    from wwspec_router.handlers.events import AsyncEventContext, EventContext

__all__ = [
    "UNSET",
    "AbilityError",
    "ApiError",
    "AsyncContext",
    "AsyncEventContext",
    "CallError",
    "Context",
    "Contract",
    "EventContext",
    "Output",
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
    "UNSET": "contracts",
    "Contract": "contracts",
    "Output": "contracts",
    "UnsetType": "contracts",
    "max_bytes": "contracts",
    "AbilityError": "errors",
    "ApiError": "errors",
    "CallError": "errors",
    "SdkCallError": "errors",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
