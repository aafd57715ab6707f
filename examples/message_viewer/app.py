"""A page where members of a corp read its messages, in WeCom's own frame; README.md says how to start it."""

import logging
import os
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlencode

import msgspec
from anyio import Lock
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

import wwspec_client as wecom
from wwspec_client.stores import CursorStore, Position
from wwspec_client.viewer import UnopenedMessage, ViewerMessage, ViewerMessages, ViewerName
from wwspec_contracts.errors import WWSpecError

SETTINGS = ("CORPID", "CORPSECRET", "AGENTID", "PROGRAM_ID")  # WWSPEC_CORPID and so on
URL = os.environ.get("VIEWER_URL", "http://127.0.0.1:8000")  # of this page; its domain is the app's trusted one
VIEWERS = os.environ.get("VIEWERS", "").split()  # the userids that may read; nobody when it is not set
KEYS = Path(os.environ.get("WWSPEC_KEYS", "keys"))  # of the private keys, as `wwspec keys` makes them
HERE = Path(__file__).parent
JSSDK = os.environ.get("VIEWER_JSSDK", f"{HERE}/node_modules/@wecom/jssdk/dist/wecom.global.prod.js")
LOGIN = "https://open.weixin.qq.com/connect/oauth2/authorize"
EVERY = 10  # seconds between two pulls: WeCom allows few without the token of an event
log = logging.getLogger("viewer")


class Memory(CursorStore):
    """Where the last pull ended. An app keeps it, and the messages, in its database: see examples/archive_app."""

    position: Position | None = None

    def load(self) -> Position | None:
        """Return where the next pull begins."""
        return self.position

    def keep(self, before: Position | None, after: Position, *, commit: bool) -> None:
        """Store where a page ends."""
        self.position = after


class Viewer:
    """The messages by conversation, and who is logged in."""

    def __init__(self, client: wecom.AsyncZoneClient, agentid: int, corpid: str) -> None:
        self._client, self._agentid, self._corpid = client, agentid, corpid
        self._cursor, self._lock, self._pulled = Memory(), Lock(), 0.0
        self._chats: dict[str, list[ViewerMessage]] = {}
        self._unopened: list[UnopenedMessage] = []
        self._sessions: dict[str, str] = {}

    async def show(self, request: Request) -> Response:
        """Answer the page to a member who is logged in, and send everybody else to WeCom's login."""
        code, state = (request.query_params.get(name, "") for name in ("code", "state"))
        if code and secrets.compare_digest(state, request.cookies.get("state", "")):
            user = await self._client.user_info(code)
            if user.userid not in VIEWERS:
                return PlainTextResponse("You may not read messages here. VIEWERS names who may.", 403)
            session = secrets.token_urlsafe()
            self._sessions[session] = user.userid
            return _with_cookie(RedirectResponse("/", 303), "session", session)
        if request.cookies.get("session") in self._sessions:
            return FileResponse(HERE / "page.html")
        state = secrets.token_hex(16)
        link = {"appid": self._corpid, "redirect_uri": f"{URL}/", "response_type": "code", "scope": "snsapi_base"}
        query = urlencode({**link, "state": state, "agentid": self._agentid})
        return _with_cookie(RedirectResponse(f"{LOGIN}?{query}#wechat_redirect"), "state", state)

    async def config(self, request: Request) -> Response:
        """Sign the page."""
        url = request.query_params.get("url", "")
        if not url.startswith(f"{URL}/"):
            return PlainTextResponse(f"This server signs pages of {URL} only", 400)
        return _json(await self._client.page_config(url, agentid=self._agentid))

    async def chats(self, request: Request) -> Response:
        """Answer the conversations, each with the names that the frame shows of it."""
        await self._pull()
        latest = {chat: messages[-1] for chat, messages in self._chats.items()}
        return _json([{"id": chat, "names": _names(latest[chat])} for chat in sorted(latest)])

    async def messages(self, request: Request) -> Response:
        """Answer the latest messages of a conversation, and what could not be opened."""
        await self._pull()
        messages = self._chats.get(request.query_params.get("chat", ""), [])
        return _json(ViewerMessages(messages=messages[-50:], unopened=self._unopened))

    def route(self, path: str, answer: Callable[[Request], Awaitable[Response]]) -> Route:
        """Return a route for those who are logged in."""

        async def checked(request: Request) -> Response:
            if request.cookies.get("session") not in self._sessions:
                return PlainTextResponse("log in first", 401)
            return await answer(request)

        return Route(path, checked)

    async def _pull(self) -> None:
        async with self._lock:
            if time.monotonic() - self._pulled < EVERY:
                return
            ring = wecom.KeyRing.from_folder(KEYS)
            async for page in self._client.messages(self._cursor, on_gap=log.error):
                found = self._client.viewer_messages(page, ring)
                self._unopened += found.unopened
                for message in found.messages:
                    self._chats.setdefault(_chat_of(message), []).append(message)
            self._pulled = time.monotonic()


def _chat_of(message: ViewerMessage) -> str:
    """Return the group, or the two people of a one-to-one chat."""
    if message.chat is not None:
        return message.chat.openid
    return " ".join(sorted({each.openid for each in (message.sender, *message.receivers)}))


def _names(message: ViewerMessage) -> list[ViewerName]:
    names = [message.chat] if message.chat else [message.sender, *message.receivers]
    return [name for name in names if name.type]


def _json(value: object) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json", headers={"Cache-Control": "no-store"})


def _with_cookie(response: Response, name: str, value: str) -> Response:
    response.set_cookie(name, value, httponly=True, samesite="lax", secure=URL.startswith("https:"))
    return response


async def failed(request: Request, error: Exception) -> Response:
    """Answer that WeCom refuses, or that a key folder is missing: with the reason, which holds no secret."""
    log.warning("%s", error)
    return PlainTextResponse(str(error), 502)


def create_app() -> Starlette:
    """Return the application; the environment says which app and program it is, and where WeCom is."""
    corpid, secret, agentid, program_id = (os.environ[f"WWSPEC_{name}"] for name in SETTINGS)
    base_url = os.environ.get("WWSPEC_BASE_URL", "https://qyapi.weixin.qq.com")
    client = wecom.AsyncZoneClient(corpid, secret, program_id=program_id, base_url=base_url)
    viewer = Viewer(client, int(agentid), corpid)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with client:
            yield

    async def jssdk(request: Request) -> Response:
        return FileResponse(JSSDK, media_type="text/javascript")

    pages = [Route("/", viewer.show), Route("/jssdk.js", jssdk)]
    guarded = {"/config": viewer.config, "/chats": viewer.chats, "/messages": viewer.messages}
    routes = [*pages, *(viewer.route(path, answer) for path, answer in guarded.items())]
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers={WWSpecError: failed})
