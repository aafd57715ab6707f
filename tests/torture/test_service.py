"""What the run `app --service` is there to find is found: lost, double and mixed messages, lost callbacks."""

import pytest

from tests.support.tables import for_each
from tests.support.tools import tool
from tests.torture.quick_runs import assert_passes
from torture.service_judge import Kept, Row, judge_callbacks, judge_messages, judge_tenants
from torture.tenants import Claim

CLAIMS = {
    "corp1": Claim(frozenset({"a1", "a2"}), frozenset({"a3"}), frozenset({"a0"})),
    "corp2": Claim(frozenset({"b1"}), frozenset(), frozenset()),
}


def secret_key(corpid: str, msgid: str) -> str:
    return f"{corpid}'s key of {msgid}"


def row(corpid: str, msgid: str, key_of: str = "") -> Row:
    return Row(corpid, msgid, secret_key(key_of or corpid, msgid))


RIGHT = [row("corp1", "a1"), row("corp1", "a2"), row("corp2", "b1")]


@pytest.mark.parametrize("rows", [RIGHT, [*RIGHT, row("corp1", "a3")]])
def test_a_database_with_what_it_must_and_may_have_has_no_failure(rows: list[Row]) -> None:
    assert judge_messages(rows, CLAIMS, secret_key) == []


@for_each(
    [
        (RIGHT[1:], ["1 of 2 messages of corp1 are missing, such as a1"]),
        ([*RIGHT, row("corp1", "a2")], ["1 messages are there more than once, such as a2"]),
        ([*RIGHT, row("corp1", "a0")], ["1 messages of before corp1 removed the app are left, such as a0"]),
        ([*RIGHT, row("corp2", "x")], ["1 messages were never said, such as x"]),
        ([*RIGHT, row("corp2", "a1", "corp1")], ["1 messages are stored for another corp, such as a1"]),
        ([*RIGHT[:2], row("corp2", "b1", "corp1")], ["1 keys are not those of their message, such as that of b1"]),
        (
            [*RIGHT[:2], row("corp1", "b1", "corp2")],
            ["1 of 1 messages of corp2 are missing, such as b1", "1 messages are stored for another corp, such as b1"],
        ),
    ]
)
def test_a_lost_double_left_unknown_or_mixed_message_is_found(rows: list[Row], failure: list[str]) -> None:
    assert judge_messages(rows, CLAIMS, secret_key) == failure


DONE, EXPIRED, USED = Kept("done", ""), Kept("failed", "710646: expired"), Kept("received", "40078: used")


def test_callbacks_that_were_handled_came_too_late_for_it_or_are_of_a_corp_that_has_left_are_no_failure() -> None:
    assert judge_callbacks({"n1", "n2"}, {"n1", "n2"}, [DONE, DONE], set()) == []
    assert judge_callbacks({"n1", "n2"}, {"n1"}, [DONE, EXPIRED], set()) == []
    assert judge_callbacks({"n1", "n2"}, {"n1"}, [DONE, USED], set()) == []
    assert judge_callbacks({"n1"}, set(), [], {"n1"}) == []


WAITS, GIVEN_UP = Kept("fetched", "NotSentError: no"), Kept("failed", "ValueError: no")


@for_each(
    [
        ({"n1"}, [DONE], "1 callbacks were acknowledged and not handled, 0 came too late for it, such as n2"),
        ({"n1"}, [DONE, DONE], "1 callbacks were acknowledged and not handled, 0 came too late for it, such as n2"),
        (set(), [DONE, USED], "2 callbacks were acknowledged and not handled, 1 came too late for it, such as n1"),
        ({"n1", "n2"}, [DONE, WAITS], "1 callbacks wait still, such as one that failed with: NotSentError: no"),
        ({"n1", "n2"}, [DONE, GIVEN_UP], "1 callbacks were given up, such as one with: ValueError: no"),
    ]
)
def test_a_callback_that_is_lost_waits_or_was_given_up_is_found(
    handled: set[str], kept: list[Kept], failure: str
) -> None:
    assert judge_callbacks({"n1", "n2"}, handled, kept, set()) == [failure]


def test_a_token_or_cursor_of_another_corp_is_found() -> None:
    assert judge_tenants("cursor", {"corp1": "corp1", "corp2": "corp2"}) == []
    assert judge_tenants("cursor", {"corp1": "corp2", "corp2": ""}) == [
        "the cursor of corp1 is that of corp2",
        "the cursor of corp2 is that of nobody",
    ]


@pytest.mark.nightly  # it starts the app with its processes again and again: two minutes on a busy machine
def test_a_quick_run_passes_and_prints_one_line() -> None:
    tool("initdb")
    assert_passes("app --service", {"kills", "said", "wanted", "archived", "caught_up_s", "admins", "callbacks"})
