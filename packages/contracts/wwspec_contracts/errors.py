"""Every error that our packages raise, in one tree.

WWSpecError
├─ ConfigurationError        at start-up only; never in a reply
│   ├─ LoaderError           a bad import string, a foreign copy, a missing package
│   ├─ RegistryError         every fault of a registry file, at once
│   ├─ SdkUnavailableError   the vendor module is absent or does not load
│   ├─ NoThreadError         the system starts no thread that is needed
│   ├─ ExtraMissingError     what is wanted needs an extra that is not installed
│   ├─ LifespanError         the application's own lifespan failed
│   └─ ImageError            an image can't be built, or its tar can't be read
│       └─ EngineError       a container engine failed                         wwspec_devtools.image.engine
├─ CallError                 becomes the reply of one call
│   ├─ DecodeError           the SDK could not verify or decrypt the request
│   ├─ AbilityNotFoundError  no row answers this ability ID
│   ├─ InputError            the request does not fit the input contract
│   ├─ OutputError           the reply does not fit the output contract
│   ├─ NotifyNotFoundError   no stored event under this notify_id for this corp and app
│   ├─ HandlerTimeoutError   the ability took longer than its timeout
│   ├─ CrashError            the ability ended with an unexpected error, or not at all
│   ├─ OverloadedError       the program or the ability has too many calls
│   ├─ FirstCallRunningError a repeat came while the call that runs once still ran
│   ├─ RepeatedError         a repeat gets the error that was kept
│   ├─ KeptValueError        a kept value does not fit the type that it is read as
│   ├─ NotStoredError        what a synchronous call keeps could not be stored
│   ├─ PostponedError        a job can't run now, and runs later
│   ├─ SdkCallError          the SDK could not make our call
│   ├─ ApiError              the platform refused our call with an errcode
│   └─ AbilityError          raised by handlers on purpose
├─ ZoneClientError           a request of the app's client failed              wwspec_client.errors
│   ├─ TransportError        WeCom's answer is not there                       wwspec_client.errors
│   │   ├─ NotSentError      the request has not been sent                     wwspec_client.errors
│   │   ├─ NoAnswerError     it has been sent, and nothing came back           wwspec_client.errors
│   │   └─ BadAnswerError    what came back is not an answer of WeCom          wwspec_client.errors
│   ├─ PlatformError         WeCom refuses, with an errcode                    wwspec_client.errors
│   │   └─ ContractMisfitError  a request or reply does not fit the console    wwspec_client.errors
│   ├─ ProgramError          the program answers, with an errcode              wwspec_client.errors
│   │   ├─ ProgramInputError     the request does not fit the program's types  wwspec_client.errors
│   │   ├─ ProgramTimeoutError   the ability took longer than its timeout      wwspec_client.errors
│   │   ├─ ProgramCrashError     the code of the ability failed                wwspec_client.errors
│   │   ├─ UnknownAbilityError   the program has no such ability               wwspec_client.errors
│   │   ├─ ProgramOverloadError  the program has too many calls                wwspec_client.errors
│   │   ├─ ProgramRepeatError    the first of two equal calls still runs       wwspec_client.errors
│   │   └─ SdkApiError       the errcode is that of an SDK API                 wwspec_client.errors
│   ├─ ReplyTypeError        the reply is not of the wanted type               wwspec_client.errors
│   ├─ RepeatedCursorError   a reply has more pages, and does not say where    wwspec_client.errors
│   ├─ StillRunningError     an asynchronous call has no result in time        wwspec_client.errors
│   ├─ NotInstalledError     the corp has not installed the provider's app     wwspec_client.errors
│   └─ TicketMissingError    WeCom has not pushed a suite_ticket yet           wwspec_client.errors
├─ CursorError               where a pull ended can't be used                  wwspec_client.cursors
│   ├─ CursorMovedError      another pull has kept a page                      wwspec_client.cursors
│   ├─ CursorRefusedError    WeCom refuses the cursor                          wwspec_client.cursors
│   └─ CursorStoreError      the file or the database fails                    wwspec_client.cursors
├─ MessageGapError           messages may be missing                           wwspec_client.messages
├─ KeyRingError              the secret key of a message can't be opened       wwspec_client.keys
│   └─ KeyMissingError       the private key of its version is missing         wwspec_client.keys
├─ CallbackError             a callback is not sealed with the app's key       wwspec_contracts.callbacks
├─ StoreError                a store failed
│   ├─ StoreFullError        a bound on rows, bytes or jobs is reached
│   ├─ KeptConflictError     a kept value was changed by somebody else
│   └─ DamagedFileError      a SQLite file holds what SQLite has not written   wwspec_router.stores.sqlite.errors
├─ JsonError                 a text is not JSON, or not of the wanted type
├─ SourceError               a contract can't be written as Python source      wwspec_contracts.source_text
├─ AccessTokenError          debug mode gets no access token                   wwspec_router.sdk.access_token
├─ ElfError                  a file is no ELF file, or a damaged one              wwspec_router.process.elf
├─ ChildError                a verb in a process of its own ended too early    wwspec_devtools.child
├─ EmulatorError             the emulator did not do what it was asked         wwspec_devtools.emulator.http.client
├─ StreamEndedError          the emulator's stream has ended                   wwspec_devtools.emulator.http.reading
├─ CallRefusedError          the answer to an app's call is a refusal          wwspec_devtools.testing.answer
├─ ZoneTimeoutError          what a test waits for has not happened            wwspec_devtools.testing.notifications
├─ ProgramEndedError         the program that the emulator started has ended   wwspec_devtools.emulator.program.launch
├─ RefusedError              the emulated platform refuses a call              wwspec_devtools.emulator.answers
├─ ChannelConnectError       the emulator could not connect to the program     wwspec_devtools.emulator.state.world
├─ ChannelTimeoutError       the program did not answer the emulator in time   wwspec_devtools.emulator.state.world
│  └─ ChannelLostError       it ended the connection before the reply          wwspec_devtools.emulator.state.world
├─ CutError                  a fault cuts a connection                         wwspec_devtools.emulator.state.faults
└─ ReturnCodeError           a fault lets an SDK call fail                     wwspec_devtools.emulator.state.faults

The right column names the module of an error that is not defined here. Outside of the tree:

* `LinkError` and `SealError` of the stand-in, which works without this package.
* `BadRequestError` of `http1/framing.py`: what a client sent is no HTTP; the connection answers it with status 400.
* Errors whose names begin with an underscore: the module that raises them also handles them.

Three class attributes say how an error is treated. Each class states them for itself, except for the message:

* `default_message`: the text of an error that is raised without one.
* `loggable`: its message is the program's own words. Messages of all others may quote the request, the platform or the
  reply, so the log names only class and errcode. A subclass is not loggable unless it says so itself.
* `frequent`: it comes with every call while there are too many, so the log shows its `detail` only.

Nothing here knows HTTP or the vendor SDK. `CallError.message` reaches the enterprise app, so it never holds a
body, a token, or text of an unknown exception; `CallError.detail` reaches the log only.
"""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, cast

from wwspec_contracts.support.printable import printable

DEFAULT_ERRCODE = 710660
"""The errcode of the program's own failures, the one that the vendor's demos give [100052]."""

ONCE_ERRCODE = 710661
"""The errcode of a repeat whose first call still runs, where the registry file gives no other."""

_DEFAULT = cast(str, object())
"""Not None, which an application may pass by mistake: that is a TypeError."""


class WWSpecError(Exception):
    """Base of every error of this package.

    Args:
        message: What is wrong; by default the class's `default_message`.
    """

    default_message: ClassVar[str] = ""
    """The text of an error that is raised without one."""

    def __init__(self, message: str = _DEFAULT) -> None:
        super().__init__(self.default_message if message is _DEFAULT else message)

    def __reduce__(self) -> tuple[Any, ...]:
        """Let copies have the same text and attributes, also in another process: many classes take other arguments."""
        return _restored, (type(self), self.args), self.__dict__


def _restored(kind: type[WWSpecError], args: tuple[Any, ...]) -> WWSpecError:
    return kind.__new__(kind, *args)


class ConfigurationError(WWSpecError):
    """The program can't start as it is configured, or an argument is wrong; the text names the fix."""


class LoaderError(ConfigurationError):
    """A module or attribute of the application folder can't be used."""


class RegistryError(ConfigurationError):
    """The registry file has faults.

    Attributes:
        faults: One line for each fault: where it is, what is wrong, and the fix.
    """

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(printable(fault) for fault in faults)
        super().__init__("\n".join(self.faults))


class SdkUnavailableError(ConfigurationError):
    """The vendor module `wwspecapisdk` is absent or can't be loaded here."""


class NoThreadError(ConfigurationError):
    """The system starts none of the threads that the program needs."""

    default_message = (
        "this system does not let the program start the threads that it needs: raise its limit on processes "
        "(ulimit -u, or that of the container), or lower --job-threads"
    )


class ExtraMissingError(ConfigurationError):
    """What is wanted needs an extra of the package that is not installed; the text has the command that installs it."""


class LifespanError(ConfigurationError):
    """What the application opens before the port failed; the text holds the traceback."""


class ImageError(ConfigurationError):
    """The image of a program can't be built, or its tar can't be read; the text names the fix."""


class CallError(WWSpecError):
    """Base of the errors that become the reply of a call. A handler raises `AbilityError`, not this class.

    Args:
        message: What the enterprise app reads in `errmsg`; by default the class's `default_message`.
        errcode: What it reads in `errcode`; None stands for the number that the registry file gives this failure, which
            is `errcode` (710660) unless it is set apart.
        detail: Text for the log only. All three are attributes, too.

    Raises:
        TypeError: The message is not a string, or the errcode not an integer of 64 bits: no reply can be made of them.
    """

    default_message = "internal error of the program"
    loggable: ClassVar[bool] = True
    frequent: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.loggable = cls.__dict__.get("loggable") is True
        cls.frequent = cls.__dict__.get("frequent") is True

    def __init__(self, message: str = _DEFAULT, *, errcode: int | None = None, detail: str = "") -> None:
        if message is _DEFAULT:
            message = self.default_message
        if not _can_be_sent(message, errcode):
            raise TypeError(f"{type(self).__name__}: the message must be a str, the errcode an int of 64 bits or None")
        super().__init__(message)
        self.message: str = str.__str__(message)  # of subclasses only what they hold
        self.errcode: int | None = None if errcode is None else int.__int__(errcode)
        self.detail = detail


def _can_be_sent(message: object, errcode: object) -> bool:
    if not isinstance(errcode, int | None) or isinstance(errcode, bool):
        return False
    return isinstance(message, str) and (errcode is None or -(2**63) <= int.__int__(errcode) < 2**63)


class DecodeError(CallError):
    """The SDK could not verify or decrypt the request; there is no `Call`."""

    default_message = "the request could not be verified or decrypted"
    loggable = True
    frequent = True


class AbilityNotFoundError(CallError):
    """No row of the registry answers this ability ID."""

    default_message = "unknown ability_id"


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
        reply: The reply's JSON text, for the emulator; no log has it.
    """

    loggable = True

    def __init__(self, path: str, reason: str, reply: str | bytes = "") -> None:
        super().__init__(f"output contract: {reason} at {path}")
        self.path = path
        self.reply = reply


class NotifyNotFoundError(CallError):
    """No event waits under this notify_id for this corp and app."""

    default_message = "no event waits under this notify_id"
    loggable = True


class HandlerTimeoutError(CallError):
    """The ability took longer than its `timeout`."""

    default_message = "the ability took longer than its timeout"
    loggable = True


class CrashError(CallError):
    """The ability ended with an error that is no `CallError`, or its process ended while it ran."""

    loggable = True


class OverloadedError(CallError):
    """The program or the ability has too many calls; this one was not started."""

    default_message = "the program is overloaded, try again later"
    loggable = True
    frequent = True


class FirstCallRunningError(CallError):
    """A repeat of a call that runs once: the call did not end in the time that the repeat could wait."""

    default_message = "the same call is still running, repeat it later"
    loggable = True


class RepeatedError(CallError):
    """A repeat of a call that runs once: its error was kept. The message may be that of an `AbilityError`."""


class KeptValueError(CallError):
    """A kept value, or the kept result of a step, does not fit the type that it is read as.

    Attributes:
        key: Its key, or the name of the step.
        reason: What is wrong, with the place in the value.
    """

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(f"the kept value {key!r} does not fit its type: {reason}")
        self.key = key
        self.reason = reason


class NotStoredError(CallError):
    """What a synchronous call keeps could not be stored; nothing of it was. The same call can be made again."""

    default_message = "what the call keeps could not be stored: call again"
    loggable = True


class PostponedError(CallError):
    """A job can't run now: WeCom limits it, another run has its lease, or the store failed. It runs later by itself.

    Nothing that the run wrote is stored, and the run is no attempt. A handler lets this error pass.

    Examples:
        >>> from wwspec_router import CallError, EventContext, PostponedError
        >>> from wwspec_contracts import sync_msg
        >>> def count(ctx: EventContext) -> int:
        ...     try:
        ...         return sum(len(page.msg_list) for page in ctx.follow(sync_msg.Request(), name="count"))
        ...     except PostponedError:
        ...         raise
        ...     except CallError:
        ...         return 0
    """

    default_message = "the job runs later"
    loggable = True


class SdkCallError(CallError):
    """The SDK could not make a call of a handler: network, signature or protocol [100052].

    When the handler does not catch it, the app reads the program's own errcode.

    Attributes:
        api: The SDK API's name.
        return_code: The SDK's return code, such as -10002 for a network failure; None when it is not known.

    Examples:
        >>> from wwspec_router import AbilityError, Context, SdkCallError
        >>> from wwspec_contracts import get_group_chat
        >>> def members(chatid: str, ctx: Context) -> int:
        ...     try:
        ...         return len(ctx.invoke(get_group_chat.Request(chatid=chatid)).members)
        ...     except SdkCallError as error:
        ...         raise AbilityError("WeCom can't be reached, try again", errcode=1001, detail=str(error)) from error
    """

    loggable = True

    def __init__(self, api: str, return_code: int | None, detail: str = "") -> None:
        code = "" if return_code is None else f" ({return_code})"
        super().__init__(f"{api}: the SDK call failed{code}", detail=detail)
        self.api = api
        self.return_code = return_code


class ApiError(CallError):
    """The platform replied to an SDK call of a handler with an errcode other than 0 [100052].

    When the handler does not catch it, the app reads the same errcode.

    Attributes:
        api: The SDK API's name.
        errcode: The platform's errcode.

    Examples:
        >>> from wwspec_router import ApiError, Context
        >>> from wwspec_contracts import get_group_chat
        >>> def members(chatid: str, ctx: Context) -> int:
        ...     try:
        ...         return len(ctx.invoke(get_group_chat.Request(chatid=chatid)).members)
        ...     except ApiError as error:
        ...         if error.errcode in (710606, 710624):  # not in scope, or no such group
        ...             return 0
        ...         raise
    """

    def __init__(self, api: str, errcode: int, errmsg: str) -> None:
        super().__init__(f"{api}: {errmsg}", errcode=errcode)
        self.api = api


class AbilityError(CallError):
    """A handler refuses a call on purpose; its message is sent to the enterprise app, and not logged.

    Args:
        message: What the app reads in `errmsg`.
        errcode: What it reads in `errcode`; by default `errcode` of the registry file (710660). Take numbers of your
            own that WeCom does not use.
        detail: Text for the log only.

    Raises:
        TypeError: The message is not a string, or the errcode not an integer of 64 bits.

    Examples:
        >>> from wwspec_router import AbilityError, Contract, Output, ability
        >>> class RefundRequest(Contract):
        ...     cents: int
        >>> class RefundReply(Output):
        ...     pass
        >>> @ability
        ... def refund(request: RefundRequest) -> RefundReply:
        ...     if request.cents > 100_00:
        ...         raise AbilityError("a refund has at most 100 yuan", errcode=1001)
        ...     return RefundReply()
        >>> refund(RefundRequest(cents=200_00))
        Traceback (most recent call last):
            ...
        wwspec_contracts.errors.AbilityError: a refund has at most 100 yuan
    """

    default_message = "the ability refuses the call"


class StoreError(WWSpecError):
    """A store could not do what was asked."""


class StoreFullError(StoreError):
    """A bound of the store is reached; nothing was stored and nothing was dropped."""


class KeptConflictError(StoreError):
    """A kept value has another version than expected: another run has changed it; nothing was stored."""

    default_message = "a kept value was changed by another run"


class JsonError(WWSpecError):
    """A text is not JSON, or not of the wanted type. The message may name keys of the text, so it is not for a log."""


_NEAR = 0.65
"""How alike the words are, at least: `ttk` and `ttl` are more alike than this, `contract` and `trace` less."""


def other_layout(place: str, found: object, known: int, fresh: str) -> str:
    """Return the text of an error: what is stored has another layout than the one that this code reads and writes.

    Args:
        place: Where it is stored.
        found: The number of its layout.
        known: The number of the only layout that this code knows.
        fresh: How to begin with nothing stored.
    """
    return (
        f"{place}: the layout of what is stored there has the number {found}, this version of wwspec-router knows only "
        f"{known}: let the version that wrote it finish what is stored, then {fresh}"
    )


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "", question: str = "did you mean {}?") -> str:
    """Return `did you mean X?` for a word that is not known.

    Args:
        word: What was written.
        known: The words that are right.
        otherwise: What to say when none of them is close.
        question: What to say when one is.
    """
    import difflib  # when it is needed: to import it takes as long as to read a registry file

    close = difflib.get_close_matches(word, list(known), n=1, cutoff=_NEAR)
    return question.format(close[0]) if close else otherwise
