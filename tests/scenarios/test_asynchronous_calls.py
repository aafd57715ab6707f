"""Asynchronous calls of an application of its own: results that the platform refuses, and two releases at once."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.apps import write_files
from tests.support.waiting import DEADLINE
from tests.support.zones import another_program, serve_zone
from wwspec_devtools.testing.zone import ServedZone

REGISTRY = """
[abilities.long]
handler = "abilities.sized:text"
"""
ABILITY = """
import time

from wwspec_router import Contract, Output, ability

class Size(Contract):
    size: int

class Text(Output):
    text: str = ""

@ability
def text(request: Size) -> Text:
    time.sleep(0.1)  # the work: so that jobs wait
    return Text(text="x" * request.size)
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    return write_files(tmp_path / "app", {"abilities/sized.py": ABILITY, "abilities/registry.toml": REGISTRY})


@pytest.fixture
def zone(app: Path) -> Iterator[ServedZone]:
    with serve_zone(app, serve=["--job-threads", "1"]) as zone:
        yield zone


def test_a_result_that_is_too_large_for_the_platform_is_replaced_by_an_error_at_once(zone: ServedZone) -> None:
    refused = zone.submit("long", {"size": 11000000}).result(DEADLINE)
    assert (refused.refused_by, refused.errcode) == ("program", 40206)
    assert refused.errmsg == "the platform refused the result: request body too large"
    assert "result refused (40206), request body too large" in zone.program_log()
    assert zone.submit("long", {"size": 3}).result(DEADLINE).reply["text"] == "xxx"


@pytest.mark.slow  # starts three programs
def test_the_release_before_leaves_jobs_of_a_new_ability_to_the_new_one(
    app: Path, zone: ServedZone, tmp_path: Path
) -> None:
    before = tmp_path / "before.toml"
    before.write_text(REGISTRY.replace("abilities.long", "abilities.of_before", 1))
    with ExitStack() as stack:
        options = ("--registry", str(before), "--store", f"sqlite:{zone.folder / 'notify.db'}", "--job-threads", "8")
        another_program(stack, zone, tmp_path / "before.log", *options, app=app)
        submitted = [zone.submit("long", {"size": 1}) for _ in range(40)]
        answers = [each.result(DEADLINE) for each in submitted]
    assert [answer.errcode for answer in answers] == [0] * 40
    assert "unknown ability_id" not in (tmp_path / "before.log").read_text()
