"""limit-1 with msgspec validation of both sides, written by hand for the one ability, still inline on the loop."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from wwspecapisdk import ChatDataSDK, WWToSpecHTTPReqDecoder, WWToSpecHTTPRspConstructor

from benchmarks.peers.serving import serve
from wwspec_contracts import sync_msg

Message = dict[str, Any]

check_request = msgspec.json.Decoder(sync_msg.Request).decode
check_reply = msgspec.json.Decoder(sync_msg.Response).decode


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
    data = request.get_data()
    check_request(data)
    text = ChatDataSDK(request.get_corpid(), request.get_agentid(), request.get_ability_id(), "").sync_msg(data)
    check_reply(text)
    reply = WWToSpecHTTPRspConstructor(text)
    sealed = reply.get_encoded_body().encode()
    pairs = [(name.encode(), value.encode()) for name, value in reply.get_normal_header().items()]
    pairs.append((b"content-length", str(len(sealed)).encode()))
    await send({"type": "http.response.start", "status": 200, "headers": pairs})
    await send({"type": "http.response.body", "body": sealed})


if __name__ == "__main__":
    serve(app, lifespan="off")
