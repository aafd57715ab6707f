import json
import time
from typing import Any

from hypothesis import given, strategies as st

from tests.support.tables import for_each
from wwspec_contracts.matching import MAX_DEPTH, matches, merged, mismatches

integers = st.integers(-(2**63), 2**63 - 1)
"""Those that a contract takes; the platform's rule knows no bounds."""
SCALARS: dict[str, st.SearchStrategy[Any]] = {
    **{"null": st.none(), "flag": st.booleans(), "whole": integers, "string": st.text(max_size=3)},
    "fraction": st.floats(allow_nan=False, allow_infinity=False),
}
values = st.recursive(
    st.one_of(*SCALARS.values()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=4),
    max_leaves=20,
)


def type_name(value: Any) -> str:
    """Name a value's JSON type by the first character of its text."""
    text = json.dumps(value)
    first = text[0]
    if first.isdigit() or first in "-IN":
        return "fraction" if set(text) & set(".eIN") else "whole"
    return {"{": "object", "[": "array", '"': "string", "t": "flag", "f": "flag", "n": "null"}[first]


def leaves(value: Any, place: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], str]]:
    """List every place of a value with its type; all elements of an array stand at one place."""
    found = [(place, type_name(value))]
    if isinstance(value, dict):
        for key, item in value.items():
            found += leaves(item, (*place, key))
    if isinstance(value, list):
        for item in value:
            found += leaves(item, (*place, "[]"))
    return found


def oracle(example: Any, value: Any) -> bool:
    """The rule as a sentence: each place of the value is a place of the example, with the first type seen there."""
    types: dict[tuple[str, ...], str] = {}
    for place, name in leaves(example):
        if all(types.get(place[:length]) in ("object", "array") for length in range(len(place))):
            types.setdefault(place, name)
    return all(types.get(place) == name for place, name in leaves(value))


def alike(example: Any) -> bool:
    """Tell whether each array of an example holds elements of one type only, as a console example should."""
    if isinstance(example, list):
        one_type = len({type_name(item) for item in example}) <= 1
        return one_type and all(map(alike, example)) and _one_type_a_place(example)
    return all(map(alike, example.values())) if isinstance(example, dict) else True


def _one_type_a_place(example: list[Any]) -> bool:
    types: dict[tuple[str, ...], set[str]] = {}
    for place, name in leaves(example):
        types.setdefault(place, set()).add(name)
    return all(len(names) == 1 for names in types.values())


@st.composite
def subsets(draw: st.DrawFn, example: Any) -> Any:
    """Take some of an example's keys and elements, in any order and number."""
    if isinstance(example, dict):
        kept = draw(st.lists(st.sampled_from(sorted(example)), unique=True)) if example else []
        return {key: draw(subsets(example[key])) for key in kept}
    if isinstance(example, list):
        count = draw(st.integers(0, 3)) if example else 0
        return [draw(subsets(draw(st.sampled_from(example)))) for _ in range(count)]
    return draw(SCALARS[type_name(example)])


@for_each(
    [
        ({"a": 1}, {"a": 2}, True),
        ({"a": 1}, {}, True),
        ({"a": 1}, {"b": 1}, False),
        ({}, {}, True),
        ({}, {"a": 1}, False),
        (1, 1.0, False),
        (1.0, 1, False),
        (1.5, 2.0, True),
        (True, 1, False),
        (1, True, False),
        (True, False, True),
        (1, "1", False),
        (None, None, True),
        (None, 0, False),
        ("", None, False),
        ({"a": {"b": 1}}, {"a": None}, False),
        ([], [], True),
        ([], [1], False),
        ([1], [], True),
        ([1], [2, 3, 4], True),
        ([1], [2, "3"], False),
        ([1, "a"], [2], True),
        ([1, "a"], ["a"], False),
        ([{"a": 1}, {"b": 1}], [{"a": 1, "b": 2}], True),
        ([{"a": 1}, {"b": 1}], [{"c": 1}], False),
        ([{"a": [1]}, {"a": [2]}], [{"a": [3, 4]}], True),
        ([{"a": []}, {"a": [2]}], [{"a": [3]}], True),
        ([{"a": {"b": 1}}, {"a": {"c": 1}}], [{"a": {"b": 1, "c": 1}}], True),
        ([{"a": 1}, 5, {"b": 1}], [{"b": 1}], True),
        ([[1], [2]], [[3, 4], []], True),
        ([[1], 5], [[3]], True),
        ([], {}, False),
        ({}, [], False),
        (10**40, 1, True),
        ("", "\ud800", True),
    ]
)
def test_each_decided_corner_of_the_rule_holds(example: Any, value: Any, fits: bool) -> None:
    assert matches(example, value) is fits
    assert matches({"deep": [example]}, {"deep": [value]}) is fits


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@for_each([(MAX_DEPTH, True), (MAX_DEPTH + 1, False), (100_000, False)])
def test_nesting_has_a_limit(depth: int, fits: bool) -> None:
    assert matches(nested(depth), nested(depth)) is fits


def test_every_mismatch_is_told_with_its_path_and_reason() -> None:
    example = {"a": 1, "list": [{"b": "x", "c": [True]}], "empty": []}
    value = {"a": "1", "list": [{"b": "x"}, {"b": 1, "c": [None, 0.5]}], "empty": [1], "z": {}}
    assert list(mismatches(example, value)) == [
        ("$.a", "expected an integer, got a string"),
        ("$.list[1].b", "expected a string, got an integer"),
        ("$.list[1].c[0]", "expected a boolean, got null"),
        ("$.list[1].c[1]", "expected a boolean, got a number with a fraction"),
        ("$.empty", "the contract's array is empty, so no element is known"),
        ("$.z", "this key is not in the contract"),
    ]


@given(values.filter(alike).flatmap(lambda example: st.tuples(st.just(example), subsets(example))))
def test_whatever_is_taken_from_an_example_fits_it_as_the_oracle_says(pair: tuple[Any, Any]) -> None:
    assert oracle(*pair)
    assert matches(*pair)


@given(values.filter(alike), st.data())
def test_rule_and_oracle_agree_when_one_place_of_a_fitting_value_is_replaced(example: Any, data: st.DataObject) -> None:
    value = _replaced(data.draw(subsets(example)), data)
    assert matches(example, value) == oracle(example, value)


def _replaced(value: Any, data: st.DataObject) -> Any:
    if isinstance(value, dict) and value and data.draw(st.booleans()):
        key = data.draw(st.sampled_from(sorted(value)))
        return {**value, key: _replaced(value[key], data)}
    if isinstance(value, list) and value and data.draw(st.booleans()):
        index = data.draw(st.integers(0, len(value) - 1))
        return [*value[:index], _replaced(value[index], data), *value[index + 1 :]]
    return data.draw(values)


@given(st.lists(values.filter(alike), min_size=1, max_size=4))
def test_examples_taken_together_let_the_first_of_them_pass(examples: list[Any]) -> None:
    assert matches(merged([examples[0]] * 2), examples[0])
    if isinstance(examples[0], dict):
        assert set(merged(examples)) == {key for each in examples if isinstance(each, dict) for key in each}


@for_each(
    [
        ([{f"k{number}": 1} for number in range(30_000)],),
        ([[number] for number in range(30_000)],),
        ([{"b": [[number]]} for number in range(15_000)],),
    ]
)
def test_the_time_grows_with_the_size_of_an_example_and_not_with_its_square(example: list[Any]) -> None:
    before = time.process_time()
    assert matches({"a": example}, {"a": example})
    assert time.process_time() - before < 5  # the square takes half a minute


def test_what_is_too_deep_is_compared_no_further() -> None:
    deep: Any = 1
    for _ in range(900):
        deep = {"a": deep}
    example = [deep, deep]
    ((path, why), *_) = mismatches(example, example)
    assert path.count(".a") == MAX_DEPTH
    assert why == f"nested deeper than {MAX_DEPTH} levels"
