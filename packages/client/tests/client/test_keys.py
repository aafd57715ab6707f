"""The key ring opens what WeCom seals, and says which private key is missing."""

import base64
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from Crypto.Cipher import PKCS1_OAEP, PKCS1_v1_5
from Crypto.PublicKey import RSA
from hypothesis import given, strategies as st
from msgspec import convert

from tests.support.rsa_keys import new_rsa_key
from tests.support.tables import for_each
from wwspec_client import KeyMissingError, KeyRing, KeyRingError, ZoneClient
from wwspec_contracts import sync_msg
from wwspec_contracts.base import UNSET
from wwspec_contracts.errors import ConfigurationError
from wwspec_contracts.messages import Message, MsgType, ServiceEncryptInfo

FIRST, SECOND, LONG = new_rsa_key(2048), new_rsa_key(2048), new_rsa_key(3072)
SESAME = "open sesame"
PEM = FIRST.export_key().decode()
RING = KeyRing({1: PEM, 2: SECOND.export_key(pkcs=8).decode()})


def sealed(secret: bytes, key: RSA.RsaKey = FIRST, version: int = 1, *, oaep: bool = False) -> dict[str, object]:
    cipher = PKCS1_OAEP.new(key.public_key()) if oaep else PKCS1_v1_5.new(key.public_key())
    return {"encrypted_secret_key": base64.b64encode(cipher.encrypt(secret)).decode(), "public_key_ver": version}


def test_messages_of_a_task_have_opened_keys_each_once_and_only_those_that_a_task_takes() -> None:
    key = convert(sealed(b"key"), ServiceEncryptInfo)
    said = [
        Message(msgid="1", msgtype=MsgType.TEXT, service_encrypt_info=key),
        Message(msgid="2", msgtype=MsgType.IMAGE, service_encrypt_info=key),
        Message(msgid="3", msgtype=MsgType.VOICE, service_encrypt_info=key),
        Message(msgid="1", msgtype=MsgType.TEXT, service_encrypt_info=key),
        Message(msgid="4", msgtype=MsgType.TEXT),
        Message(msgid="5", msgtype=MsgType.TEXT, service_encrypt_info=ServiceEncryptInfo()),
        Message(msgid="6", msgtype=MsgType.AUDIO_ARCHIVE, service_encrypt_info=key),
    ]
    opened = [(each.msgid, each.encrypt_info.secret_key) for each in RING.message_keys(said)]
    assert opened == [("1", "key"), ("3", "key"), ("6", "key")]
    lost = convert(sealed(b"key", version=7), ServiceEncryptInfo)
    with pytest.raises(KeyMissingError, match="version 7"):
        RING.message_keys([Message(msgid="1", msgtype=MsgType.TEXT, service_encrypt_info=lost)])


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=64))
def test_what_is_sealed_is_opened(secret: str) -> None:
    assert RING.open(sealed(secret.encode())) == secret


def test_a_version_that_is_missing_is_named_and_no_key_is_shown() -> None:
    assert repr(RING) == "KeyRing(versions=[1, 2])"
    with pytest.raises(KeyMissingError, match="no private key of version 7: it has 1, 2") as caught:
        RING.open(sealed(b"secret", version=7))
    assert caught.value.version == 7
    with pytest.raises(KeyMissingError, match="it has none"):
        KeyRing({}).open(sealed(b"secret"))
    with pytest.raises(ConfigurationError, match="the key ring has no key"):
        KeyRing({}).public_key()


NO_NUMBER = "public_key_ver is not a whole number"
WRONG: list[object] = ["", "one", "²", "9" * 5000, 1.5, float("inf"), float("nan"), 1e300, None, True, [1], {}, b"1"]


@for_each(
    [
        (UNSET, "the message has no service_encrypt_info"),
        ({"public_key_ver": 1}, "encrypted_secret_key is not a string"),
        ({"encrypted_secret_key": "%%%", "public_key_ver": 1}, "is not Base64"),
        ({"encrypted_secret_key": "", "public_key_ver": 1}, "version 1 does not open"),
        ({"encrypted_secret_key": "c2hvcnQ=", "public_key_ver": 1}, "version 1 does not open"),
        (sealed(b"secret", SECOND), "another public key than the one that WeCom has"),
        *(({"encrypted_secret_key": "AA==", "public_key_ver": each}, NO_NUMBER) for each in WRONG),
    ]
)
def test_a_message_whose_key_can_not_be_opened_says_why(info: Any, said: str) -> None:
    with pytest.raises(KeyRingError, match=said):
        RING.open(info)


def test_a_version_may_be_a_string_of_digits_and_a_huge_one_is_missing() -> None:
    assert RING.open(sealed(b"secret") | {"public_key_ver": "1"}) == "secret"
    with pytest.raises(KeyMissingError):
        RING.open(sealed(b"secret", version=10**400))


@pytest.mark.parametrize("pkcs", [1, 8])
def test_keys_come_from_files_with_and_without_a_passphrase(tmp_path: Path, pkcs: int) -> None:
    plain, closed = tmp_path / "plain.pem", tmp_path / "closed.pem"
    plain.write_bytes(FIRST.export_key(pkcs=pkcs))
    closed.write_bytes(SECOND.export_key(pkcs=pkcs, passphrase=SESAME))
    ring = KeyRing({2: closed, 1: plain}, passphrase=SESAME)
    assert (ring.versions, ring.latest) == ((1, 2), 2)
    assert ring.open(sealed(b"secret", SECOND, 2)) == "secret"
    for passphrase in (SESAME[1:], None):
        with pytest.raises(ConfigurationError, match="version 2 is not PEM, or its passphrase is another one"):
            KeyRing({2: closed}, passphrase=passphrase)


@for_each(
    [
        ("no key", "version 1 is not PEM"),
        (FIRST.public_key().export_key().decode(), "version 1 is a public key"),
        (Path("nowhere.pem"), r"version 1: nowhere\.pem can't be read: No such file"),
        (LONG.export_key().decode(), "version 1 has 3072 bits; WeCom takes 2048"),
    ]
)
def test_a_key_that_can_not_be_used_is_refused_with_its_version(pem: str | Path, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        KeyRing({1: pem})


class Kms:
    """A key that never leaves it."""

    def __init__(self, key: RSA.RsaKey) -> None:
        self._key = key
        self.calls = 0

    def decrypt(self, ciphertext: bytes) -> bytes:
        self.calls += 1
        opened: bytes = PKCS1_v1_5.new(self._key).decrypt(ciphertext, b"")
        return opened


def test_a_key_in_a_kms_opens_messages_beside_one_in_a_file(app: ZoneClient) -> None:
    kms = Kms(SECOND)
    ring = KeyRing({1: PEM, 2: kms.decrypt}, public_keys={2: SECOND.public_key().export_key().decode()})
    assert (ring.versions, ring.latest) == ((1, 2), 2)
    assert (ring.public_key(), ring.fingerprint()) == (RING.public_key(2), RING.fingerprint(2))
    assert ring.open(sealed(b"secret")) == "secret"
    assert kms.calls == 0
    app.ensure_public_key(ring)
    [message] = app.call(sync_msg.Request(limit=1)).msg_list
    assert ring.open(message.service_encrypt_info) == RING.open(message.service_encrypt_info)
    assert kms.calls == 1


def test_the_public_key_of_a_kms_may_be_a_file_and_is_missed_only_where_it_is_needed(tmp_path: Path) -> None:
    file = tmp_path / "public.pem"
    file.write_bytes(SECOND.public_key().export_key())
    assert KeyRing({2: Kms(SECOND).decrypt}, public_keys={2: file}).fingerprint() == RING.fingerprint(2)
    private = KeyRing({2: Kms(SECOND).decrypt}, public_keys={2: SECOND.export_key().decode()})
    assert "PRIVATE" not in private.public_key(), "a private key that is given as the public one is handed out"
    ring = KeyRing({2: Kms(SECOND).decrypt})
    assert ring.open(sealed(b"secret", SECOND, 2)) == "secret"
    for asked in (ring.public_key, ring.fingerprint):
        with pytest.raises(ConfigurationError, match="no public key of version 2: give it one, as public_keys="):
            asked()
    wrong: dict[str, dict[int, str | Path]] = {
        "public_keys has version 3, which has no decryptor": {3: file},
        "the public key of version 2 is not PEM": {2: "no key"},
        "the public key of version 2 has 3072 bits": {2: LONG.public_key().export_key().decode()},
    }
    for said, public_keys in wrong.items():
        with pytest.raises(ConfigurationError, match=said):
            KeyRing({2: Kms(SECOND).decrypt}, public_keys=public_keys)


def test_what_a_kms_raises_is_an_error_of_the_ring_that_shows_nothing_of_it() -> None:
    def denied(ciphertext: bytes) -> bytes:
        raise PermissionError("token-of-the-kms")

    ring = KeyRing({2: denied})
    with pytest.raises(KeyRingError, match="the decryptor of version 2 failed: PermissionError") as caught:
        ring.open(sealed(b"secret", SECOND, 2))
    assert "token-of-the-kms" not in str(caught.value)
    assert repr(ring) == "KeyRing(versions=[2])"


@for_each([b"", b"\xff\x00", "text", None])
def test_what_a_kms_returns_is_checked(opened: object) -> None:
    ring = KeyRing({2: lambda ciphertext: opened})  # type: ignore[dict-item]
    with pytest.raises(KeyRingError, match="version 2 does not open this secret key"):
        ring.open(sealed(b"secret", SECOND, 2))


def test_threads_share_a_ring_with_a_kms_and_messages_of_both_paddings() -> None:
    ring = KeyRing({1: PEM, 2: Kms(SECOND).decrypt})
    secrets = [f"secret-{number}" for number in range(40)]
    keys = [(FIRST, 1), (SECOND, 2)] * 20
    infos = [sealed(text.encode(), *keys[each], oaep=each % 4 == 0) for each, text in enumerate(secrets)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ring.open, infos)) == secrets
