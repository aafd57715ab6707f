"""`@ability(...)`, `@on_event` and `@notification` on functions and classes; what they become is in tests/registry."""

from types import new_class
from typing import Any, TypedDict

import pytest

from tests.support.tables import for_each
from wwspec_contracts.base import Contract, Output
from wwspec_contracts.events import hit_keyword
from wwspec_router import notification, on_event
from wwspec_router.handlers.marks import AbilityKeywords, EventKeywords, OnceKeywords, mark_of
from wwspec_router.registry.file import AbilityRow, EventRow, OnceRow


def hello(request: Contract) -> Output:
    raise NotImplementedError


@for_each(
    [("DailyDigest", "daily_digest"), ("Hits", "hits"), ("HTTPReport", "http_report"), ("Top10Words", "top10_words")]
)
def test_a_notification_is_of_the_kind_of_its_class_in_snake_case(name: str, kind: str) -> None:
    mark = mark_of(notification(new_class(name, (Contract,))))
    assert mark is not None
    assert mark.keys == (kind,)


EVENT = "annotate event with the Event of a module of wwspec_contracts.events, or a union of them"


def on_contract(event: Contract) -> None:
    raise NotImplementedError


def on_text(event: str) -> None:
    raise NotImplementedError


def without_result(event: hit_keyword.Event):  # type: ignore[no-untyped-def]  # what is tested
    raise NotImplementedError


@for_each(
    [
        (on_contract, f"on_contract: {EVENT}"),
        (on_text, f"on_text: {EVENT}"),
        (without_result, "without_result: annotate the return value with None or a subclass of wwspec_router.Contract"),
        ("hit_keyword", "@on_event takes keywords only: the annotation of the first parameter names the event"),
    ]
)
def test_what_can_not_run_on_an_event_is_refused(thing: Any, message: str) -> None:
    for mark in (on_event, on_event(retries=6)):
        with pytest.raises(TypeError) as caught:
            mark(thing)
        assert str(caught.value) == message


@pytest.mark.parametrize("thing", [3, dict, hello])
def test_only_a_contract_is_a_notification(thing: Any) -> None:
    with pytest.raises(TypeError, match=r"is no subclass of wwspec_router\.Contract"):
        notification(thing)


@for_each(
    [
        (AbilityKeywords, AbilityRow, {"api", "handler", "kind", "from_corps", "apis", "drop_empty"}),
        (EventKeywords, EventRow, {"handler"}),
        (OnceKeywords, OnceRow, set()),
    ]
)
def test_a_type_checker_knows_the_keywords_that_are_keys_of_the_row(
    keywords: type[TypedDict],  # type: ignore[valid-type]  # mypy has no type for them
    row: Any,
    others: set[str],
) -> None:
    assert keywords.__annotations__.keys() == set(row.__struct_fields__) - others
