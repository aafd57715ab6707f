"""An enterprise app's callback URL: a small HTTP server that receives `program_notify` callbacks [99843].

It is for the demo and for tests.
"""

import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, Queue
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from wwspec_contracts.callbacks import CallbackCrypto, CallbackError, CallbackReceiver

MAX_BODY = 1 << 20


class CallbackServer:
    """Listens on a loopback port that the system chooses, within a `with` block.

    Args:
        crypto: Token, key and corpid of the app's callback.
    """

    def __init__(self, crypto: CallbackCrypto) -> None:
        self._callbacks: Queue[dict[str, str]] = Queue()
        receiver, callbacks = CallbackReceiver(crypto), self._callbacks

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._answer(receiver.answer_echo)

            def do_POST(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                body = self.rfile.read(min(length, MAX_BODY)).decode(errors="replace")

                def read(query: Mapping[str, str]) -> str:
                    callbacks.put(dict(receiver.open(query, body).fields))
                    return ""

                self._answer(read)

            def _answer(self, work: Callable[[Mapping[str, str]], str]) -> None:
                query = dict(parse_qsl(urlsplit(self.path).query))
                try:
                    status, text = 200, work(query)
                except CallbackError:
                    status, text = 403, ""
                self.send_response(status)
                self.send_header("content-length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
                """Log nothing: the demo prints its own steps."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="callback-server")

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/callback"

    def receive(self, timeout: float) -> dict[str, str]:
        """Return the fields of the next callback, such as `Event` and `NotifyId`.

        Raises:
            CallbackError: None came within `timeout` seconds.
        """
        try:
            return self._callbacks.get(timeout=timeout)
        except Empty:
            raise CallbackError(f"no callback came within {timeout:g} seconds") from None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
