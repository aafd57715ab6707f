"""Both receivers behind one interface: what WeCom sends comes in, and a scripted WeCom answers what they ask."""

import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import replace
from threading import Thread
from typing import Any, Literal, Self
from wsgiref.simple_server import WSGIRequestHandler, make_server

import anyio.to_thread
import httpx

from tests.client.scripted import Outcome, Script
from tests.support.waiting import wait_until
from wwspec_client import (
    AsyncNotifyReceiver,
    AsyncZoneClient,
    Notification,
    NotifyEvent,
    NotifyPolicy,
    NotifyReceiver,
    RetryPolicy,
    ZoneClient,
)
from wwspec_client.stores import Pending, Stage
from wwspec_contracts.callbacks import Callback, CallbackCrypto, write_xml
from wwspec_devtools.testing.memory import MemoryServer, MemoryTransport
from wwspec_devtools.testing.zone import Zone

TOKEN, AES_KEY, CORPID = "callback-token", "a" * 42 + "A", "ww-receiver"
CRYPTO = CallbackCrypto(TOKEN, AES_KEY, CORPID)
CALLBACK: dict[str, Any] = {"token": TOKEN, "encoding_aes_key": AES_KEY}
QUICK = NotifyPolicy(first_pause=0.0, longest_pause=0.0, grace=5.0)
ONCE = RetryPolicy(attempts=1)
CLIENT: dict[str, Any] = {"corpid": CORPID, "secret": "secret", "program_id": "program", "base_url": "http://127.0.0.1"}


class Quiet(WSGIRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


def serve_wsgi(app: Any, stack: ExitStack) -> str:
    """Serve a WSGI application until the stack ends, and return its URL."""
    server = stack.enter_context(make_server("127.0.0.1", 0, app, handler_class=Quiet))
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    stack.callback(thread.join)
    stack.callback(server.shutdown)
    return f"http://127.0.0.1:{server.server_port}"


def sealed(xml: str, crypto: CallbackCrypto = CRYPTO, at: float | None = None) -> tuple[dict[str, str], bytes]:
    """Return query and body of a callback as WeCom sends it."""
    encrypted = crypto.encrypt(xml)
    query = crypto.query(int(time.time() if at is None else at), encrypted)
    return query, write_xml({"ToUserName": CORPID, "AgentID": "1000002", "Encrypt": encrypted}).encode()


ServerKind = Literal["wsgi", "asgi"]


class OnThread(httpx.AsyncBaseTransport):
    """A blocking transport, on an event loop."""

    def __init__(self, transport: httpx.BaseTransport) -> None:
        self._transport = transport

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        answer = await anyio.to_thread.run_sync(self._transport.handle_request, request)
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.read())


def async_app_client(zone: Zone) -> AsyncZoneClient:
    """Return a client of a zone's app for an event loop."""
    info, memory = zone.client.info(), zone.client.memory
    assert memory is not None
    options: dict[str, Any] = {"base_url": zone.client.url, "transport": OnThread(memory)}
    return AsyncZoneClient(info["corpid"], info["secret"], program_id=info["program_id"], **options)


class Failing:
    """A function of the app's that fails the first times, and keeps what it is given."""

    def __init__(self, times: int) -> None:
        self.given: list[Any] = []
        self._times = times

    def __call__(self, given: Any) -> None:
        self.given.append(given)
        if len(self.given) <= self._times:
            raise ValueError("no database")


class Stand:
    """A receiver whose handler collects events. A context manager, which starts and stops it.

    WeCom answers as `wecom` says, or is reached by `client["transport"]`. With `collects_others` the callbacks of the
    app and of the suite `suite` that are no notifications are collected, too.
    """

    def __init__(self, kind: ServerKind, wecom: Iterable[Outcome], **options: Any) -> None:
        self.wecom = Script(wecom)
        self.asked, self.outcomes = self.wecom.requests, self.wecom.outcomes
        self.events: list[NotifyEvent] = []
        self.others: list[Callback] = []
        self.kind = kind
        if options.pop("collects_others", False):
            options |= {"on_other": self.others.append, "receive_id": {"suite", CORPID}}
        client = {**CLIENT, "retries": ONCE, **options.pop("client", {})}
        transport = client.pop("transport", self.wecom)
        choose = options.pop("choose", lambda client: client)
        given = {"receive_id": CORPID, "policy": QUICK, "handler": self.events.append, **CALLBACK, **options}
        self.receiver: NotifyReceiver | AsyncNotifyReceiver
        if kind == "wsgi":
            self.receiver = NotifyReceiver(choose(ZoneClient(**client, transport=transport)), **given)
        else:
            later = AsyncZoneClient(**client, transport=OnThread(transport))
            self.receiver = AsyncNotifyReceiver(choose(later), **given)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            transport: httpx.BaseTransport
            if isinstance(self.receiver, NotifyReceiver):
                stack.enter_context(self.receiver)
                transport = httpx.WSGITransport(app=self.receiver)
            else:
                self._server = stack.enter_context(MemoryServer(self.receiver, "receiver"))  # its lifespan, too
                transport = MemoryTransport(self._server)
            self.http = stack.enter_context(httpx.Client(base_url="http://127.0.0.1", transport=transport))
            self._ends = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.close()

    def notify(self, notify_id: str, *, at: float | None = None, **fields: str | int) -> httpx.Response:
        """Send the callback of a notification."""
        inner = {"ToUserName": CORPID, "MsgType": "event", "Event": "program_notify", "NotifyId": notify_id}
        return self.post(write_xml({**inner, **fields}), at=at)

    def post(self, xml: str, *, crypto: CallbackCrypto = CRYPTO, at: float | None = None) -> httpx.Response:
        """Send a callback as WeCom does."""
        query, body = sealed(xml, crypto, at)
        return self.http.post("/callback", params=query, content=body)

    def handled(self, count: int) -> list[NotifyEvent]:
        wait_until(lambda: len(self.events) >= count)
        assert len(self.events) == count
        return self.events

    def failed(self) -> list[Pending]:
        return list(self.call(self.receiver.failed))

    def given_up(self) -> Pending:
        """Wait until one row is given up, and return it."""
        wait_until(self.failed)
        [row] = self.failed()
        return row

    def retry(self, row: Pending) -> bool:
        return bool(self.call(self.receiver.retry, row.notification))

    def call(self, method: Any, *arguments: object) -> Any:
        return method(*arguments) if self.kind == "wsgi" else self._server._portal.call(method, *arguments)


def of_kind(kind: ServerKind, function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a function as it is, or as one for an event loop."""

    async def on_loop(given: Any) -> Any:
        return function(given)

    return function if kind == "wsgi" else on_loop


def fetched(notify_id: str, **changes: Any) -> Pending:
    """Return a row whose event waits to be handled."""
    notification = Notification(corpid=CORPID, notify_id=notify_id)
    event = '{"event_type": "hit_keyword", "timestamp": 5, "hit_keyword": {"token": "t"}}'
    row = Pending(notification=notification, stage=Stage.FETCHED, noted=1.0, due=1.0, event=event)
    return replace(row, **changes)
