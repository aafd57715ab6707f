"""A bare application of Starlette, uvicorn and msgspec: the least that a program of these parts starts with."""

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from wwspecapisdk import ChatDataSDK, WWToSpecHTTPReqDecoder, WWToSpecHTTPRspConstructor

from benchmarks.peers.serving import serve
from wwspec_contracts import sync_msg

check_request = msgspec.json.Decoder(sync_msg.Request).decode
check_reply = msgspec.json.Decoder(sync_msg.Response).decode


async def zone(request: Request) -> Response:
    """Answer one request."""
    body = (await request.body()).decode()
    call = WWToSpecHTTPReqDecoder(request.headers.items(), body)
    data = call.get_data()
    check_request(data)
    text = ChatDataSDK(call.get_corpid(), call.get_agentid(), call.get_ability_id(), "").sync_msg(data)
    check_reply(text)
    reply = WWToSpecHTTPRspConstructor(text)
    return Response(reply.get_encoded_body(), headers=reply.get_normal_header())


app = Starlette(routes=[Route("/", zone, methods=["POST"])])

if __name__ == "__main__":
    serve(app)
