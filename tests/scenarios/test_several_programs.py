"""Several programs of one app at once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.scenarios.conftest import PATIENT_EMULATOR, PATIENT_PROGRAM
from tests.support.apps import ROOT
from tests.support.zones import another_program, serve_zone
from wwspec_client import RetryPolicy
from wwspec_devtools.testing.zone import ServedZone


@pytest.fixture
def zone() -> Iterator[ServedZone]:
    with serve_zone(ROOT, serve=PATIENT_PROGRAM, emulate=PATIENT_EMULATOR) as zone:
        yield zone


@pytest.mark.slow  # 256 threads and three processes
def test_256_calls_at_once_to_two_programs_are_all_answered(zone: ServedZone, tmp_path: Path) -> None:
    with ExitStack() as stack:
        second = another_program(stack, zone, tmp_path / "second.log", "--store", "memory:", *PATIENT_PROGRAM)
        zone.client.point_to(second.announced_url(), "second-program")
        programs = [zone.client.info()["program_id"], "second-program"]

        def call(number: int) -> str:
            program_id = programs[number % 2]
            return client.call("invoke_get_group_chat", {"chatid": "x"}, raw=True, program_id=program_id)

        patient = RetryPolicy(attempts=1)
        with zone.app_client(retries=patient, connections=256) as client, ThreadPoolExecutor(256) as pool:
            answers = list(pool.map(call, range(512)))
    assert all('"errcode":710624' in answer for answer in answers)
