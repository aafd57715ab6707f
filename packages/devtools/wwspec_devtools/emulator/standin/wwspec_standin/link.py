"""The stand-in's way to the emulator: the zone key and the SDK APIs, over loopback or from files.

It blocks, and is safe to use from any thread; each thread has its own connection. Slow imports are in functions,
because other people's programs import the stand-in.
"""

import os
import threading
import time
from typing import Callable, Dict, NoReturn, Optional, Tuple

from . import seal

CONNECT_SECONDS = 5.0
"""Seconds to connect. The first call waits so long for an emulator that is not up yet."""

READ_SECONDS = 30.0
"""Seconds to wait for each part of a reply."""

KEY_REFRESH_SECONDS = 1.0
"""Seconds between two requests for the key."""

DEFAULT_URL = "http://127.0.0.1:8090"

# Return codes of the vendor's SDK [100052].
INTERNAL, NETWORK, HTTP_STATUS, SIGNATURE = -10001, -10002, -10003, -10004
UNSUPPORTED_API, ILLEGAL_JSON = -10006, -10009


MACHINE_VARIABLE = "WWSPEC_MACHINE"
"""Names the number of this machine among several; who starts the program sets it."""

MAX_WAITING_TRACES = 1000
"""Traces that wait to be sent; further ones are dropped."""

MAX_SENT_TRACES = 100
"""Traces in one request."""

TRACE_LINGER_SECONDS = 0.05
"""To wait for further traces, so that many go in one request."""

TRACE_PAUSE_SECONDS = 1.0
"""After a request with traces that failed."""

FAULT_STATUS = 590
"""HTTP status of an SDK call that a fault lets fail; the body is the return code."""


_Response = Tuple[int, bytes]
"""Status and body."""


class LinkError(Exception):
    """The call could not be made.

    Attributes:
        return_code: The vendor SDK's return code for it.
    """

    def __init__(self, return_code: int, text: str) -> None:
        super().__init__(f"{text} (return code {return_code})")
        self.return_code = return_code


class Link:
    """The way to a zone. Every method raises `LinkError`."""

    def key(self) -> bytes:
        """Return the zone key."""
        raise NotImplementedError

    def newer_key(self, key: bytes) -> Optional[bytes]:
        """Return the zone key when it is no longer `key`. Each start of an emulator makes a new one."""
        raise NotImplementedError

    def invoke(self, api: str, caller: Dict[str, str], request: str) -> str:
        """Call one SDK API.

        Args:
            api: The API's name.
            caller: From `caller_headers`.
            request: The request's JSON text.
        """
        raise NotImplementedError

    def has_api(self, api: str) -> bool:
        """Return whether the zone answers an SDK API beyond those that the stand-in knows."""
        return False

    def open_debug_mode(self, debug_token: str, access_token: str) -> bool:
        """Return whether the zone accepts these credentials."""
        raise NotImplementedError

    def trace(self, text: str) -> None:
        """Send a trace of the program, a JSON object, some time soon. Returns at once; may be lost."""

    def notify_id(self, request_id: str, number: int) -> str:
        """Return a fresh notify_id.

        Args:
            request_id: The request that the thread decoded last; empty when it had decoded none.
            number: How many were made for that request before.
        """
        raise NotImplementedError


class FileLink(Link):
    """Answers from files."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._key = b""
        self._replies: Dict[str, str] = {}

    def key(self) -> bytes:
        """Return the key of the directory."""
        if not self._key:
            self._key = self._read("zone.key", INTERNAL)
        return self._key

    def newer_key(self, key: bytes) -> Optional[bytes]:
        """Return None: the directory's key is read once."""
        return None

    def invoke(self, api: str, caller: Dict[str, str], request: str) -> str:
        """Return the directory's reply, for any request."""
        reply = self._replies.get(api)
        if reply is None:
            reply = self._replies[api] = self._read(f"{api}.json", UNSUPPORTED_API).decode()
        return reply

    def open_debug_mode(self, debug_token: str, access_token: str) -> bool:
        """Accept any credentials."""
        return bool(debug_token and access_token)

    def notify_id(self, request_id: str, number: int) -> str:
        """Return a random one: the same request may be sent many times."""
        return random_notify_id()

    def _read(self, name: str, return_code: int) -> bytes:
        try:
            with open(os.path.join(self._directory, name), "rb") as file:  # noqa: PTH118, PTH123 - pathlib costs time
                return file.read()
        except OSError:
            raise LinkError(return_code, f"{name} can't be read in the emulator's local directory") from None


class HttpLink(Link):
    """Asks the emulator, over one kept-alive connection for each thread."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._key = b""
        self._key_lock = threading.Lock()
        self._key_read = 0.0
        self._patience = CONNECT_SECONDS
        self._kept = _Kept()
        self._debug: Dict[str, str] = {}  # headers of each call in debug mode
        self._traces: Optional[_Traces] = None
        self._traces_lock = threading.Lock()

    def key(self) -> bytes:
        """Return the emulator's key, waiting for an emulator that is not up yet."""
        if not self._key:
            with self._key_lock:
                if not self._key:
                    self._key = self._first_key()
        return self._key

    def newer_key(self, key: bytes) -> Optional[bytes]:
        """Ask for the key again, unless that was done a moment ago."""
        with self._key_lock:
            if self._key == key and time.monotonic() - self._key_read > KEY_REFRESH_SECONDS:
                self._key = self._read_key()
            return self._key if self._key != key else None

    def invoke(self, api: str, caller: Dict[str, str], request: str) -> str:
        """Call one SDK API over the thread's connection."""
        try:
            content = request.encode()
        except UnicodeEncodeError:
            raise LinkError(ILLEGAL_JSON, f"{api}: the request holds a lone surrogate") from None
        status, body = self._exchange("POST", f"/emulator/sdk/{api}", content, {**caller, **self._debug})
        if status == FAULT_STATUS:
            why = "a fault that was set on the emulator"
            raise LinkError(int(body), f"{api}: {'the access_token of debug mode, or ' if self._debug else ''}{why}")
        if status == 400:
            raise LinkError(ILLEGAL_JSON, f"{api}: the request is not a JSON object")
        if status != 200:
            raise LinkError(HTTP_STATUS, f"{api}: the emulator answered HTTP status {status}")
        try:
            return body.decode()
        except UnicodeDecodeError:
            raise LinkError(ILLEGAL_JSON, f"{api}: the reply is not UTF-8") from None

    def has_api(self, api: str) -> bool:
        """Ask the emulator whether a test answers the API by hand."""
        return self._exchange("GET", f"/emulator/sdk/{api}", None, {})[0] == 204

    def open_debug_mode(self, debug_token: str, access_token: str) -> bool:
        """Ask the emulator whether the credentials are valid."""
        import json

        content = json.dumps({"debug_token": debug_token, "access_token": access_token}).encode()
        status, body = self._exchange("POST", "/emulator/debug-mode", content, {})
        opened = (status, body) == (200, b"true")
        if opened:
            self._debug = {"ww-debug-access-token": access_token}
        return opened

    def trace(self, text: str) -> None:
        """Leave a trace to the thread that sends them."""
        traces = self._traces
        if traces is None or traces.pid != os.getpid():
            with self._traces_lock:
                if self._traces is None or self._traces.pid != os.getpid():
                    self._traces = _Traces(self._send_traces)
                traces = self._traces
        traces.put(text)

    def close(self) -> None:
        """End what sends traces; those that were not sent yet are lost."""
        if self._traces is not None:
            self._traces.stop()

    def _send_traces(self, body: bytes) -> None:
        self._exchange("POST", "/emulator/traces", body, {"content-type": "application/json"})

    def notify_id(self, request_id: str, number: int) -> str:
        """Return one that depends on the request: the same traffic gives the same ids."""
        return notify_id_of(request_id, number) if request_id else random_notify_id()

    def _first_key(self) -> bytes:
        deadline = time.monotonic() + self._patience
        while True:
            try:
                return self._read_key()
            except LinkError as error:
                if error.return_code != NETWORK or time.monotonic() > deadline:
                    self._patience = 0.0  # else the next one who waits would be too late to tell its caller
                    raise
            time.sleep(0.05)

    def _read_key(self) -> bytes:
        status, body = self._exchange("GET", "/emulator/zone-key", None, {})
        if status != 200 or len(body) != seal.KEY_BYTES:
            raise LinkError(HTTP_STATUS, "the emulator gave no zone key: is another server on its port?")
        self._key_read = time.monotonic()
        return body

    def _exchange(self, method: str, path: str, body: Optional[bytes], headers: Dict[str, str]) -> _Response:
        kept = self._kept.connection
        if kept is not None and kept.pid == os.getpid():
            reply = kept.exchange(method, path, body, headers)
            if reply is not None:
                return reply
        self._kept.connection = None
        connection = _Connection(self._host, self._port)
        reply = connection.exchange(method, path, body, headers)
        if reply is None:
            raise LinkError(NETWORK, "the emulator closed the connection without a reply")
        self._kept.connection = connection
        return reply


class _Traces:
    """Sends what one process traces, in the background; what the emulator does not take is lost."""

    def __init__(self, send: Callable[[bytes], None]) -> None:
        import atexit
        import queue

        self.pid = os.getpid()
        self._send = send
        self._full = queue.Full
        self._waiting: queue.Queue[str] = queue.Queue(MAX_WAITING_TRACES)  # novm: in a function it is not evaluated
        self._idle = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="wwspec-traces", daemon=True)
        self._thread.start()
        self._at_exit = atexit
        atexit.register(self._finish)

    def put(self, text: str) -> None:
        """Take one trace; drop it when too many wait."""
        self._idle.clear()
        try:
            self._waiting.put_nowait(text)
        except self._full:
            pass

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()
        self.put("")  # which wakes it
        self._thread.join(TRACE_PAUSE_SECONDS)
        self._at_exit.unregister(self._finish)

    def _run(self) -> None:
        while True:
            texts = [self._waiting.get()]
            if self._stopped.wait(TRACE_LINGER_SECONDS):
                return
            while len(texts) < MAX_SENT_TRACES and not self._waiting.empty():
                texts.append(self._waiting.get())
            pause = 0.0
            try:
                self._send(b"[" + ",".join(texts).encode(errors="replace") + b"]")
            except Exception:  # the emulator is gone, or ends: the traces are lost, and nothing else
                pause = TRACE_PAUSE_SECONDS
            if self._waiting.empty():
                self._idle.set()  # before the pause: a process that ends does not wait for an emulator that is gone
            self._stopped.wait(pause)

    def _finish(self) -> None:
        if self.pid == os.getpid():  # a child that was forked has no such thread
            self._idle.wait(TRACE_PAUSE_SECONDS)


class _Kept(threading.local):
    """The connection of each thread."""

    connection: "Optional[_Connection]" = None


class _Connection:
    """One connection; it is closed when its thread ends."""

    def __init__(self, host: str, port: int) -> None:
        from http.client import HTTPConnection

        self.pid = os.getpid()
        self._http = HTTPConnection(host, port, timeout=CONNECT_SECONDS)
        try:
            self._http.connect()
        except OSError as error:
            self._fail("can't be reached", error)
        self._http.sock.settimeout(READ_SECONDS)

    def __del__(self) -> None:
        if hasattr(self, "_http"):
            self._http.close()

    def exchange(self, method: str, path: str, body: Optional[bytes], headers: Dict[str, str]) -> Optional[_Response]:
        """Return status and body, or None when the other side closed the connection before it answered."""
        from http.client import BadStatusLine, HTTPException

        if self._http.sock is None:
            return None
        try:
            self._http.request(method, path, body, headers)
            response = self._http.getresponse()
            return response.status, response.read()
        except (BadStatusLine, ConnectionError):
            self._http.close()
            return None
        except (OSError, HTTPException) as error:
            self._fail("did not answer", error)

    def _fail(self, text: str, error: Exception) -> NoReturn:
        self._http.close()
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise LinkError(
            NETWORK,
            f"the emulator at http://{self._http.host}:{self._http.port} {text} ({reason}): start it there, or name "
            "another one with WWSPEC_EMULATOR_URL or `wwspec serve --emulator-url`",
        ) from None


def notify_id_of(request_id: str, number: int) -> str:
    """Return the notify_id that depends only on a request."""
    import hashlib

    digest = hashlib.sha256(f"{request_id} {number}".encode(errors="replace")).hexdigest()
    return f"notify_{digest[:32]}"


def random_notify_id() -> str:
    """Return a random notify_id."""
    return f"notify_{os.urandom(16).hex()}"


def link_to(url: str) -> Link:
    """Return the way to the zone at a loopback `http://HOST:PORT`, or `local:DIRECTORY`.

    Raises:
        ValueError: The URL is neither.
    """
    scheme, _, rest = url.partition(":")
    if scheme == "local" and rest:
        return FileLink(rest)
    host, colon, port = rest[2:].rstrip("/").rpartition(":")
    parts = host.split(".")
    dotted = len(parts) == 4 and parts[0] == "127" and all(part.isdecimal() for part in parts)
    loopback = dotted or host in ("localhost", "[::1]")
    if not (scheme == "http" and rest.startswith("//") and colon and port.isdecimal() and loopback):
        raise ValueError("not http://HOST:PORT with a loopback host, nor local:DIRECTORY")
    return HttpLink(host.strip("[]"), int(port))


def caller_headers(corpid: str, agentid: int, ability_id: str, job_info: str) -> Dict[str, str]:
    """Return the headers with the corp, app, ability and job that an SDK API is called for."""
    from urllib.parse import quote

    return {
        "content-type": "application/json",
        "ww-corpid": quote(corpid, safe=""),
        "ww-agentid": str(agentid),
        "ww-ability-id": quote(ability_id, safe=""),
        "ww-job-info": quote(job_info, safe=""),
    }
