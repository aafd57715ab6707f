"""The encryption and the XML of callbacks."""

import base64
import os
import re

import pytest
from Crypto.Cipher import AES
from hypothesis import given, strategies as st

from tests.support.tables import for_each
from wwspec_contracts.callbacks import CallbackCrypto, CallbackError, CallbackReceiver, read_xml, write_xml
from wwspec_contracts.errors import ConfigurationError

TOKEN = "callback-token"  # noqa: S105
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
CORPID = "wwcorp"
CRYPTO = CallbackCrypto(TOKEN, AES_KEY, CORPID)

names = st.from_regex(r"[A-Za-z]\w{0,10}", fullmatch=True)


@given(st.text())
def test_a_receiver_opens_what_is_signed_for_it(text: str) -> None:
    encrypted = CRYPTO.encrypt(write_xml({"NotifyId": text}))
    query = CRYPTO.query(5, encrypted)
    opened = CallbackReceiver(CRYPTO).open(query, write_xml({"Encrypt": encrypted}))
    assert opened.fields == {"NotifyId": text}


@given(st.dictionaries(names, st.text() | st.integers()))
def test_xml_reads_back_as_it_was_written(fields: dict[str, str | int]) -> None:
    assert read_xml(write_xml(fields)) == {name: str(value) for name, value in fields.items()}


@for_each(
    [
        "",
        "<xml>",
        '<?xml version="1.0"?><xml></xml>',
        '<!DOCTYPE xml [<!ENTITY a "b">]><xml><A>&a;</A></xml>',
        "<xml><A><B>1</B></A></xml>",
        "<xml><A>1</B></xml>",
        '<xml><A x="1">1</A></xml>',
        "<xml>text</xml>",
        "<other></other>",
        "<xml></xml><xml></xml>",
    ]
)
def test_xml_of_any_other_form_is_refused(text: str) -> None:
    with pytest.raises(CallbackError):
        read_xml(text)


def test_indented_xml_is_read() -> None:
    assert read_xml("<xml>\n <A><![CDATA[1]]></A>\n <B>2 &amp; 3</B>\n</xml>\n") == {"A": "1", "B": "2 & 3"}


@for_each(["msg_signature", "timestamp", "nonce"])
def test_a_changed_query_is_refused(changed: str) -> None:
    encrypted = CRYPTO.encrypt(write_xml({"A": 1}))
    query = CRYPTO.query(5, encrypted)
    query[changed] += "0"
    for given_query in (query, {}):
        with pytest.raises(CallbackError, match="signature"):
            CallbackReceiver(CRYPTO).open(given_query, write_xml({"Encrypt": encrypted}))


@given(st.data())
def test_a_ciphertext_of_noise_is_refused(data: st.DataObject) -> None:
    noise = data.draw(st.text() | st.binary().map(lambda content: content.hex()))
    with pytest.raises(CallbackError):
        CRYPTO.decrypt(noise)


def test_another_key_or_receiver_decrypts_nothing() -> None:
    encrypted = CRYPTO.encrypt("text")
    with pytest.raises(CallbackError, match="another receiver"):
        CallbackCrypto(TOKEN, AES_KEY, "other").decrypt(encrypted)
    with pytest.raises(CallbackError):
        CallbackCrypto(TOKEN, AES_KEY[::-1], CORPID).decrypt(encrypted)


def test_the_signature_is_the_sha1_of_the_sorted_parts() -> None:
    crypto = CallbackCrypto("QDG6eK", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", "wx5823bf96d3bd56c7")
    encrypted = (
        "RypEvHKD8QQKFhvQ6QleEB4J58tiPdvo+rtK1I9qca6aM/wvqnLSV5zEPeusUiX5L5X/0lWfrf0QADHHhGd3QczcdCUpj911L3vg3W/sYYvuJTs"
        "3TUUkSUXxaccAS0qhxchrRYt66wiSpGLYL42aM6A8dTT+6k4aSknmPj48kzJs8qLjvd4Xgpue06DOdnLxAUHzM6+kDZ+HMZfJYuR+LtwGc2hgf5g"
        "sijff0ekUNXZiqATP7PF5mZxZ3Izoun1s4zG4LUMnvw2r+KqCKIw+3IQH03v+BCA9nMELNqbSf6tiWSrXJB3LAVGUcallcrw8V2t9EL4EhzJWrQU"
        "ax5wLVMNS0+rUPA3k22Ncx4XXZS9o0MBH27Bo6BpNelZpS+/uh9KsNlY6bHCmJU9p8g7m3fVKn28H3KDYA5Pl/T8Z1ptDAVe0lXdQ2YoyyH2uyPI"
        "GHBZZIs2pDBS8R07+qN+E7Q=="
    )
    assert crypto.signature("1409659813", "1372623149", encrypted) == "477715d11cdb4164915debcba66cb864d751f3e6"
    assert read_xml(crypto.decrypt(encrypted))["ToUserName"] == "wx5823bf96d3bd56c7"


@for_each(["", "short", "!" * 43, AES_KEY + "x"])
def test_an_encoding_aes_key_that_is_none_is_refused(key: str) -> None:
    with pytest.raises(ConfigurationError, match="43"):
        CallbackCrypto(TOKEN, key, CORPID)


@given(st.text(max_size=200), st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_a_ciphertext_with_a_changed_or_missing_byte_is_refused_or_another_text(
    text: str, at: int, change: int
) -> None:
    """The signature is what protects it; without one, nothing but CallbackError may come out."""
    sealed = bytearray(base64.b64decode(CRYPTO.encrypt(text)))
    cut = bytes(sealed[: at % len(sealed)])
    sealed[at % len(sealed)] ^= change
    for damaged in (bytes(sealed), cut):
        try:
            opened = CRYPTO.decrypt(base64.b64encode(damaged).decode())
        except CallbackError:
            continue
        assert len(opened.encode()) == len(text.encode())


def by_hand(plain: bytes) -> str:
    """Encrypt what nobody has checked with the app's key."""
    key = base64.b64decode(f"{AES_KEY}=")
    return base64.b64encode(AES.new(key, AES.MODE_CBC, iv=key[:16]).encrypt(plain)).decode()


@given(st.binary(max_size=120))
def test_a_plaintext_of_noise_is_refused_or_has_its_own_length(plain: bytes) -> None:
    padded = plain + b"\0" * (-len(plain) % 16)
    try:
        text, receive_id = CRYPTO.unseal(by_hand(padded))
    except CallbackError:
        return
    length = int.from_bytes(padded[16:20], "big")
    assert len(text.encode()) == length
    assert 20 + length + len(receive_id.encode()) + padded[-1] == len(padded)


@for_each([2**32 - 1, 100, 6])
def test_a_length_beyond_the_content_is_refused(length: int) -> None:
    """The text would be cut, or take the receive ID and the padding for its own."""
    plain = os.urandom(16) + length.to_bytes(4, "big") + b"text" + b"w"
    fill = 32 - len(plain) % 32
    with pytest.raises(CallbackError, match="does not decrypt"):
        CRYPTO.unseal(by_hand(plain + bytes([fill]) * fill))


@given(st.text(), st.text(min_size=1).filter(lambda name: name != CORPID))
def test_only_what_is_for_the_receive_id_is_opened(text: str, receive_id: str) -> None:
    crypto = CallbackCrypto(TOKEN, AES_KEY, receive_id)
    encrypted = crypto.encrypt(text)
    query = {**crypto.query(5, encrypted), "echostr": encrypted}
    assert CallbackReceiver(CRYPTO).unseal(query, encrypted) == (text, receive_id)
    with pytest.raises(CallbackError, match="another receiver"):
        CallbackReceiver(CRYPTO).answer_echo(query)


PIECES = ["<xml>", "</xml>", "<A>", "</A>", "<A", "<![CDATA[", "]]>", "<!DOCTYPE xml>", '<!ENTITY a "b">', "&a;"]
PIECES += ["&lt;", "<?x?>", " "]


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=12).map("".join), st.booleans())
def test_hostile_xml_is_refused_or_read_without_expanding_anything(text: str, nested: bool) -> None:
    for each in (text, f"<xml>{text}</xml>"):
        try:
            fields = read_xml(each, nested=nested)
        except CallbackError:
            continue
        assert all(re.fullmatch(r"\w+", name) for name in fields)
        assert sum(map(len, fields.values())) <= len(each)


def test_a_long_body_is_refused_as_fast_as_it_is_long() -> None:
    """None of these takes a time that grows with the square of the length: a second time would be seen."""
    for text in ("<xml>" + "<A><![CDATA[" * 20_000, "<xml>" + " " * 250_000, "<xml>" + "<A>" * 80_000 + "</xml>"):
        with pytest.raises(CallbackError):
            read_xml(text, nested=True)
