"""Flask on gunicorn's threads, with msgspec validation of both sides."""
# mypy: disable-error-code="import-not-found, untyped-decorator"

import msgspec
from flask import Flask, Response, request
from wwspecapisdk import ChatDataSDK, WWToSpecHTTPReqDecoder, WWToSpecHTTPRspConstructor

from wwspec_contracts import sync_msg

app = Flask(__name__)
check_request = msgspec.json.Decoder(sync_msg.Request).decode
check_reply = msgspec.json.Decoder(sync_msg.Response).decode


@app.post("/")
def zone() -> Response:
    """Answer one request."""
    headers = [(name.lower(), value) for name, value in request.headers]
    call = WWToSpecHTTPReqDecoder(headers, request.get_data(as_text=True))
    data = call.get_data()
    check_request(data)
    text = ChatDataSDK(call.get_corpid(), call.get_agentid(), call.get_ability_id(), "").sync_msg(data)
    check_reply(text)
    reply = WWToSpecHTTPRspConstructor(text)
    return Response(reply.get_encoded_body(), headers=reply.get_normal_header(), mimetype="text/plain")
