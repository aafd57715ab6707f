"""A zone program in the style of public ones: http.server, the vendor module, and routing by `input.func`.

It knows nothing of wwspec_router. Run it with a port as its argument; it prints the port that it listens on.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from wwspecapisdk import ChatDataSDK, WWToSpecHTTPReqDecoder, WWToSpecHTTPRspConstructor, spec_log_error, spec_log_info

CALL_BY_APP = 1
EVENTS: dict[str, object] = {}
"""What the app has not fetched yet, by notify_id."""


def handle(decoder: WWToSpecHTTPReqDecoder) -> str:
    """Answer one decoded request."""
    if decoder.get_call_type() != CALL_BY_APP:
        event = json.loads(decoder.get_data())
        spec_log_info("event", event["event_type"])
        sdk = ChatDataSDK(decoder.get_corpid(), decoder.get_agentid(), "", "")
        EVENTS[json.loads(sdk.spec_notify_app("{}")).get("notify_id", "")] = event
        return json.dumps({"errcode": 0, "errmsg": "ok"})
    request = json.loads(decoder.get_data())["input"]
    func, func_req = request["func"], request["func_req"]
    spec_log_info("call", func)
    caller = (decoder.get_corpid(), decoder.get_agentid(), decoder.get_ability_id(), decoder.get_job_info())
    reply: str = json.dumps({"errcode": 710660, "errmsg": "unknown func"})
    if func in ("sync_msg", "get_group_chat", "spec_notify_app"):
        reply = getattr(ChatDataSDK(*caller), func)(json.dumps(func_req))
    elif func == "do_async_job":
        reply = json.dumps({"output": EVENTS[decoder.get_notify_id()]})
    return reply


class ProgramHandler(BaseHTTPRequestHandler):
    """The program's only page."""

    def do_POST(self) -> None:
        """Take calls and events."""
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        try:
            decoder = WWToSpecHTTPReqDecoder(list(self.headers.items()), body)
        except Exception as error:
            spec_log_error("decode failed", error)
            reply = WWToSpecHTTPRspConstructor(json.dumps({"errcode": 710660, "errmsg": "decode failed"}))
            headers = reply.get_exception_header()
        else:
            reply = WWToSpecHTTPRspConstructor(handle(decoder))
            headers = reply.get_normal_header()
        content = reply.get_encoded_body().encode()
        self.send_response(200)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        """Keep quiet."""


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), ProgramHandler)
    sys.stdout.write(f"listening on {server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()
