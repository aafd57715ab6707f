"""Asynchronous calls: a task handle, also of a call that an earlier process made."""

import pytest

from schemas.chat_digest import Response
from tests.client.conftest import QUICK
from tests.support.waiting import DEADLINE, wait_until
from wwspec_client import ProgramError, StillRunningError, ZoneClient
from wwspec_contracts import sync_msg
from wwspec_devtools.testing.zone import Zone


def test_a_task_waits_for_its_result(app: ZoneClient) -> None:
    assert len(app.submit(sync_msg.Request(limit=2)).result(DEADLINE).msg_list) == 2
    assert app.submit("chat_digest", {"limit": 4}, reply=Response).result(DEADLINE).messages == 4
    assert app.submit("chat_digest", {"limit": 4}).result(DEADLINE)["messages"] == 4


def test_a_task_is_made_again_from_its_jobid_after_a_restart(zone: Zone, app: ZoneClient) -> None:
    jobid = app.submit("chat_digest", {"limit": 4}).jobid
    with zone.app_client(retries=QUICK) as later:
        task = later.task(jobid, reply=Response)
        assert task.result(DEADLINE).messages == 4
        assert task.status() == "succeeded"
        assert repr(task) == f"Task('{jobid}')"


@pytest.mark.parametrize("errcode", [710642, 790023])
def test_a_task_without_a_result_is_running_and_can_be_asked_again(zone: Zone, app: ZoneClient, errcode: int) -> None:
    task = app.submit("chat_digest", {"limit": 4})
    fault = zone.client.add_fault("app", "errcode", "async_program_result", errcode)
    assert task.status() == "running"
    with pytest.raises(StillRunningError, match=r"has reported no result within 0\.15 seconds") as caught:
        task.result(0.15)
    assert caught.value.retryable
    zone.client.clear_faults(fault)
    assert task.result(DEADLINE)["messages"] == 4


def test_a_task_that_failed_says_the_programs_errcode(app: ZoneClient) -> None:
    task = app.submit("chat_digest", {"cursor": "none of this API"})
    wait_until(lambda: task.status() == "failed")
    with pytest.raises(ProgramError) as caught:
        task.result(DEADLINE)
    assert caught.value.errcode != 0
    assert caught.value.raw
