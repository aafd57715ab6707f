"""Contracts: what goes into an ability and what comes out.

`base` has the base types of every contract, `codec` decodes and checks, `bounds` has the bounds of every contract,
`repair` repairs replies, `matching` is the platform's rule, `examples` makes the examples for the admin console.
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
