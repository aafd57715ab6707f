"""What stands where the emulator would, behind the proxy."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from wwspec_devtools.emulator.proxy.authority import Authority
from wwspec_devtools.emulator.proxy.proxy import Proxy


class Recording(ThreadingHTTPServer):
    """Stands where the emulator would: keeps what it is asked, and answers with it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), RecordingHandler)
        self.asked: list[dict[str, Any]] = []


class RecordingHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Recording

    def do_GET(self) -> None:
        if self.path == "/cut":
            self.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhal")
            self.close_connection = True
        elif self.path == "/early":
            self._answer(413, b"too large")
            self._body()  # as the emulator does: to close with unread data would reset the connection
            self.close_connection = True
        elif self.path == "/chunks":
            self.wfile.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n")
            self.wfile.write(b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")
        else:
            self._record(self._body())

    def do_POST(self) -> None:
        self.do_GET()

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_OPTIONS(self) -> None:
        self.do_GET()

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("transfer-encoding", ""):
            return self.rfile.read(int(self.headers.get("content-length", 0)))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _record(self, body: bytes) -> None:
        headers = [(name.lower(), value) for name, value in self.headers.items()]
        asked = {"line": self.requestline, "headers": headers, "body": body.decode("latin-1")}
        self.server.asked.append(asked)
        self._answer(200, json.dumps(asked).encode())

    def _answer(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(content)))
        if self.close_connection:
            self.send_header("connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the base class
        """Say nothing."""


@pytest.fixture(scope="module")
def server() -> Iterator[Recording]:
    with Recording() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("state"))


@pytest.fixture(scope="module")
def proxy(authority: Authority, server: Recording) -> Iterator[Proxy]:
    host, port = server.server_address[:2]
    with Proxy(authority, (str(host), port)) as proxy:
        yield proxy
