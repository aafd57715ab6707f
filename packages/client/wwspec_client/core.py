"""The client without I/O: how a request is sent until it has an answer or a final error."""

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import InitVar, dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from itertools import count
from time import monotonic
from typing import Any, Self, TypeVar

from wwspec_client.arguments import Timeout, both, check_timeout
from wwspec_client.errors import (
    BadAnswerError,
    ContractMisfitError,
    PlatformError,
    ProgramRepeatError,
    TransportError,
    ZoneClientError,
)
from wwspec_client.hooks import NO_HOOKS, OK, UNWATCHED, Hooks, Unwatched, Watch
from wwspec_client.page_tickets import PageTickets, TicketKind, ticket_caches
from wwspec_client.retries import NO_JSON, Facts, RetryPolicy, facts_of_errcode, facts_of_status
from wwspec_client.steps import Pause, Received, Renewal, Request, Send, Steps
from wwspec_client.tokens import SuiteApp, SuiteToken, TokenCache, TokenProvider, unowned
from wwspec_contracts.decoding import decode_json
from wwspec_contracts.errcodes import CONTRACT_CODES, TOKEN_CODES, ProgramErrcodes, hint
from wwspec_contracts.errors import ConfigurationError, JsonError

BASE_URL = "https://qyapi.weixin.qq.com"
"""Of WeCom."""

T = TypeVar("T")


@dataclass(frozen=True)
class Sending:
    """How a client sends its requests. Two are equal when they wait equally long."""

    timeout: Timeout
    """Seconds of one attempt to connect, and between two pieces of an answer."""
    retries: RetryPolicy
    """How often requests are sent."""
    longest: float = 0.0
    """Seconds for all attempts, if that is more than the deadline of `retries`."""
    headers: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    """The app's own, with each request."""
    idempotency_key: str = field(default="", compare=False, repr=False)
    """What the program recognises a repeated call by; empty for none."""
    idempotency_field: str = field(default="", compare=False)
    """The field of a request that holds it, where the request itself does not know that."""


@dataclass(frozen=True)
class Attempts:
    """How one request is sent."""

    runs_program: bool = False
    """Whether it runs the program, so that sending it twice may run the program twice."""
    retry_unsafe: bool = False
    """Whether to send it again even if it may have run."""
    timeout: Timeout | None = None
    """Seconds of one attempt to connect, and between two pieces of the answer; None means the client's."""
    check: Callable[[dict[str, Any]], None] | None = None
    """Refuses an accepted answer by an error after which the request may be sent again."""
    expected: tuple[int, ...] = ()
    """Errcodes that are no failure for hooks."""


@dataclass(eq=False, repr=False)
class Core:
    """What all requests of a client share.

    Raises:
        ConfigurationError: The timeout is not above 0.
    """

    provider: InitVar[TokenProvider]
    """Where access tokens come from."""
    program_id: str
    """The program that is called unless a call names another one."""
    prefix: str
    """What comes before an SDK API's name in the ability ID that calls it."""
    sending: Sending
    """How requests are sent."""
    errcodes: ProgramErrcodes
    """Those of the program's own failures."""
    page_tickets: InitVar[PageTickets | None] = None
    """The source of the tickets of pages; None for WeCom."""
    is_func: bool = field(default=False, kw_only=True)
    """Whether the program takes requests in the Python demo's form."""
    hooks: Hooks = field(default=NO_HOOKS, kw_only=True)
    """They are told of each call and each attempt."""

    def __post_init__(self, provider: TokenProvider, page_tickets: PageTickets | None) -> None:
        check_timeout(self.sending.timeout)
        self.corpid: str = getattr(provider, "corpid", "")
        """The corp; empty when the source of access tokens does not name it."""
        self.suite: SuiteToken | None = provider.suite if isinstance(provider, SuiteApp) else None
        """The token of the third-party app that the client is for."""
        self.owner: Callable[[], Steps[str]] = unowned
        """Returns which installation of a provider's app the client is for; raises an error when there is none."""
        self.reconcile: Callable[[], Steps[bool]] | None = None
        """Asks WeCom whether the corp still has the provider's app; None when the client is not that of a suite."""
        self._tokens = TokenCache(provider, Renewal.ACCESS_TOKEN)
        self._tickets = ticket_caches(page_tickets)

    def for_corp(
        self,
        corpid: str,
        provider: TokenProvider,
        suite: SuiteToken | None,
        page_tickets: PageTickets | None,
        owner: Callable[[], Steps[str]],
        reconcile: Callable[[], Steps[bool]],
    ) -> "Core":
        """Return a core with the same options for another corp.

        Args:
            corpid: The corp.
            provider: Where its access tokens come from.
            suite: The token of a third-party app.
            page_tickets: The source of the tickets of its pages; None for WeCom.
            owner: Returns which installation of the app its tokens are of; raises an error when there is none.
            reconcile: Asks WeCom whether the corp still has the app; returns whether it was forgotten.
        """
        other = copy(self)
        other.corpid, other.suite, other.owner, other.reconcile = corpid, suite, owner, reconcile
        other._tokens = TokenCache(provider, Renewal.ACCESS_TOKEN, owner)
        other._tickets = ticket_caches(page_tickets, owner)
        return other

    def drop_tokens(self) -> None:
        """Use the tokens and tickets of now no more."""
        for cache in (self._tokens, *self._tickets.values()):
            cache.clear()

    def sent_as(self, sending: Sending) -> Self:
        """Return a core that sends its requests in another way and shares the tokens and tickets of this one."""
        other = copy(self)
        other.sending = sending
        return other

    def shown(self, client: object) -> str:
        """Return how a client of it is shown."""
        return f"{type(client).__name__}(corpid={self.corpid!r}, program_id={self.program_id!r})"

    def program_of(self, program_id: str) -> str:
        """Return the program that a request is about.

        Raises:
            ConfigurationError: Neither the request nor the client names one.
        """
        if not (program_id or self.program_id):
            raise ConfigurationError("program_id is missing: give it to the client, or to the call")
        return program_id or self.program_id

    def access_token(self) -> Steps[str]:
        """Return the access token that requests are sent with.

        Raises:
            ZoneClientError: There is none.
        """
        return self._tokens.current(self._without_token, sending=self.sending)

    def page_ticket(self, kind: TicketKind) -> Steps[str]:
        """Return the ticket that the app's page signs with.

        Raises:
            ZoneClientError: There is none.
        """
        return self._tickets[kind].current(self.perform, sending=self.sending)

    def perform(self, request: Request, attempts: Attempts = Attempts()) -> Steps[dict[str, Any]]:
        """Send a request with an access token until it is accepted, and return the answer.

        Raises:
            ZoneClientError: The final error.
        """
        return self._watch(request, partial(self._send, request, attempts, with_token=True), attempts.expected)

    def perform_read(self, request: Request, attempts: Attempts, read: Callable[[dict[str, Any]], T]) -> Steps[T]:
        """Send a request as `perform` does, and return what `read` makes of the answer; its error is that of the call.

        Raises:
            ZoneClientError: The final error.
        """

        def run(watch: Unwatched) -> Steps[T]:
            return read((yield from self._send(request, attempts, watch, with_token=True)))

        return self._watch(request, run, attempts.expected)

    def perform_as_suite(self, suite: SuiteToken, request: Request) -> Steps[dict[str, Any]]:
        """Send a request with the token of a third-party app itself until it is accepted, and return the answer.

        Raises:
            ZoneClientError: The final error.
        """
        return suite.perform(request, self._without_token)

    def _without_token(self, request: Request) -> Steps[dict[str, Any]]:
        return self._watch(request, partial(self._send, request, Attempts(), with_token=False))

    def _watch(
        self, request: Request, run: Callable[[Unwatched], Steps[T]], expected: tuple[int, ...] = ()
    ) -> Steps[T]:
        """Tell the hooks of a call."""
        if not self.hooks:
            return run(UNWATCHED)
        watch = Watch(self.hooks, request, self.corpid, expected)
        return watch.over(run(watch))

    def _send(
        self, request: Request, attempts: Attempts, watch: Unwatched, *, with_token: bool
    ) -> Steps[dict[str, Any]]:
        began, ready = monotonic(), request
        refused: Request | None = None  # no variable is a token: tools that report errors send them along
        for attempt in count(1):
            if with_token:
                ready = yield from self._with_token(request, refused)
            try:
                return (yield from watch.attempt(attempt, self._attempt(ready, attempts, began)))
            except (TransportError, PlatformError, ProgramRepeatError) as error:
                if with_token and refused is None and getattr(error, "errcode", 0) in TOKEN_CODES:
                    refused = ready
                    watch.end(error, 0.0)
                    continue
                policy, elapsed = self.sending.retries, monotonic() - began
                pause = policy.pause(error, attempt, elapsed, retry_unsafe=attempts.retry_unsafe)
                watch.end(error, pause)
                if pause is None:
                    raise
            yield Pause(pause)
        raise AssertionError  # count does not end

    def _with_token(self, request: Request, refused: Request | None) -> Steps[Request]:
        """Return a request with an access token, another one than that of a request that was refused."""
        other_than = "" if refused is None else refused.secrets["access_token"]
        token = yield from self._tokens.current(self._without_token, other_than, self.sending)
        return replace(request, secrets={**request.secrets, "access_token": token})

    def _attempt(self, request: Request, attempts: Attempts, began: float) -> Steps[dict[str, Any]]:
        sending = self.sending
        seconds = max(sending.retries.deadline, sending.longest, both(attempts.timeout or 0.0)[1])
        left = max(0.001, began + seconds - monotonic())
        connect, read = both(sending.timeout if attempts.timeout is None else attempts.timeout)
        try:
            received: Received = yield Send(request, (min(connect, left), min(read, left)), sending.headers)
            answer = _accepted(request, received)
        except ZoneClientError as error:
            error.may_have_run = error.may_have_run and attempts.runs_program
            raise
        if attempts.check is not None:
            attempts.check(answer)
        return answer


def _accepted(request: Request, received: Received) -> dict[str, Any]:
    """Return the answer that accepts a request.

    Raises:
        BadAnswerError: It is not an answer of WeCom.
        PlatformError: It refuses.
    """
    name = request.called or request.api
    if received.status != OK:
        text = f"the answer has HTTP status {received.status}"
        raise _bad_answer(name, text, received, facts_of_status(received.status))
    try:
        answer = decode_json(received.body, dict[str, Any])
    except JsonError:
        raise _bad_answer(name, "the answer is not a JSON object", received, NO_JSON) from None
    errcode = answer.get("errcode", 0)
    if not isinstance(errcode, int):
        raise _bad_answer(name, "the answer's errcode is not a number", received, NO_JSON)
    if errcode != 0:
        kind = ContractMisfitError if errcode in CONTRACT_CODES else PlatformError
        facts = facts_of_errcode(errcode)
        errmsg = _without(str(answer.get("errmsg", "")), [*request.secrets.values(), *request.hidden])
        raise kind(name, errcode, errmsg, hint(errcode), **facts._asdict())
    return answer


def _without(text: str, secrets: list[str]) -> str:
    """Return a text of WeCom's without the secrets in it."""
    for secret in filter(None, secrets):
        text = text.replace(secret, "***")
    return text


def _bad_answer(name: str, text: str, received: Received, facts: Facts) -> BadAnswerError:
    retry_after = _seconds(received.headers.get("retry-after", ""))
    return BadAnswerError(name, text, status=received.status, retry_after=retry_after, **facts._asdict())


def _seconds(retry_after: str) -> float | None:
    """Return the seconds that a `Retry-After` means: a number, or a date."""
    if retry_after.isdecimal():
        return float(retry_after)
    try:
        date = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    return max(0.0, (date.replace(tzinfo=date.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
