"""What answers an ability: an SDK API, a handler, the program itself, or a function of `input.func`.

Plain values, made by `table` and read by the kernel.
"""

from typing import Any, Literal

import msgspec

from wwspec_contracts.wrapping import AsyncJobRequest, CallbackDataRequest
from wwspec_router.codecs.codec import InputCodec, OutputCodec
from wwspec_router.handlers.ability import Handler
from wwspec_router.registry.request_paths import OnceRule, Path


class ApiTarget(msgspec.Struct, frozen=True):
    """Answered by an SDK API."""

    api: str
    input: InputCodec[Any]
    output: OutputCodec


class HandlerTarget(msgspec.Struct, frozen=True):
    """Answered by the application's own code."""

    handler: Handler
    input: InputCodec[Any]
    output: OutputCodec
    once: OnceRule | None = None
    """How repeats of a call are recognised; None when each call runs."""
    trace: Path = ()
    """The value of the request that carries a traceparent; none when no call names its trace."""


class CallbackTarget(msgspec.Struct, frozen=True):
    """Answered with a stored event."""

    input: InputCodec[CallbackDataRequest | AsyncJobRequest]
    output: OutputCodec


class ProgramTarget(msgspec.Struct, frozen=True):
    """Answered by the program itself: with its figures, or what it manages of its store."""

    kind: Literal["status", "jobs", "forget"]
    """That of the row."""
    input: InputCodec[Any]
    output: OutputCodec
    from_corps: frozenset[str] = frozenset()
    """Corps whose apps may have any corp forgotten; those of the others may name their own only."""


class FuncTarget(msgspec.Struct, frozen=True):
    """Answered by the function that `input.func` names: the protocol of the vendor's Python demo [100249]."""

    functions: dict[str, "FunctionTarget"]


FunctionTarget = ApiTarget | HandlerTarget | CallbackTarget
"""What answers a function of the Python demo's protocol."""

Target = ApiTarget | HandlerTarget | CallbackTarget | ProgramTarget | FuncTarget
"""What answers an ability."""


class Ability(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table."""

    ability_id: str
    target: Target
    timeout: float | None
    """Seconds from the arrival of the call to its answer; None for no limit."""
    concurrency: int | None = None
    """Synchronous calls that one worker process runs at once; None for no limit."""
    place: str
    """Where the registry file declares it."""
