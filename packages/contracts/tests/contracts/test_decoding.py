"""JSON from outside: decoded, or refused with one exception whatever is wrong with it."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, strategies as st

from tests.support.tables import for_each
from wwspec_contracts.decoding import decode_json
from wwspec_contracts.errors import JsonError


class Pair(msgspec.Struct):
    name: str
    number: int = 0


def test_a_text_is_a_value_of_the_type_asked_for_or_refused_with_the_path() -> None:
    assert decode_json(b'{"a": [1, null]}') == {"a": [1, None]}
    assert decode_json('{"name": "n"}', Pair) == Pair("n")
    with pytest.raises(JsonError, match=r"Expected `int`, got `str` - at `\$\.number`"):
        decode_json('{"name": "n", "number": "a-secret"}', Pair)


@for_each(
    [
        ("{", "Input data was truncated"),
        (b'"a-secret \xff"', "it is not text in UTF-8"),
        ('"\ud800"', "it is not text in UTF-8"),
        ("[" * 100_000, "it is nested too deeply"),
        ("1" + "0" * 5000, "Integer value out of range"),
    ]
)
def test_what_is_not_json_is_refused_with_the_reason_and_without_the_text(text: str | bytes, reason: str) -> None:
    with pytest.raises(JsonError, match=reason) as raised:
        decode_json(text)
    assert raised.value.__cause__ is None and raised.value.__context__ is None


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_any_text_is_decoded_as_python_does_or_refused(text: str | bytes) -> None:
    try:
        value: Any = decode_json(text)
    except JsonError:
        return
    assert json.loads(text) == value
