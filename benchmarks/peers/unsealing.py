"""A middleware that opens sealed requests and seals replies, so that endpoints meet plain JSON."""

from collections.abc import Awaitable, Callable
from typing import Any

from wwspecapisdk import WWToSpecHTTPReqDecoder, WWToSpecHTTPRspConstructor

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Unsealing:
    """Routes a call to the path that is named after its ability ID."""

    def __init__(self, app: Callable[[Any, Receive, Any], Awaitable[None]]) -> None:
        self._app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        call = WWToSpecHTTPReqDecoder(headers, body.decode())
        plain = call.get_data().encode()
        path = f"/{call.get_ability_id()}"
        inner = {**scope, "path": path, "raw_path": path.encode(), "call": call}
        inner["headers"] = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(plain)).encode()),
        ]
        reply = b""

        async def give() -> Message:
            return {"type": "http.request", "body": plain, "more_body": False}

        async def collect(message: Message) -> None:
            nonlocal reply
            reply += message.get("body", b"")

        await self._app(inner, give, collect)
        sealed = WWToSpecHTTPRspConstructor(reply.decode())
        text = sealed.get_encoded_body().encode()
        pairs = [(name.encode(), value.encode()) for name, value in sealed.get_normal_header().items()]
        pairs.append((b"content-length", str(len(text)).encode()))
        await send({"type": "http.response.start", "status": 200, "headers": pairs})
        await send({"type": "http.response.body", "body": text})
