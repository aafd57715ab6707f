"""The emulator's own envelope for calls and replies: encrypted, and signed together with its headers.

This is *not* the vendor's wire format, which is not published. It has the same outward shape (headers that
start with `ww-`, a text body) and the same promises: nobody without the zone key reads or alters a call or a
reply. The body is base64 of an AES-256-GCM nonce, ciphertext and tag; the header `ww-signature` is an
HMAC-SHA256 over the other headers and the whole body. As with the vendor's constructor, one reply body can have the
normal or the exception header. So the kind is signed in the header, and is not part of the body.

It does not remember what it opened: a replayed call opens again. It imports its cipher when it is first needed, so the
import of this module takes no time. It runs on Python 3.6 and later.
"""

import binascii
import hashlib
import hmac
import importlib
import os
import sys
from functools import lru_cache
from typing import Any, Dict, Iterable, List, NamedTuple, Tuple

KEY_BYTES = 32
"""Length of a zone key."""

PREFIX = "ww-"
"""What the names of the sealed headers start with."""

PID_HEADER = "emulator-pid"
"""Header of a reply, outside of the seal, for display: the PID of the process that made it, and the Unix seconds at
which that began."""

JOB_HEADER = "emulator-job"
"""Header of the reply to an event, outside of the seal: that code runs on it as a job, of whose end a trace tells; and
when the app is notified, `now`, `after` or `never`."""

ENTRY_HEADER = "emulator-entry"
"""Header of a call, outside of the seal: the number under which the emulator records it, for the log of the program."""

_VERSION = "1"
_CALL, _REPLY, _EXCEPTION = "call", "reply", "exception"
_KIND, _SEAL = "ww-kind", "ww-seal"
_REQUEST_ID, _TIMESTAMP, _SIGNATURE = "ww-request-id", "ww-timestamp", "ww-signature"
_NONCE_BYTES = 12
_TAG_BYTES = 16


class SealError(Exception):
    """The envelope is damaged, incomplete, or sealed with another key."""


class Sealed(NamedTuple):
    """Headers and body as they travel."""

    headers: Dict[str, str]
    body: str


class CallContent(NamedTuple):
    """What a sealed call holds: the values behind the getters of the vendor's decoder [100057]."""

    corpid: str
    agentid: int
    call_type: int
    data: str
    request_id: str
    timestamp: int
    """Unix seconds, on the emulator's clock."""
    ability_id: str = ""
    notify_id: str = ""
    is_async: bool = False
    job_info: str = ""


class ReplyContent(NamedTuple):
    """What a sealed reply holds."""

    text: str
    request_id: str
    """The request that the replying thread decoded last; empty when it had decoded none."""
    is_exception: bool
    """True under the exception header: the program could not decode the call."""


def seal_call(key: bytes, call: CallContent) -> Sealed:
    """Seal a call for the program.

    Args:
        key: The zone key, 32 bytes.
        call: What to seal.
    """
    fields = (
        call.corpid,
        str(call.agentid),
        str(call.call_type),
        call.ability_id,
        call.notify_id,
        "1" if call.is_async else "0",
        call.job_info,
        call.data,
    )
    body = encrypt(key, _pack(fields))
    return Sealed(_headers(key, _CALL, call.request_id, str(call.timestamp), body), body)


def open_call(key: bytes, headers: Iterable[Tuple[str, str]], body: str) -> CallContent:
    """Verify and decrypt a call.

    Args:
        key: The zone key, 32 bytes.
        headers: Names and values in any order; those that start with `ww-` must be in lower case.
        body: The body's text.

    Raises:
        SealError: The call is not what the emulator sealed with this key.
    """
    found = _verified(key, headers, body, (_CALL,))
    try:
        fields = _unpack(_decrypt(key, body))
        corpid, agentid, call_type, ability_id, notify_id, is_async, job_info, data = fields
        return CallContent(
            corpid=corpid,
            agentid=int(agentid),
            call_type=int(call_type),
            data=data,
            request_id=found[_REQUEST_ID],
            timestamp=int(found[_TIMESTAMP]),
            ability_id=ability_id,
            notify_id=notify_id,
            is_async=is_async == "1",
            job_info=job_info,
        )
    except ValueError:
        raise SealError("the call's content is malformed") from None


def encrypt(key: bytes, text: str) -> str:
    """Encrypt a text into a body; for a reply, follow with `reply_headers`."""
    nonce = os.urandom(_NONCE_BYTES)
    cipher = _aes().new(_keys(key)[0], _aes().MODE_GCM, nonce=nonce)
    try:
        ciphertext, tag = cipher.encrypt_and_digest(text.encode())
    except UnicodeEncodeError:
        raise SealError("the text holds a lone surrogate, which is not Unicode") from None
    return binascii.b2a_base64(nonce + ciphertext + tag, newline=False).decode()


def reply_headers(key: bytes, body: str, request_id: str, timestamp: int, *, exception: bool = False) -> Dict[str, str]:
    """Return the headers of a reply whose body `encrypt` made.

    Args:
        key: The zone key, 32 bytes.
        body: The encrypted body.
        request_id: The request that the thread decoded last, or "".
        timestamp: Unix seconds.
        exception: Whether the call could not be decoded.
    """
    return _headers(key, _EXCEPTION if exception else _REPLY, request_id, str(timestamp), body)


def open_reply(key: bytes, headers: Iterable[Tuple[str, str]], body: str) -> ReplyContent:
    """Verify and decrypt a reply.

    Raises:
        SealError: The reply is not what a program sealed with this key.
    """
    found = _verified(key, headers, body, (_REPLY, _EXCEPTION))
    return ReplyContent(_decrypt(key, body), found[_REQUEST_ID], found[_KIND] == _EXCEPTION)


def _headers(key: bytes, kind: str, request_id: str, timestamp: str, body: str) -> Dict[str, str]:
    return {
        _SEAL: _VERSION,
        _KIND: kind,
        _REQUEST_ID: request_id,
        _TIMESTAMP: timestamp,
        _SIGNATURE: _signature(key, kind, request_id, timestamp, body),
    }


def _verified(key: bytes, headers: Iterable[Tuple[str, str]], body: str, kinds: Tuple[str, ...]) -> Dict[str, str]:
    found = _sealed_headers(headers)
    try:
        kind = found[_KIND]
        expected = _signature(key, kind, found[_REQUEST_ID], found[_TIMESTAMP], body)
        genuine = hmac.compare_digest(expected.encode(), found[_SIGNATURE].encode(errors="surrogatepass"))
        known = kind in kinds and found[_SEAL] == _VERSION and len(found) == _HEADERS
    except KeyError as error:
        raise SealError(f"the header {error.args[0]} is missing") from None
    if not (genuine and known):
        raise SealError("the signature does not fit: altered on the way, or sealed with another key")
    return found


_HEADERS = 5


def _sealed_headers(headers: Iterable[Tuple[str, str]]) -> Dict[str, str]:
    found: Dict[str, str] = {}
    for name, value in headers:
        if name[:3].lower() != PREFIX:
            continue
        if name != name.lower():
            raise SealError(f"the header {name[:32]} is not in lower case")
        if name in found:
            raise SealError(f"the header {name[:32]} came twice")
        found[name] = value
    return found


def _signature(key: bytes, kind: str, request_id: str, timestamp: str, body: str) -> str:
    text = _pack((_VERSION, kind, request_id, timestamp, body))
    return hmac.new(_keys(key)[1], text.encode(errors="surrogatepass"), "sha256").hexdigest()


def _decrypt(key: bytes, body: str) -> str:
    try:
        raw = binascii.a2b_base64(body)
        cipher = _aes().new(_keys(key)[0], _aes().MODE_GCM, nonce=raw[:_NONCE_BYTES])
        return bytes(cipher.decrypt_and_verify(raw[_NONCE_BYTES:-_TAG_BYTES], raw[-_TAG_BYTES:])).decode()
    except ValueError:
        raise SealError("the body does not decrypt: altered on the way, or sealed with another key") from None


def _pack(fields: Tuple[str, ...]) -> str:
    """Join fields so that two different tuples never give the same text. The last field is not changed."""
    return "".join([*(f"{len(field)}:{field}" for field in fields[:-1]), fields[-1]])


def _unpack(text: str) -> List[str]:
    fields = []
    start = 0
    for _ in range(_CALL_FIELDS - 1):
        colon = text.index(":", start)
        end = colon + 1 + int(text[start:colon])
        fields.append(text[colon + 1 : end])
        start = end
    fields.append(text[start:])
    return fields


_CALL_FIELDS = 8


@lru_cache(maxsize=8)
def _keys(key: bytes) -> Tuple[bytes, bytes]:
    """Derive the encryption and the signing key."""
    if len(key) != KEY_BYTES:
        raise SealError(f"a zone key has {KEY_BYTES} bytes, this one {len(key)}")
    return hashlib.sha256(b"encrypt" + key).digest(), hashlib.sha256(b"sign" + key).digest()


def cipher_package() -> str:
    """Return the name of the package with the cipher: pycryptodome's own, or Debian's.

    Raises:
        ModuleNotFoundError: It is not installed.
    """
    for name in ("Crypto", "Cryptodome"):
        try:
            importlib.import_module(name)
        except ImportError:
            continue
        return name
    raise ModuleNotFoundError(
        f"the emulator's stand-in for wwspecapisdk needs pycryptodome: {sys.executable} -m pip install pycryptodome "
        "(on Debian also: apt-get install python3-pycryptodome)",
        name="Crypto",
    )


@lru_cache(maxsize=1)
def _aes() -> Any:
    return importlib.import_module(f"{cipher_package()}.Cipher.AES")
