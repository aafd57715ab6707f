"""A peer in place of a Redis server: it answers every command alike, or a byte now and then."""

import contextlib
import re
import socketserver
import threading
from collections.abc import Iterator

PAUSE = 0.05
"""Seconds between two bytes."""
MOST_BYTES = 100


class _Handler(socketserver.BaseRequestHandler):
    answer: bytes
    slow: bool

    def handle(self) -> None:
        with contextlib.suppress(OSError):  # the client leaves
            while data := self.request.recv(1 << 16):
                if self.slow:
                    self._trickle()
                    return
                self.request.sendall(self.answer * len(re.findall(rb"(?m)^\*\d", data)))

    def _trickle(self) -> None:
        self.request.sendall(b"$1000\r\n")
        for _ in range(MOST_BYTES):
            self.request.sendall(b"a")
            threading.Event().wait(PAUSE)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True  # the port is held for it
    daemon_threads = True


@contextlib.contextmanager
def impostor(answer: bytes = b"", port: int = 0) -> Iterator[str]:
    """Answer each command with `answer`, or with a byte every `PAUSE` seconds; yield its address."""
    handler = type("Handler", (_Handler,), {"answer": answer, "slow": not answer})
    with _Server(("127.0.0.1", port), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
