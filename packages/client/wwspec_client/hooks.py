"""What an app sees of its client's requests: hooks around each call and each attempt.

Nothing here knows HTTP or what a hook does. No fact that a hook gets is a token, a secret, a request or a reply.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import monotonic
from typing import Any, TypeVar

from wwspec_client.errors import (
    BadAnswerError,
    PlatformError,
    ProgramError,
    ProgramRepeatError,
    ReplyTypeError,
    TransportError,
)
from wwspec_client.steps import Request, Steps
from wwspec_contracts.errors import ConfigurationError
from wwspec_contracts.support.stacks import describe

__all__ = ["ClientAttempt", "ClientCall", "ClientHooks", "ClientOutcome"]

log: logging.Logger = logging.getLogger(__name__)

T = TypeVar("T")

OK = 200


@dataclass(frozen=True, eq=False)
class ClientCall:
    """One request of a client, with all its attempts. It is the same object in every hook."""

    api: str
    """The API below `/cgi-bin/`, such as `chatdata/sync_call_program` or `gettoken`."""
    ability_id: str
    """What the program is asked for; empty in requests that are no call of an ability."""
    program_id: str
    """The program that is called; empty in requests that are no call of an ability."""
    corpid: str
    """The client's corp; empty when its source of access tokens does not name it."""


@dataclass(frozen=True)
class ClientAttempt:
    """One attempt of a call."""

    call: ClientCall
    """What it is an attempt of."""
    number: int
    """From 1."""


@dataclass(frozen=True)
class ClientOutcome:
    """How an attempt, or a whole call, ended."""

    seconds: float
    """Of an attempt: from sending to the end of the answer. Of a call: with all attempts and pauses."""
    status: int | None
    """The HTTP status; None when no answer came."""
    errcode: int
    """WeCom's or the program's; 0 without one."""
    error: Exception | None
    """None for success. It may also be what a function of the app's has raised, such as that for tokens."""
    is_abandoned: bool
    """Whether the app has stopped to wait, as by the cancellation of its task."""
    request_id: str
    """The number under which WeCom finds the request; empty when it gave none."""
    pause: float | None
    """Of an attempt: seconds until the next one; None after the last."""

    @property
    def error_type(self) -> str:
        """The class of the error, `abandoned`, or an empty text for success."""
        return "abandoned" if self.is_abandoned else "" if self.error is None else type(self.error).__name__


class ClientHooks:
    """Functions that a client calls around its requests: derive from it, and write those that you need.

    A client calls them in the thread or task of the request, so they must not block: `before` in the order of its
    `hooks`, `after` in the reverse. What one raises does not reach the request: the first error of each function is
    logged, with its place and without its text; further ones are not. Requests for access tokens are calls, too: they
    have an `api` such as `gettoken`, and lie within the call that needs the token.

    Examples:
        Count the attempts of each API that failed:

        >>> from collections import Counter
        >>> from wwspec_client import RetryPolicy, ZoneClient, ZoneClientError
        >>> from wwspec_client.hooks import ClientHooks
        >>> class Failures(ClientHooks):
        ...     def __init__(self):
        ...         self.seen = Counter()
        ...
        ...     def after_attempt(self, attempt, outcome):
        ...         if outcome.error is not None:
        ...             self.seen[attempt.call.api, outcome.error_type] += 1
        >>> failures = Failures()
        >>> here = "http://127.0.0.1:9"  # nobody listens
        >>> twice = RetryPolicy(attempts=2, first_pause=0)
        >>> with ZoneClient("corp", "secret", base_url=here, retries=twice, hooks=[failures]) as client:
        ...     try:
        ...         client.access_token()
        ...     except ZoneClientError as error:
        ...         print(failures.seen)
        Counter({('gettoken', 'NotSentError'): 2})
    """

    def before_call(self, call: ClientCall) -> None:
        """Do something before a request is made, and before its access token is there.

        Args:
            call: The request.
        """

    def before_attempt(self, attempt: ClientAttempt) -> None:
        """Do something before an attempt is sent.

        Args:
            attempt: The attempt.
        """

    def after_attempt(self, attempt: ClientAttempt, outcome: ClientOutcome) -> None:
        """Do something when an attempt has ended; `outcome.pause` says whether there is another one.

        Args:
            attempt: The attempt.
            outcome: How it ended.
        """

    def after_call(self, call: ClientCall, outcome: ClientOutcome) -> None:
        """Do something when the call has ended: after its last attempt, or because its access token is missing.

        Here `outcome.error` may also be an error of the program's reply.

        Args:
            call: The request.
            outcome: How it ended.
        """

    def corp_gone(self, corpid: str) -> None:
        """Do something when a suite has forgotten a corp because WeCom says that it has removed the app.

        Args:
            corpid: The corp.
        """

    def traceparent(self) -> str:
        """Return the W3C traceparent of what the app does now, for requests that have a field for it; else ""."""
        return ""


class Hooks:
    """The hooks of a client.

    Args:
        hooks: In the order in which they are called.

    Raises:
        ConfigurationError: One is no `ClientHooks`.
    """

    def __init__(self, hooks: Iterable[ClientHooks] = ()) -> None:
        self._hooks = tuple(hooks)
        self._failed: set[tuple[int, str]] = set()
        for each in self._hooks:
            if not isinstance(each, ClientHooks):
                raise ConfigurationError(
                    f"hooks takes objects of classes that derive from ClientHooks, not {type(each).__name__}"
                )

    def __bool__(self) -> bool:
        return bool(self._hooks)

    def traceparent(self) -> str:
        """Return the traceparent of the first hook that has one."""
        return next(filter(None, (self._call_hook(each, each.traceparent) for each in self._hooks)), "")

    def before(self, name: str, *facts: object) -> None:
        """Call a function of each hook."""
        for each in self._hooks:
            self._call_hook(each, getattr(each, name), *facts)

    def after(self, name: str, *facts: object) -> None:
        """Call a function of each hook, the last one first."""
        for each in reversed(self._hooks):
            self._call_hook(each, getattr(each, name), *facts)

    def _call_hook(self, hook: ClientHooks, function: Callable[..., Any], *facts: object) -> Any:
        try:
            return function(*facts)
        except Exception as error:
            key = id(hook), function.__name__
            if key not in self._failed:
                self._failed.add(key)
                name = f"{type(hook).__qualname__}.{function.__name__}"
                text = "the hook %s failed, which changes no request; its further errors are not logged: %s"
                log.error(text, name, describe(error))
            return None


NO_HOOKS = Hooks()


class Unwatched:
    """Watches no call: without hooks nothing is measured."""

    def attempt(self, number: int, steps: Steps[T]) -> Steps[T]:
        """Return the steps as they are."""
        return steps

    def end(self, error: BaseException | None, pause: float | None) -> None:
        """Do nothing."""


UNWATCHED = Unwatched()


class Watch(Unwatched):
    """Tells hooks of one call.

    Args:
        hooks: They are told.
        request: What is sent.
        corpid: The client's.
        expected: Errcodes that are no failure.
    """

    def __init__(self, hooks: Hooks, request: Request, corpid: str, expected: tuple[int, ...] = ()) -> None:
        self._hooks = hooks
        self._expected = expected
        self._call = ClientCall(request.api, request.ability_id, request.program_id, corpid)
        self._attempt = ClientAttempt(self._call, 0)
        self._began = self._attempt_began = monotonic()

    def over(self, steps: Steps[T]) -> Steps[T]:
        """Run the steps of the call; tell of its begin and its end."""
        self._hooks.before("before_call", self._call)
        error: BaseException | None = None
        try:
            return (yield from steps)
        except BaseException as raised:
            error = raised
            raise
        finally:
            self._hooks.after("after_call", self._call, self._outcome(self._began, error, None))

    def attempt(self, number: int, steps: Steps[T]) -> Steps[T]:
        """Run the steps of an attempt; tell of its begin, and of its end unless it has failed."""
        self._attempt, self._attempt_began = ClientAttempt(self._call, number), monotonic()
        self._hooks.before("before_attempt", self._attempt)
        try:
            result = yield from steps
        except (TransportError, PlatformError, ProgramRepeatError):
            raise  # the core tells of its end, when the pause is known
        except BaseException as error:
            self.end(error, None)
            raise
        self.end(None, None)
        return result

    def end(self, error: BaseException | None, pause: float | None) -> None:
        """Tell of the end of an attempt.

        Args:
            error: How it failed; None when it did not.
            pause: Seconds until the next one; None when there is none.
        """
        self._hooks.after("after_attempt", self._attempt, self._outcome(self._attempt_began, error, pause))

    def _outcome(self, since: float, error: BaseException | None, pause: float | None) -> ClientOutcome:
        known = error if isinstance(error, Exception) else None
        errcode = getattr(known, "errcode", 0)
        return ClientOutcome(
            seconds=monotonic() - since,
            status=_status(error),
            errcode=errcode,
            error=None if errcode in self._expected else known,
            is_abandoned=error is not None and known is None,
            request_id=getattr(known, "request_id", ""),
            pause=pause,
        )


def _status(error: BaseException | None) -> int | None:
    if error is None or isinstance(error, PlatformError | ProgramError | ReplyTypeError):
        return OK
    return error.status if isinstance(error, BadAnswerError) else None
