"""The app's private keys, by version, here or in a KMS: they decrypt the secret keys of messages [99845]."""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

from msgspec import UnsetType

from wwspec_contracts.errors import ConfigurationError, WWSpecError
from wwspec_contracts.messages import Message
from wwspec_contracts.tasks import ANALYSED_KINDS, EncryptInfo, MessageKey

if TYPE_CHECKING:
    from Crypto.PublicKey.RSA import RsaKey

_FILE = re.compile(r"key-([1-9][0-9]{0,8})\.pem")
_DIGITS = re.compile("[0-9]{1,9}")
KEY_BITS = 2048
"""WeCom takes RSA-2048 [99845]."""
_PROTECTION: dict[str, Any] = {
    "protection": "PBKDF2WithHMAC-SHA512AndAES256-CBC",
    "prot_params": {"iteration_count": 210_000},
}
"""How a key with a passphrase is encrypted: as many rounds as OWASP recommends."""


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


class Decryptor(Protocol):
    """Decrypts with a private key that stays where it is, such as in a KMS or an HSM: a function, or a bound method.

    Threads may call it at the same time. What it raises becomes a `KeyRingError`.
    """

    def __call__(self, ciphertext: bytes, /) -> bytes:
        """Return what was encrypted with the public key, in RSA with OAEP or PKCS#1 v1.5.

        Args:
            ciphertext: 256 bytes.
        """
        ...


class KeyRing:
    """The app's private keys by version: decrypts the secret keys of messages [99845]. Threads may share one.

    WeCom's page does not state the padding. The ring tries OAEP first, because it has a check of its own, then PKCS#1
    v1.5, which public programs use. For the next message it begins with the one that worked.

    Args:
        keys: Version -> private key: the path of a PEM file, or the PEM itself, in PKCS#1 or PKCS#8; or a `Decryptor`,
            which is called for each message.
        passphrase: The passphrase of the keys that have one.
        public_keys: Version -> public key, as PEM or the path of a PEM file, for versions that have a `Decryptor`.
            Only `public_key`, `fingerprint` and `ensure_public_key` of the client need it.

    Raises:
        ConfigurationError: A key can't be read, or is not of RSA-2048; the text names its version.

    Examples:
        With a `ZoneClient` as `client`. In production the keys are made by `wwspec keys new`, and loaded by
        `KeyRing.from_folder(Path("keys"))`:

        >>> from Crypto.PublicKey import RSA
        >>> from wwspec_client import KeyRing
        >>> from wwspec_contracts import sync_msg
        >>> ring = KeyRing({1: RSA.generate(2048).export_key().decode()})
        >>> client.set_public_key(ring.public_key(), ring.latest)
        >>> message = client.call(sync_msg.Request(limit=1)).msg_list[0]
        >>> secret_key = ring.open(message.service_encrypt_info)  # for the encrypt_info of analysis tasks
        >>> len(secret_key)
        32
    """

    def __init__(
        self,
        keys: Mapping[int, Path | str | Decryptor],
        passphrase: str | None = None,
        *,
        public_keys: Mapping[int, Path | str] = {},
    ) -> None:
        self._keys: dict[int, _Key] = {}
        for version in sorted(keys):
            source = keys[version]
            if isinstance(source, str | Path):
                self._keys[version] = _PrivateKey(version, source, passphrase)
            else:
                self._keys[version] = _RemoteKey(version, source, public_keys.get(version))
        if unused := [version for version in public_keys if not isinstance(self._keys.get(version), _RemoteKey)]:
            raise ConfigurationError(f"public_keys has version {min(unused)}, which has no decryptor in the ring")

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
            ConfigurationError: The ring is empty, and `version` is None; or it was not given this public key.
        """
        return self._key(self.latest if version is None else version).public_key()

    def fingerprint(self, version: int | None = None) -> str:
        """Return the fingerprint of a public key: `SHA256:` and the digest of its DER form in Base64.

        `openssl pkey -in key-1.pem -pubout -outform DER | openssl dgst -sha256 -binary | base64` prints the same.

        Args:
            version: Of the key; the latest when None.

        Raises:
            KeyMissingError: The ring has no key of this version.
            ConfigurationError: The ring is empty, and `version` is None; or it was not given this public key.
        """
        return self._key(self.latest if version is None else version).fingerprint()

    def open(self, sealed: SealedKey | Mapping[str, Any] | UnsetType) -> str:
        """Return the secret key of a message, for the `encrypt_info` of analysis tasks.

        Args:
            sealed: The message's `service_encrypt_info`, as an object or as plain JSON.

        Raises:
            KeyMissingError: There is no private key of its version.
            KeyRingError: The private key of its version does not decrypt it, or its `Decryptor` fails; or the message
                has no key, or no such version as WeCom gives.
        """
        if isinstance(sealed, UnsetType):
            raise KeyRingError("the message has no service_encrypt_info")
        if isinstance(sealed, Mapping):
            text, version = sealed.get("encrypted_secret_key"), sealed.get("public_key_ver")
        else:
            text, version = sealed.encrypted_secret_key, sealed.public_key_ver
        if not isinstance(text, str):
            raise KeyRingError("the message's encrypted_secret_key is not a string")
        key = self._key(_version(version))
        try:
            ciphertext = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise KeyRingError("encrypted_secret_key is not Base64") from None
        return key.open(ciphertext)

    def message_keys(self, messages: Iterable[Message]) -> list[MessageKey]:
        """Return messages with their opened keys, for the `msg_list` of an analysis task.

        Each message is there once. Messages of a kind that no task takes are left out, and those without a key.

        Args:
            messages: Such as the `msg_list` of a page of `sync_msg`.

        Raises:
            KeyMissingError: There is no private key of a message's version.
            KeyRingError: The private key of its version does not decrypt it, or its `Decryptor` fails.
        """
        found: dict[str, MessageKey] = {}
        for each in messages:
            sealed = each.service_encrypt_info
            if each.msgid in found or each.kind not in ANALYSED_KINDS or isinstance(sealed, UnsetType):
                continue
            if sealed.encrypted_secret_key:
                found[each.msgid] = MessageKey(msgid=each.msgid, encrypt_info=EncryptInfo(secret_key=self.open(sealed)))
        return list(found.values())

    def _key(self, version: int) -> "_Key":
        if version not in self._keys:
            raise KeyMissingError(version, self.versions)
        return self._keys[version]


def joined(rings: Iterable[KeyRing]) -> KeyRing:
    """Return a ring of the keys of several rings, without reading them again."""
    all_keys = KeyRing({})
    for ring in rings:
        all_keys._keys |= ring._keys
    all_keys._keys = dict(sorted(all_keys._keys.items()))
    return all_keys


def new_pem(passphrase: str | None = None) -> str:
    """Return a new private key as PEM, which a passphrase encrypts; None leaves it plain."""
    from Crypto.PublicKey import RSA

    sealed = {} if passphrase is None else {"passphrase": passphrase, **_PROTECTION}
    return RSA.generate(KEY_BITS).export_key(pkcs=8, **sealed).decode()


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
    """A version of the ring, with its public key where that is known."""

    def __init__(self, version: int, public: "RsaKey | None") -> None:
        self._version = version
        self._public = public

    def public_key(self) -> str:
        return self._known().export_key().decode()

    def fingerprint(self) -> str:
        digest = hashlib.sha256(self._known().export_key("DER")).digest()
        return f"SHA256:{base64.b64encode(digest).decode()}"

    def open(self, sealed: bytes) -> str:
        opened = self._try_open(sealed)
        if opened is None:
            raise KeyRingError(
                f"the private key of version {self._version} does not open this secret key: "
                "it belongs to another public key than the one that WeCom has under this version"
            )
        return opened

    def _try_open(self, sealed: bytes) -> str | None:
        raise NotImplementedError

    def _known(self) -> "RsaKey":
        if self._public is None:
            raise ConfigurationError(
                f"the key ring has no public key of version {self._version}: give it one, as public_keys="
            )
        return self._public


class _PrivateKey(_Key):
    """The private key is in this process."""

    def __init__(self, version: int, source: Path | str, passphrase: str | None) -> None:
        self._key = _read(f"the private key of version {version}", source, passphrase)
        if not self._key.has_private():
            raise ConfigurationError(
                f"the private key of version {version} is a public key; the ring opens what was sealed with that"
            )
        super().__init__(version, self._key.public_key())
        self._ways = (_open_oaep, _open_pkcs1)

    def _try_open(self, sealed: bytes) -> str | None:
        for way in self._ways:
            opened = way(self._key, sealed)
            if opened is not None:
                if way is not self._ways[0]:
                    self._ways = self._ways[::-1]
                return opened
        return None


class _RemoteKey(_Key):
    """The private key is where the app's decryptor is."""

    def __init__(self, version: int, decrypt: Decryptor, public: Path | str | None) -> None:
        name = f"the public key of version {version}"
        super().__init__(version, None if public is None else _read(name, public, None).public_key())
        self._decrypt = decrypt

    def _try_open(self, sealed: bytes) -> str | None:
        try:
            return _text(self._decrypt(sealed))
        except Exception as error:
            raise KeyRingError(f"the decryptor of version {self._version} failed: {type(error).__name__}") from error


def _read(name: str, source: Path | str, passphrase: str | None) -> "RsaKey":
    from Crypto.PublicKey import RSA

    try:
        key = RSA.import_key(source if isinstance(source, str) else source.read_bytes(), passphrase)
    except OSError as error:
        raise ConfigurationError(f"{name}: {source} can't be read: {error.strerror}") from None
    except (ValueError, IndexError, TypeError):
        raise ConfigurationError(f"{name} is not PEM, or its passphrase is another one") from None
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
