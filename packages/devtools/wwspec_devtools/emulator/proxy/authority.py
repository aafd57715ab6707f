"""A certificate authority for the proxy: made on first use, stored in a folder, and trusted only by chosen clients.

Clients of WeCom with a hard-coded https:// base URL reach the emulator when they trust this authority. Its key can sign
for any host. So only its owner can read the key, and a client trusts the authority by an environment variable, never by
the system's store.
"""

import base64
import datetime
import hashlib
import logging
import os
import ssl
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from wwspec_contracts.errors import ConfigurationError
from wwspec_contracts.extras import require
from wwspec_contracts.support.private_files import create_private_folder, make_private

if TYPE_CHECKING:
    import trustme

_log = logging.getLogger("uvicorn.error")

_NAME = "wwspec_router emulator"
_LEAF_DAYS = 90


def default_folder() -> Path:
    """Return the default folder of the authority: under XDG_STATE_HOME, or ~/.local/state.

    Raises:
        ConfigurationError: There is neither.
    """
    try:
        state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    except RuntimeError:
        raise ConfigurationError(
            "the proxy keeps its certificate authority in a folder, and this user has no home folder: "
            "name one with --state"
        ) from None
    return Path(state) / "wwspec"


class Authority:
    """Signs certificates for hosts that the proxy answers for.

    Args:
        folder: Has `ca.pem`, which clients trust, and `ca.key`; both are made when they are missing. Only the owner
            can read them.

    Raises:
        ExtraMissingError: The extra `proxy` is not installed.
        ConfigurationError: The folder can't be used.
    """

    def __init__(self, folder: Path) -> None:
        require("proxy", "the proxy")
        self.certificate = folder / "ca.pem"
        """The file for a client's SSL_CERT_FILE, REQUESTS_CA_BUNDLE or NODE_EXTRA_CA_CERTS."""
        self._key_file = folder / "ca.key"
        self._folder = folder
        self._contexts: dict[str, ssl.SSLContext] = {}
        try:
            create_private_folder(folder)
            if not (self.certificate.exists() and self._key_file.exists()):
                self._make()
            self._authority = self._load()
        except OSError as error:
            raise ConfigurationError(
                f"{folder}: the proxy can't keep its certificate authority there ({error.strerror}): "
                "name another folder with --state"
            ) from None
        except (ValueError, TypeError) as error:  # not PEM, or a key with a password
            raise ConfigurationError(
                f"{folder}: the proxy's certificate authority can't be used ({type(error).__name__}): "
                "remove ca.pem and ca.key there, or name another folder with --state"
            ) from None

    def context(self, host: str) -> ssl.SSLContext:
        """Return a server's TLS context for one host; it is made once for each host."""
        import trustme

        if host not in self._contexts:
            expires = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=_LEAF_DAYS)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            leaf = self._authority.issue_cert(host, not_after=expires).private_key_and_cert_chain_pem
            # With the authority's own certificate: a browser knows the authority by a key in what it is sent.
            with trustme.Blob(leaf.bytes() + self._authority.cert_pem.bytes()).tempfile() as chain:
                context.load_cert_chain(chain)
            self._contexts[host] = context
        return self._contexts[host]

    def key_hash(self) -> str:
        """Return the hash of the public key, by which a Chromium can be told to trust the authority."""
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
        from cryptography.x509 import load_pem_x509_certificate

        key = load_pem_x509_certificate(self._authority.cert_pem.bytes()).public_key()
        digest = hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()
        return base64.b64encode(digest).decode()

    def _make(self) -> None:
        import trustme

        authority = trustme.CA(organization_unit_name=_NAME, path_length=0)
        _write_private(self._key_file, authority.private_key_pem.bytes())
        _write_private(self.certificate, authority.cert_pem.bytes())

    def _load(self) -> "trustme.CA":
        """Restrict both files to their owner, and read them."""
        import trustme

        was_open = self._key_file.stat().st_mode & 0o077
        for file in (self._key_file, self.certificate):
            make_private(file)
        if was_open:
            _log.warning(
                "if another user may have copied %s, remove ca.pem and ca.key in that folder: new ones are made, which "
                "clients must trust again",
                self._key_file,
            )
        return trustme.CA.from_pem(self.certificate.read_bytes(), self._key_file.read_bytes())


def _write_private(path: Path, data: bytes) -> None:
    """Write a file, or replace it. Only its owner can read it, from its first moment on."""
    descriptor, name = tempfile.mkstemp(dir=path.parent)  # of mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink()
        raise
