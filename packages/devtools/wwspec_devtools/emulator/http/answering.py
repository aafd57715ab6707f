"""What all endpoints of the emulator have in common: requests read with a limit, answers as JSON, work on a thread."""

from collections.abc import Callable
from typing import Any

import anyio
import anyio.to_thread
import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from wwspec_contracts.decoding import decode_json
from wwspec_contracts.errors import JsonError
from wwspec_devtools.emulator.answers import Answer, RefusedError
from wwspec_devtools.emulator.platform import Platform
from wwspec_devtools.emulator.state.faults import CutError
from wwspec_devtools.emulator.state.traffic.entries import Head

MAX_BODY_BYTES = 10 * 1024 * 1024
"""Larger requests are refused with 40206. WeCom does not publish its own limit."""


class Answering:
    """Endpoints of one platform, which blocks: so each request runs on a thread.

    Args:
        platform: What answers.
        threads: The threads that requests run on.
    """

    def __init__(self, platform: Platform, threads: anyio.CapacityLimiter) -> None:
        self.platform = platform
        self.threads = threads

    async def with_body(self, request: Request, work: Callable[[bytes], Answer]) -> Response:
        """Answer a request by its body; 40206 when that is too large."""
        body = await body_of_request(request)
        return json_answer(self.refusal(40206)) if body is None else await self.on_thread(work, body)

    async def on_thread(self, work: Callable[..., Answer], *arguments: Any) -> Response:
        """Answer what the platform answers; the connection is cut when a fault says so."""
        try:
            return json_answer(await anyio.to_thread.run_sync(work, *arguments, limiter=self.threads))
        except CutError:
            return CutResponse()

    def refusal(self, errcode: int, hint: str = "") -> Answer:
        """Return the answer with an errcode."""
        return RefusedError(errcode, hint).answer(self.platform.world.reference())


class CutResponse(Response):
    """Promises a byte and does not send it, so the server closes the connection in the middle of the reply."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the head of a reply only."""
        headers = [(b"content-length", b"1")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})


def head_of(request: Request) -> Head:
    """Return the address and the headers of a request, for the record."""
    scope = request.scope
    query = scope["query_string"]
    path = scope["path"] + (f"?{query.decode('latin-1')}" if query else "")
    return Head(scope["method"], path, scope["headers"])


async def body_of_request(request: Request) -> bytes | None:
    """Return the body, or None when it is too large."""
    chunks = bytearray()
    async for chunk in request.stream():
        chunks += chunk
        if len(chunks) > MAX_BODY_BYTES:
            return None
    return bytes(chunks)


def object_of(body: bytes) -> dict[str, Any] | None:
    """Return a JSON object; None when the body is none."""
    try:
        return decode_json(body, dict[str, Any])
    except JsonError:
        return None


def json_answer(answer: Answer) -> Response:
    """Return the response with an answer."""
    return Response(msgspec.json.encode(answer), media_type="application/json")
