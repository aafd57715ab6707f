"""What would go wrong with an ability whose examples in the console differ from those of the code."""

from typing import Any

from wwspec_contracts.files import ConsoleContract
from wwspec_devtools.console_contracts.comparing import compare

OWN = ConsoleContract(input={"limit": 1, "keys": ["a"]}, output={"total": 1})


def differences(**registered: Any) -> list[str]:
    return [str(each) for each in compare(OWN, registered)]


def test_examples_that_are_the_same_have_no_difference() -> None:
    assert differences(input={"limit": 7, "keys": ["b"]}, output={"total": 9}) == []


def test_a_side_that_the_console_does_not_have_is_not_compared() -> None:
    assert differences() == differences(output={"total": 2}) == []


def test_a_difference_says_who_refuses_what_and_where() -> None:
    refused, passed, reply = differences(input={"limit": "1", "keys": ["a"], "more": 1}, output={})
    assert refused.startswith("input $.limit: a call that uses it is refused by the platform (790016): ")
    assert passed.startswith("input $.more: the console lets it pass, the program refuses it: ")
    assert reply.startswith("output $.total: a reply that holds it is refused by the platform (790014): ")
