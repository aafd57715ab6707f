"""BlackSheep: one endpoint that takes the bytes and checks both sides with msgspec, the quickest way there is.

It runs on the loop, or by `asyncio.to_thread` if an argument says on how many threads, since BlackSheep calls a `def`
endpoint on its loop.
"""
# mypy: disable-error-code="import-not-found, untyped-decorator"

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor

import msgspec
from blacksheep import Application, Content, Request, Response, Router
from wwspecapisdk import ChatDataSDK, WWToSpecHTTPReqDecoder, WWToSpecHTTPRspConstructor

from benchmarks.peers.serving import serve
from wwspec_contracts import sync_msg

on_loop, threads = (Application(router=Router()) for _ in range(2))
check_request = msgspec.json.Decoder(sync_msg.Request).decode
check_reply = msgspec.json.Decoder(sync_msg.Response).decode


@on_loop.router.post("/")
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
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(int(sys.argv[2])))


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
    app = threads if len(sys.argv) > 2 else on_loop
    serve(app)
