"""What can go wrong with a request to WeCom: one tree, and two facts that each error states.

    ZoneClientError
    ├─ TransportError           there is no answer of WeCom
    │   ├─ NotSentError         the request has not been sent
    │   ├─ NoAnswerError        it has been sent, at least in part, and nothing came back
    │   └─ BadAnswerError       what came back is not an answer of WeCom: an HTTP status, or no JSON
    ├─ PlatformError            WeCom refuses, with an errcode
    │   └─ ContractMisfitError  790014, 790016: the request or the reply does not fit the contract of the console
    ├─ ProgramError             the program answers, with an errcode
    │   ├─ ProgramInputError    the request does not fit the program's types
    │   ├─ ProgramTimeoutError  the ability took longer than its timeout
    │   ├─ ProgramCrashError    the code of the ability failed
    │   ├─ UnknownAbilityError  the program has no such ability
    │   ├─ ProgramOverloadError the program has too many calls
    │   ├─ ProgramRepeatError   the first of two equal calls still runs
    │   └─ SdkApiError          the errcode is that of the SDK API that was called
    ├─ ReplyTypeError           the program's reply is not of the type that was asked for
    ├─ StillRunningError        an asynchronous call has no result in time
    ├─ NotInstalledError        the corp has not installed the provider's app
    └─ TicketMissingError       WeCom has not pushed a suite_ticket yet

`retryable`: the same request may succeed later. `may_have_run`: the program may have handled the call, so that a second
one may be one too many. No message holds a token, a secret or a request.
"""

from collections.abc import Mapping

from wwspec_contracts.errcodes import CONTRACT_CODES, RETRY_AFTER, misfit_path, request_id
from wwspec_contracts.errors import WWSpecError
from wwspec_contracts.support.printable import printable


class ZoneClientError(WWSpecError):
    """A request failed.

    Attributes:
        call: What was called: the API's name, with the ability ID where there is one.
        retryable: The same request may succeed later.
        may_have_run: The program may have handled the call.
        request_id: The number under which WeCom finds the request, from its errmsg; empty when it gave none.
        retry_after: Seconds to wait before a repeat, where that is known: the server says so, or a minute for 45009.
    """

    def __init__(
        self,
        call: str,
        text: str,
        *,
        retryable: bool = False,
        may_have_run: bool = False,
        request_id: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{call}: {text}")
        self.call = call
        self.request_id = request_id
        self.retry_after = retry_after
        self.retryable = retryable
        self.may_have_run = may_have_run


class TransportError(ZoneClientError):
    """There is no answer of WeCom."""


class NotSentError(TransportError):
    """The request has not been sent: no connection could be made, or none of the client's was free in time."""


class NoAnswerError(TransportError):
    """The request has been sent, at least in part, and no whole answer came in time."""


class BadAnswerError(TransportError):
    """What came back is not an answer of WeCom, such as that of a proxy on the way.

    Attributes:
        status: The HTTP status.
    """

    def __init__(
        self,
        call: str,
        text: str,
        *,
        status: int,
        retry_after: float | None = None,
        retryable: bool = False,
        may_have_run: bool = False,
    ) -> None:
        super().__init__(call, text, retryable=retryable, may_have_run=may_have_run, retry_after=retry_after)
        self.status = status


class PlatformError(ZoneClientError):
    """WeCom refuses the request.

    Attributes:
        errcode: WeCom's code.
        errmsg: Its text; don't match on it.
        hint: What to do about it, where that is known.
    """

    def __init__(
        self,
        call: str,
        errcode: int,
        errmsg: str,
        hint: str = "",
        *,
        retryable: bool = False,
        may_have_run: bool = False,
    ) -> None:
        text = f"WeCom refuses with errcode {errcode}: {errmsg}{f'; {hint}' if hint else ''}"
        number, wait = request_id(errmsg), RETRY_AFTER.get(errcode)
        super().__init__(
            call, text, retryable=retryable, may_have_run=may_have_run, request_id=number, retry_after=wait
        )
        self.errcode = errcode
        self.errmsg = errmsg
        self.hint = hint


class ContractMisfitError(PlatformError):
    """The request or the reply does not fit the JSON example that the admin console has for the ability [100019]."""

    @property
    def side(self) -> str:
        """What does not fit: `request` or `reply`."""
        return CONTRACT_CODES[self.errcode]

    @property
    def path(self) -> str:
        """The place that does not fit, such as `$.limit`; empty when WeCom does not name it."""
        return misfit_path(self.errmsg)


class ProgramError(ZoneClientError):
    """The program answered, and its reply carries an errcode.

    A subclass says which failure it is, where the registry file sets the errcode of that failure apart and the client
    knows the number: from a request of the module that `wwspec contracts --client` writes, or from its `errcodes`.

    Attributes:
        errcode: The program's code.
        errmsg: Its text.
        raw: The whole reply as JSON text.
    """

    who = "the program"
    _passes = False
    _runs = True
    _waits: Mapping[int, float] = {}

    def __init__(self, call: str, errcode: int, errmsg: str, raw: str, *, retryable: bool = False) -> None:
        text = f"{self.who} answers errcode {errcode}: {errmsg or 'without an errmsg'}"
        number, passes, wait = request_id(errmsg), retryable or self._passes, self._waits.get(errcode)
        super().__init__(call, text, retryable=passes, may_have_run=self._runs, request_id=number, retry_after=wait)
        self.errcode = errcode
        self.errmsg = errmsg
        self.raw = raw


class ProgramInputError(ProgramError):
    """The request does not fit the program's types: `errmsg` names the place and what is allowed there."""

    _runs = False


class ProgramTimeoutError(ProgramError):
    """The ability took longer than its `timeout`; it may have run to its end."""

    _passes = True


class ProgramCrashError(ProgramError):
    """The code of the ability failed, or its reply does not fit its types."""


class UnknownAbilityError(ProgramError):
    """The program has no ability of this ID, though WeCom's admin console has it; or no such `input.func`."""

    _runs = False


class ProgramOverloadError(ProgramError):
    """The program, or the ability, has too many calls; this one has not run."""

    _passes = True
    _runs = False


class ProgramRepeatError(ProgramError):
    """A repeat of a call that runs once, while the first one still runs: a later repeat gets the reply of the first."""

    _passes = True


class SdkApiError(ProgramError):
    """The program's reply is that of an SDK API, which refuses: the errcode is WeCom's."""

    who = "the SDK API"
    _waits = RETRY_AFTER


class ReplyTypeError(ZoneClientError):
    """The program's reply is not of the type that was asked for.

    Attributes:
        raw: The whole reply as JSON text.
    """

    def __init__(self, call: str, text: str, raw: str) -> None:
        super().__init__(call, text, may_have_run=True)
        self.raw = raw


class RepeatedCursorError(ZoneClientError):
    """A reply says that there are more pages, and its `next_cursor` is empty or that of an earlier page."""

    def __init__(self, call: str) -> None:
        super().__init__(
            call, "the reply says that there is more, and its next_cursor leads nowhere", may_have_run=True
        )


class StillRunningError(ZoneClientError):
    """An asynchronous call has no result yet; call `result` of its task again."""


REVOKED = (40013, 40084, 48004)
"""The errcodes of a corp that has removed the app."""


class NotInstalledError(ZoneClientError):
    """The corp has not installed the provider's app, or no longer has it.

    Attributes:
        corpid: The corp.
    """

    def __init__(self, corpid: str, text: str = "") -> None:
        why = text or (
            "the app has no installation of this corp: let its admin install the app, by install_url() or from WeCom's "
            "market; if it is installed, its create_auth was lost, and it is to be installed again"
        )
        super().__init__(f"corp {printable(corpid)}", why)
        self.corpid = corpid


class TicketMissingError(ZoneClientError):
    """WeCom has not pushed a suite_ticket to the app yet, so there is no token of the suite [90628]."""

    def __init__(self, suite_id: str) -> None:
        super().__init__(
            f"suite {printable(suite_id)}",
            "there is no suite_ticket yet: WeCom pushes one to the command callback URL every ten minutes; check the "
            "URL in the provider console, and push one there by hand",
            retryable=True,
        )
