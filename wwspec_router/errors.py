"""Every error that wwspec_router raises, in one tree.

WWSpecError
├─ ConfigurationError        at start-up only; never on the wire
│   ├─ LoaderError           a bad import string, a foreign copy, a missing package
│   ├─ RegistryError         every fault of a registry file, at once
│   ├─ SdkUnavailableError   the vendor module is absent or does not load
│   └─ NoThreadError         the system starts no thread that is needed
├─ CallError                 becomes the reply of one call
│   ├─ DecodeError           the SDK could not verify or decrypt the request
│   ├─ AbilityNotFoundError  no row answers this ability ID
│   ├─ InputError            the request does not fit the input contract
│   ├─ OutputError           the reply does not fit the output contract
│   ├─ NotifyNotFoundError   no stored event under this notify_id for this corp and app
│   ├─ HandlerTimeoutError   the ability took longer than its timeout
│   ├─ OverloadedError       the queue of the workers is full
│   ├─ SdkCallError          the SDK could not make our call
│   ├─ ApiError              the platform refused our call with an errcode
│   └─ AbilityError          raised by handlers on purpose
└─ StoreError                the store of events and jobs failed
    └─ StoreFullError        a bound on rows, bytes or jobs would be passed

Nothing here knows HTTP or the vendor SDK. `CallError.message` reaches the enterprise app, so it never holds a
body, a token, or text of an unknown exception; `CallError.detail` reaches the log only.
"""

from collections.abc import Sequence

DEFAULT_ERRCODE = 710660
"""The errcode of the program's own failures, the one that the vendor's demos give [100052]."""


class WWSpecError(Exception):
    """Base of every error of this package."""


class ConfigurationError(WWSpecError):
    """The program can't start as it is configured; the text names the mend."""


class LoaderError(ConfigurationError):
    """A module or attribute of the application directory can't be used."""


class RegistryError(ConfigurationError):
    """The registry file has faults.

    Attributes:
        faults: One line for each fault: where it stands, what is wrong, and the mend.
    """

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(_one_line(fault) for fault in faults)
        super().__init__("\n".join(self.faults))


def _one_line(text: str) -> str:
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


class SdkUnavailableError(ConfigurationError):
    """The vendor module `wwspecapisdk` is absent or can't be loaded here."""


class NoThreadError(ConfigurationError):
    """The system starts none of the threads that the program needs."""

    def __init__(self) -> None:
        super().__init__(
            "this system does not let the program start the threads that it needs: raise its limit on processes "
            "(ulimit -u, or that of the container), or lower --job-threads"
        )


class CallError(WWSpecError):
    """A call ends with an error reply.

    Args:
        message: What the enterprise app reads in `errmsg`.
        errcode: What it reads in `errcode`; None stands for the program's configured code.
        detail: What only the log gets.

    Raises:
        TypeError: The message is no string, or the errcode no whole number of 64 bits: no reply could be made of them.
    """

    def __init__(self, message: str, *, errcode: int | None = None, detail: str = "") -> None:
        if not _can_be_sent(message, errcode):
            raise TypeError(f"{type(self).__name__}: the message must be a str, the errcode an int of 64 bits or None")
        super().__init__(message)
        self.message = str.__str__(message)  # of subclasses only what they hold
        self.errcode = None if errcode is None else int.__int__(errcode)
        self.detail = detail


def _can_be_sent(message: object, errcode: object) -> bool:
    if not isinstance(errcode, int | None) or isinstance(errcode, bool):
        return False
    return isinstance(message, str) and (errcode is None or -(2**63) <= int.__int__(errcode) < 2**63)


class DecodeError(CallError):
    """The SDK could not verify or decrypt the request; there is no `Call`."""


class AbilityNotFoundError(CallError):
    """No row of the registry answers this ability ID."""


class InputError(CallError):
    """The request does not fit the ability's input contract.

    Attributes:
        path: The failing place, such as `$.limit`.
        reason: What is wrong there.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"input contract: {reason} at {path}")
        self.path = path
        self.reason = reason


class OutputError(CallError):
    """The reply does not fit the ability's output contract.

    Attributes:
        path: The failing place, such as `$.msg_list[0].msgid`.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"output contract: {reason} at {path}")
        self.path = path


class NotifyNotFoundError(CallError):
    """No event waits under this notify_id for this corp and app."""


class HandlerTimeoutError(CallError):
    """The ability took longer than its `timeout`."""


class OverloadedError(CallError):
    """The queue of the workers is full; the call was not begun."""


class SdkCallError(CallError):
    """The SDK could not make our call: network, signature or protocol.

    Attributes:
        api: The SDK API's name.
        return_code: The SDK's return code where one is known, such as -10002.
    """

    def __init__(self, api: str, return_code: int | None, detail: str = "") -> None:
        code = "" if return_code is None else f" ({return_code})"
        super().__init__(f"{api}: the SDK call failed{code}", detail=detail)
        self.api = api
        self.return_code = return_code


class ApiError(CallError):
    """The platform answered our SDK call with an errcode other than 0.

    Attributes:
        api: The SDK API's name.
    """

    def __init__(self, api: str, errcode: int, errmsg: str) -> None:
        super().__init__(f"{api}: {errmsg}", errcode=errcode)
        self.api = api


class AbilityError(CallError):
    """A handler refuses a call on purpose; its message is sent to the enterprise app, and not logged.

    Args:
        message: What the app reads in `errmsg`.
        errcode: What it reads in `errcode`; the program's configured code when omitted.
        detail: What only the log gets.
    """


class StoreError(WWSpecError):
    """The store of events and jobs could not do what was asked."""


class StoreFullError(StoreError):
    """A bound of the store would be passed; nothing was stored and nothing was dropped."""
