"""Litestar, with msgspec validation of both sides: on the loop, or on threads if an argument says how many."""
# mypy: disable-error-code="import-not-found, untyped-decorator"

import sys
from concurrent.futures import ThreadPoolExecutor

import msgspec
from litestar import Litestar, Request, Response, post
from litestar.concurrency import set_asyncio_executor
from wwspecapisdk import ChatDataSDK, WWToSpecHTTPReqDecoder, WWToSpecHTTPRspConstructor

from benchmarks.peers.serving import serve
from wwspec_contracts import sync_msg

check_request = msgspec.json.Decoder(sync_msg.Request).decode
check_reply = msgspec.json.Decoder(sync_msg.Response).decode


@post("/", status_code=200)
async def zone(request: Request) -> Response[str]:
    """Answer one request on the loop."""
    return answer(request, await request.body())


@post("/", status_code=200, sync_to_thread=True)
def zone_in_thread(request: Request, body: bytes) -> Response[str]:
    """Answer one request on a thread."""
    return answer(request, body)


def answer(request: Request, body: bytes) -> Response[str]:
    """Answer one sealed request."""
    call = WWToSpecHTTPReqDecoder(list(request.headers.items()), body.decode())
    data = call.get_data()
    check_request(data)
    text = ChatDataSDK(call.get_corpid(), call.get_agentid(), call.get_ability_id(), "").sync_msg(data)
    check_reply(text)
    reply = WWToSpecHTTPRspConstructor(text)
    return Response(reply.get_encoded_body(), headers=reply.get_normal_header(), media_type="text/plain")


if __name__ == "__main__":
    threads = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    if threads:
        set_asyncio_executor(ThreadPoolExecutor(threads))
    app = Litestar([zone_in_thread if threads else zone], openapi_config=None)
    serve(app)
