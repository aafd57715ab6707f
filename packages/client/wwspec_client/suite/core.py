"""A provider's app without I/O: what it asks WeCom about the corps that install it."""

import hashlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import InitVar, dataclass
from functools import partial
from typing import Any, Literal, get_args
from urllib.parse import urlencode

import msgspec
from msgspec.structs import replace

from wwspec_client.arguments import check_has
from wwspec_client.core import BASE_URL, Core
from wwspec_client.errors import REVOKED, NotInstalledError, PlatformError, ZoneClientError
from wwspec_client.installations import Installation, InstallationStore
from wwspec_client.models import AuthInfo, read_answer, read_permanent_code
from wwspec_client.page_tickets import PageTickets
from wwspec_client.shared_tokens import StoredTokenProvider, TokenStore
from wwspec_client.steps import Alone, Renewal, Request, Steps, ask
from wwspec_client.suite.recent import Recent
from wwspec_client.suite.records import Records
from wwspec_client.tokens import AppSecret, Fetch, SuiteSecret, SuiteToken, Token, TokenProvider, fetch_from
from wwspec_contracts.errors import ConfigurationError, StoreError
from wwspec_contracts.support.printable import printable

AppKind = Literal["third-party", "custom-developed"]

_INSTALL_URL = "https://open.work.weixin.qq.com"
"""The host of WeCom's install page."""
_USED_CODE = 40078
"""The errcode of an auth_code that was used or has expired."""
REFUSED_FOR = 60.0
"""Seconds between two answers of WeCom's that a corp has removed the app, before it is forgotten."""
_REMEMBERED = 1000
"""How many used auth_codes a process knows without asking."""

_log = logging.getLogger("wwspec_client.suite")


@dataclass(eq=False, kw_only=True, repr=False)
class SuiteCore:
    """What both suites share; the fields below the first are arguments of `Suite`.

    Raises:
        ConfigurationError: Arguments are missing, or of another type.
    """

    core: Core
    """Sends requests."""
    suite_id: str
    suite_secret: InitVar[str]
    provider_corpid: str
    installations: InstallationStore
    kind: AppKind
    older: bool
    tokens: TokenStore | None
    page_tickets: Callable[[str], PageTickets | None] | None
    base_url: str
    clock: Callable[[], float]

    def __post_init__(self, suite_secret: str) -> None:
        if not self.suite_id or not suite_secret:
            raise ConfigurationError("a suite needs its suite_id and suite_secret, as the provider console has them")
        if self.kind not in get_args(AppKind):
            raise ConfigurationError(f"kind is {' or '.join(map(repr, get_args(AppKind)))}, not {self.kind!r}")
        what = "installations is an InstallationStore, such as SqlInstallationStore(engine)"
        check_has("ticket", self.installations, what)
        if self.tokens is not None:
            check_has("load", self.tokens, "tokens of a suite is a TokenStore, such as SqlTokenStore(engine)")
        self.records: Records = Records(self.installations, self.suite_id)
        self._path = "service/" if self.older else "service/v2/"
        self._unsaved: dict[str, Installation] = {}
        """What was got for an auth_code and could not be stored yet, by digest: the code works only once."""
        self._used = Recent[str](_REMEMBERED)
        """The corps of auth_codes, by digest."""
        provider: TokenProvider = SuiteSecret(
            self.suite_id, suite_secret, partial(self.installations.ticket, self.suite_id)
        )
        if self.tokens is not None:
            provider = StoredTokenProvider(provider, self.tokens, name=token_name(self.suite_id))
        self._token = SuiteToken(provider)

    def core_of(self, corpid: str, reconcile: Callable[[], Steps[bool]]) -> Core:
        """Return the core of the client for a corp.

        Args:
            corpid: The corp.
            reconcile: Asks WeCom whether the corp still has the app; returns whether it was forgotten.

        Raises:
            ConfigurationError: No corp is named.
        """
        if not corpid:
            raise ConfigurationError("corp() needs a corpid")
        suite = self._token if self.kind == "third-party" else None
        tokens = CorpTokens(corpid, self.records.ready, suite)
        provider: TokenProvider = tokens
        if self.tokens is not None:
            shared = StoredTokenProvider(tokens, self.tokens, name=token_name(self.suite_id, corpid))
            provider = OwnedTokens(shared, tokens.owner, partial(self.forget_token, corpid))
        tickets = None if self.page_tickets is None else self.page_tickets(corpid)
        return self.core.for_corp(corpid, provider, suite, tickets, tokens.owner, reconcile)

    def is_installed(self, corpid: str) -> Steps[bool]:
        """Return whether a corp has installed the app."""
        found = yield from self.records.find(corpid)
        return found is not None and found.is_ready

    def is_receiver(self, receive_id: str) -> Steps[bool]:
        """Return whether callbacks may be encrypted for an ID."""
        return receive_id in (self.suite_id, self.provider_corpid or self.suite_id) or (
            yield from self.is_installed(receive_id)
        )

    def save_ticket(self, ticket: str, time: float) -> Steps[None]:
        """Store a suite_ticket."""
        yield from ask(partial(self.installations.save_ticket, self.suite_id, ticket, time))

    def install_url(self, redirect_uri: str, state: str = "") -> Steps[str]:
        """Return a link by which an admin installs the app."""
        if self.kind != "third-party":
            raise ConfigurationError(
                "install_url() is for third-party apps: a corp authorises a custom-developed app by the QR code of "
                "its template in the provider console"
            )
        answer = yield from self._ask("service/get_pre_auth_code", None)
        code = str(answer.get("pre_auth_code", ""))
        link = {"suite_id": self.suite_id, "pre_auth_code": code, "redirect_uri": redirect_uri, "state": state}
        url = self.base_url.rstrip("/")
        site = _INSTALL_URL if url == BASE_URL else url
        return f"{site}/3rdapp/install?{urlencode(link)}"

    def install(self, auth_code: str) -> Steps[Installation]:
        """Store the installation that an auth_code stands for, and return it."""
        if not auth_code:
            raise ConfigurationError("install() needs the auth_code of the redirect")
        found: Installation = yield Alone(Renewal.INSTALLATION, lambda: self._exchange(auth_code))
        if found.agentid or not found.is_ready:
            return found
        try:
            return (yield from self.refresh(found.corpid)) or found
        except ZoneClientError as error:
            _log.warning("corp %s is installed; its agentid is not known yet: %s", printable(found.corpid), error)
        return found

    def auth_info(self, corpid: str) -> Steps[AuthInfo]:
        """Return what a corp has authorised."""
        return (yield from self._auth_info((yield from self.records.ready(corpid))))

    def ask_auth_info(self, found: Installation) -> Steps[AuthInfo | None]:
        """Return what a corp has authorised; None when it has removed the app."""
        try:
            return (yield from self._auth_info(found))
        except PlatformError as error:
            if error.errcode not in REVOKED:
                raise
            return None

    def ask_anew(self, found: Installation) -> Steps[Installation | None]:
        """Ask WeCom whether a corp still has the app; return its installation, None when it is to be forgotten."""
        if (yield from self.ask_auth_info(found)) is not None:
            return replace(found, refused_at=0.0)
        now = self.clock()
        if not 0.0 < found.refused_at <= now:
            _log.warning("corp %s: WeCom says that it has removed the app; it is asked again", printable(found.corpid))
            return replace(found, refused_at=now)
        return found if now < found.refused_at + REFUSED_FOR else None

    def report_gone(self, corpid: str) -> None:
        """Tell the hooks of a corp that was forgotten because WeCom says that it has removed the app."""
        _log.warning("corp %s has removed the app, and is forgotten: its cancel_auth was lost", printable(corpid))
        self.core.hooks.after("corp_gone", corpid)

    def refresh(self, corpid: str) -> Steps[Installation | None]:
        """Ask WeCom for the name and the number of the app, and store them; return None when the corp has no app."""
        found = yield from self.records.find(corpid)
        if found is None or not found.is_ready:
            return None
        info = yield from self.ask_auth_info(found)
        if info is None:
            return None
        changes = {"corp_name": info.corp.corp_name or found.corp_name, "agentid": info.agent.agentid or found.agentid}
        return (yield from self.records.change(corpid, lambda _: changes))

    def store_unsaved(self, corpid: str) -> Steps[None]:
        """Store what was got for auth_codes of a corp while the store was down."""
        for digest, new in list(self._unsaved.items()):
            if new.corpid == corpid:
                yield from self._put(digest, new)

    def drop_unsaved(self, corpid: str) -> None:
        """Do not store what was got for auth_codes of a corp while the store was down."""
        self._unsaved = {digest: each for digest, each in self._unsaved.items() if each.corpid != corpid}

    def forget_token(self, corpid: str) -> object:
        """Remove the token of a corp that machines share."""
        return None if self.tokens is None else self.tokens.forget(token_name(self.suite_id, corpid))

    def _exchange(self, auth_code: str) -> Steps[Installation]:
        digest = hashlib.sha256(auth_code.encode(errors="surrogatepass")).hexdigest()
        corpid = self._used.get(digest)
        if corpid is not None:
            known = yield from self.records.find(corpid)
            if known is not None and known.code_digest == digest:
                return known
        new = self._unsaved.get(digest)
        if new is None:
            try:
                new = yield from self._permanent_code(auth_code, digest)
            except PlatformError as error:
                known = (yield from self.records.made_by(digest)) if error.errcode == _USED_CODE else None
                if known is None:
                    raise
                self._used.put(digest, known.corpid)
                return known
            self._unsaved[digest] = new
        return (yield from self._put(digest, new))

    def _put(self, digest: str, new: Installation) -> Steps[Installation]:
        """Store what was got for an auth_code, and return what is stored then."""

        def decide(stored: Installation | None) -> Steps[Installation | None]:
            if stored is None:
                return new
            is_late = stored.permanent_code and stored.installed_at > new.installed_at
            if is_late and (yield from self.ask_auth_info(new)) is None:  # the clocks of machines differ
                return stored
            return replace(
                new,
                installed_at=max(new.installed_at, stored.installed_at),
                data_until=0.0 if stored.forgetting else stored.data_until,
                forgetting=stored.forgetting,
                refused_at=stored.refused_at if stored.forgetting else 0.0,
            )

        found = (yield from self.records.decide(new.corpid, decide)) or new
        self._unsaved.pop(digest, None)
        self._used.put(digest, found.corpid)
        return found

    def _permanent_code(self, auth_code: str, digest: str) -> Steps[Installation]:
        api = f"{self._path}get_permanent_code"
        found = read_permanent_code(api, (yield from self._ask(api, {"auth_code": auth_code}, auth_code)))
        corp, agents = found.auth_corp_info, found.auth_info.agent
        _log.info("corp %s has installed the app", printable(corp.corpid))
        return Installation(
            suite_id=self.suite_id,
            corpid=corp.corpid,
            permanent_code=found.permanent_code,
            corp_name=corp.corp_name,
            agentid=agents[0].agentid if agents else 0,
            installed_at=self.clock(),
            code_digest=digest,
        )

    def _auth_info(self, found: Installation) -> Steps[AuthInfo]:
        body = {"auth_corpid": found.corpid, "permanent_code": found.permanent_code}
        answer = yield from self._ask(f"{self._path}get_auth_info", body, found.permanent_code)
        return read_answer(AuthInfo, answer)

    def _ask(self, api: str, body: Mapping[str, str] | None, *hidden: str) -> Steps[dict[str, Any]]:
        content = None if body is None else msgspec.json.encode(body)
        return self.core.perform_as_suite(self._token, Request(api, content, hidden=hidden))


_ATTEMPTS = 10
"""How often a token is fetched that is of another installation each time."""


class CorpTokens:
    """The source of access tokens of one corp. The installation is read each time, so a new code is used at once.

    Args:
        corpid: The corp.
        installed: Returns the installation of a corp.
        suite: The token of the suite; None for an app that the provider develops for the corp [91039].
    """

    def __init__(self, corpid: str, installed: Callable[[str], Steps[Installation]], suite: SuiteToken | None) -> None:
        self._corpid = corpid
        self._installed = installed
        self._suite = suite

    def owner(self) -> Steps[str]:
        """Return what names the installation of the corp.

        Raises:
            NotInstalledError: There is none, or the corp's data is being deleted.
        """
        return _owner((yield from self._installed(self._corpid)))

    def fetch(self, fetch: Fetch) -> Steps[Token]:
        """See `TokenProvider`."""
        found = yield from self._installed(self._corpid)
        if self._suite is None:
            token = yield from AppSecret(self._corpid, found.permanent_code).fetch(fetch)
        else:
            token = yield from self._suite.corp_token(self._corpid, found.permanent_code, fetch)
        return Token(token.value, token.expires_in, _owner(found))


class OwnedTokens:
    """The source of tokens of one corp that are of the installation of now: another machine may forget the corp.

    Args:
        provider: Where tokens come from.
        owner: Returns what names the installation of the corp.
        forget: Removes the token that machines share.
    """

    def __init__(self, provider: TokenProvider, owner: Callable[[], Steps[str]], forget: Callable[[], object]) -> None:
        self._provider = provider
        self._owner = owner
        self._forget = forget

    def fetch(self, fetch: Fetch) -> Steps[Token]:
        """See `TokenProvider`."""
        return self.fetch_other(fetch, "")

    def fetch_other(self, fetch: Fetch, refused: str) -> Steps[Token]:
        """Return another token than a refused one; see `StoredTokenProvider`.

        A token that is stored after another machine has begun to forget the corp is removed again.
        """
        for _ in range(_ATTEMPTS):
            owner = yield from self._owner()
            token = yield from fetch_from(self._provider, fetch, refused)
            try:
                if token.owner in ("", owner) and (yield from self._owner()) == owner:
                    return token
            except NotInstalledError:
                yield from ask(self._forget)
                raise
            yield from ask(self._forget)
        raise StoreError(
            "the machines share a token of an installation that is gone: forget(name) of the tokens is to remove it"
        )


def _owner(found: Installation) -> str:
    return found.code_digest or f"{found.installed_at!r}"


def token_name(suite_id: str, corpid: str = "") -> str:
    """Return the name of a token: that of a corp, or the suite's own."""
    return msgspec.json.encode([suite_id, corpid] if corpid else [suite_id]).decode()
