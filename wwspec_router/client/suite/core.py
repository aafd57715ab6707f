"""A provider's app without I/O: what it asks WeCom, and what it does on callbacks of the command URL."""

import hashlib
import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from threading import Lock
from typing import Any, Generic, Literal, Protocol, TypeVar, cast
from urllib.parse import urlencode

import msgspec

from wwspec_router.callbacks import Callback
from wwspec_router.client.core import BASE_URL, Core
from wwspec_router.client.errors import NotInstalledError, PlatformError, ZoneClientError
from wwspec_router.client.installations import Installation, InstallationStore
from wwspec_router.client.models import read_answer
from wwspec_router.client.page_tickets import PageTickets
from wwspec_router.client.steps import Alone, Renewal, Request, Steps, ask
from wwspec_router.client.suite.events import (
    CHAT,
    PERMISSION_LASTS,
    CancelAuth,
    ChangeAuth,
    CreateAuth,
    DataPermission,
    DataPermissionEnded,
    ResetPermanentCode,
    SuiteEvent,
    SuiteTicket,
    read_event,
)
from wwspec_router.client.suite.models import AuthInfo, read_permanent_code
from wwspec_router.client.suite.tokens import CorpTokens, SharedTokens, token_name
from wwspec_router.client.tokens import SuiteSecret, SuiteToken, TokenProvider
from wwspec_router.errors import ConfigurationError, StoreError
from wwspec_router.logs.printable import printable

T = TypeVar("T")

AppKind = Literal["third-party", "custom-developed"]

_INSTALL_URL = "https://open.work.weixin.qq.com"
"""The host of WeCom's install page."""
_USED_CODE = 40078
"""The errcode of an auth_code that was used or has expired."""
_REVOKED = (40013, 40084, 48004)
"""The errcodes of a corp that has removed the app."""
_CLOCKS = 10.0
"""Seconds that the clock of a machine may differ from WeCom's, in the order of a cancellation and an installation."""
_DELETING = "its data of an earlier authorisation is being deleted; calls can be made when forget() has succeeded"

_log = logging.getLogger("wwspec_router.suite")


class _Forgetting(Protocol):
    def forget(self, corpid: str, /) -> object: ...


Forgets = _Forgetting | Callable[[str], object]
"""A store with `forget(corpid)`, or a function of the app's."""


class Recent(Generic[T]):
    """What was used last, by corp.

    Args:
        most: How many are kept.
    """

    def __init__(self, most: int) -> None:
        if most < 1:
            raise ConfigurationError(f"clients is 1 or more, not {most}")
        self._most = most
        self._kept: OrderedDict[str, T] = OrderedDict()
        self._lock = Lock()

    def get(self, corpid: str, make: Callable[[], T]) -> T:
        """Return that of a corp; a new one when it is not kept."""
        with self._lock:
            found = self._kept.pop(corpid, None)
            if found is None:
                found = make()
            self._kept[corpid] = found
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
            return found

    def pop(self, corpid: str) -> T | None:
        """Keep that of a corp no longer; return it, if it was kept."""
        with self._lock:
            return self._kept.pop(corpid, None)


class SuiteCore:
    """What both suites share; the arguments are those of `Suite`.

    Args:
        core: Sends requests.
        suite_id: The app's suite ID.
        suite_secret: The app's suite secret.
        installations: Keeps installations and tickets.
        kind: The kind of app.
        older: Whether the older form of APIs is called.
        tokens: How machines share tokens; None when they don't.
        page_tickets: Returns the source of a corp's tickets of pages; None for WeCom.
        base_url: WeCom's, or that of an emulator.
        forgets: What else is deleted of a corp.
        on_event: Called with each event; may be None.
        drop: Drops the client of a corp.
        clock: Returns Unix time in seconds.

    Raises:
        ConfigurationError: Arguments are missing.
    """

    def __init__(
        self,
        core: Core,
        *,
        suite_id: str,
        suite_secret: str,
        installations: InstallationStore,
        kind: AppKind,
        older: bool,
        tokens: SharedTokens | None,
        page_tickets: Callable[[str], PageTickets | None] | None,
        base_url: str,
        forgets: Sequence[Forgets],
        on_event: Callable[[SuiteEvent], Any] | None,
        drop: Callable[[str], None],
        clock: Callable[[], float],
    ) -> None:
        if not suite_id or not suite_secret:
            raise ConfigurationError("a suite needs its suite_id and suite_secret, as the provider console has them")
        self.suite_id = suite_id
        self._core = core
        self._store = installations
        self._kind = kind
        self._path = "service/" if older else "service/v2/"
        self._shared = tokens
        self._page_tickets = page_tickets
        self._site = _INSTALL_URL if base_url.rstrip("/") == BASE_URL else base_url.rstrip("/")
        self._forgets = [_function_of(each) for each in forgets]
        self._on_event = on_event
        self._drop = drop
        self._clock = clock
        self._taken: dict[str, Installation] = {}
        """What was got for an auth_code and is not stored yet, by digest: the code works only once."""
        source = SuiteSecret(suite_id, suite_secret, partial(installations.ticket, suite_id))
        self._token = SuiteToken(self._of_all_machines(token_name(suite_id), source))

    def core_of(self, corpid: str) -> Core:
        """Return the core of the client for a corp.

        Raises:
            ConfigurationError: No corp is named.
        """
        if not corpid:
            raise ConfigurationError("corp() needs a corpid")
        suite = self._token if self._kind == "third-party" else None
        provider = self._of_all_machines(
            token_name(self.suite_id, corpid), CorpTokens(corpid, self.installation, suite)
        )
        tickets = None if self._page_tickets is None else self._page_tickets(corpid)
        return self._core.for_corp(corpid, provider, suite, tickets)

    def installation(self, corpid: str) -> Steps[Installation]:
        """Return the installation of a corp.

        Raises:
            NotInstalledError: There is none, or the corp's data is being deleted.
            StoreError: The store can't be read.
        """
        found = yield from self._find(corpid)
        if found is None or not found.is_ready:
            raise NotInstalledError(corpid, _DELETING if found is not None and found.forgetting else "")
        return found

    def is_installed(self, corpid: str) -> Steps[bool]:
        """Return whether a corp has installed the app."""
        found = yield from self._find(corpid)
        return found is not None and found.is_ready

    def corps(self) -> Steps[Sequence[str]]:
        """Return the corps that have installed the app."""
        found: Sequence[str] = yield from ask(partial(self._store.corps, self.suite_id))
        return found

    def install_url(self, redirect_uri: str, state: str = "") -> Steps[str]:
        """Return a link by which an admin installs the app."""
        if self._kind != "third-party":
            raise ConfigurationError(
                "install_url() is for third-party apps: a corp authorises a custom-developed app by the QR code of "
                "its template in the provider console"
            )
        answer = yield from self._ask("service/get_pre_auth_code", None)
        code = str(answer.get("pre_auth_code", ""))
        link = {"suite_id": self.suite_id, "pre_auth_code": code, "redirect_uri": redirect_uri, "state": state}
        return f"{self._site}/3rdapp/install?{urlencode(link)}"

    def install(self, auth_code: str) -> Steps[Installation]:
        """Store the installation that an auth_code stands for, and return it."""
        if not auth_code:
            raise ConfigurationError("install() needs the auth_code of the redirect")
        found: Installation = yield Alone(Renewal.INSTALLATION, lambda: self._exchanged(auth_code))
        if found.agentid or not found.is_ready:
            return found
        try:
            return (yield from self._refreshed(found.corpid)) or found
        except ZoneClientError as error:
            _log.warning("corp %s is installed; its agentid is not known yet: %s", printable(found.corpid), error)
        return found

    def auth_info(self, corpid: str) -> Steps[AuthInfo]:
        """Return what a corp has authorised."""
        return (yield from self._auth_info((yield from self.installation(corpid))))

    def forget(self, corpid: str) -> Steps[None]:
        """Delete all that is stored of a corp."""
        yield from self._forgotten(corpid, keep_code=False)

    def on_callback(self, callback: Callback) -> Steps[None]:
        """Do what a callback of the command URL asks for, and then let the app do its part.

        Raises:
            Exception: Something failed, so that all of it is to be done again.
        """
        event = yield from self._handled(read_event(callback))
        if event is not None and self._on_event is not None:
            yield from ask(partial(self._on_event, event))

    def _handled(self, event: SuiteEvent) -> Steps[SuiteEvent | None]:
        """Return the event for the app; None when it is not to see it."""
        if event.suite_id != self.suite_id:
            return event
        match event:
            case SuiteTicket():
                save = partial(self._store.save_ticket, self.suite_id, event.ticket, event.time.timestamp())
                yield from ask(save)
            case CreateAuth() | ResetPermanentCode():
                found = yield from self.install(event.auth_code)
                if not found.is_ready:
                    raise NotInstalledError(found.corpid, _DELETING)
                return replace(event, corpid=found.corpid)
            case ChangeAuth():
                if (yield from self._refreshed(event.corpid)) is None:
                    _log.warning("change_auth of corp %s, which has no installation", printable(event.corpid))
            case CancelAuth():
                return (yield from self._cancelled(event))
            case DataPermission(auth_type=auth_type) if auth_type == CHAT:
                yield from self._note_permission(event)
        return event

    def _exchanged(self, auth_code: str) -> Steps[Installation]:
        digest = hashlib.sha256(auth_code.encode(errors="surrogatepass")).hexdigest()
        new = self._taken.get(digest)
        if new is None:
            try:
                new = yield from self._taken_from_wecom(auth_code, digest)
            except PlatformError as error:
                if error.errcode != _USED_CODE:
                    raise
                known = yield from self._installed_by(digest)
                if known is None:
                    raise
                return known
            self._taken[digest] = new
        stored = yield from self._find(new.corpid)
        if stored is not None:
            if stored.installed_at > new.installed_at:
                new = stored
            else:
                keeps = 0.0 if stored.forgetting else stored.data_until
                new = msgspec.structs.replace(new, data_until=keeps, forgetting=stored.forgetting)
        yield from self._save(new)
        self._taken.pop(digest, None)
        return new

    def _taken_from_wecom(self, auth_code: str, digest: str) -> Steps[Installation]:
        api = f"{self._path}get_permanent_code"
        answer = yield from self._ask(api, {"auth_code": auth_code}, auth_code)
        found = read_permanent_code(api, answer)
        _log.info("corp %s has installed the app", printable(found.auth_corp_info.corpid))
        return Installation(
            suite_id=self.suite_id,
            corpid=found.auth_corp_info.corpid,
            permanent_code=found.permanent_code,
            corp_name=found.auth_corp_info.corp_name,
            agentid=found.auth_info.agent[0].agentid if found.auth_info.agent else 0,
            installed_at=self._clock(),
            code_digest=digest,
        )

    def _installed_by(self, digest: str) -> Steps[Installation | None]:
        """Return the installation that an auth_code was used for."""
        for corpid in (yield from self.corps()):
            found = yield from self._find(corpid)
            if found is not None and found.code_digest == digest and found.permanent_code:
                return found
        return None

    def _refreshed(self, corpid: str) -> Steps[Installation | None]:
        """Ask WeCom for the name and the number of the app, and store them; return None without an installation."""
        found = yield from self._find(corpid)
        if found is None or not found.is_ready:
            return None
        info = yield from self._auth_info(found)
        changes = {"corp_name": info.corp.corp_name or found.corp_name, "agentid": info.agent.agentid or found.agentid}
        return (yield from self._changed(corpid, lambda _: changes))

    def _note_permission(self, event: DataPermission) -> Steps[None]:
        """Store when a permission ends: events may come in any order."""
        until = event.until.timestamp()
        ends = isinstance(event, DataPermissionEnded)

        def change(stored: Installation) -> Mapping[str, Any]:
            if not ends:
                return {"data_until": max(stored.data_until, until)}
            renewed = stored.data_until > until + PERMISSION_LASTS.total_seconds()
            return {} if renewed else {"data_until": until}

        if (yield from self._changed(event.corpid, change)) is None:
            raise NotInstalledError(event.corpid)

    def _cancelled(self, event: CancelAuth) -> Steps[CancelAuth | None]:
        """Forget a corp, unless it has installed the app again after the cancellation; return None then."""
        found = yield from self._find(event.corpid)
        is_back = found is not None and (yield from self._is_back(found, event.time.timestamp()))
        if found is not None and is_back and not found.forgetting:
            _log.warning("a late cancel_auth of corp %s, which has the app again", printable(event.corpid))
            return None
        yield from self._forgotten(event.corpid, keep_code=is_back)
        return event

    def _is_back(self, found: Installation, cancelled: float) -> Steps[bool]:
        """Return whether an installation is of after a cancellation; WeCom is asked when the times do not say."""
        if not found.permanent_code or cancelled >= found.installed_at + _CLOCKS:
            return False
        try:
            yield from self._auth_info(found)
        except PlatformError as error:
            if error.errcode not in _REVOKED:
                raise
            return False
        return True

    def _forgotten(self, corpid: str, *, keep_code: bool) -> Steps[None]:
        """Mark the installation first, and remove it last: whoever begins again after a crash knows where to go on."""
        found: Installation | None = yield Alone(
            Renewal.INSTALLATION, lambda: self._marked(corpid, keep_code=keep_code)
        )
        yield from self._delete(corpid)
        if found is not None:
            yield Alone(Renewal.INSTALLATION, lambda: self._unmarked(found))

    def _marked(self, corpid: str, *, keep_code: bool) -> Steps[Installation | None]:
        found = yield from self._find(corpid)
        if found is not None:
            wiped = {} if keep_code else {"permanent_code": "", "code_digest": ""}
            found = msgspec.structs.replace(found, forgetting=True, **wiped)
            yield from self._save(found)
        return found

    def _unmarked(self, marked: Installation) -> Steps[None]:
        """Remove the installation; if the corp has installed the app again meanwhile, let calls be made."""
        found = yield from self._find(marked.corpid)
        if found is not None and found.permanent_code:
            yield from self._save(msgspec.structs.replace(found, forgetting=False))
        else:
            yield from ask(partial(self._store.remove, self.suite_id, marked.corpid, marked.installed_at))

    def _delete(self, corpid: str) -> Steps[None]:
        """Run all steps, also after one has failed; raise the first error."""
        self._drop(corpid)
        steps: list[Callable[[], Any]] = [partial(each, corpid) for each in self._forgets]
        if self._shared is not None:
            steps.insert(0, partial(self._shared.forget, token_name(self.suite_id, corpid)))
        failures: list[Exception] = []
        for step in steps:
            try:
                yield from ask(step)
            except Exception as error:
                failures.append(error)
        if failures:
            raise failures[0]

    def _changed(self, corpid: str, change: Callable[[Installation], Mapping[str, Any]]) -> Steps[Installation | None]:
        """Change fields of an installation; return None when there is none."""

        def changed() -> Steps[Installation | None]:
            found = yield from self._find(corpid)
            if found is None or not found.is_ready:
                return None
            new = msgspec.structs.replace(found, **change(found))
            if new != found:
                yield from self._save(new)
            return new

        installation: Installation | None = yield Alone(Renewal.INSTALLATION, changed)
        return installation

    def _auth_info(self, found: Installation) -> Steps[AuthInfo]:
        body = {"auth_corpid": found.corpid, "permanent_code": found.permanent_code}
        return read_answer(AuthInfo, (yield from self._ask(f"{self._path}get_auth_info", body, found.permanent_code)))

    def _ask(self, api: str, body: Mapping[str, str] | None, *hidden: str) -> Steps[dict[str, Any]]:
        content = None if body is None else msgspec.json.encode(body)
        return self._core.perform_as_suite(self._token, Request(api, content, hidden=hidden))

    def _find(self, corpid: str) -> Steps[Installation | None]:
        found: Installation | None = yield from ask(partial(self._store.find, self.suite_id, corpid))
        if found is not None and (found.suite_id, found.corpid) != (self.suite_id, corpid):
            raise StoreError("the store of installations has returned that of another corp: compare corpids exactly")
        return found

    def _save(self, installation: Installation) -> Steps[None]:
        yield from ask(partial(self._store.save, installation))

    def _of_all_machines(self, name: str, source: TokenProvider) -> TokenProvider:
        return source if self._shared is None else self._shared.provider(name, source)


def _function_of(each: Forgets) -> Callable[[str], object]:
    forget: Callable[[str], object] | None = getattr(each, "forget", None)
    if forget is None and not callable(each):
        raise ConfigurationError(f"forgets has functions, and objects with forget(corpid), not {type(each).__name__}")
    return forget or cast(Callable[[str], object], each)
