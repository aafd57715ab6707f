"""Granian's own interface RSGI, with msgspec validation of both sides, inline on its loop.

There is no framework here: HTTP is parsed and written in Rust, on a thread of its own, and this is all of the Python.
Served by `granian` with one worker and otherwise its defaults, which its documentation advises to begin with.
"""
# mypy: disable-error-code="import-not-found, attr-defined"

import msgspec
from granian.rsgi import HTTPProtocol, Scope
from wwspecapisdk import ChatDataSDK, WWToSpecHTTPReqDecoder, WWToSpecHTTPRspConstructor

from wwspec_contracts import sync_msg

check_request = msgspec.json.Decoder(sync_msg.Request).decode
check_reply = msgspec.json.Decoder(sync_msg.Response).decode


async def app(scope: Scope, protocol: HTTPProtocol) -> None:
    """Answer one request."""
    body = await protocol()
    call = WWToSpecHTTPReqDecoder(scope.headers.items(), body.decode())
    data = call.get_data()
    check_request(data)
    text = ChatDataSDK(call.get_corpid(), call.get_agentid(), call.get_ability_id(), "").sync_msg(data)
    check_reply(text)
    reply = WWToSpecHTTPRspConstructor(text)
    headers = [("content-type", "text/plain"), *reply.get_normal_header().items()]
    protocol.response_str(200, headers, reply.get_encoded_body())
