"""What one exchange is about: the `Call` that came in and the `Reply` that goes out.

Neither knows how it travels. Both are plain values, so that a test can build them by hand.
"""

from enum import IntEnum

import msgspec


class CallType(IntEnum):
    """Who calls the program [100057]."""

    APP = 1
    """The enterprise app, through `sync_call_program` or `async_program_task`."""
    EVENT = 2
    """WeCom itself, with an event."""


class Call(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One decoded request, in the words of the SDK's getters [100057]."""

    corpid: str
    """The corp whose data the call is about."""
    agentid: int
    """The app that calls; 0 when the request carries none."""
    call_type: int
    """1 for the app, 2 for an event; other values are refused by the kernel."""
    ability_id: str = ""
    """The ability that the app asks for; empty for events."""
    data: str = "{}"
    """JSON text: the app's request_data, or the event."""
    notify_id: str = ""
    """The notify_id that the app passed on, else empty."""
    is_async: bool = False
    """True for `async_program_task`."""
    job_info: str = ""
    """Opaque; asynchronous calls only, and needed by `program_async_job_call_back`."""
    attempt: int = 1
    """Which time this call is begun; more than 1 only for an asynchronous one that was interrupted."""


class Reply(msgspec.Struct, frozen=True, gc=False):
    """What the program answers, before the SDK seals it."""

    text: str
    """JSON text that fits the ability's output contract."""
    errcode: int = 0
    """The program's own errcode; 0 also for a reply of the platform that is passed on, whatever it says."""
