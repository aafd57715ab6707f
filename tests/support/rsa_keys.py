"""RSA keys for tests. PyCryptodome takes ten times as long to make one as OpenSSL."""

from Crypto.PublicKey import RSA
from cryptography.hazmat.primitives.asymmetric import rsa


def new_rsa_key(bits: int = 2048) -> RSA.RsaKey:
    """Return a new private key."""
    made = rsa.generate_private_key(public_exponent=65537, key_size=bits).private_numbers()
    numbers = (made.public_numbers.n, made.public_numbers.e, made.d, made.p, made.q)
    return RSA.construct(numbers, consistency_check=False)
