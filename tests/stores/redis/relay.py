"""A relay between a client and a server behind a Unix socket, which can lose the server's next answer."""

import selectors
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


class Relay:
    """Passes on bytes both ways, for one connection after the other or several at once, in one thread.

    `mode` says what becomes of the next answer: "pass", it is passed on; "break", the connection breaks instead;
    "swallow", nothing comes. `passed_before` says how many answers are passed on before that one.
    Once an answer was lost, the mode is "pass" again. `questions` counts what clients sent since it was set.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._selector = selectors.DefaultSelector()
        self._peers: dict[socket.socket, socket.socket] = {}
        self._clients: set[socket.socket] = set()
        self._stopped = threading.Event()
        self.mode = "pass"
        self.passed_before = 0
        self.questions = 0
        self.place = f"127.0.0.1:{self._listener.getsockname()[1]}"

    def run(self) -> None:
        self._selector.register(self._listener, selectors.EVENT_READ)
        while not self._stopped.is_set():
            for key, _ in self._selector.select(0.01):
                if key.fileobj is self._listener:
                    self._accept()
                elif key.fileobj in self._peers:
                    assert isinstance(key.fileobj, socket.socket)
                    self._pass_on(key.fileobj)
        for each in list(self._clients):
            self._break(each)
        self._selector.close()
        self._listener.close()

    def unheard(self, call: Callable[[], T]) -> T:
        """Lose the answer to a call that is repeated then, and return what it returns."""
        self.mode = "break"
        result = call()
        assert self.mode == "pass"
        return result

    def stop(self) -> None:
        self._stopped.set()

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        server = socket.socket(socket.AF_UNIX)
        server.connect(str(self._target))
        self._clients.add(client)
        for one, other in ((client, server), (server, client)):
            self._peers[one] = other
            self._selector.register(one, selectors.EVENT_READ)

    def _pass_on(self, source: socket.socket) -> None:
        data = source.recv(1 << 20)
        if not data:
            self._break(source)
        elif source in self._clients:
            self.questions += 1
            self._peers[source].sendall(data)
        elif self.mode == "pass" or self.passed_before:
            self.passed_before = max(0, self.passed_before - 1)  # first: who has the answer may set it anew
            self._peers[source].sendall(data)
        else:
            mode, self.mode = self.mode, "pass"
            if mode == "break":
                self._break(source)

    def _break(self, either: socket.socket) -> None:
        other = self._peers[either]
        for each in (either, other):
            self._selector.unregister(each)
            del self._peers[each]
            self._clients.discard(each)
            each.close()


@contextmanager
def relay_to(target: Path) -> Iterator[Relay]:
    """Run a relay in a thread of its own."""
    relay = Relay(target)
    thread = threading.Thread(target=relay.run)
    thread.start()
    try:
        yield relay
    finally:
        relay.stop()
        thread.join()
