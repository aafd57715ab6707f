"""The names of the vendor's module [100057], for a zone behind a link.

Arguments and results are WeCom's; the envelope on the way is the emulator's own. Slow imports are in functions, because
other people's programs import this module.
"""

import os
import sys
import threading
import time
from typing import Any, Dict, List, Tuple

from . import link, seal
from .names import SDK_APIS

__all__ = [
    "ChatDataSDK",
    "WWToSpecHTTPReqDecoder",
    "WWToSpecHTTPRspConstructor",
    "spec_gen_notify_id",
    "spec_log_debug",
    "spec_log_error",
    "spec_log_info",
    "spec_open_debug_mode",
]

_LOG_BYTES = 128


class _Thread(threading.local):
    """What a thread keeps between calls."""

    request_id = ""
    notify_ids = 0
    """How many notify_ids were made for the request."""
    reference = ""
    """What the job belongs to that the thread runs; empty while it answers a request."""


_thread = _Thread()


class _Process:
    """This process, and when it began: for a fork, when it first answers."""

    def __init__(self) -> None:
        self._pid, self._began = os.getpid(), time.time()

    def shown(self) -> str:
        if self._pid != os.getpid():
            self._pid, self._began = os.getpid(), time.time()
        return f"{self._pid} {self._began:.3f}"


_process = _Process()

_machine = os.environ.get(link.MACHINE_VARIABLE, "")
_MACHINE = {"ww-machine": _machine} if _machine.isdecimal() else {}

_inherited: Any = None
try:
    from contextvars import ContextVar  # novm: the one thing that vermin finds
except ImportError:  # Python 3.6
    pass
else:
    _inherited = ContextVar("wwspec_request_id", default="")
    """The request, for threads in the context of the thread that decoded it."""


def _connect() -> link.Link:
    try:
        return link.link_to(os.environ.get("WWSPEC_EMULATOR_URL") or link.DEFAULT_URL)
    except ValueError as error:
        raise ImportError(f"WWSPEC_EMULATOR_URL is {error}", name="wwspecapisdk") from None


seal.cipher_package()  # reported at the import, not at the first call
_link = _connect()


_thread_id = getattr(threading, "get_native_id", threading.get_ident)
"""Returns the system's number of a thread; on Python 3.6 and 3.7 Python's own."""


class WWToSpecHTTPReqDecoder:
    """Verifies and decrypts one request; raises when it can't."""

    def __init__(self, headers: List[Tuple[str, str]], post_data: str) -> None:
        _thread.request_id = _thread.reference = ""
        _thread.notify_ids = 0
        pairs = _pairs(headers)
        _check(post_data, str, "post_data")
        key = _link.key()
        try:
            self._call = seal.open_call(key, pairs, post_data)
        except seal.SealError as error:
            newer = _link.newer_key(key)
            if newer is None:
                raise link.LinkError(link.SIGNATURE, str(error)) from None
            self._call = self._open_again(newer, pairs, post_data)
        _thread.request_id = self._call.request_id
        if _inherited is not None:
            _inherited.set(self._call.request_id)

    @staticmethod
    def _open_again(key: bytes, headers: List[Tuple[str, str]], post_data: str) -> seal.CallContent:
        try:
            return seal.open_call(key, headers, post_data)
        except seal.SealError as error:
            raise link.LinkError(link.SIGNATURE, str(error)) from None

    def get_corpid(self) -> str:
        """Return the corp."""
        return self._call.corpid

    def get_agentid(self) -> int:
        """Return the app; 0 when the request carries none."""
        return self._call.agentid

    def get_call_type(self) -> int:
        """Return 1 for a call of the app, 2 for an event."""
        return self._call.call_type

    def get_data(self) -> str:
        """Return the JSON text of the request or the event."""
        return self._call.data

    def get_is_async(self) -> bool:
        """Return whether the app called asynchronously."""
        return self._call.is_async

    def get_job_info(self) -> str:
        """Return the job_info for `program_async_job_call_back`; asynchronous calls only."""
        return self._call.job_info

    def get_ability_id(self) -> str:
        """Return the ability that the app asks for."""
        return self._call.ability_id

    def get_notify_id(self) -> str:
        """Return the notify_id that the app passed on."""
        return self._call.notify_id


class WWToSpecHTTPRspConstructor:
    """Seals one reply."""

    def __init__(self, reply_text: str) -> None:
        _check(reply_text, str, "reply_text")
        self._request_id = _thread.request_id
        self._key = _link.key()
        try:
            self._body = seal.encrypt(self._key, reply_text)
        except seal.SealError as error:
            raise link.LinkError(link.INTERNAL, str(error)) from None

    def get_normal_header(self) -> Dict[str, str]:
        """Return the headers of an ordinary reply."""
        return self._headers(exception=False)

    def get_exception_header(self) -> Dict[str, str]:
        """Return the headers of a reply after the decoder raised."""
        return self._headers(exception=True)

    def get_encoded_body(self) -> str:
        """Return the encrypted body."""
        return self._body

    def _headers(self, *, exception: bool) -> Dict[str, str]:
        headers = seal.reply_headers(self._key, self._body, self._request_id, int(time.time()), exception=exception)
        headers[seal.PID_HEADER] = _process.shown()
        return headers


class ChatDataSDK:
    """Calls the platform for one corp and app: one method for each SDK API."""

    def __init__(self, corpid: str, agentid: int, ability_id: str, job_info: str) -> None:
        _check(corpid, str, "corpid")
        _check(agentid, int, "agentid")
        _check(ability_id, str, "ability_id")
        _check(job_info, str, "job_info")
        self._caller = (corpid, agentid, ability_id, job_info)
        self._headers: Dict[str, str] = {}

    def __getattr__(self, api: str) -> Any:
        """Return the method of an SDK API that the stand-in does not know, and a test answers by hand."""
        if not api.startswith("_") and api.isidentifier() and _answered_by_hand(api):
            return lambda request_json: self._invoke(api, request_json)
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{api}'")

    def _invoke(self, api: str, request_json: str) -> str:
        _check(request_json, str, "request_json")
        if not self._headers:
            self._headers = link.caller_headers(*self._caller)
        return _link.invoke(api, {**self._headers, **_origin()}, request_json)


def _answered_by_hand(api: str) -> bool:
    try:
        return _link.has_api(api)
    except (link.LinkError, ValueError):  # ValueError: a name that no URL can have
        return False


def _api_method(api: str) -> Any:
    def call(self: ChatDataSDK, request_json: str) -> str:
        return self._invoke(api, request_json)

    call.__name__ = api
    call.__qualname__ = f"ChatDataSDK.{api}"
    call.__doc__ = f"Call the SDK API {api} with a request in JSON and return the reply's JSON text."
    return call


for _api in SDK_APIS:
    setattr(ChatDataSDK, _api, _api_method(_api))


def spec_log_info(*args: object) -> None:
    """Log like `print`, at level INFO."""
    _log("INFO", args)


def spec_log_error(*args: object) -> None:
    """Log like `print`, at level ERR."""
    _log("ERR", args)


def spec_log_debug(*args: object) -> None:
    """Log like `print`, at level DBG."""
    _log("DBG", args)


def spec_open_debug_mode(debug_token: str, access_token: str) -> bool:
    """Switch the program's side to debug mode; the app's side is `open_debug_mode`.

    Returns:
        False when a credential is not valid.
    """
    _check(debug_token, str, "debug_token")
    _check(access_token, str, "access_token")
    return _link.open_debug_mode(debug_token, access_token)


def spec_gen_notify_id() -> str:
    """Return a fresh notify_id, 39 bytes long.

    It depends on the request that the thread decoded last, so the same traffic gives the same ids.
    """
    _thread.notify_ids += 1
    return _link.notify_id(_thread.request_id, _thread.notify_ids)


def spec_emulator_trace(reference: str, trace: str = "") -> None:
    """Tell the emulator what became of a request or a job. The vendor's module has nothing like it.

    It never blocks and never fails: what the emulator does not take is lost.

    Args:
        reference: What it belongs to: a request id, the job_info of an asynchronous call, or the notify_id of an event.
            Later SDK calls of this thread, and of threads that inherit its context, carry it, too.
        trace: A JSON object; empty when the job only begins.
    """
    _check(reference, str, "reference")
    _check(trace, str, "trace")
    if trace:
        _link.trace(trace)
        return
    _thread.request_id, _thread.reference = "", reference
    if _inherited is not None:
        _inherited.set(reference)


def _origin() -> Dict[str, str]:
    """Return the headers with the request, the process and the machine of an SDK call."""
    request_id = _thread.request_id or _thread.reference or ("" if _inherited is None else _inherited.get())
    origin = {"ww-pid": str(os.getpid()), **_MACHINE}
    return {**origin, "ww-request-id": request_id} if request_id else origin


def _log(level: str, args: Tuple[object, ...]) -> None:
    frame = sys._getframe(2)
    now = time.time()
    moment = f"{time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(now))}.{int(now % 1 * 1000):03d}"
    file = os.path.basename(frame.f_code.co_filename)  # noqa: PTH119 - pathlib costs time
    custom = " ".join(map(str, args)).encode(errors="replace")[:_LOG_BYTES].decode(errors="ignore")
    where = f"<{os.getpid()},{_thread_id()}>,{moment},{level},{_thread.request_id}"
    sys.stdout.write(f"{where},{file},{frame.f_lineno},{custom}\n")
    sys.stdout.flush()


def _pairs(headers: object) -> List[Tuple[str, str]]:
    if not isinstance(headers, (list, tuple)):
        raise TypeError(f"headers must be a list of (name, value), not {type(headers).__name__}")
    for pair in headers:
        if not (isinstance(pair, (list, tuple)) and len(pair) == 2 and all(isinstance(text, str) for text in pair)):
            raise TypeError("headers must hold pairs of str")
    return [(name, value) for name, value in headers]


def _check(value: object, expected: type, name: str) -> None:
    if not isinstance(value, expected):
        raise TypeError(f"{name} must be {expected.__name__}, not {type(value).__name__}")
