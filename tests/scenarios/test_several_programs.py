"""Several programs of one app at once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.conftest import PATIENT_EMULATOR, PATIENT_PROGRAM
from tests.support.apps import ROOT
from wwspec_router.child import Child
from wwspec_router.testing.zone import ServedZone, Zone


@pytest.fixture
def zone() -> Iterator[ServedZone]:
    with Zone.serve(ROOT, serve=PATIENT_PROGRAM, emulate=PATIENT_EMULATOR) as zone:
        yield zone


@pytest.mark.slow  # 256 threads and three processes
def test_256_calls_at_once_to_two_programs_are_all_answered(zone: ServedZone, tmp_path: Path) -> None:
    options = ["--sdk", "emulator", "--app", str(ROOT), "--port", "0", "--store", "memory:", *PATIENT_PROGRAM]
    second = Child(["serve", *options], {"WWSPEC_EMULATOR_URL": zone.client.url}, tmp_path / "second.log")
    try:
        zone.client.point_to(second.announced_url(), "second-program")
        programs = [zone.client.info()["program_id"], "second-program"]

        def call(number: int) -> dict[str, Any]:
            request = {"ability_id": "invoke_get_group_chat", "request_data": '{"chatid": "x"}'}
            return zone.client.app_call("chatdata/sync_call_program", {"program_id": programs[number % 2], **request})

        with ThreadPoolExecutor(256) as pool:
            answers = list(pool.map(call, range(512)))
    finally:
        second.stop()
    assert {answer["errcode"] for answer in answers} == {0}
    assert all('"errcode":710624' in answer["response_data"] for answer in answers)
