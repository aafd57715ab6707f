"""limit-1 that answers `get_callback_data` with one GET of redis-py, inline on the event loop.

`python -m benchmarks.peers.redis_get PORT URL KEY`: no routing, no checks, no threads, and one text under one key. The
connection has the options that the program gives its own. Other abilities are answered as limit-1 does.
"""

import sys
from collections.abc import Awaitable, Callable
from typing import Any

from redis import Redis
from wwspecapisdk import ChatDataSDK, WWToSpecHTTPReqDecoder, WWToSpecHTTPRspConstructor

from benchmarks.peers.serving import serve

Message = dict[str, Any]

URL, KEY = sys.argv[2:]
redis: Any = Redis.from_url(URL, protocol=2, socket_timeout=2.0, decode_responses=True)


async def app(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """Answer one request."""
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    request = WWToSpecHTTPReqDecoder(headers, body.decode())
    if request.get_ability_id() == "get_callback_data":
        text = redis.get(KEY)
    else:
        sdk = ChatDataSDK(request.get_corpid(), request.get_agentid(), request.get_ability_id(), "")
        text = sdk.sync_msg(request.get_data())
    reply = WWToSpecHTTPRspConstructor(text)
    sealed = reply.get_encoded_body().encode()
    pairs = [(name.encode(), value.encode()) for name, value in reply.get_normal_header().items()]
    pairs.append((b"content-length", str(len(sealed)).encode()))
    await send({"type": "http.response.start", "status": 200, "headers": pairs})
    await send({"type": "http.response.body", "body": sealed})


if __name__ == "__main__":
    serve(app, lifespan="off")
