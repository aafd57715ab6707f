"""FastAPI in two ways, each with pydantic validation of both sides.

By default the models are declared, and FastAPI checks and writes them; a middleware opens and seals. If an argument
says how many threads, one `def` endpoint runs on that many, and calls the models itself.
"""
# mypy: disable-error-code="import-not-found, untyped-decorator"

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import anyio.to_thread
from fastapi import Depends, FastAPI, Request, Response
from wwspecapisdk import ChatDataSDK, WWToSpecHTTPReqDecoder, WWToSpecHTTPRspConstructor

from benchmarks.peers.models import SyncMsgRequest, SyncMsgResponse
from benchmarks.peers.serving import serve
from benchmarks.peers.unsealing import Unsealing


@asynccontextmanager
async def more_threads(app: FastAPI) -> AsyncIterator[None]:
    """Let as many endpoints run at a time as the command line says; anyio's own number is 40."""
    anyio.to_thread.current_default_thread_limiter().total_tokens = int(sys.argv[2])
    yield


declared, threads = FastAPI(), FastAPI(lifespan=more_threads)


def client(request: Request) -> Any:
    """Return the SDK client of one call."""
    call = request.scope["call"]
    return ChatDataSDK(call.get_corpid(), call.get_agentid(), call.get_ability_id(), "")


@declared.post("/invoke_sync_msg", response_model_exclude_unset=True)
async def invoke_sync_msg(request: SyncMsgRequest, sdk: Annotated[Any, Depends(client)]) -> SyncMsgResponse:
    """Answer one request that the middleware has opened."""
    text = sdk.sync_msg(request.model_dump_json(exclude_unset=True))
    checked: SyncMsgResponse = SyncMsgResponse.model_validate_json(text)
    return checked


async def read(request: Request) -> bytes:
    """Read the body, for an endpoint that can't await."""
    body: bytes = await request.body()
    return body


@threads.post("/")
def zone_in_thread(request: Request, body: Annotated[bytes, Depends(read)]) -> Response:
    """Answer one sealed request on a thread."""
    call = WWToSpecHTTPReqDecoder(request.headers.items(), body.decode())
    SyncMsgRequest.model_validate_json(call.get_data())
    sdk = ChatDataSDK(call.get_corpid(), call.get_agentid(), call.get_ability_id(), "")
    checked = SyncMsgResponse.model_validate_json(sdk.sync_msg(call.get_data()))
    reply = WWToSpecHTTPRspConstructor(checked.model_dump_json(exclude_unset=True))
    return Response(reply.get_encoded_body(), headers=reply.get_normal_header())


if __name__ == "__main__":
    app: Any = threads if len(sys.argv) > 2 else Unsealing(declared)
    serve(app)
