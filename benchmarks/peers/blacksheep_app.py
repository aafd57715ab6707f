"""BlackSheep in two ways.

`declared`: the request's model is bound by `FromJSON`, which reads it with the standard library and checks it with
pydantic, as its documentation advises; the endpoint checks the reply with pydantic and writes it. A middleware opens
and seals. `by_hand`: one endpoint that takes the bytes and checks both sides with msgspec, the quickest way there is.
"""
# mypy: disable-error-code="import-not-found, untyped-decorator"

import sys
from typing import Any

import msgspec
import uvicorn
from blacksheep import Application, Content, FromJSON, Request, Response, Router
from wwspecapisdk import ChatDataSDK, WWToSpecHTTPReqDecoder, WWToSpecHTTPRspConstructor

from benchmarks.peers.models import SyncMsgRequest, SyncMsgResponse
from benchmarks.peers.unsealing import Unsealing
from wwspec_router.wecom import sync_msg

declared, by_hand = Application(router=Router()), Application(router=Router())
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
    """Answer one sealed request."""
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers]
    body = await request.read() or b""
    call = WWToSpecHTTPReqDecoder(headers, body.decode())
    data = call.get_data()
    check_request(data)
    text = ChatDataSDK(call.get_corpid(), call.get_agentid(), call.get_ability_id(), "").sync_msg(data)
    check_reply(text)
    reply = WWToSpecHTTPRspConstructor(text)
    sealed = [(name.encode(), value.encode()) for name, value in reply.get_normal_header().items()]
    return Response(200, sealed, Content(b"text/plain", reply.get_encoded_body().encode()))


if __name__ == "__main__":
    apps: dict[str, Any] = {"declared": Unsealing(declared), "by_hand": by_hand}
    uvicorn.run(
        apps[sys.argv[2]], port=int(sys.argv[1]), access_log=False, log_config=None, server_header=False, ws="none"
    )
