"""Litestar, with msgspec validation of both sides."""
# mypy: disable-error-code="import-not-found, untyped-decorator"

import sys

import msgspec
import uvicorn
from litestar import Litestar, Request, Response, post
from wwspecapisdk import ChatDataSDK, WWToSpecHTTPReqDecoder, WWToSpecHTTPRspConstructor

from wwspec_router.wecom import sync_msg

check_request = msgspec.json.Decoder(sync_msg.Request).decode
check_reply = msgspec.json.Decoder(sync_msg.Response).decode


@post("/", status_code=200)
async def zone(request: Request) -> Response[str]:
    """Answer one request."""
    body = (await request.body()).decode()
    call = WWToSpecHTTPReqDecoder(list(request.headers.items()), body)
    data = call.get_data()
    check_request(data)
    text = ChatDataSDK(call.get_corpid(), call.get_agentid(), call.get_ability_id(), "").sync_msg(data)
    check_reply(text)
    reply = WWToSpecHTTPRspConstructor(text)
    return Response(reply.get_encoded_body(), headers=reply.get_normal_header(), media_type="text/plain")


app = Litestar([zone], openapi_config=None)

if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), access_log=False, log_config=None, server_header=False, ws="none")
