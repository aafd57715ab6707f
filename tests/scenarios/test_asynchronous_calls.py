"""Asynchronous calls of an application of its own, of which two releases run at once."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.apps import write_files
from tests.support.waiting import DEADLINE
from tests.support.zones import another_program, serve_zone

REGISTRY = """
[abilities.long]
handler = "abilities.long:long"
"""
ABILITY = """
import time

from wwspec_router import Contract, Output, ability

@ability
def long(request: Contract) -> Output:
    time.sleep(0.1)  # the work: so that jobs wait
    return Output()
"""


@pytest.mark.slow  # starts three programs
def test_the_release_before_leaves_jobs_of_a_new_ability_to_the_new_one(tmp_path: Path) -> None:
    app = write_files(tmp_path / "app", {"abilities/long.py": ABILITY, "abilities/registry.toml": REGISTRY})
    before = tmp_path / "before.toml"
    before.write_text(REGISTRY.replace("abilities.long", "abilities.of_before", 1))
    with serve_zone(app, serve=["--job-threads", "1"]) as zone, ExitStack() as stack:
        options = ("--registry", str(before), "--store", f"sqlite:{zone.folder / 'notify.db'}", "--job-threads", "8")
        another_program(stack, zone, tmp_path / "before.log", *options, app=app)
        submitted = [zone.submit("long") for _ in range(40)]
        answers = [each.result(DEADLINE) for each in submitted]
    assert [answer.errcode for answer in answers] == [0] * 40
    assert "unknown ability_id" not in (tmp_path / "before.log").read_text()
