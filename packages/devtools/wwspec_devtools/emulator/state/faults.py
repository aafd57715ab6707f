"""Faults that a test sets: refusals, return codes, delays, cut connections, wrong callbacks, answers by hand.

Each fault works on one side (`on`), on one API or on all, a number of times or until it is cleared. The part that
serves an exchange calls `Faults.meet`. Safe under threads.
"""

import re
import threading
from collections.abc import Callable
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from wwspec_contracts.errors import WWSpecError
from wwspec_contracts.support.loopback import is_loopback
from wwspec_devtools.emulator.answers import RefusedError
from wwspec_devtools.emulator.state.traffic.entries import APP, CALLBACK, SDK, Entry

PROGRAM = "program"

RETURN_CODES = range(-10009, -10000)
"""The return codes of the vendor's SDK [100052]."""

MAX_SECONDS = 60.0
"""The longest latency or timeout; a callback may be later."""

PROGRAM_ERRCODES = (710674, 710675, 710676, 710677, 790013, 790014)
"""Failures between platform and program [100042]; 710674 is a program that is down."""

LATENCY, ERRCODE, RETURN_CODE, TIMEOUT, DROP = "latency", "errcode", "return_code", "timeout", "drop"
ANSWER = "answer"
LATE, TWICE, NEVER = "late", "twice", "never"

EFFECTS = {
    APP: (LATENCY, ERRCODE, TIMEOUT, DROP),
    SDK: (LATENCY, ERRCODE, RETURN_CODE, TIMEOUT, DROP, ANSWER),
    PROGRAM: (LATENCY, ERRCODE, TIMEOUT, DROP),
    CALLBACK: (LATE, TWICE, NEVER),
}


API_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
"""The name of an SDK API, which the emulator may lack."""


class CutError(WWSpecError):
    """The connection must be closed in the middle of a reply."""


class ReturnCodeError(WWSpecError):
    """An SDK call must fail with a return code of the vendor's SDK.

    Args:
        return_code: The code.
    """

    def __init__(self, return_code: int) -> None:
        self.return_code = return_code
        super().__init__(str(return_code))


class FaultSpec(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The effect of a fault.

    `errcode` refuses with `value`, `return_code` lets an SDK call fail with `value`, `latency` delays by `value` real
    seconds, `timeout` holds for `value` real seconds and then cuts the connection, `drop` cuts it at once. A callback
    is `late` by `value` seconds of the clock, comes `twice`, or `never`. On the program's side, 710674 is answered
    without calling the program; with any other fault the program has handled the call. `answer` lets an SDK API return
    `reply`, or what a server at `url` replies, in place of what the emulator would; the API may be one that it lacks.
    """

    on: Literal["app", "sdk", "program", "callback"]
    effect: Literal["latency", "errcode", "return_code", "timeout", "drop", "late", "twice", "never", "answer"]
    api: str = ""
    """One API, ability ID or event type; empty for all."""
    value: float = 0
    count: Annotated[int, Meta(ge=1)] | None = None
    """How often it works; None until it is cleared."""
    reply: Any = None
    """Of an `answer`: a JSON object."""
    url: str = ""
    """Of an `answer`: an http:// URL of this machine that gets each request by POST and replies."""

    def __post_init__(self) -> None:
        if float(self.value).is_integer():  # msgspec makes a float of each: an errcode is shown without a point
            self.value = int(self.value)

    def check(self) -> None:
        """Raise RefusedError 40058 for a combination that makes no sense."""
        if self.effect not in EFFECTS[self.on]:
            raise RefusedError(40058, f"on {self.on} the effect is one of {', '.join(EFFECTS[self.on])}")
        if self.on == CALLBACK and self.api:
            raise RefusedError(40058, "a fault on callback is about every notification: leave out the api")
        if self.effect == RETURN_CODE and self.value not in RETURN_CODES:
            raise RefusedError(40058, "a return_code is one of -10001 to -10009")
        if self.effect == ERRCODE and (self.value == 0 or self.value != int(self.value)):
            raise RefusedError(40058, "an errcode is an integer other than 0")
        if self.on == PROGRAM and self.effect == ERRCODE and self.value not in PROGRAM_ERRCODES:
            raise RefusedError(40058, f"on program an errcode is one of {', '.join(map(str, PROGRAM_ERRCODES))}")
        if self.effect in (LATENCY, TIMEOUT) and not 0 <= self.value <= MAX_SECONDS:
            raise RefusedError(40058, f"the seconds are 0 to {MAX_SECONDS:g}")
        if self.effect == LATE and not self.value >= 0:
            raise RefusedError(40058, "the seconds are 0 or more")
        if self.effect == ANSWER:
            self._check_answer()
        elif self.reply is not None or self.url:
            raise RefusedError(40058, "reply and url go with the effect answer")

    def _check_answer(self) -> None:
        if not API_NAME.fullmatch(self.api):
            raise RefusedError(40058, "an answer is that of one SDK API: api is its name, such as sync_msg")
        if not self.url and not isinstance(self.reply, dict):
            what = "null" if self.reply is None else type(self.reply).__name__
            raise RefusedError(40058, f"the reply of {self.api} is a JSON object, not {what}")
        parts = urlsplit(self.url)
        if self.url and (parts.scheme != "http" or not is_loopback(parts.hostname or "")):
            raise RefusedError(40058, "url is an http:// URL of this machine")


class Fault(FaultSpec, kw_only=True):
    """A fault that is set."""

    id: str
    taken: int = 0
    """How often it worked."""

    def answers(self, api: str) -> bool:
        """Return whether it is the answer by hand of an SDK API."""
        return self.effect == ANSWER and self.api == api

    def shown(self) -> dict[str, Any]:
        """Return it without what it replies."""
        return {name: getattr(self, name) for name in ("id", "on", "effect", "api", "value", "count", "taken")}


class Faults:
    """The faults of one emulator.

    Args:
        on_change: Called when a fault is set, hits or is removed, without a lock.
    """

    def __init__(self, on_change: Callable[[], None] = lambda: None) -> None:
        self._on_change = on_change
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._count = 0
        self._over = threading.Event()

    def add(self, spec: FaultSpec) -> str:
        """Set a fault and return its id.

        Raises:
            RefusedError: 40058.
        """
        spec.check()
        with self._lock:
            self._count += 1
            kind = "answer" if spec.effect == ANSWER else "fault"
            fault = Fault(id=f"{kind}_{self._count}", **msgspec.structs.asdict(spec))
            if fault.effect == ANSWER and fault.count is None:  # it replaces the one before
                self._faults = [each for each in self._faults if each.count or not each.answers(fault.api)]
            self._faults.append(fault)
        self._on_change()
        return fault.id

    def clear(self, fault_id: str = "", effect: str = "", api: str = "") -> int:
        """Remove the faults of an id, an effect or an API, or all, and return how many there were."""
        with self._lock:
            kept = [
                fault
                for fault in self._faults
                if fault_id not in ("", fault.id) or effect not in ("", fault.effect) or api not in ("", fault.api)
            ]
            cleared = len(self._faults) - len(kept)
            self._faults = kept
        self._on_change()
        return cleared

    def listed(self) -> list[Fault]:
        """Return the faults that are still set, oldest first."""
        with self._lock:
            return [msgspec.structs.replace(fault) for fault in self._faults]

    def has_answer(self, api: str) -> bool:
        """Return whether an answer by hand is set for an SDK API."""
        with self._lock:
            return any(fault.answers(api) for fault in self._faults)

    def apply(self, on: str, api: str, entry: Entry) -> dict[str, Fault]:
        """Count the faults that hit an exchange, and return them by effect.

        Of an effect it is the oldest one that works a number of times; without such a one, the oldest.
        """
        if not self._faults:
            return {}
        met: dict[str, Fault] = {}
        with self._lock:
            for fault in sorted(self._faults, key=lambda each: each.count is None):
                if fault.on == on and fault.api in ("", api):
                    met.setdefault(fault.effect, fault)
            if met.keys() - {LATENCY, ANSWER}:  # another fault ends the exchange
                met.pop(ANSWER, None)
            for fault in met.values():
                fault.taken += 1
            self._faults = [fault for fault in self._faults if fault.count is None or fault.taken < fault.count]
        entry.faults += tuple(fault.id for fault in met.values())
        entry.hits += tuple(met.values())
        return met

    def meet(self, on: str, api: str, entry: Entry) -> Fault | None:
        """Apply the faults that are set for an exchange, and return the answer by hand, if one is set.

        Raises:
            RefusedError: The fault is an errcode.
            ReturnCodeError: It is a return code.
            CutError: It is a cut connection.
        """
        met = self.apply(on, api, entry)
        self.pause(met)
        if ERRCODE in met:
            raise RefusedError(int(met[ERRCODE].value), "a fault that was set")
        if RETURN_CODE in met:
            raise ReturnCodeError(int(met[RETURN_CODE].value))
        if TIMEOUT in met or DROP in met:
            raise CutError("a fault that was set")
        return met.get(ANSWER)

    def pause(self, met: dict[str, Fault]) -> None:
        """Wait as long as the faults say, in real seconds."""
        seconds = sum(met[effect].value for effect in (LATENCY, TIMEOUT) if effect in met)
        if seconds:
            self._over.wait(seconds)

    def end(self) -> None:
        """End all waiting."""
        self._over.set()
