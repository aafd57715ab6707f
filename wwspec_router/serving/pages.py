"""All that is not the zone path: what those who operate the program ask for, and the ASGI protocol of its lifespan.

A framework would do the same; importing one takes a tenth of the time to the first answer.
"""

import traceback
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from starlette.types import Receive, Scope, Send

from wwspec_router.protocol.answers import WRONG_METHOD, Answer, plain

__all__ = ["Pages", "send_answer"]

OK = plain(200, "ok\n")
NOT_FOUND = plain(404, "Not Found")
ONLY_GET = plain(405, "Method Not Allowed", (b"allow", b"GET, HEAD"))


class Pages:
    """An ASGI application: `GET /healthz` and `GET /readyz`.

    Args:
        faults: Returns a line for each thing that keeps the process from taking calls.
        lifespan: Makes the context in which requests are served.
    """

    def __init__(
        self, faults: Callable[[], list[str]], lifespan: Callable[[], AbstractAsyncContextManager[None]]
    ) -> None:
        self._faults = faults
        self._lifespan = lifespan

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            await send_answer(send, self._answer(scope["path"], scope["method"]))

    def _answer(self, path: str, method: str) -> Answer:
        if path == "/":
            return WRONG_METHOD
        if path not in ("/healthz", "/readyz"):
            return NOT_FOUND
        if method not in ("GET", "HEAD"):
            return ONLY_GET
        faults = self._faults() if path == "/readyz" else []
        return plain(503, "".join(f"{fault}\n" for fault in faults)) if faults else OK

    async def _live(self, receive: Receive, send: Send) -> None:
        """Follow the server from its start to its stop."""
        moment = "startup"
        await receive()
        try:
            async with self._lifespan():
                await send({"type": "lifespan.startup.complete"})
                moment = "shutdown"
                await receive()
        except BaseException:
            await send({"type": f"lifespan.{moment}.failed", "message": traceback.format_exc()})
            raise
        await send({"type": "lifespan.shutdown.complete"})


async def send_answer(send: Send, answer: Answer) -> None:
    """Send an answer over ASGI."""
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    await send({"type": "http.response.body", "body": answer.body})
