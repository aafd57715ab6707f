import base64

import pytest
from hypothesis import given, strategies as st

from tests.support.sealing import seal_reply
from wwspec_devtools.emulator.standin.wwspec_standin import seal

KEY = bytes(range(32))
OTHER_KEY = bytes(32)
HEADERS = ["ww-seal", "ww-kind", "ww-request-id", "ww-timestamp", "ww-signature"]

calls = st.builds(
    seal.CallContent,
    corpid=st.text(),
    agentid=st.integers(),
    call_type=st.integers(1, 2),
    data=st.text(),
    request_id=st.text("abc123_-", min_size=1),
    timestamp=st.integers(0, 2**40),
    ability_id=st.text(),
    notify_id=st.text(),
    is_async=st.booleans(),
    job_info=st.text(),
)
CALL = seal.CallContent("ww1", 7, 1, '{"a": "中"}', "req-1", 1_750_000_000, ability_id="echo")


def sealed_reply(*, exception: bool = False) -> seal.Sealed:
    return seal_reply(KEY, "好", "req-1", 5, exception=exception)


@given(calls)
def test_a_call_opens_to_what_was_sealed(call: seal.CallContent) -> None:
    sealed = seal.seal_call(KEY, call)
    assert seal.open_call(KEY, sealed.headers.items(), sealed.body) == call


@given(st.text(), st.text("abc123"), st.booleans())
def test_a_reply_opens_to_what_was_sealed(text: str, request_id: str, exception: bool) -> None:
    sealed = seal_reply(KEY, text, request_id, 5, exception=exception)
    opened = seal.open_reply(KEY, sealed.headers.items(), sealed.body)
    assert opened == (text, request_id, exception)


def test_a_body_is_a_nonce_of_12_bytes_the_text_and_a_tag_of_16() -> None:
    assert len(base64.b64decode(sealed_reply().body)) == 12 + len("好".encode()) + 16


def refuse_call(sealed: seal.Sealed, body: str | None = None, match: str | None = None, key: bytes = KEY) -> None:
    with pytest.raises(seal.SealError, match=match):
        seal.open_call(key, sealed.headers.items(), sealed.body if body is None else body)


def refuse_reply(sealed: seal.Sealed, body: str | None = None, key: bytes = KEY) -> None:
    with pytest.raises(seal.SealError):
        seal.open_reply(key, sealed.headers.items(), sealed.body if body is None else body)


@given(st.data())
def test_a_body_with_any_character_changed_or_cut_off_anywhere_is_refused(data: st.DataObject) -> None:
    sealed = seal.seal_call(KEY, CALL)
    at = data.draw(st.integers(0, len(sealed.body) - 1))
    other = data.draw(st.characters().filter(lambda character: character != sealed.body[at]))
    refuse_call(sealed, sealed.body[:at] + other + sealed.body[at + 1 :])
    refuse_call(sealed, sealed.body[:at])


@given(st.sampled_from(HEADERS), st.text())
def test_a_changed_header_is_refused(name: str, value: str) -> None:
    sealed = seal.seal_call(KEY, CALL)
    if sealed.headers[name] != value:
        sealed.headers[name] = value
        refuse_call(sealed)


@pytest.mark.parametrize("name", HEADERS)
def test_a_missing_header_is_named_and_one_not_in_lower_case_refused(name: str) -> None:
    sealed = seal.seal_call(KEY, CALL)
    value = sealed.headers.pop(name)
    refuse_call(sealed, match=name)
    sealed.headers[name.title()] = value
    refuse_call(sealed, match="lower case")


def test_headers_of_other_names_may_have_any_case_and_our_own_come_once() -> None:
    sealed = seal.seal_call(KEY, CALL)
    headers = [("Content-Type", "text/plain"), *sealed.headers.items(), ("HOST", "x")]
    assert seal.open_call(KEY, headers, sealed.body) == CALL
    for extra in [("ww-kind", "call"), ("ww-more", "1")]:
        with pytest.raises(seal.SealError):
            seal.open_call(KEY, [*sealed.headers.items(), extra], sealed.body)


def test_what_belongs_to_another_key_kind_or_body_is_refused() -> None:
    refuse_call(seal.seal_call(KEY, CALL), key=OTHER_KEY)
    refuse_reply(sealed_reply(), key=OTHER_KEY)
    refuse_reply(seal.seal_call(KEY, CALL))
    refuse_call(sealed_reply())
    refuse_reply(sealed_reply(), sealed_reply().body)
    failed = sealed_reply(exception=True)
    refuse_reply(failed._replace(headers={**failed.headers, "ww-kind": "reply"}))


def test_a_body_has_a_nonce_of_12_bytes_and_a_tag_of_16_and_differs_each_time() -> None:
    assert len(base64.b64decode(seal.encrypt(KEY, "text"))) == 12 + len("text") + 16
    assert seal.encrypt(KEY, "text") != seal.encrypt(KEY, "text")
    with pytest.raises(seal.SealError, match="32 bytes"):
        seal.encrypt(b"short", "text")
    with pytest.raises(seal.SealError, match="surrogate"):
        seal.encrypt(KEY, "\ud800")
