"""A dispatcher for zone programs in WeCom's Data & Intelligence Zone.

What a program's own code needs is here: `ability` marks a handler, `Contract` and `Output` are the bases of its
request and reply, `Context` or `AsyncContext` is what it receives, `AbilityError` is how it refuses a call.
"""

from wwspec_router.ability import ability
from wwspec_router.context import AsyncContext, Context
from wwspec_router.contracts import UNSET, Contract, Output, UnsetType, max_bytes
from wwspec_router.errors import AbilityError, ApiError, CallError, SdkCallError

__all__ = [
    "UNSET",
    "AbilityError",
    "ApiError",
    "AsyncContext",
    "CallError",
    "Context",
    "Contract",
    "Output",
    "SdkCallError",
    "UnsetType",
    "ability",
    "max_bytes",
]

__version__ = "0.1.0"
