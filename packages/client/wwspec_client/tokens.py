"""Access tokens: where they come from, and the one that all threads or tasks of a client share."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Any, Protocol

import msgspec

from wwspec_client.errors import TicketMissingError, ZoneClientError
from wwspec_client.steps import Alone, Ask, Asked, Renewal, Request, Steps, ask
from wwspec_contracts.errcodes import TOKEN_CODES

_EARLY = 60.0
"""Seconds by which a token is renewed before it expires, so that none expires on its way."""
_SUITE_CODES = (40082, 42009, *TOKEN_CODES)
"""The suite's token is invalid or has expired."""

Fetch = Callable[[Request], Steps[dict[str, Any]]]
"""Sends a request that needs no access token, with retries, and gives the accepted answer."""


@dataclass(frozen=True)
class Token:
    """An access token.

    Attributes:
        value: Its text. `repr` leaves it out.
    """

    value: str = field(repr=False)
    expires_in: float | None = None
    """Seconds; None when that is not known: then it is used until WeCom refuses it."""
    owner: str = field(default="", repr=False)
    """Names the installation of a provider's app that it is of; empty when that is not known."""


class TokenProvider(Protocol):
    """A source of access tokens, such as `AppSecret` and `SuiteApp`.

    For tokens of your own server, a function is enough: see `tokens` of `ZoneClient`.

    Examples:
        A source that asks the app's vault for the secret whenever a token is needed. `zone` is a `Zone`:

        >>> import os
        >>> from wwspec_client import ZoneClient
        >>> from wwspec_client.stores import Request, Token, ask
        >>> class Vaulted:
        ...     def __init__(self, corpid, read_secret):
        ...         self.corpid, self.read_secret = corpid, read_secret
        ...
        ...     def fetch(self, fetch):
        ...         secret = yield from ask(self.read_secret)
        ...         request = Request("gettoken", secrets={"corpid": self.corpid, "corpsecret": secret})
        ...         answer = yield from fetch(request)
        ...         return Token(answer["access_token"], answer["expires_in"])
        >>> tokens = Vaulted(corpid, lambda: zone.client.info()["secret"])
        >>> program_id = os.environ["WWSPEC_PROGRAM_ID"]
        >>> with ZoneClient(tokens=tokens, program_id=program_id, base_url=zone.client.url) as client:
        ...     client.call("chat_digest", {"limit": 5})["messages"]
        5
    """

    def fetch(self, fetch: Fetch) -> Steps[Token]:
        """Return a fresh token.

        Args:
            fetch: Sends a request that needs no access token.
        """
        ...


@dataclass(frozen=True)
class AppSecret:
    """The source of tokens for a corp's own app, or for one that a provider develops for the corp [91039].

    `ZoneClient(corpid, secret)` makes one.

    Attributes:
        corpid: The corp.
        secret: The app's secret; the permanent_code of an app that a provider develops. `repr` leaves it out.
    """

    corpid: str
    secret: str = field(repr=False)

    def fetch(self, fetch: Fetch) -> Steps[Token]:
        """See `TokenProvider`."""
        request = Request("gettoken", secrets={"corpid": self.corpid, "corpsecret": self.secret})
        return read_token((yield from fetch(request)), "access_token")


class SuiteApp:
    """The source of tokens for a third-party app, for one corp that has installed it [90600, 90605].

    Args:
        suite_id: The app's suite ID.
        suite_secret: The app's suite secret.
        suite_ticket: The latest ticket that WeCom has pushed to the app: a text, or a function that returns it. The
            function is called when a new suite token is needed; with `AsyncZoneClient` it may be `async def`.
        corpid: The corp (`auth_corpid`).
        permanent_code: The code that the app got when the corp installed it.

    Examples:
        The credentials here are those of the emulator's suite:

        >>> import os
        >>> from wwspec_client import SuiteApp, ZoneClient
        >>> def latest_ticket():
        ...     return "emulator-suite-ticket"  # an app reads it from its database
        >>> tokens = SuiteApp(
        ...     "emulator-suite", "emulator-suite-secret", latest_ticket, corpid, "emulator-permanent-code"
        ... )
        >>> with ZoneClient(
        ...     tokens=tokens,
        ...     program_id=os.environ["WWSPEC_PROGRAM_ID"],
        ...     base_url=os.environ["WWSPEC_BASE_URL"],
        ... ) as client:
        ...     client.call("chat_digest", {"limit": 5})["messages"]
        5
    """

    def __init__(
        self, suite_id: str, suite_secret: str, suite_ticket: str | Asked[str], corpid: str, permanent_code: str
    ) -> None:
        self.corpid = corpid
        self.suite: SuiteToken = SuiteToken(SuiteSecret(suite_id, suite_secret, suite_ticket))
        """The token of the suite itself."""
        self._permanent_code = permanent_code

    def fetch(self, fetch: Fetch) -> Steps[Token]:
        """See `TokenProvider`."""
        return self.suite.corp_token(self.corpid, self._permanent_code, fetch)


class SuiteSecret:
    """The source of a suite's own tokens [90600].

    Args:
        suite_id: The app's suite ID.
        suite_secret: The app's suite secret.
        suite_ticket: The latest ticket, or a function that returns it.
    """

    def __init__(self, suite_id: str, suite_secret: str, suite_ticket: str | Asked[str]) -> None:
        self._suite_id = suite_id
        self._suite_secret = suite_secret
        self._suite_ticket = suite_ticket

    def fetch(self, fetch: Fetch) -> Steps[Token]:
        """See `TokenProvider`."""
        ticket = self._suite_ticket
        if not isinstance(ticket, str):
            ticket = yield from ask(ticket)
        if not ticket:
            raise TicketMissingError(self._suite_id)
        asked = {"suite_id": self._suite_id, "suite_secret": self._suite_secret, "suite_ticket": ticket}
        hidden = (self._suite_secret, ticket)
        request = Request("service/get_suite_token", msgspec.json.encode(asked), hidden=hidden)
        return read_token((yield from fetch(request)), "suite_access_token")


class SuiteToken:
    """The token of a suite itself, which all its corps share, and what is sent with it.

    Args:
        provider: Where it comes from.
    """

    def __init__(self, provider: TokenProvider) -> None:
        self._cache = TokenCache(provider, Renewal.SUITE_TOKEN)

    def corp_token(self, corpid: str, permanent_code: str, fetch: Fetch) -> Steps[Token]:
        """Return a fresh token of a corp that has installed the app [90605]."""
        body = msgspec.json.encode({"auth_corpid": corpid, "permanent_code": permanent_code})
        request = Request("service/get_corp_token", body, hidden=(permanent_code,))
        return read_token((yield from self.perform(request, fetch)), "access_token")

    def perform(self, request: Request, fetch: Fetch) -> Steps[dict[str, Any]]:
        """Send a request with the token, once more with another one if WeCom refuses it."""
        token = yield from self._cache.current(fetch)
        try:
            return (yield from fetch(_with_suite(request, token)))
        except ZoneClientError as error:
            if getattr(error, "errcode", 0) not in _SUITE_CODES:
                raise
        token = yield from self._cache.current(fetch, token)
        return (yield from fetch(_with_suite(request, token)))


def _with_suite(request: Request, token: str) -> Request:
    return replace(request, secrets={**request.secrets, "suite_access_token": token})


class FunctionProvider:
    """The source of tokens that a function of the app's returns.

    Args:
        function: Plain or `async def`.
    """

    def __init__(self, function: Asked[str | Token]) -> None:
        self._function = function

    def fetch(self, fetch: Fetch) -> Steps[Token]:
        """See `TokenProvider`."""
        found: str | Token = yield Ask(self._function)
        return found if isinstance(found, Token) else Token(found)


def fetch_from(provider: TokenProvider, fetch: Fetch, refused: str) -> Steps[Token]:
    """Return a fresh token of a provider, by its `fetch_other` if one was refused and it has that."""
    fetch_other = getattr(provider, "fetch_other", None) if refused else None
    return provider.fetch(fetch) if fetch_other is None else fetch_other(fetch, refused)


def unowned() -> Steps[str]:
    """Return the owner of tokens that belong to no installation of a provider's app."""
    yield from ()
    return ""


class TokenCache:
    """A token until it expires. It is fetched once for all that wait for it.

    When that fails, those get the error that send their requests in the same way.

    Args:
        provider: Where tokens come from.
        renewal: Which token it is.
        owner: Returns whose tokens they are, each time that one is needed: one of another owner is used no more.
    """

    def __init__(self, provider: TokenProvider, renewal: Renewal, owner: Callable[[], Steps[str]] = unowned) -> None:
        self._provider = provider
        self._renewal = renewal
        self._owner = owner
        self._held = ("", 0.0, "")
        self._flights = 0
        self._failure: tuple[object, Exception] | None = None

    def current(self, fetch: Fetch, refused: str = "", sending: object = None) -> Steps[str]:
        """Return a token.

        Args:
            fetch: Given to the provider.
            refused: The token that WeCom has refused; another one is returned.
            sending: How `fetch` sends. A failure of one that gives up early is none of one that waits longer.
        """
        flights = self._flights
        owner = yield from self._owner()
        token = self._usable(owner, refused)
        if token is None:
            token = yield Alone(self._renewal, lambda: self._renew(fetch, owner, refused, sending, flights))
        return token

    def clear(self) -> None:
        """Use the token no more."""
        self._held = ("", 0.0, "")

    def _renew(self, fetch: Fetch, owner: str, refused: str, sending: object, flights: int) -> Steps[str]:
        token = self._usable(owner, refused)
        if token is not None:
            return token
        if flights != self._flights and self._failure is not None and self._failure[0] == sending:
            raise self._failure[1]
        self._failure = None
        try:
            return self._keep(owner, (yield from fetch_from(self._provider, fetch, refused)))
        except Exception as error:
            self._failure = (sending, error)
            raise
        finally:
            self._flights += 1

    def _keep(self, owner: str, token: Token) -> str:
        seconds = float("inf") if token.expires_in is None else token.expires_in
        self._held = (token.value, monotonic() + seconds - min(_EARLY, seconds / 10), token.owner or owner)
        return token.value

    def _usable(self, owner: str, refused: str) -> str | None:
        token, until, of = self._held
        return token if token not in ("", refused) and of == owner and monotonic() < until else None


def read_token(answer: dict[str, Any], key: str) -> Token:
    """Return the token of an answer."""
    return Token(str(answer.get(key, "")), float(answer.get("expires_in", 0)))
