"""The pytest test of a recorded exchange. That such tests run green is shown in console/test_entry.py."""

import ast
import json
from typing import Any

import pytest
from hypothesis import given, strategies as st

from wwspec_devtools.emulator.pytests.flow import Exchange, Flow, Sent, Texts
from wwspec_devtools.emulator.pytests.python import assignment, literal
from wwspec_devtools.emulator.pytests.recorded import ANY, Asserts, RecordedTest, recorded_test, stable_values

TEXTS = st.text(st.characters(exclude_categories=())) | st.sampled_from(['"', "'", '"""', "\\", "\n", "\x00", "\ud800"])


def values(texts: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    """Return a strategy for JSON values."""
    scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
    return st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=20)


def written(
    kind: str, name: str, request: str, reply: str, asserts: Asserts | None = None, **more: Any
) -> RecordedTest | None:
    """Return the test of an exchange that belongs to no other."""
    fields = {"ability": name if kind == "call" else "", "errcode": 0, "program_errcode": None, "call": None, **more}
    exchange = Exchange(
        number=1,
        kind=kind,
        name=name,
        parent=None,
        time_ms=1_750_000_000_000,
        reason=("", ""),
        faults=[],
        contract=None,
        text=Texts(request, reply),
        **fields,
    )
    return recorded_test(Flow(1, {1: exchange}, lambda row: row), asserts)


SENT = Sent(notify_id="", request_id="r1", is_async=False)


@given(value=values(TEXTS), indent=st.integers(0, 8), taken=st.integers(0, 100))
def test_a_value_read_back_from_its_source_is_the_same(value: Any, indent: int, taken: int) -> None:
    source = literal(value, taken, indent=indent)
    assert repr(ast.literal_eval(source)) == repr(value)  # 1.0 is not 1, and 0.0 not -0.0
    (assigned,) = ast.parse(f"if 1:\n{assignment('name', value)}").body[0].body  # type: ignore[attr-defined]
    assert repr(ast.literal_eval(assigned.value)) == repr(value)


UNICODE = st.text() | st.sampled_from(['"', "'", '"""', "\\", "\n", "\x00", "***", "\u202e"])


@pytest.mark.parametrize("kind", ["call", "event"])
@given(name=UNICODE, request=values(UNICODE), reply=values(UNICODE), asserts=st.sampled_from(["values", "shape", None]))
def test_whatever_an_exchange_holds_its_test_is_one_function(
    kind: str, name: str, request: Any, reply: Any, asserts: Asserts | None
) -> None:
    found = written(kind, name, json.dumps(request), json.dumps(reply), asserts, call=SENT)
    assert found is not None or (kind == "event" and not isinstance(request, dict | list))
    if found is not None:
        docstring, *imports, function = ast.parse(found.source).body
        assert isinstance(docstring, ast.Expr)
        assert {type(each) for each in imports} <= {ast.Import, ast.ImportFrom}
        assert isinstance(function, ast.FunctionDef)
        assert found.source.encode()


def test_a_masked_token_is_that_of_an_event_and_another_masked_value_is_to_be_filled_in() -> None:
    found = written("call", "a", '{"token": "***", "secret": "***"}', '{"errcode": 0}', call=SENT)
    assert found is not None
    assert 'zone.call("a", {"token": token, "secret": "***"})' in found.source
    assert "# Values that are *** were masked: fill them in." in found.source
    assert found.is_incomplete


def test_what_differs_each_time_is_any_value_and_what_is_made_of_data_is_a_shape() -> None:
    reply = '{"errcode": 0, "at": 1750000005, "id": "r1", "secret": "***", "n": 7, "l": [{"a": 1}, {"b": ""}]}'
    by_values = written("call", "a", "{}", reply, "values", call=SENT)
    assert by_values is not None
    assert "from unittest.mock import ANY" in by_values.source
    assert '"at": ANY,\n        "id": ANY,\n        "secret": ANY,\n        "n": 7,' in by_values.source
    by_shape = written("call", "a", "{}", reply, "shape", call=SENT)
    assert by_shape is not None
    assert '"l": [{"a": 1, "b": ""}],' in by_shape.source
    mixed = written("call", "a", "{}", '{"l": [1, ""]}', "shape", call=SENT)
    assert mixed is not None
    assert mixed.asserts == "values", "no shape has both"


def test_a_number_within_some_400_days_of_the_exchange_is_a_time_in_seconds_or_milliseconds() -> None:
    year, second = 365 * 24 * 3600, 1_750_000_000
    times = [unit * (second + way * year) for unit in (1, 1000) for way in (-1, 1)]
    others = [unit * (second + 2 * way * year) for unit in (1, 1000) for way in (-1, 1)]
    assert stable_values([*times, *others], second, "") == [ANY] * len(times) + others


def test_a_text_that_is_no_json_is_sent_as_it_is_and_what_is_nested_too_deeply_is_masked() -> None:
    no_json = written("call", "a", "{", "", call=SENT)
    assert no_json is not None
    assert 'zone.call("a", "{")' in no_json.source
    deep = written("call", "a", "[" * 500 + "]" * 500, "", call=SENT)
    assert deep is not None
    assert deep.is_incomplete
    compile(deep.source, "test", "exec")
