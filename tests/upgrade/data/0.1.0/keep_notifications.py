"""An app that ends while its file has a notification of each stage. Arguments: the file, token, key, corpid."""

import io
import os
import sys
import threading
import time
from urllib.parse import urlencode

import httpx

from wwspec_router.callbacks import CallbackCrypto, write_xml
from wwspec_router.client import (
    NotifyEvent,
    NotifyPolicy,
    NotifyReceiver,
    RetryPolicy,
    SqlitePendingStore,
    ZoneClient,
)

STAGES = ("done", "failed", "fetched", "noted")
"""The notify_ids, each named for where it gets."""

path, token, key, corpid = sys.argv[1:]
crypto = CallbackCrypto(token, key, corpid)


def wecom(request: httpx.Request) -> httpx.Response:
    """Answer as WeCom does; the event of `noted` can't be fetched."""
    if request.url.path.endswith("gettoken"):
        return httpx.Response(200, json={"errcode": 0, "access_token": "token", "expires_in": 7200})
    notify_id = next(each for each in STAGES if f'"{each}"' in request.content.decode())
    if notify_id == "noted":
        return httpx.Response(500)
    reply = f'{{"event_type": "hit_keyword", "timestamp": 5, "hit_keyword": {{"token": "{notify_id}"}}}}'
    return httpx.Response(200, json={"errcode": 0, "response_data": reply})


def handle(event: NotifyEvent) -> None:
    if event.notify_id == "failed":
        raise ValueError
    if event.notify_id == "fetched":
        threading.Event().wait()  # until the process ends


def notify(notify_id: str) -> None:
    """Call the app's URL as WeCom does."""
    fields = {"ToUserName": corpid, "MsgType": "event", "Event": "program_notify", "NotifyId": notify_id}
    encrypted = crypto.encrypt(write_xml(fields))
    body = write_xml({"ToUserName": corpid, "AgentID": "1000002", "Encrypt": encrypted}).encode()
    environ = {
        "REQUEST_METHOD": "POST",
        "QUERY_STRING": urlencode(crypto.query(int(time.time()), encrypted)),
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
    }
    answered: list[str] = []
    receiver(environ, lambda status, headers: answered.append(status))
    assert answered == ["200 OK"]


store = SqlitePendingStore(path)
client = ZoneClient(
    corpid=corpid,
    secret="secret",  # noqa: S106
    program_id="program",
    base_url="http://127.0.0.1",
    retries=RetryPolicy(attempts=1),
    transport=httpx.MockTransport(wecom),
)
receiver = NotifyReceiver(
    client,
    handle,
    token=token,
    encoding_aes_key=key,
    receive_id=corpid,
    store=store,
    concurrency=2,
    policy=NotifyPolicy(handler_attempts=1),
)
receiver.start()
for each in STAGES:
    notify(each)
ends = time.monotonic() + 60
while not all((row := store.get((corpid, each))) and row.stage == each for each in STAGES) or not all(
    (row := store.get((corpid, each))) and row.attempts for each in ("fetched", "noted")
):
    assert time.monotonic() < ends
    time.sleep(0.01)
os._exit(0)
