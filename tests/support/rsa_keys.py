"""RSA keys for tests. PyCryptodome takes five times as long to make one as to read one that OpenSSL has made."""

from Crypto.PublicKey import RSA
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


def new_rsa_key(bits: int = 2048) -> RSA.RsaKey:
    """Return a new private key."""
    made = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    return RSA.import_key(made.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
