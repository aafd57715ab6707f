"""The folder of the app's private keys: one file for each version, which only its owner can read.

`key-2.pem` is the key of version 2. While WeCom may not have it, there is also a file `key-2.unregistered`: it is made
before the key, and removed after the registration. So no crash loses a key that WeCom has, and a second run goes on
with a key that WeCom may lack.
"""

import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from wwspec_client.cursors import sync_folder, write_synced
from wwspec_client.keys import KeyRing, key_files, new_pem
from wwspec_contracts.errors import ConfigurationError

OWNER_ONLY = 0o600
_FOLDER_MODE = 0o700
_OTHERS = 0o077


@dataclass(frozen=True)
class KeyFile:
    """The private key of one version."""

    version: int
    path: Path

    @property
    def mark(self) -> Path:
        """The file that is there while the key is not registered, as far as this folder knows."""
        return self.path.with_suffix(".unregistered")

    @property
    def is_registered(self) -> bool:
        """Whether WeCom has the key, as far as this folder knows."""
        return not self.mark.exists()

    @property
    def mode(self) -> int:
        """Who can read it: the permission bits."""
        return self.path.stat().st_mode & 0o777

    @property
    def is_open(self) -> bool:
        """Whether others than the owner can read or write it."""
        return bool(self.mode & _OTHERS)

    def ring(self, passphrase: str | None = None) -> KeyRing:
        """Return a ring of this key alone.

        Raises:
            ConfigurationError: The key can't be read; the text names its file.
        """
        try:
            return KeyRing({self.version: self.path}, passphrase)
        except ConfigurationError as error:
            raise ConfigurationError(f"{self.path}: {error}") from None

    def set_registered(self) -> None:
        """Note that WeCom has the key."""
        self.mark.unlink(missing_ok=True)
        sync_folder(self.path.parent)


class KeyFolder:
    """The private keys of one app.

    Args:
        path: The folder; it may not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def keys(self) -> list[KeyFile]:
        """The keys, in ascending order of their versions.

        Raises:
            ConfigurationError: The folder can't be read.
        """
        return [KeyFile(version, path) for version, path in key_files(self.path).items()]

    @property
    def latest(self) -> KeyFile | None:
        """The key of the highest version; None when there is none."""
        return next(reversed(self.keys), None)

    def make(self, version: int, passphrase: str | None = None) -> KeyFile:
        """Make a key that is not registered, and return it; if there is a key of this version, return that.

        Args:
            version: Of the new key.
            passphrase: Encrypts the file; None leaves it plain.

        Raises:
            ConfigurationError: The folder or the file can't be written.
        """
        file = KeyFile(version, self.path / f"key-{version}.pem")
        draft = self.path / f".key-{version}.{secrets.token_hex(8)}"
        try:
            if not self.path.is_dir():
                self.path.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
                (self.path / ".gitignore").write_text("# private keys\n*\n")
            if file.path.exists():
                return file
            _write(draft, f"{new_pem(passphrase)}\n".encode())
            with suppress(FileExistsError):  # left by a run that ended before it made the key
                _write(file.mark, b"")
            with suppress(FileExistsError):  # another process has made this version: that key counts
                os.link(draft, file.path)
            sync_folder(self.path)
        except OSError as error:
            raise ConfigurationError(f"{file.path}: can't be written: {error.strerror}; check the folder") from None
        finally:
            with suppress(OSError):
                draft.unlink()
        return file


def _write(path: Path, content: bytes) -> None:
    """Write a new file that only its owner can read, and sync it to the disk."""
    write_synced(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY), content)
