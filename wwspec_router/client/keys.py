"""The app's private keys, by version: they decrypt the secret keys of messages [99845]."""

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

from msgspec import UnsetType

from wwspec_router.errors import ConfigurationError, WWSpecError

if TYPE_CHECKING:
    from Crypto.PublicKey.RSA import RsaKey

_FILE = re.compile(r"key-([1-9][0-9]{0,8})\.pem")
_DIGITS = re.compile("[0-9]{1,9}")
KEY_BITS = 2048
"""WeCom takes RSA-2048 [99845]."""


class KeyRingError(WWSpecError):
    """The secret key of a message can't be decrypted. The text holds no key."""


class KeyMissingError(KeyRingError):
    """The ring has no private key of the version that a message's key is encrypted with.

    Attributes:
        version: The missing version.
    """

    def __init__(self, version: int, known: tuple[int, ...]) -> None:
        held = f"it has {', '.join(map(str, known))}" if known else "it has none"
        super().__init__(f"the key ring has no private key of version {version}: {held}")
        self.version = version


class SealedKey(Protocol):
    """The `service_encrypt_info` of a message."""

    @property
    def encrypted_secret_key(self) -> str:
        """Base64."""
        ...

    @property
    def public_key_ver(self) -> int:
        """Version of the public key that it is encrypted with."""
        ...


class KeyRing:
    """The app's private keys by version: decrypts the secret keys of messages [99845]. Threads may share one.

    WeCom's page does not state the padding. The ring tries OAEP first, because it has a check of its own, then PKCS#1
    v1.5, which public programs use. For the next message it begins with the one that worked.

    Args:
        keys: Version -> private key: the path of a PEM file, or the PEM itself; PKCS#1 or PKCS#8.
        passphrase: The passphrase of the keys that have one.

    Raises:
        ConfigurationError: A key can't be read, or is not a private key of RSA-2048; the text names its version.
        ExtraMissingError: The extra `client` is not installed.

    Examples:
        With a `ZoneClient` as `client`. In production the keys are made by `wwspec keys new`, and loaded by
        `KeyRing.from_folder(Path("keys"))`:

        >>> from Crypto.PublicKey import RSA
        >>> from wwspec_router.client import KeyRing
        >>> from wwspec_router.wecom import sync_msg
        >>> ring = KeyRing({1: RSA.generate(2048).export_key().decode()})
        >>> client.set_public_key(ring.public_key(), ring.latest)
        >>> message = client.call(sync_msg.Request(limit=1)).msg_list[0]
        >>> secret_key = ring.open(message.service_encrypt_info)  # for the encrypt_info of analysis tasks
        >>> len(secret_key)
        32
    """

    def __init__(self, keys: Mapping[int, Path | str], passphrase: str | None = None) -> None:
        self._keys = {version: _Key(version, keys[version], passphrase) for version in sorted(keys)}

    @classmethod
    def from_folder(cls, path: Path, passphrase: str | None = None) -> Self:
        """Return a ring of the keys that `wwspec keys` has made: `key-1.pem`, `key-2.pem` and so on.

        Args:
            path: The folder.
            passphrase: The passphrase of the keys that have one.

        Raises:
            ConfigurationError: The folder has no key, or one can't be read.
        """
        keys = key_files(path)
        if not keys:
            raise ConfigurationError(f"{path} has no key-1.pem or the like: `wwspec keys new` makes one")
        return cls(keys, passphrase)

    def __repr__(self) -> str:
        return f"KeyRing(versions={list(self._keys)})"

    @property
    def versions(self) -> tuple[int, ...]:
        """The versions of the ring, in ascending order."""
        return tuple(self._keys)

    @property
    def latest(self) -> int:
        """The highest version: the one to register with `set_public_key`.

        Raises:
            ConfigurationError: The ring is empty.
        """
        if not self._keys:
            raise ConfigurationError("the key ring has no key")
        return max(self._keys)

    def public_key(self, version: int | None = None) -> str:
        """Return a public key as PEM, for `set_public_key`.

        Args:
            version: Of the key; the latest when None.

        Raises:
            KeyMissingError: The ring has no key of this version.
            ConfigurationError: The ring is empty, and `version` is None.
        """
        return self._key(self.latest if version is None else version).public_key()

    def fingerprint(self, version: int | None = None) -> str:
        """Return the fingerprint of a public key: `SHA256:` and the digest of its DER form in Base64.

        `openssl pkey -in key-1.pem -pubout -outform DER | openssl dgst -sha256 -binary | base64` prints the same.

        Args:
            version: Of the key; the latest when None.

        Raises:
            KeyMissingError: The ring has no key of this version.
            ConfigurationError: The ring is empty, and `version` is None.
        """
        return self._key(self.latest if version is None else version).fingerprint()

    def open(self, sealed: SealedKey | Mapping[str, Any] | UnsetType) -> str:
        """Return the secret key of a message, for the `encrypt_info` of analysis tasks.

        Args:
            sealed: The message's `service_encrypt_info`, as an object or as plain JSON.

        Raises:
            KeyMissingError: There is no private key of its version.
            KeyRingError: The private key of its version does not decrypt it, or the message has no key, or no such
                version as WeCom gives.
        """
        if isinstance(sealed, UnsetType):
            raise KeyRingError("the message has no service_encrypt_info")
        if isinstance(sealed, Mapping):
            text, version = sealed.get("encrypted_secret_key"), sealed.get("public_key_ver")
        else:
            text, version = sealed.encrypted_secret_key, sealed.public_key_ver
        if not isinstance(text, str):
            raise KeyRingError("the message's encrypted_secret_key is not a string")
        return self._key(_version(version)).open(text)

    def _key(self, version: int) -> "_Key":
        if version not in self._keys:
            raise KeyMissingError(version, self.versions)
        return self._keys[version]


def key_files(folder: Path) -> dict[int, Path]:
    """Return the key files of a folder by version, in ascending order; none when there is no such folder.

    Raises:
        ConfigurationError: The folder can't be read.
    """
    try:
        paths = list(folder.iterdir())
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigurationError(f"{folder}: can't be read: {error.strerror}") from None
    return dict(sorted((int(match[1]), path) for path in paths if (match := _FILE.fullmatch(path.name))))


def _version(value: object) -> int:
    """Return a version as a number; the JSON may also have it as a string."""
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise KeyRingError("the message's public_key_ver is not a whole number")


class _Key:
    def __init__(self, version: int, source: Path | str, passphrase: str | None) -> None:
        self._version = version
        self._key = _read(version, source, passphrase)
        self._ways = (_open_oaep, _open_pkcs1)

    def public_key(self) -> str:
        return self._key.public_key().export_key().decode()

    def fingerprint(self) -> str:
        digest = hashlib.sha256(self._key.public_key().export_key("DER")).digest()
        return f"SHA256:{base64.b64encode(digest).decode()}"

    def open(self, text: str) -> str:
        try:
            sealed = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise KeyRingError("encrypted_secret_key is not Base64") from None
        for way in self._ways:
            opened = way(self._key, sealed)
            if opened is not None:
                if way is not self._ways[0]:
                    self._ways = self._ways[::-1]
                return opened
        raise KeyRingError(
            f"the private key of version {self._version} does not open this secret key: "
            "it belongs to another public key than the one that WeCom has under this version"
        )


def _read(version: int, source: Path | str, passphrase: str | None) -> "RsaKey":
    from Crypto.PublicKey import RSA

    name = f"the private key of version {version}"
    try:
        key = RSA.import_key(source if isinstance(source, str) else source.read_bytes(), passphrase)
    except OSError as error:
        raise ConfigurationError(f"{name}: {source} can't be read: {error.strerror}") from None
    except (ValueError, IndexError, TypeError):
        raise ConfigurationError(f"{name} is not PEM, or its passphrase is another one") from None
    if not key.has_private():
        raise ConfigurationError(f"{name} is a public key; the ring opens what was sealed with that")
    if key.size_in_bits() != KEY_BITS:
        raise ConfigurationError(f"{name} has {key.size_in_bits()} bits; WeCom takes {KEY_BITS}")
    return key


def _open_oaep(key: "RsaKey", sealed: bytes) -> str | None:
    from Crypto.Cipher import PKCS1_OAEP

    try:
        return _text(PKCS1_OAEP.new(key).decrypt(sealed))
    except (ValueError, TypeError):
        return None


def _open_pkcs1(key: "RsaKey", sealed: bytes) -> str | None:
    from Crypto.Cipher import PKCS1_v1_5

    try:
        return _text(PKCS1_v1_5.new(key).decrypt(sealed, b""))
    except (ValueError, TypeError):
        return None


def _text(opened: object) -> str | None:
    """Return a secret key as text; None when it is not a key: with the wrong padding, bytes may look well padded."""
    if not isinstance(opened, bytes) or not opened or not opened.isascii():
        return None
    text = opened.decode("ascii")
    return text if text.isprintable() else None
