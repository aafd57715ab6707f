"""A certificate authority for the proxy: made on first use, kept in a folder of the emulator, trusted by nobody else.

Clients of WeCom with a hard-coded https:// base URL reach the emulator when they trust this authority. Its key can
sign for any host, so it is readable by its owner only, and a client is told of it by a variable, never by the system's
store. Knows nothing of sockets.
"""

import datetime
import ipaddress
import logging
import os
import ssl
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from wwspec_router.errors import ConfigurationError

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

__all__ = ["Authority", "default_folder"]

_log = logging.getLogger("uvicorn.error")

_NAME = "wwspec_router emulator"
_YEARS = 5
_LEAF_DAYS = 90


def default_folder() -> Path:
    """Return the folder of the authority when none is named: under XDG_STATE_HOME, or ~/.local/state.

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
    """Signs certificates for hosts that the proxy stands in for.

    Args:
        folder: Holds `ca.pem`, to be trusted by clients, and `ca.key`; made when missing.

    Raises:
        ConfigurationError: The extra `proxy` is not installed, or the folder can't be used.
    """

    def __init__(self, folder: Path) -> None:
        try:
            import cryptography  # noqa: F401 - heavy, and needed by the proxy only
        except ImportError:
            raise ConfigurationError(
                "the proxy needs cryptography: install wwspec_router with the extra 'proxy'"
            ) from None
        self.certificate = folder / "ca.pem"
        """What a client trusts: SSL_CERT_FILE, REQUESTS_CA_BUNDLE or NODE_EXTRA_CA_CERTS."""
        self._key_file = folder / "ca.key"
        self._folder = folder
        self._contexts: dict[str, ssl.SSLContext] = {}
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self.certificate.exists() and self._key_file.exists():
                self._make_private()
            else:
                self._make()
            self._load()
        except OSError as error:
            raise ConfigurationError(
                f"{folder}: the proxy can't keep its certificate authority there ({error.strerror}): "
                "name another folder with --state"
            ) from None
        except ValueError as error:
            raise ConfigurationError(
                f"{folder}: the proxy's certificate authority can't be used ({type(error).__name__}): "
                "remove ca.pem and ca.key there, or name another folder with --state"
            ) from None

    def context(self, host: str) -> ssl.SSLContext:
        """Return a server's TLS context for one host; made once a host."""
        if host not in self._contexts:
            self._contexts[host] = self._context(host)
        return self._contexts[host]

    def _make(self) -> None:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, _NAME)])
        usage = x509.KeyUsage(
            digital_signature=False,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        builder = _certificate(name, name, key.public_key(), 365 * _YEARS)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        builder = builder.add_extension(usage, critical=True)
        certificate = builder.sign(key, hashes.SHA256())
        _write_private(self._key_file, _pem(key))
        self.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def _make_private(self) -> None:
        """Take the key from others, who may have read it already."""
        mode = stat.S_IMODE(self._key_file.stat().st_mode)
        if mode & 0o077:
            self._key_file.chmod(0o600)
            _log.warning(
                "%s could be read by others (mode %04o) and is private now. If one of them may have copied it, remove "
                "ca.pem and ca.key in that folder: new ones are made, which clients must trust again",
                self._key_file,
                mode,
            )

    def _load(self) -> None:
        from cryptography import x509
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        key = serialization.load_pem_private_key(self._key_file.read_bytes(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ValueError("not a key of this program")
        self._key = key
        self._issuer = x509.load_pem_x509_certificate(self.certificate.read_bytes())

    def _context(self, host: str) -> ssl.SSLContext:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.x509.oid import ExtendedKeyUsageOID

        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host[:64])])
        builder = _certificate(name, self._issuer.subject, key.public_key(), _LEAF_DAYS)
        builder = builder.add_extension(x509.SubjectAlternativeName([_general_name(host)]), critical=False)
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
        )
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        leaf = builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        path = self._folder / f"leaf-{os.getpid()}-{len(self._contexts)}.pem"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            _write_private(path, _pem(key) + leaf)  # ssl reads certificates from files only
            context.load_cert_chain(path)
        finally:
            path.unlink(missing_ok=True)
        return context


def _certificate(
    subject: "x509.Name", issuer: "x509.Name", key: "ec.EllipticCurvePublicKey", days: int
) -> "x509.CertificateBuilder":
    from cryptography import x509

    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _general_name(host: str) -> "x509.GeneralName":
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(key: "ec.EllipticCurvePrivateKey") -> bytes:
    from cryptography.hazmat.primitives import serialization

    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write_private(path: Path, data: bytes) -> None:
    """Put a file in place that only its owner can read, from the moment it exists, whatever is there already."""
    descriptor, name = tempfile.mkstemp(dir=path.parent)  # of mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink()
        raise
