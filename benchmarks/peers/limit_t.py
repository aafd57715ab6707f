"""limit-1 whose calls may wait: the same application, with decode, call and encode on a ThreadPoolExecutor.

Arguments are the port, the number of threads, and the number of uvicorn's worker processes, each of which has so many.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from wwspecapisdk import ChatDataSDK, WWToSpecHTTPReqDecoder, WWToSpecHTTPRspConstructor

from benchmarks.peers.serving import serve

Message = dict[str, Any]

executor = ThreadPoolExecutor(int(sys.argv[2]))


def answer(headers: list[tuple[str, str]], body: str) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Answer one sealed request on a thread."""
    request = WWToSpecHTTPReqDecoder(headers, body)
    sdk = ChatDataSDK(request.get_corpid(), request.get_agentid(), request.get_ability_id(), "")
    reply = WWToSpecHTTPRspConstructor(sdk.sync_msg(request.get_data()))
    sealed = reply.get_encoded_body().encode()
    pairs = [(name.encode(), value.encode()) for name, value in reply.get_normal_header().items()]
    pairs.append((b"content-length", str(len(sealed)).encode()))
    return pairs, sealed


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
    loop = asyncio.get_running_loop()
    pairs, sealed = await loop.run_in_executor(executor, answer, headers, body.decode())
    await send({"type": "http.response.start", "status": 200, "headers": pairs})
    await send({"type": "http.response.body", "body": sealed})


if __name__ == "__main__":
    workers = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    serve("benchmarks.peers.limit_t:app" if workers > 1 else app, workers=workers, lifespan="off")
