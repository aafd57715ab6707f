"""A program with the emulator's SDK that finds no emulator says where it looked, in its log and to its caller."""

from pathlib import Path

import pytest

from tests.support.failing_app import failing_app
from tests.support.zones import serve_zone

PLACE = "the emulator at http://127.0.0.1:1 can't be reached (Connection refused): start it there, or name another one"


@pytest.mark.slow  # the first call waits five seconds for an emulator that is not up yet
def test_url_reason_and_fix_are_in_the_log_and_in_the_answer(tmp_path: Path) -> None:
    with serve_zone(failing_app(tmp_path), serve=("--emulator-url", "http://127.0.0.1:1")) as zone:
        answer = zone.call("total", {"text": "1"})
        log = zone.program_log()
    assert answer.errcode == 710676
    assert f"http status 500: no reply: LinkError: {PLACE} with WWSPEC_EMULATOR_URL or" in answer.errmsg
    assert f"a request was not decoded: LinkError: {PLACE}" in log
