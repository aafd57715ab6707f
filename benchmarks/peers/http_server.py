"""http.server in the style of zone programs in public: routing by ifs, JSON by the standard library.

It has a thread for each connection, parses the request and the reply, looks at what it needs, and writes the reply
anew. The backlog is 128, since the default of 5 drops connections under load.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from wwspecapisdk import ChatDataSDK, WWToSpecHTTPReqDecoder, WWToSpecHTTPRspConstructor


def handle(call: Any) -> str:
    """Answer one decoded request."""
    request = json.loads(call.get_data())
    if not isinstance(request.get("limit", 200), int):
        return json.dumps({"errcode": -1, "errmsg": "limit must be a number"})
    sdk = ChatDataSDK(call.get_corpid(), call.get_agentid(), call.get_ability_id(), "")
    if call.get_ability_id() != "invoke_sync_msg":
        return json.dumps({"errcode": -1, "errmsg": "unknown ability"})
    reply = json.loads(sdk.sync_msg(json.dumps(request)))
    if reply.get("errcode", 0) != 0:
        return json.dumps({"errcode": reply["errcode"], "errmsg": reply.get("errmsg", "")})
    return json.dumps(reply, ensure_ascii=False)


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    def do_POST(self) -> None:
        """Answer one request."""
        headers = [(name.lower(), value) for name, value in self.headers.items()]
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        reply = WWToSpecHTTPRspConstructor(handle(WWToSpecHTTPReqDecoder(headers, body)))
        sealed = reply.get_encoded_body().encode()
        self.send_response(200)
        for name, value in reply.get_normal_header().items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(sealed)))
        self.end_headers()
        self.wfile.write(sealed)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Write no access log."""


if __name__ == "__main__":
    ThreadingHTTPServer.request_queue_size = 128
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
