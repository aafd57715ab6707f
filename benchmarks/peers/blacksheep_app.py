"""BlackSheep in three ways.

`declared`: the request's model is bound by `FromJSON`, which reads it with the standard library and checks it with
pydantic, as its documentation advises; the endpoint checks the reply with pydantic and writes it. A middleware opens
and seals. `by_hand`: one endpoint that takes the bytes and checks both sides with msgspec, the quickest way there is.
`threads`: the same by `asyncio.to_thread`, since BlackSheep calls a `def` endpoint on its loop; another argument is the
number of threads.
"""
# mypy: disable-error-code="import-not-found, untyped-decorator"

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import uvicorn
from blacksheep import Application, Content, FromJSON, Request, Response, Router
from wwspecapisdk import ChatDataSDK, WWToSpecHTTPReqDecoder, WWToSpecHTTPRspConstructor

from benchmarks.peers.models import SyncMsgRequest, SyncMsgResponse
from benchmarks.peers.unsealing import Unsealing
from wwspec_contracts import sync_msg

declared, by_hand, threads = (Application(router=Router()) for _ in range(3))
check_request = msgspec.json.Decoder(sync_msg.Request).decode
check_reply = msgspec.json.Decoder(sync_msg.Response).decode


@declared.router.post("/invoke_sync_msg")
async def invoke_sync_msg(data: FromJSON[SyncMsgRequest], request: Request) -> Response:
    """Answer one request that the middleware has opened."""
    call = request.scope["call"]
    sdk = ChatDataSDK(call.get_corpid(), call.get_agentid(), call.get_ability_id(), "")
    checked = SyncMsgResponse.model_validate_json(sdk.sync_msg(data.value.model_dump_json(exclude_unset=True)))
    return Response(200, content=Content(b"application/json", checked.model_dump_json(exclude_unset=True).encode()))


@by_hand.router.post("/")
async def zone(request: Request) -> Response:
    """Answer one sealed request on the loop."""
    return answer(request, await request.read() or b"")


@threads.router.post("/")
async def zone_in_thread(request: Request) -> Response:
    """Answer one sealed request on a thread."""
    return await asyncio.to_thread(answer, request, await request.read() or b"")


@threads.on_start
async def more_threads(app: Application) -> None:
    """Let `asyncio.to_thread` have as many threads as the command line says."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(int(sys.argv[3])))


def answer(request: Request, body: bytes) -> Response:
    """Answer one sealed request."""
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers]
    call = WWToSpecHTTPReqDecoder(headers, body.decode())
    data = call.get_data()
    check_request(data)
    text = ChatDataSDK(call.get_corpid(), call.get_agentid(), call.get_ability_id(), "").sync_msg(data)
    check_reply(text)
    reply = WWToSpecHTTPRspConstructor(text)
    sealed = [(name.encode(), value.encode()) for name, value in reply.get_normal_header().items()]
    return Response(200, sealed, Content(b"text/plain", reply.get_encoded_body().encode()))


if __name__ == "__main__":
    apps: dict[str, Any] = {"declared": Unsealing(declared), "by_hand": by_hand, "threads": threads}
    uvicorn.run(
        apps[sys.argv[2]], port=int(sys.argv[1]), access_log=False, log_config=None, server_header=False, ws="none"
    )
