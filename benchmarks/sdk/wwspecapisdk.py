"""An SDK module for benchmarks: the vendor's names and calls, with a seal that costs what compiled code costs.

The emulator's stand-in seals in Python, which takes far longer than all that is to be measured beside it. This one
leaves the work to OpenSSL and takes about 15 microseconds for a call and a reply of 3 KB. It seals in earnest all the
same: AES-256-GCM over the whole body and its request id, so that who alters either is found out.

It answers from the folder that WWSPEC_BENCH_ZONE names: the key in `zone.key`, the reply of each API in `<api>.json`.
A request whose cursor is `wait 5` is answered after 5 ms, as one that waits for a network; one whose cursor is `work 5`
after about 5 ms of processor time without the interpreter's lock, and `compute 5` with it. Programs that are measured
import it from their path as they would import the vendor's. It is not the vendor's wire format.
"""

import binascii
import hashlib
import os
import re
import sys
import threading
import time
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

HASHES, STEPS = 5_000, 45_000
"""How many rounds of a hash, and steps of a loop, take about a millisecond."""

_NONCE = 12


class Call(msgspec.Struct, array_like=True, gc=False):
    """What a sealed call holds."""

    corpid: str
    agentid: int
    call_type: int
    ability_id: str
    data: str
    notify_id: str = ""
    is_async: bool = False
    job_info: str = ""


_COST = re.compile(r'"cursor": ?"(wait|work|compute) (\d+)"')


def asked(request: str) -> tuple[str, int]:
    """Return what a request takes, and for how many milliseconds."""
    cost = _COST.search(request)
    return (cost[1], int(cost[2])) if cost else ("wait", 0)


def spend(request: str) -> None:
    """Use up the time that a request asks for."""
    kind, milliseconds = asked(request)
    if milliseconds == 0:
        return
    if kind == "wait":
        time.sleep(milliseconds / 1000)
    elif kind == "work":
        hashlib.pbkdf2_hmac("sha256", b"password", b"salt", HASHES * milliseconds)
    else:
        for _ in range(STEPS * milliseconds):
            pass


class _Thread(threading.local):
    request_id = ""


class _Zone:
    """The folder that answers, read when it is first needed."""

    def __init__(self) -> None:
        folder = Path(os.environ["WWSPEC_BENCH_ZONE"])
        self.cipher = AESGCM((folder / "zone.key").read_bytes())
        self.replies = {path.stem: path.read_text() for path in folder.glob("*.json")}


_thread = _Thread()
_zone: Any = _Zone() if "WWSPEC_BENCH_ZONE" in os.environ else None
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Call).decode


def seal(cipher: AESGCM, content: bytes, request_id: str) -> str:
    """Encrypt and sign."""
    nonce = os.urandom(_NONCE)
    return binascii.b2a_base64(nonce + cipher.encrypt(nonce, content, request_id.encode()), newline=False).decode()


def unseal(cipher: AESGCM, body: str, request_id: str) -> bytes:
    """Verify and decrypt.

    Raises:
        cryptography.exceptions.InvalidTag: It was altered, or sealed with another key.
    """
    raw = binascii.a2b_base64(body)
    return cipher.decrypt(raw[:_NONCE], raw[_NONCE:], request_id.encode())


class WWToSpecHTTPReqDecoder:
    """Verifies and decrypts one request."""

    def __init__(self, headers: list[tuple[str, str]], post_data: str) -> None:
        _thread.request_id = request_id = dict(headers)["ww-request-id"]
        self._call = _decode(unseal(_zone.cipher, post_data, request_id))

    def get_corpid(self) -> str:  # noqa: D102 - as the vendor calls it
        return self._call.corpid

    def get_agentid(self) -> int:  # noqa: D102 - as the vendor calls it
        return self._call.agentid

    def get_call_type(self) -> int:  # noqa: D102 - as the vendor calls it
        return self._call.call_type

    def get_ability_id(self) -> str:  # noqa: D102 - as the vendor calls it
        return self._call.ability_id

    def get_data(self) -> str:  # noqa: D102 - as the vendor calls it
        return self._call.data

    def get_notify_id(self) -> str:  # noqa: D102 - as the vendor calls it
        return self._call.notify_id

    def get_is_async(self) -> bool:  # noqa: D102 - as the vendor calls it
        return self._call.is_async

    def get_job_info(self) -> str:  # noqa: D102 - as the vendor calls it
        return self._call.job_info


class WWToSpecHTTPRspConstructor:
    """Seals one reply."""

    def __init__(self, reply_text: str) -> None:
        self._request_id = _thread.request_id
        self._body = seal(_zone.cipher, reply_text.encode(), self._request_id)

    def get_normal_header(self) -> dict[str, str]:
        """Return the headers of an ordinary reply."""
        return {"ww-request-id": self._request_id, "ww-kind": "reply"}

    def get_exception_header(self) -> dict[str, str]:
        """Return the headers for when the decoder raised."""
        return {"ww-request-id": self._request_id, "ww-kind": "exception"}

    def get_encoded_body(self) -> str:
        """Return the encrypted body."""
        return self._body


class ChatDataSDK:
    """Answers from files; one method for each API."""

    def __init__(self, corpid: str, agentid: int, ability_id: str, job_info: str) -> None:
        self._caller = (corpid, agentid, ability_id, job_info)

    def __getattr__(self, api: str) -> Any:
        if api not in _zone.replies:
            raise AttributeError(api)
        return lambda request: _zone.replies[api]

    def sync_msg(self, request: str) -> str:
        """Return the reply of `sync_msg`."""
        if "cursor" in request:
            spend(request)
        reply: str = _zone.replies["sync_msg"]
        return reply


def spec_gen_notify_id() -> str:
    """Return the notify_id that belongs to the request which this thread decoded last."""
    return f"notify-{_thread.request_id}"


def spec_log_info(*args: object) -> None:
    """Log like `print`."""
    sys.stdout.write(f"{' '.join(map(str, args))}\n")


spec_log_error = spec_log_debug = spec_log_info


def spec_open_debug_mode(debug_token: str, access_token: str) -> bool:
    """Refuse: there is no debug mode here."""
    return False
