"""What a store keeps outlives an upgrade, and two releases share one store while one replaces the other."""

import pytest

from tests.support.waiting import DEADLINE, wait_until
from tests.upgrade.conftest import Programs
from tests.upgrade.releases import NEW, Code, Release
from wwspec_router.testing.zone import Zone

SHORT = ("--job-lease", "1")
"""So that the jobs of a program that was killed are free soon."""
NO_REPORT = ("sdk", "errcode", "program_async_job_call_back", -1)
"""The platform takes no report for the moment."""

pytestmark = pytest.mark.slow  # starts an emulator and programs of two releases


def test_what_an_older_release_has_stored_is_answered_and_worked_off(programs: Programs, release: Release) -> None:
    zone = programs.zone
    programs.start(release.code, *SHORT, "--job-threads", "2")
    event, stored = zone.fire("auth_knowledge_base")["event"], zone.notified()
    assert zone.call("place_order", {"order_id": "1", "sent_at": 1}).reply["release"] == "old"
    fault, before = zone.client.add_fault(*NO_REPORT), zone.client.last_number()
    unreported = zone.submit("work", {"name": "unreported"})
    wait_until(lambda: "program_async_job_call_back" in sdk_calls(zone, before))
    zone.fire("knowledge_base_learn_done")  # its handler fails
    wait_until(lambda: "never old" in programs.begun())
    programs.hold()
    running = zone.submit("work", {"name": "running"})
    hit = zone.fire("hit_keyword")["event"]
    wait_until(lambda: {"running old", "after old"} <= set(programs.begun()))
    waiting = zone.submit("work", {"name": "waiting"})
    new_message = zone.fire("conversation_new_message")["event"]
    notify_id_now = zone.notified()
    programs.kill(release.code)
    programs.release()
    zone.client.clear_faults(fault)

    programs.start(NEW, *SHORT)
    assert zone.call("get_callback_data", notify_id=stored).reply == event
    assert zone.call("place_order", {"order_id": "1", "sent_at": 2}).reply["release"] == "old"
    assert unreported.result(DEADLINE).reply["release"] == "old"
    assert [each.result(DEADLINE).reply["release"] for each in (running, waiting)] == ["new", "new"]
    assert zone.call("get_callback_data", notify_id=notify_id_now).reply == new_message
    wait_until(lambda: {"never new", "now new"} <= set(programs.begun()) and zone.notified() != notify_id_now)
    notify_id_after = zone.call("get_callback_data", notify_id=zone.notified()).reply
    assert notify_id_after == {**hit, "hit_keyword_result": {"release": "new"}}
    assert not {"waiting old", "now old", "order-1 new", "unreported new"} & set(programs.begun())


def sdk_calls(zone: Zone, since: int) -> list[str]:
    """Return the names of the calls that programs have made."""
    return [each["name"] for each in zone.client.traffic(since, kind="sdk")]


def test_two_releases_over_one_store_answer_and_run_what_the_other_has_accepted(
    programs: Programs, release: Release
) -> None:
    for code in (release.code, NEW):
        programs.start(code, "--job-threads", "1", "--job-lease", "6")  # so they look for jobs five times a second
    accept_and_go_on(programs, release.code, NEW)
    accept_and_go_on(programs, NEW, release.code)


def accept_and_go_on(programs: Programs, accepts: Code, answers: Code) -> None:
    """Let one program accept events, a call that runs once and jobs, and let the other go on with them."""
    name, order = f"accepted by {accepts.release}", {"order_id": accepts.release}
    zone = programs.call(accepts)
    event = zone.fire("auth_knowledge_base")["event"]
    assert zone.call("place_order", order).reply["release"] == accepts.release
    programs.hold()
    submitted = [zone.submit("work", {"name": name}) for _ in (accepts, answers)]
    wait_until(lambda: {f"{name} old", f"{name} new"} <= set(programs.begun()))  # each has one thread, so each runs one
    programs.release()
    assert {each.result(DEADLINE).reply["release"] for each in submitted} == {"old", "new"}
    programs.call(answers)
    assert zone.call("get_callback_data", notify_id=zone.notified()).reply == event
    assert zone.call("place_order", order).reply["release"] == accepts.release
    begun, number = len(programs.begun()), zone.client.last_number()
    programs.hold()
    for _ in (accepts, answers):
        zone.fire("hit_keyword")
    wait_until(lambda: {"after old", "after new"} <= set(programs.begun()[begun:]))
    programs.release()
    wait_until(lambda: sdk_calls(zone, number).count("spec_notify_app") == 2)
    programs.call(NEW)  # an older release does not know what it notifies the app of until that fetches
    assert "hit_keyword_result" in zone.call("get_callback_data", notify_id=zone.notified()).reply
