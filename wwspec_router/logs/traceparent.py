"""The trace that a call belongs to, if its app has named one: a W3C traceparent, as of OpenTelemetry."""

import re
from contextvars import ContextVar

_FORM = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
LENGTH = 55

current_traceparent: ContextVar[str] = ContextVar("wwspec_traceparent", default="")
"""The traceparent of the call that this context works on; empty when it names none."""


def traceparent_of(text: object) -> str:
    """Return a text that is a traceparent, without what later versions add; an empty one for any other value."""
    if not isinstance(text, str):
        return ""
    is_later = text[:2] != "00" and text[LENGTH : LENGTH + 1] == "-"
    head = text[:LENGTH] if is_later else text
    return head if _FORM.fullmatch(head) else ""


def current_trace_id() -> str:
    """Return the trace ID of the call that this context works on; empty when it names none."""
    return trace_id_of(current_traceparent.get())


def trace_id_of(traceparent: str) -> str:
    """Return the trace ID of a traceparent; empty for an empty one."""
    return traceparent[3:35]
