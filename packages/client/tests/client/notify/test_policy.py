"""The bounds of a receiver: which numbers are taken, and which are refused."""

import re
from dataclasses import asdict
from typing import Any

import pytest

from scripts.website.pages import DOCS, LANGUAGES
from tests.support.tables import for_each
from wwspec_client import NotifyPolicy
from wwspec_contracts.errors import ConfigurationError

COUNTS = ("body_limit", "handler_attempts")
MAY_BE_ZERO = ("first_pause", "longest_pause", "grace")
ABOVE_ZERO = ("replay_window", "lifetime", "handler_limit", "keep_failed")


@for_each(
    [(name, 1, 0) for name in COUNTS]
    + [(name, 0.0, -0.001) for name in MAY_BE_ZERO]
    + [(name, 0.001, 0.0) for name in ABOVE_ZERO]
)
def test_each_number_is_taken_from_its_least_and_refused_by_name_below(name: str, least: float, below: float) -> None:
    numbers: dict[str, Any] = {name: least}
    assert asdict(NotifyPolicy(**numbers))[name] == least
    numbers = {name: below}
    with pytest.raises(ConfigurationError, match=rf"{name}={below}.*: .*({name}|pauses)\b") as refused:
        NotifyPolicy(**numbers)
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_policy_without_numbers_has_those_of_the_page(language: str) -> None:
    page = (DOCS / language / "app" / "notifications.md").read_text("utf-8")
    numbers = {name: float(number) for name, number in re.findall(r"^\| `(\w+)` \| (\d+) \|", page, re.MULTILINE)}
    assert {"replay_window", "body_limit", "handler_limit", "grace"} <= set(numbers)
    assert numbers == {name: asdict(NotifyPolicy())[name] for name in numbers}


def test_an_event_is_fetched_while_wecom_has_it_and_a_failure_is_kept_for_30_days() -> None:
    policy = NotifyPolicy()
    assert (policy.lifetime, policy.keep_failed) == (10 * 60, 30 * 24 * 3600)
