"""Contracts of the abilities that manage what the program has stored: `kind = "jobs"` and `kind = "forget"`."""

from typing import Annotated, Literal

from msgspec import Meta

from wwspec_contracts.base import Contract, Output


class InstanceReply(Output):
    """A reply about what one of several instances has."""

    instance: Annotated[str, Meta(examples=["7f3a9c01"])] = ""
    """The name of the instance that answers; all processes that share a store have the same."""


class JobsRequest(Contract):
    """Asks for the jobs that failed for good or have no ability, or for one of them to be run again or dropped."""

    action: Annotated[Literal["list", "retry", "drop"], Meta(examples=["list"])] = "list"
    """`list`, `retry` (run it again) or `drop` (give it up)."""
    job_id: Annotated[str, Meta(examples=["0f9a4c9d3be04f5b8a7f2d6c1e5b7a90"])] = ""
    """With `retry` and `drop`: which job."""
    limit: Annotated[int, Meta(ge=1, le=1000, examples=[20])] = 20
    """With `list`: at most so many, the latest."""


class FailedJobStatus(Contract):
    """One job that failed for good, or has no ability here. It has no data of the call or event."""

    job_id: Annotated[str, Meta(examples=["0f9a4c9d3be04f5b8a7f2d6c1e5b7a90"])] = ""
    """Its name for `retry` and `drop`; only the instance that lists it knows it."""
    name: Annotated[str, Meta(examples=["event:hit_keyword"])] = ""
    """The ability ID, or `event:` and the event's type."""
    attempts: Annotated[int, Meta(examples=[4])] = 0
    """How often its code began to run."""
    error: Annotated[str, Meta(examples=["ApiError"])] = ""
    """The class of its last error, or in words what failed; `no ability` when it waits for its row in the registry."""
    errcode: Annotated[int, Meta(examples=[710660])] = 0
    """That of the reply which the error became; 0 when the app was not notified."""
    failed_s: Annotated[int, Meta(examples=[60])] = 0
    """Seconds since it failed for good; of one without an ability since it was accepted."""


class JobsReply(InstanceReply):
    """What failed for good or has no ability, of the calling corp and app, at the instance that answers."""

    jobs: list[FailedJobStatus] = []
    """With `list`: the jobs, the latest first."""


class ForgetRequest(Contract):
    """Asks for all that is stored for a corp to be removed."""

    corpid: Annotated[str, Meta(min_length=1, examples=["ww1234567890abcdef"])]
    """The corp that calls; or another one, if `from_corps` of the ability's row lists the corp that calls."""


class ForgetReply(InstanceReply):
    """How much was removed, at the instance that answers."""

    events: int = 0
    """Stored events and notifications."""
    jobs: int = 0
    """Jobs, those that failed for good included."""
    kept: int = 0
    """Values that own code has kept."""
    replies: int = 0
    """Claims and replies of calls that run once."""
