"""WeCom's standard callback encryption, both halves, and the XML that it carries [90968].

AES-256-CBC under the EncodingAESKey, PKCS#7 padding to 32 bytes, and a SHA-1 signature over token, time,
nonce and ciphertext. Only text and bytes: nothing here sends or receives. The app's client opens callbacks with it, the
emulator seals them.
"""

import base64
import binascii
import hashlib
import hmac
import os
import re
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from html import escape, unescape
from typing import Any

from wwspec_contracts.errors import ConfigurationError, WWSpecError

_BLOCK = 32
_RANDOM_BYTES = 16
_LENGTH_BYTES = 4
_KEY_CHARACTERS = 43

_ELEMENT = re.compile(r"\s*<(\w+)>(?:<!\[CDATA\[(.*?)\]\]>|([^<]*))</\1>", re.DOTALL)
_NESTED = re.compile(r"\s*<(\w+)>.*?</\1>", re.DOTALL)
_ROOT = re.compile(r"\s*<xml>(.*)</xml>\s*", re.DOTALL)


class CallbackError(WWSpecError):
    """A callback is not genuine: wrong signature, key or receiver, or malformed."""


class CallbackCrypto:
    """Seals and opens callbacks for one receiver.

    Args:
        token: The callback's Token.
        encoding_aes_key: The callback's EncodingAESKey, 43 characters.
        receive_id: Who it is sealed for: the corpid, or the suite's ID.

    Raises:
        ConfigurationError: The EncodingAESKey is malformed.
    """

    def __init__(self, token: str, encoding_aes_key: str, receive_id: str) -> None:
        try:
            key = base64.b64decode(f"{encoding_aes_key}=", validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(encoding_aes_key) != _KEY_CHARACTERS or len(key) != _BLOCK:
            raise ConfigurationError(f"an EncodingAESKey has {_KEY_CHARACTERS} characters of A-Z, a-z, 0-9")
        self._token = token
        self._key = key
        self._receive_id = receive_id.encode()

    def for_receiver(self, receive_id: str) -> "CallbackCrypto":
        """Return one with the same Token and key that seals for another receiver."""
        other = copy(self)
        other._receive_id = receive_id.encode()
        return other

    def encrypt(self, text: str) -> str:
        """Return the ciphertext in base64."""
        content = text.encode()
        length = len(content).to_bytes(_LENGTH_BYTES, "big")
        plain = os.urandom(_RANDOM_BYTES) + length + content + self._receive_id
        fill = _BLOCK - len(plain) % _BLOCK
        return base64.b64encode(self._cipher().encrypt(plain + bytes([fill]) * fill)).decode()

    def decrypt(self, encrypted: str) -> str:
        """Return the text of a ciphertext whose signature was checked.

        Raises:
            CallbackError: It does not decrypt, or is for another receiver.
        """
        text, receive_id = self.unseal(encrypted)
        if not self.is_receiver(receive_id):
            raise CallbackError("the callback is for another receiver")
        return text

    def is_receiver(self, receive_id: str) -> bool:
        """Return whether a receive ID is this one's."""
        return receive_id.encode() == self._receive_id

    def unseal(self, encrypted: str) -> tuple[str, str]:
        """Return the text of a ciphertext whose signature was checked, and the ID that it is sealed for.

        Raises:
            CallbackError: It does not decrypt.
        """
        try:
            raw = base64.b64decode(encrypted, validate=True)
            plain: bytes = self._cipher().decrypt(raw)
            fill = plain[-1]
            if not 1 <= fill <= _BLOCK or plain[-fill:] != bytes([fill]) * fill:
                raise ValueError("padding")
            start = _RANDOM_BYTES + _LENGTH_BYTES
            end = start + int.from_bytes(plain[_RANDOM_BYTES:start], "big")
            if end > len(plain) - fill:
                raise ValueError("length")
            return plain[start:end].decode(), plain[end:-fill].decode()
        except (ValueError, IndexError):
            raise CallbackError("the callback does not decrypt") from None

    def signature(self, timestamp: str, nonce: str, encrypted: str) -> str:
        """Return the msg_signature."""
        parts = sorted((self._token, timestamp, nonce, encrypted))
        digest = hashlib.sha1("".join(parts).encode(errors="surrogatepass"), usedforsecurity=False)
        return digest.hexdigest()

    def query(self, timestamp: int, encrypted: str) -> dict[str, str]:
        """Return the query parameters that go with a ciphertext."""
        nonce = str(int.from_bytes(os.urandom(4), "big"))
        signature = self.signature(str(timestamp), nonce, encrypted)
        return {"msg_signature": signature, "timestamp": str(timestamp), "nonce": nonce}

    def _cipher(self) -> Any:
        from Crypto.Cipher import AES

        return AES.new(self._key, AES.MODE_CBC, iv=self._key[:16])


@dataclass(frozen=True)
class Callback:
    """A valid callback, decrypted."""

    fields: Mapping[str, str]
    """The elements of its XML, such as `Event` and `NotifyId`. Nested elements are in `xml` only."""
    xml: str
    """The whole XML."""
    receive_id: str
    """For whom it is encrypted: a corpid, or a suite's ID."""
    envelope: Mapping[str, str]
    """The elements around the encrypted part, such as `AgentID`. No signature protects them."""
    nonce: str = ""
    """The nonce of the delivery; the signature protects it."""


class CallbackReceiver:
    """The receiving half, for an app: verifies and decrypts what comes to its callback URL.

    Args:
        crypto: Token, key and receive ID of the app's callback.
    """

    def __init__(self, crypto: CallbackCrypto) -> None:
        self._crypto = crypto

    def answer_echo(self, query: Mapping[str, str]) -> str:
        """Return what to answer to the GET that verifies the URL.

        Raises:
            CallbackError: It is not genuine.
        """
        return self._own(*self.unseal(query, query.get("echostr", "")))

    def open(self, query: Mapping[str, str], body: str) -> Callback:
        """Open a callback that was POSTed.

        Raises:
            CallbackError: It is not genuine.
        """
        envelope = read_xml(body)
        text, receive_id = self.unseal(query, envelope.get("Encrypt", ""))
        return Callback(read_xml(self._own(text, receive_id), nested=True), text, receive_id, envelope)

    def unseal(self, query: Mapping[str, str], encrypted: str) -> tuple[str, str]:
        """Return the text of a ciphertext with the right signature, and the ID that it is for; check that ID then.

        Raises:
            CallbackError: The signature is wrong, or it does not decrypt.
        """
        given = query.get("msg_signature", "")
        expected = self._crypto.signature(query.get("timestamp", ""), query.get("nonce", ""), encrypted)
        if not hmac.compare_digest(expected.encode(), given.encode(errors="surrogatepass")):
            raise CallbackError("the callback's signature does not fit")
        return self._crypto.unseal(encrypted)

    def _own(self, text: str, receive_id: str) -> str:
        if not self._crypto.is_receiver(receive_id):
            raise CallbackError("the callback is for another receiver")
        return text


XmlValue = str | int | Mapping[str, str | int]
"""What an element holds; one that holds others has them a level deep."""


def write_xml(fields: Mapping[str, XmlValue]) -> str:
    """Write an `<xml>` element, as WeCom does: text in CDATA, numbers bare."""
    return f"<xml>{_elements(fields)}</xml>"


def read_xml(text: str, *, nested: bool = False) -> dict[str, str]:
    """Read an `<xml>` element of elements with text; nothing else of XML is understood, least of all a DTD.

    Args:
        text: The XML.
        nested: Pass over elements that hold others, instead of refusing them.

    Raises:
        CallbackError: It is anything else.
    """
    root = _ROOT.fullmatch(text)
    if root is None:
        raise CallbackError("the XML is not one flat <xml> element")
    content, position, fields = root[1], 0, {}
    while True:
        if element := _ELEMENT.match(content, position):
            name, cdata, plain = element.groups()
            fields[name] = unescape(plain) if cdata is None else cdata
        elif not (nested and (element := _NESTED.match(content, position))):
            break
        position = element.end()
    if content[position:].strip():
        raise CallbackError("the XML is not one flat <xml> element")
    return fields


def _elements(fields: Mapping[str, XmlValue]) -> str:
    return "".join(_element(name, value) for name, value in fields.items())


def _element(name: str, value: XmlValue) -> str:
    if isinstance(value, int):
        return f"<{name}>{value}</{name}>"
    if isinstance(value, Mapping):
        return f"<{name}>{_elements(value)}</{name}>"
    text = escape(value) if "]]>" in value else f"<![CDATA[{value}]]>"
    return f"<{name}>{text}</{name}>"
