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


def test_sealed_headers_are_named_in_lower_case() -> None:
    assert list(seal.seal_call(KEY, CALL).headers) == HEADERS
    assert list(sealed_reply().headers) == HEADERS


def refuse_call(sealed: seal.Sealed, body: str | None = None, match: str | None = None, key: bytes = KEY) -> None:
    with pytest.raises(seal.SealError, match=match):
        seal.open_call(key, sealed.headers.items(), sealed.body if body is None else body)


def refuse_reply(sealed: seal.Sealed, body: str | None = None, key: bytes = KEY) -> None:
    with pytest.raises(seal.SealError):
        seal.open_reply(key, sealed.headers.items(), sealed.body if body is None else body)


@given(st.data())
def test_a_body_with_any_character_changed_is_refused(data: st.DataObject) -> None:
    sealed = seal.seal_call(KEY, CALL)
    at = data.draw(st.integers(0, len(sealed.body) - 1))
    other = data.draw(st.characters().filter(lambda character: character != sealed.body[at]))
    refuse_call(sealed, sealed.body[:at] + other + sealed.body[at + 1 :])


@given(st.integers(min_value=0))
def test_a_truncated_body_is_refused(length: int) -> None:
    sealed = seal.seal_call(KEY, CALL)
    refuse_call(sealed, sealed.body[: length % len(sealed.body)])


@given(st.sampled_from(HEADERS), st.text())
def test_a_changed_header_is_refused(name: str, value: str) -> None:
    sealed = seal.seal_call(KEY, CALL)
    if sealed.headers[name] != value:
        sealed.headers[name] = value
        refuse_call(sealed)


@pytest.mark.parametrize("name", HEADERS)
def test_a_missing_header_is_named(name: str) -> None:
    sealed = seal.seal_call(KEY, CALL)
    del sealed.headers[name]
    refuse_call(sealed, match=name)


@pytest.mark.parametrize("name", HEADERS)
def test_a_header_not_in_lower_case_is_refused(name: str) -> None:
    sealed = seal.seal_call(KEY, CALL)
    headers = [(each.title() if each == name else each, value) for each, value in sealed.headers.items()]
    with pytest.raises(seal.SealError, match="lower case"):
        seal.open_call(KEY, headers, sealed.body)


def test_headers_of_other_names_may_have_any_case() -> None:
    sealed = seal.seal_call(KEY, CALL)
    headers = [("Content-Type", "text/plain"), *sealed.headers.items(), ("HOST", "x")]
    assert seal.open_call(KEY, headers, sealed.body) == CALL


def test_a_header_that_comes_twice_or_is_unknown_is_refused() -> None:
    sealed = seal.seal_call(KEY, CALL)
    for extra in [("ww-kind", "call"), ("ww-more", "1")]:
        with pytest.raises(seal.SealError):
            seal.open_call(KEY, [*sealed.headers.items(), extra], sealed.body)


def test_another_key_opens_nothing() -> None:
    refuse_call(seal.seal_call(KEY, CALL), key=OTHER_KEY)
    refuse_reply(sealed_reply(), key=OTHER_KEY)


def test_a_call_is_no_reply_and_a_reply_no_call() -> None:
    refuse_reply(seal.seal_call(KEY, CALL))
    refuse_call(sealed_reply())


def test_the_exception_header_can_not_be_taken_off() -> None:
    sealed = sealed_reply(exception=True)
    sealed.headers["ww-kind"] = "reply"
    refuse_reply(sealed)


def test_one_body_goes_out_under_either_header() -> None:
    body = seal.encrypt(KEY, "text")
    for exception in (False, True):
        headers = seal.reply_headers(KEY, body, "r", 1, exception=exception)
        assert seal.open_reply(KEY, headers.items(), body).is_exception is exception


def test_the_headers_of_one_reply_do_not_fit_another_body() -> None:
    refuse_reply(sealed_reply(), sealed_reply().body)


def test_sealing_twice_gives_different_bodies() -> None:
    assert seal.encrypt(KEY, "text") != seal.encrypt(KEY, "text")


def test_a_key_of_another_length_and_a_lone_surrogate_are_refused() -> None:
    with pytest.raises(seal.SealError, match="32 bytes"):
        seal.encrypt(b"short", "text")
    with pytest.raises(seal.SealError, match="surrogate"):
        seal.encrypt(KEY, "\ud800")
