"""The limit: a bare ASGI application that only decodes, calls and encodes, inline on the event loop.

No routing, no validation, no threads: what any program pays for the same SDK on the same server. A second argument is
the number of uvicorn's worker processes.
"""

import sys
from collections.abc import Awaitable, Callable
from typing import Any

from wwspecapisdk import ChatDataSDK, WWToSpecHTTPReqDecoder, WWToSpecHTTPRspConstructor

from benchmarks.peers.serving import serve

Message = dict[str, Any]


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
    sdk = ChatDataSDK(request.get_corpid(), request.get_agentid(), request.get_ability_id(), "")
    reply = WWToSpecHTTPRspConstructor(sdk.sync_msg(request.get_data()))
    sealed = reply.get_encoded_body().encode()
    pairs = [(name.encode(), value.encode()) for name, value in reply.get_normal_header().items()]
    pairs.append((b"content-length", str(len(sealed)).encode()))
    await send({"type": "http.response.start", "status": 200, "headers": pairs})
    await send({"type": "http.response.body", "body": sealed})


if __name__ == "__main__":
    workers = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    serve("benchmarks.peers.limit_1:app" if workers > 1 else app, workers=workers, lifespan="off")
