"""The SDK's side of a zone: copies of the emulator's stand-in, and functions of a test that answer SDK APIs by hand.

The emulator calls such a function over HTTP, wherever it runs.
"""

import importlib.util
import logging
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType
from typing import Any

import msgspec

from wwspec_contracts.decoding import decode_json
from wwspec_contracts.support.stacks import describe
from wwspec_devtools.emulator.standin.wwspec_standin.link import Link

log: logging.Logger = logging.getLogger(__name__)

Function = Callable[[dict[str, Any]], Any]
"""Takes the request of an SDK API as plain JSON, and returns the reply: a dict or a contract."""

_MODULE = "wwspec_devtools.emulator.standin.wwspec_standin.sdk"


def load_standin(link: Link | None = None) -> ModuleType:
    """Return a copy of the stand-in, which shares nothing with other copies and does not have the vendor's name.

    Args:
        link: How it calls; None for what WWSPEC_EMULATOR_URL says.
    """
    spec = importlib.util.find_spec(_MODULE)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(_MODULE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if link is not None:
        module._link = link  # type: ignore[attr-defined]  # the link that its calls use
    return module


class Functions:
    """A server on a port that the system chooses; each function has a path.

    Attributes:
        failures: What functions raised, a line each.
    """

    def __init__(self) -> None:
        self.failures: list[str] = []
        self._functions: list[tuple[str, Function]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="zone-answers", daemon=True)
        self._thread.start()

    def add(self, api: str, function: Function) -> str:
        """Return the URL that answers with a function."""
        self._functions.append((api, function))
        return f"http://127.0.0.1:{self._server.server_address[1]}/{len(self._functions) - 1}"

    def close(self) -> None:
        """End the server."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _reply(self, number: int, body: bytes) -> bytes | None:
        """Return the reply of a function, None when it has none."""
        api, function = self._functions[number]
        try:
            reply = msgspec.to_builtins(function(decode_json(body, dict[str, Any])))
            if not isinstance(reply, dict):
                raise TypeError(f"the reply is a dict or a contract, not {type(reply).__name__}")
            return msgspec.json.encode(reply)
        except BaseException as error:  # pytest.fail raises no Exception
            log.error("the function that answers %s failed", api, exc_info=error)
            self.failures.append(f"the function that answers {api} failed: {describe(error)}: {error}")
            return None

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        answers = self

        class Handler(BaseHTTPRequestHandler):
            wbufsize = -1  # headers and body in one packet

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                reply = answers._reply(int(self.path[1:]), body)
                self.send_response(200 if reply is not None else 500)
                self.send_header("content-length", str(len(reply or b"")))
                self.end_headers()
                self.wfile.write(reply or b"")

            def log_message(self, *args: Any) -> None:
                pass

        return Handler
