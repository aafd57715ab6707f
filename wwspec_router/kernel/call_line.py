"""The line of one call in the log: as columns for people, as names and values for programs."""

import msgspec

_NAMES = {"milliseconds": "ms", "sdk_milliseconds": "sdk_ms", "request_id": "platform_request_id"}
"""Names for programs, where they differ."""


class CallLine(msgspec.Struct, frozen=True, omit_defaults=True, rename=_NAMES):
    """What is known of one call at its end."""

    kind: str
    """`call`, `event`, `async` for the acceptance of an asynchronous call, `job` for its run, or `?`."""
    ability: str
    """What was called: an ability ID, or the type of an event."""
    errcode: int
    """What the program answered; 0 for success."""
    milliseconds: float
    """Time from its arrival to its answer."""
    sdk_milliseconds: float
    """The part of them spent in the SDK. SDK calls that ran at the same time are added up."""
    bytes_in: int
    """Size of the request as it was sent."""
    bytes_out: int
    """Size of the answer as it was sent; for a job, of its result."""
    ending: str = ""
    """How it ended, when it was not by an answer of the program."""
    refused_api: str = ""
    """The latest SDK API that the platform refused; empty when there is none."""
    refused_errcode: int = 0
    request_id: str = ""
    """The platform's id of the request, if a header has it."""
    caller: str = ""
    """Corp and app; empty when the request could not be decoded, and with the vendor's SDK."""
    errmsg: str = ""
    """Empty with the vendor's SDK, as is `refused_errmsg`."""
    refused_errmsg: str = ""
    why: str = ""
    """Why it failed, in the words of the observer; empty without one."""

    @property
    def fields(self) -> dict[str, object]:
        """The line as names and values, for programs; without empty ones."""
        fields: dict[str, object] = msgspec.to_builtins(self)
        return fields

    def __str__(self) -> str:
        columns = (
            f"{self.kind:<5}",
            f"{self.ability:<24}",
            f"{self.outcome:<14}",
            f"{self.milliseconds:>7.1f} ms",
            f"SDK {self.sdk_milliseconds:>7.1f} ms",
            f"{_size(self.bytes_in):>7} in",
            f"{_size(self.bytes_out):>7} out",
            self.caller,
            self.reason,
        )
        return "  ".join(columns).rstrip()

    @property
    def outcome(self) -> str:
        """How the call ended, in a few words."""
        if self.ending:
            return self.ending
        return f"errcode {self.errcode}" if self.errcode else "ok"

    @property
    def reason(self) -> str:
        """The reason that the observer, the program or the platform gives; empty when nothing was refused."""
        if self.why or not self.refused_api or self.errcode == self.refused_errcode:
            return self.why or self.errmsg
        refused = f"{self.refused_api} was refused with {self.refused_errcode}: {self.refused_errmsg}"
        return f"{self.errmsg}; {refused}" if self.errmsg else refused


def _size(count: int) -> str:
    """Return a number of bytes for people."""
    if count < 1000:
        return f"{count} B"
    return f"{count / 1000:.1f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"
