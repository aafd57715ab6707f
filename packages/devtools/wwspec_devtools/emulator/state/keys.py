"""Encrypts the secret key of each message for the app [99824].

Until the app sets a public key, placeholders of the same shape are used, which nobody can decrypt. WeCom's pages do not
state the padding; public programs use PKCS#1 v1.5.
"""

import base64
import hashlib
import random
import threading
from sys import getsizeof
from typing import Any, NamedTuple

import msgspec

from wwspec_devtools.emulator.answers import RefusedError
from wwspec_devtools.emulator.bounded import MIB, BoundedDict

_KEY_BITS = 2048
KEPT_BYTES = 64 * MIB
"""The most bytes of wrapped keys. They are slow to make; a dropped one is made again, with the same value."""
_PLACEHOLDER_VERSION = 1


class EncryptInfo(msgspec.Struct, frozen=True, gc=False):
    """The `service_encrypt_info` in an answer."""

    encrypted_secret_key: str
    public_key_ver: int


class _PublicKey(NamedTuple):
    """One public key and everything that depends on it: they are replaced in one step."""

    pem: str
    key: Any
    version: int
    wrapped: BoundedDict[str, EncryptInfo]


class MessageKeys:
    """Makes and wraps the secret keys for one app.

    Args:
        seed: The emulator's seed, with the corpid for another corp than the first; the same seed gives the same keys,
            also wrapped.
    """

    def __init__(self, seed: int | str) -> None:
        self.seed = seed
        self._current = _PublicKey("", None, _PLACEHOLDER_VERSION, BoundedDict(KEPT_BYTES))
        self._lock = threading.Lock()
        """A lock of its own: keys are wrapped without the emulator's lock."""

    @property
    def wrapped(self) -> BoundedDict[str, EncryptInfo]:
        """The keys that are kept, by msgid."""
        return self._current.wrapped

    @property
    def has_public_key(self) -> bool:
        """Whether the app has set its public key."""
        return self._current.key is not None

    def secret_key(self, msgid: str) -> str:
        """Return the key in clear, for checking what an app decrypts."""
        return hashlib.sha256(f"{self.seed}:{msgid}".encode()).hexdigest()[:32]

    def set_public_key(self, pem: str, version: int) -> None:
        """Set the app's RSA-2048 public key.

        Raises:
            RefusedError: 40211 for the key, 40212 for the version.
        """
        from Crypto.PublicKey import RSA

        try:
            key = RSA.import_key(pem)
        except (ValueError, IndexError, TypeError):
            raise RefusedError(40211, "not a PEM public key") from None
        if key.has_private() or key.size_in_bits() != _KEY_BITS:
            raise RefusedError(40211, f"an RSA public key of {_KEY_BITS} bits is needed")
        current = self._current
        if current.key is not None and pem != current.pem and version <= current.version:
            raise RefusedError(40212, f"public_key_ver must be greater than {current.version}")
        self._current = _PublicKey(pem, key, version, BoundedDict(KEPT_BYTES))

    def wrap(self, msgid: str) -> EncryptInfo:
        """Return a message's key as the app receives it."""
        _, public_key, version, wrapped = self._current
        if public_key is None:
            filler = hashlib.shake_256(f"placeholder:{self.seed}:{msgid}".encode()).digest(_KEY_BITS // 8)
            return EncryptInfo(base64.b64encode(filler).decode(), version)
        with self._lock:
            info = wrapped.get(msgid)
        if info is None:
            from Crypto.Cipher import PKCS1_v1_5

            padding = random.Random(f"{self.seed}:{msgid}")  # noqa: S311 - the same seed, the same data
            cipher = PKCS1_v1_5.new(public_key, randfunc=padding.randbytes)
            sealed = cipher.encrypt(self.secret_key(msgid).encode())
            info = EncryptInfo(base64.b64encode(sealed).decode(), version)
            with self._lock:
                wrapped.put(msgid, info, getsizeof(info.encrypted_secret_key))
        return info
