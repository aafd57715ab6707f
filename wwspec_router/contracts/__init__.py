"""Contracts: what goes into an ability and what comes out.

`base` holds the types that every contract builds on, `codec` decodes and checks, `bounds` are those that each contract
has, `repair` repairs replies, `matching` is the platform's rule, `examples` makes what the admin console takes.
"""

from wwspec_router.contracts.base import (
    UNSET,
    AbilityRequest,
    ApiRequest,
    Contract,
    Flag,
    Output,
    OutputT,
    PagedRequest,
    PolledOutput,
    ResultT,
    TaskRequest,
    UnsetType,
    Unsigned,
    max_bytes,
    reply_type,
)

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
