"""The platform's side of a call by an enterprise app: an answer of a fixed size, at once, on a kept connection.

`python -m benchmarks.peers.platform PORT MESSAGES`. The reply inside is the one of `sync_msg` with so many messages.
"""

import asyncio
import json
import sys

from benchmarks.zones import sync_msg_reply

TOKEN = b'{"errcode": 0, "errmsg": "ok", "access_token": "token", "expires_in": 7200}'


def answer(body: bytes) -> bytes:
    """Return an HTTP answer."""
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)


class Connection(asyncio.Protocol):
    """Answers each request once all of it is here; requests do not overlap."""

    def __init__(self, reply: bytes) -> None:
        self._token, self._reply = answer(TOKEN), answer(reply)
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Take in a part of a request."""
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        if end and len(body) >= int(length or 0):
            self._received = b""
            self._transport.write(self._token if b"/gettoken" in head.partition(b"\r\n")[0] else self._reply)


async def main(port: int, messages: int) -> None:
    """Serve until the process is ended."""
    answered = {"errcode": 0, "errmsg": "ok", "response_data": sync_msg_reply(messages).decode()}
    reply = json.dumps(answered, ensure_ascii=False).encode()
    server = await asyncio.get_running_loop().create_server(lambda: Connection(reply), "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
