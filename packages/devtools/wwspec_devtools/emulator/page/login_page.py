"""The page that plays WeCom's login: `/connect/oauth2/authorize`, where a person is chosen [91022].

A page of plain HTML without a script. The link of a person has one parameter more than the app's own link.
"""

from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from html import escape
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import anyio.to_thread
import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from wwspec_contracts.errors import ConfigurationError
from wwspec_devtools.emulator.page.login import login_url
from wwspec_devtools.emulator.platform import Platform
from wwspec_devtools.emulator.settings import LOGIN_HOST, check_url
from wwspec_devtools.emulator.state.accounts import App
from wwspec_devtools.emulator.state.logins import CODE, Login
from wwspec_devtools.emulator.state.people import EMPLOYEE, Person
from wwspec_devtools.emulator.state.world import World

PATH = "/connect/oauth2/authorize"

PERSON, CORP = "emulator_person", "emulator_corpid"
"""The parameters that name who logs in: a person, and the corp, when several have installed the third-party app."""

MAX_STATE_BYTES = 128

_BASE, _PRIVATE = "snsapi_base", "snsapi_privateinfo"
_SCOPES = (_BASE, "snsapi_userinfo", _PRIVATE)
_STYLE = "body{font-family:system-ui,sans-serif;line-height:1.6;margin:1rem;overflow-wrap:anywhere}"
_STYLE_HASH = b64encode(sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_TEXTS = {
    "en": {
        "title": "Choose who logs in",
        "note": "The emulator plays WeCom's login. The browser then goes to {domain}.",
        "private": "The app asks for private data (snsapi_privateinfo).",
        "members": "Members of the corp",
        "customers": "Customers",
        "failed": "The link to log in is wrong",
    },
    "zh": {
        "title": "选择登录人",
        "note": "本页由模拟器提供，代替企业微信的登录。选择后浏览器将跳转到 {domain}。",
        "private": "应用申请获取敏感信息（snsapi_privateinfo）。",
        "members": "企业成员",
        "customers": "客户",
        "failed": "登录链接有误",
    },
}


class _Link(msgspec.Struct, frozen=True, kw_only=True):
    """What an app's link asks for."""

    apps: list[App]
    """The app of the corp, or those of the corps that have installed the third-party app."""
    by_suite: bool
    private: bool
    redirect_uri: str
    state: str

    @property
    def domain(self) -> str:
        return urlsplit(self.redirect_uri).netloc.rpartition("@")[2].lower()

    def target(self, world: World, app: App, person: Person) -> str:
        """Return where the browser goes when this person logs in; needs the lock."""
        login = Login(app=app, party=person.party, by_suite=self.by_suite, private=self.private, domain=self.domain)
        code = world.logins.issue(CODE, login, world.clock.now())
        parts = urlsplit(self.redirect_uri)
        added = urlencode({"code": code, "state": self.state})
        return urlunsplit(parts._replace(query=f"{parts.query}&{added}" if parts.query else added))


def _read_link(world: World, query: Mapping[str, str]) -> _Link:
    """Return what a link asks for.

    Raises:
        ConfigurationError: The link is wrong; the text says what is.
    """
    appid, agentid, scope, state = (query.get(name, "") for name in ("appid", "agentid", "scope", "state"))
    by_suite = appid == world.suite.suite_id
    if by_suite:
        apps = [app for app in world.suite.apps.values() if app.authorisation.is_installed]
    else:
        apps = [app for app in world.apps if app.corpid == appid]
    if not apps:
        known = ", ".join(app.corpid for app in world.apps)
        raise ConfigurationError(f"appid: {known}, or {world.suite.suite_id} once it is installed, not {appid!r}")
    if query.get("response_type") != CODE:
        raise ConfigurationError("response_type: code")
    if scope not in _SCOPES:
        raise ConfigurationError(f"scope: {' or '.join(_SCOPES)}, not {scope!r}")
    if agentid or (scope == _PRIVATE and not by_suite):
        known = ", ".join(str(app.agentid) for app in apps)
        apps = [app for app in apps if str(app.agentid) == agentid]
        if not apps:
            raise ConfigurationError(f"agentid: {known}, which {_PRIVATE} needs, not {agentid!r}")
    if len(state.encode()) > MAX_STATE_BYTES:
        raise ConfigurationError(f"state: {MAX_STATE_BYTES} bytes at most")
    redirect_uri = query.get("redirect_uri", "")
    check_url("redirect_uri", redirect_uri)
    return _Link(apps=apps, by_suite=by_suite, private=scope == _PRIVATE, redirect_uri=redirect_uri, state=state)


def login_routes(platform: Platform) -> list[Route]:
    """Return the route of the page."""

    async def show(request: Request) -> Response:
        return await anyio.to_thread.run_sync(_page, platform.world, request)

    return [Route(PATH, show, methods=["GET"])]


def _page(world: World, request: Request) -> Response:
    language = language_of(request)
    text = _TEXTS[language]
    query = dict(parse_qsl(request.url.query, keep_blank_values=True))
    try:
        with world.lock:
            link = _read_link(world, query)
            persons = {app.corpid: list(world.corp(app).chats.people.persons) for app in link.apps}
            if (chosen := query.get(PERSON)) is not None:
                corpid = query.get(CORP) or link.apps[0].corpid
                app = next((app for app in link.apps if app.corpid == corpid), None)
                person = next((person for person in persons.get(corpid, []) if person.party.id == chosen), None)
                if app is None or person is None:
                    raise ConfigurationError(f"{PERSON}: {chosen!r} is neither a member nor a customer of {corpid}")
                target = link.target(world, app, person)
                if request.url.hostname == LOGIN_HOST and person.party.type == EMPLOYEE:
                    target = login_url(
                        person.party.id, target, corpid
                    )  # by the way, the member is logged in for the frame
                return RedirectResponse(target, 302, headers=_HEADERS)
    except ConfigurationError as error:
        return plain_page(language, text["failed"], f"<p>{escape(str(error))}</p>", 400)
    return plain_page(language, text["title"], _choice(text, link, persons, query))


def _choice(text: dict[str, str], link: _Link, persons: dict[str, list[Person]], query: dict[str, str]) -> str:
    body = [f"<p>{escape(text['note'].format(domain=link.domain))}</p>"]
    if link.private:
        body.append(f"<p>{escape(text['private'])}</p>")
    for app in link.apps:
        name = f" ({escape(app.corp_name)})" if len(link.apps) > 1 else ""
        for head, members in (("members", True), ("customers", False)):
            body.append(f"<h2 id={head}-{app.corpid}>{text[head]}{name}</h2><ul aria-labelledby={head}-{app.corpid}>")
            for person in persons[app.corpid]:
                if (person.party.type == EMPLOYEE) is members:
                    target = escape(f"?{urlencode({**query, CORP: app.corpid, PERSON: person.party.id})}")
                    body.append(f'<li><a href="{target}">{escape(person.name)} ({escape(person.party.id)})</a></li>')
            body.append("</ul>")
    return "".join(body)


def plain_page(language: str, title: str, body: str, status: int = 200) -> Response:
    """Return a page without a script."""
    return HTMLResponse(
        f'<!doctype html><html lang="{"zh-CN" if language == "zh" else "en"}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="color-scheme" content="light dark"><title>{title}</title><style>{_STYLE}</style></head>'
        f"<body><main><h1>{title}</h1>{body}</main></body></html>",
        status,
        headers=_HEADERS,
    )


def language_of(request: Request) -> str:
    """Return the language of the page: `lang` of the query, or what the browser prefers."""
    wanted = request.query_params.get("lang") or request.headers.get("accept-language", "")
    return "zh" if wanted.lower().startswith("zh") else "en"
