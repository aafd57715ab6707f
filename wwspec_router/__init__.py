"""A dispatcher for zone programs in WeCom's Data & Intelligence Zone (数据与智能专区).

Code of a program imports from here:

* `ability` marks a handler, `on_event` code that runs on an event, and `notification` what `ctx.notify` sends.
* `Contract` and `Output` are the bases of its request and reply; `max_bytes`, `UNSET` and `UnsetType` describe fields.
* A handler receives `Context` or `AsyncContext`, code that runs on an event `EventContext` or `AsyncEventContext`.
* `[program] around` of the registry file names a generator that receives each `Run`; `Secret` is for own settings.
* `ctx.kept` is a `Kept` or `AsyncKept`; `ctx.follow` returns a `Follow` or `AsyncFollow`, which may have a `FollowGap`,
  and raises `PostponedError` when the job has to run later.
* A handler refuses a call with `AbilityError`. `CallError` is the base of the errors that become the reply of a call,
  such as `ApiError` and `SdkCallError` of SDK calls.

Each name is imported at its first use: commands and the parent of worker processes need none of them, and so start
faster and use less memory.
"""

from typing import TYPE_CHECKING

from wwspec_contracts.support.lazy import lazily

if TYPE_CHECKING:
    from wwspec_contracts.base import UNSET, Contract, Output, UnsetType, max_bytes
    from wwspec_contracts.errors import AbilityError, ApiError, CallError, PostponedError, SdkCallError
    from wwspec_router.handlers.ability import ability
    from wwspec_router.handlers.around import Run
    from wwspec_router.handlers.context import AsyncContext, Context
    from wwspec_router.handlers.events import AsyncEventContext, EventContext, on_event
    from wwspec_router.handlers.follow import AsyncFollow, Follow, FollowGap
    from wwspec_router.handlers.kept import AsyncKept, Kept
    from wwspec_router.handlers.marks import notification
    from wwspec_router.handlers.secret import Secret

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
    "Run",
    "SdkCallError",
    "Secret",
    "UnsetType",
    "ability",
    "max_bytes",
    "notification",
    "on_event",
]

__version__ = "0.1.0"

if not TYPE_CHECKING:  # a type checker would take any name for one of this package

    def __dir__() -> list[str]:
        return [*__all__, "__version__"]

    __getattr__ = lazily(
        __name__,
        {
            "wwspec_contracts.base": "UNSET Contract Output UnsetType max_bytes",
            "wwspec_contracts.errors": "AbilityError ApiError CallError PostponedError SdkCallError",
            "wwspec_router.handlers.ability": "ability",
            "wwspec_router.handlers.around": "Run",
            "wwspec_router.handlers.context": "AsyncContext Context",
            "wwspec_router.handlers.events": "AsyncEventContext EventContext on_event",
            "wwspec_router.handlers.follow": "AsyncFollow Follow FollowGap",
            "wwspec_router.handlers.kept": "AsyncKept Kept",
            "wwspec_router.handlers.marks": "notification",
            "wwspec_router.handlers.secret": "Secret",
        },
    )
