"""Secrets at rest: as they are, or sealed by a cipher of the app's."""

import base64
from typing import Protocol

from wwspec_client.arguments import check_has
from wwspec_contracts.errors import StoreError

_MARK = "sealed:"


class Cipher(Protocol):
    """Seals secrets before they are stored, such as `Fernet` and `MultiFernet` of the package cryptography."""

    def encrypt(self, data: bytes, /) -> bytes:
        """Return a text sealed.

        Args:
            data: The text.
        """
        ...

    def decrypt(self, token: bytes, /) -> bytes:
        """Return what was sealed; raise an error if it is another's, or was changed.

        Args:
            token: What `encrypt` has returned.
        """
        ...


def check_cipher(cipher: Cipher | None) -> Cipher | None:
    """Return the cipher of a store.

    Raises:
        ConfigurationError: It is none.
    """
    if cipher is not None:
        check_has("decrypt", cipher, "cipher has encrypt(bytes) and decrypt(bytes), such as Fernet(key)")
    return cipher


def seal(secret: str, cipher: Cipher | None) -> str:
    """Return a secret as it is stored."""
    if cipher is None:
        return secret
    return _MARK + base64.b64encode(cipher.encrypt(secret.encode())).decode()


def unseal(stored: str, cipher: Cipher | None, what: str) -> str:
    """Return a stored secret. One that was stored without a cipher is read with one too.

    Args:
        stored: What `seal` has returned.
        cipher: The app's.
        what: Names it in errors.

    Raises:
        StoreError: It is sealed, and not by this cipher.
    """
    if not stored.startswith(_MARK):
        return stored
    if cipher is None:
        raise StoreError(f"{what} is sealed: give the store the cipher= that it was stored with")
    try:
        return cipher.decrypt(base64.b64decode(stored.removeprefix(_MARK), validate=True)).decode()
    except Exception as error:  # the class is the cipher's
        name = type(error).__name__
    raise StoreError(f"{what} can't be unsealed ({name}): give the store the cipher= that it was stored with")
