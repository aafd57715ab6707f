"""The harder limit: our connection class, and decode, call and encode in the very call that parsed the request.

No ASGI, no task, no routing, no checks and no threads. A program in CPython on this server and loop can't be faster:
all that it does besides comes on top. What is no plain call is refused, so that nothing else is measured by mistake.
"""

import gc
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from wwspecapisdk import ChatDataSDK, WWToSpecHTTPReqDecoder, WWToSpecHTTPRspConstructor

from benchmarks.peers.serving import serve
from wwspec_router.config import Settings
from wwspec_router.http1.answers import Answer, Headers, OnAnswer
from wwspec_router.http1.bounds import Limits
from wwspec_router.http1.budget import BodyBudget
from wwspec_router.http1.connection import Connection
from wwspec_router.http1.turns import Turns
from wwspec_router.serving.server import GC_THRESHOLD

Message = dict[str, Any]


class Limit:
    """Answers calls, and nothing else."""

    def submit(self, headers: Headers, body: bytes, on_answer: OnAnswer) -> None:
        """Answer one call at once."""
        request = WWToSpecHTTPReqDecoder(headers, body.decode())
        sdk = ChatDataSDK(request.get_corpid(), request.get_agentid(), request.get_ability_id(), "")
        reply = WWToSpecHTTPRspConstructor(sdk.sync_msg(request.get_data()))
        sealed = reply.get_encoded_body().encode()
        pairs = [(name.encode(), value.encode()) for name, value in reply.get_normal_header().items()]
        pairs.append((b"content-length", b"%d" % len(sealed)))
        on_answer(Answer(pairs, sealed, 0))

    def page(self, path: str) -> None:
        """Return nothing: there is no other page."""


async def app(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """Serve nothing: the connection class asks no ASGI application."""


if __name__ == "__main__":
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD, 10, 10)
    limits = Limits(sys.maxsize, Settings.head_timeout, Settings.body_timeout, Settings.max_body)
    bodies = BodyBudget(Settings.max_body)
    http = partial(Connection, program=Limit(), limits=limits, bodies=bodies, turns=Turns())
    serve(app, http=http, lifespan="off")
