"""The paths of `open.work.weixin.qq.com`: the frame with its files and requests, the script of contacts, the login."""

from collections.abc import Callable
from functools import partial
from html import escape
from pathlib import Path

import anyio.to_thread
import msgspec
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from wwspec_contracts.errors import ConfigurationError
from wwspec_devtools.emulator.answers import Answer, RefusedError
from wwspec_devtools.emulator.page.content import previewed_message
from wwspec_devtools.emulator.page.frame import NO_LOGIN, open_frame, show
from wwspec_devtools.emulator.page.login import LOGIN, login_url
from wwspec_devtools.emulator.page.login_page import language_of, plain_page
from wwspec_devtools.emulator.platform import Platform
from wwspec_devtools.emulator.settings import check_url
from wwspec_devtools.emulator.state.people import EMPLOYEE
from wwspec_devtools.emulator.state.world import World

FRAME = "/wwopen/ww-open-data-frame"
CONTACTS = "/wwopen/js/jwxwork-1.0.0.js"
PREVIEW = "/wwopen/emulator/preview"
"""The emulator's own page, which a page shows by its `handleModal`."""

COOKIE = "open_sid"
"""The name is the emulator's own."""

MAX_BODY_BYTES = 1024 * 1024

_FOLDER = Path(__file__).parent
_IN_PAGES = {"Cross-Origin-Resource-Policy": "cross-origin", "Cache-Control": "no-cache"}
_FRAME_HEADERS = {
    **_IN_PAGES,
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data: http://127.0.0.1:* http://localhost:*; base-uri 'none'; form-action 'none'",
}
_TEXTS = {
    "en": ("Log in to WeCom", "The emulator plays WeCom. Choose who is logged in to this browser."),
    "zh": ("登录企业微信", "本页由模拟器提供，代替企业微信。请选择本浏览器的登录成员。"),
}


def page_routes(platform: Platform) -> list[BaseRoute]:
    """Return the routes of one emulator."""

    async def frame(_: Request) -> Response:
        return FileResponse(_FOLDER / "frame.html", headers=_FRAME_HEADERS)

    async def contacts(_: Request) -> Response:
        return FileResponse(_FOLDER / "static" / "jwxwork.js", headers=_IN_PAGES)

    async def elements(_: Request) -> Response:
        return FileResponse(_FOLDER.parent / "console" / "static" / "dom.js", headers=_IN_PAGES)

    async def login(request: Request) -> Response:
        return await anyio.to_thread.run_sync(_login, platform.world, request)

    async def preview(request: Request) -> Response:
        return await anyio.to_thread.run_sync(_preview, platform.world, request)

    async def answered(work: Callable[[World, str, bytes], Answer], request: Request) -> Response:
        if int(request.headers.get("content-length") or MAX_BODY_BYTES) >= MAX_BODY_BYTES:  # browsers always send it
            return Response(status_code=413)
        body = await request.body()
        answer = await anyio.to_thread.run_sync(work, platform.world, request.cookies.get(COOKIE, ""), body)
        headers = {"Access-Control-Allow-Credentials": "true"}
        if origin := request.headers.get("origin"):  # the guard has checked it
            headers["Access-Control-Allow-Origin"] = origin
        return Response(msgspec.json.encode(answer), headers=_IN_PAGES | headers, media_type="application/json")

    return [
        Route(FRAME, frame, methods=["GET"]),
        Route(CONTACTS, contacts, methods=["GET"]),
        Route(LOGIN, login, methods=["GET"]),
        Route("/wwopen/emulator/open", partial(answered, open_frame), methods=["POST"]),
        Route("/wwopen/emulator/show", partial(answered, show), methods=["POST"]),
        Route(PREVIEW, preview, methods=["GET"]),
        Route("/wwopen/emulator/static/dom.js", elements, methods=["GET"]),
        Mount("/wwopen/emulator/static", StaticFiles(directory=_FOLDER / "static")),
    ]


def _login(world: World, request: Request) -> Response:
    language, query = language_of(request), request.query_params
    to, (title, note) = query.get("to", ""), _TEXTS[language]
    try:
        check_url("to", to)
    except ConfigurationError as error:
        return plain_page(language, title, f"<p>{escape(str(error))}</p>", 400)
    with world.lock:
        members = {app.corpid: world.corp(app).chats.people for app in world.apps}
        corpid, userid = query.get("corpid") or world.app.corpid, query.get("userid", "")
        if corpid in members and members[corpid].find(userid, EMPLOYEE) is not None:
            sid = world.page_logins.log_in(corpid, userid, world.clock.now())
            response = RedirectResponse(to, 302)
            response.set_cookie(COOKIE, sid, secure=True, httponly=True, samesite="none")
            return response
    body = [f"<p>{note}</p>"]
    for corpid, people in members.items():
        body.append(f"<h2>{escape(corpid)}</h2><ul>")
        for each in people.persons:
            if each.party.type == EMPLOYEE:
                link = escape(login_url(each.party.id, to, corpid))
                body.append(f'<li><a href="{link}">{escape(each.name)} ({escape(each.party.id)})</a></li>')
        body.append("</ul>")
    return plain_page(language, title, "".join(body))


def _preview(world: World, request: Request) -> Response:
    with world.lock:
        login = world.page_logins.member(request.cookies.get(COOKIE, ""), world.clock.now())
        try:
            shown = (
                {"text": NO_LOGIN} if login is None else previewed_message(world, login, request.query_params["mark"])
            )
        except (RefusedError, KeyError):
            shown = {"text": "消息已过期，消息内容无法展示"}
    label = f"[{shown['label']}]" if shown.get("label") else ""
    page = f"<!doctype html><meta charset=utf-8><title>preview</title><p>{escape(label + shown['text'])}</p>"
    return HTMLResponse(page, headers=_IN_PAGES | {"Content-Security-Policy": "default-src 'none'"})
