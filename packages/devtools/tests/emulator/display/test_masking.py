"""What is hidden of an exchange when it is shown."""

import json
from typing import Any
from urllib.parse import urlencode

from hypothesis import given, strategies as st

from wwspec_devtools.emulator.display.masking import (
    MASK,
    masked_headers,
    masked_path,
    masked_text,
    masked_value,
    unmasked_text,
)

SECRET = "in-clear-7f3a"  # noqa: S105 - what must not be shown
NAMES = st.sampled_from(
    ["token", "access_token", "secret_key", "encrypted_secret_key", "corpsecret", "job_info", "code"]
)
PLAIN = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from(["", "text", "合同", "{", "[not json", "</script>"])
)


def wrapped(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Values around a value: objects, lists, and JSON as a text inside JSON."""
    return (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "request_data"]), inner, max_size=3)
        | inner.map(lambda value: json.dumps(value))
        | inner.map(lambda value: f" {json.dumps(value, ensure_ascii=False)}")
    )


with_secret = st.dictionaries(
    NAMES, st.just(SECRET) | st.just([SECRET]) | st.just({"a": SECRET}), min_size=1, max_size=2
)
values = st.recursive(PLAIN | with_secret, wrapped, max_leaves=12)


@given(values)
def test_no_secret_is_shown_however_deep_it_is(value: Any) -> None:
    text = json.dumps(value)
    for shown in (json.dumps(masked_value(value)), masked_text(text)):
        assert SECRET not in shown
        assert (MASK in shown) == (SECRET in text)


@given(st.recursive(PLAIN, wrapped, max_leaves=12))
def test_what_has_no_secret_is_shown_as_it_is(value: Any) -> None:
    text = json.dumps(value)
    assert masked_value(value) == value
    assert masked_text(text) == text


def opened(value: Any) -> Any:
    """A value with the objects and lists that its strings hold."""
    if isinstance(value, dict):
        return {key: opened(item) for key, item in value.items()}
    if isinstance(value, list):
        return [opened(item) for item in value]
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "[", '"'):
        try:
            return opened(json.loads(value))
        except ValueError:
            return value
    return value


@given(values)
def test_what_was_masked_can_be_put_back(value: Any) -> None:
    text = json.dumps(value)
    assert opened(json.loads(unmasked_text(masked_text(text), text))) == opened(value)


def test_a_name_that_comes_twice_or_is_escaped_hides_nothing() -> None:
    for text in (f'{{"token":"{SECRET}","token":""}}', f'{{"tok\\u0065n":"{SECRET}","token":""}}'):
        assert masked_text(text) == '{"token":""}'
    assert masked_text('{"a" :  1}') == '{"a" :  1}', "what hides nothing stays as it was written"


@given(st.text(max_size=8), NAMES)
def test_secrets_of_a_query_and_of_headers_are_masked(other: str, name: str) -> None:
    path = masked_path(f"/cgi-bin/a?{urlencode({'other': other, name: SECRET})}")
    assert path == f"/cgi-bin/a?{urlencode({'other': other})}&{name}={MASK}"
    headers = [(b"Authorization", SECRET.encode()), (b"ww-job-info", SECRET.encode()), (b"host", b"a")]
    assert masked_headers(headers) == [("Authorization", MASK), ("ww-job-info", MASK), ("host", "a")]
