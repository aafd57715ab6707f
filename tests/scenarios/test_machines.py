"""Programs on three machines, as WeCom deploys them: what the docs promise of them holds, also when a disk is wiped."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.scaffold.commands import module
from tests.scenarios.test_following import counted, registry_of, say
from tests.support.apps import ROOT, write_files
from tests.support.command import wwspec
from tests.support.waiting import wait_until
from tests.support.zones import serve_zone
from torture.archive import archive_stage, judge, rotate_key
from wwspec_devtools.emulator.state.keys import MessageKeys
from wwspec_devtools.testing.zone import ServedZone

pytestmark = [
    pytest.mark.slow,  # each test starts three programs, and some of them again
    pytest.mark.never_lost,
]

ONCE = """
from uuid import uuid4
from wwspec_router import Contract, Output, ability

class Order(Contract):
    order_id: str

class Placed(Output):
    run: str = ""

@ability
def place(request: Order) -> Placed:
    return Placed(run=uuid4().hex)
"""
ONCE_ROWS = """
[abilities.place]
handler = "abilities.place:place"
[abilities.place.once]
key = "order_id"
"""


def fire(zone: ServedZone, number: int) -> dict[str, Any]:
    before = len(zone.client.notifications())
    fired = [zone.fire("hit_keyword")["event"] for _ in range(number)]
    notified = [each["notify_id"] for each in zone.client.notifications()[before:]]
    return dict(zip(notified, fired, strict=True))


def check_fetched(zone: ServedZone, kept: dict[str, Any]) -> None:
    for notify_id, event in kept.items():
        assert zone.call("get_callback_data", notify_id=notify_id).reply == event


def machines_of_events(zone: ServedZone) -> Counter[int]:
    return Counter(row["machine"] for row in zone.client.traffic(kind="event"))


def check_events_and_calls(zone: ServedZone) -> None:
    """Fire, call and submit on each machine, with a wiped one in between."""
    kept = fire(zone, 6)
    assert machines_of_events(zone) == {1: 2, 2: 2, 3: 2}, "each gets a part, none gets all"
    check_fetched(zone, kept)
    zone.client.machines.wipe(2)
    for notify_id, machine in zip(kept, (1, 2, 3, 1, 2, 3), strict=True):
        fetched = zone.call("get_callback_data", notify_id=notify_id)
        if machine == 2:
            assert fetched.refused_by == "program", "what waited on its disk is lost, and the app is told so"
        else:
            assert fetched.reply == kept[notify_id]
    kept = fire(zone, 3)
    assert machines_of_events(zone) == {1: 3, 2: 3, 3: 3}, "the new deployment gets its part again"
    check_fetched(zone, kept)
    calls = [zone.call("invoke_sync_msg", {"limit": 5}).reply["msg_list"] for _ in range(3)]
    assert calls[0] == calls[1] == calls[2]
    tasks = [zone.submit("chat_digest", {"limit": 5}) for _ in range(6)]
    assert {task.result().reply["messages"] for task in tasks} == {5}
    reports = [row for row in zone.client.traffic(kind="sdk") if row["name"] == "program_async_job_call_back"]
    assert Counter(row["machine"] for row in reports) == {1: 2, 2: 2, 3: 2}, "a job stays on its machine"


def test_the_reference_program_passes_on_three_machines_with_a_wipe_and_a_deployment() -> None:
    with serve_zone(ROOT, machines=3) as zone:
        check_events_and_calls(zone)
        zone.fire("chat_archive_audit_approved_single")
        zone.wait_idle()
        assert [zone.call("daily_digest", {"hours": 1}).errcode for _ in range(3)] == [0] * 3
        digests = [zone.notified("daily_digest")["daily_digest"]["one_to_one"] for _ in range(3)]
        assert sorted(digests) == [0, 0, 1], "the code on an event writes on its machine"
        zone.client.machines.deploy()
        assert [each["state"] for each in zone.client.machines.states()] == ["unknown"] * 3
        check_fetched(zone, fire(zone, 3))


def test_a_new_program_passes_on_three_machines_with_a_wipe(tmp_path: Path) -> None:
    assert wwspec(tmp_path, "new", "shop").returncode == 0
    with serve_zone(tmp_path / "shop", machines=3) as zone:
        check_events_and_calls(zone)
        for _ in range(2):
            zone.client.reset()  # pulls without a token are few in a minute
            done = module(tmp_path / "shop", "pytest", "-q", "-p", "no:cacheprovider", "--zone", zone.client.url)
            assert "5 passed" in done.stdout, done.stdout
            zone.client.machines.wipe(3)
        zone.renew()
        assert machines_of_events(zone) == {}
        assert fire(zone, 1)


def test_the_inspection_example_finds_every_message_though_a_machine_is_wiped() -> None:
    with serve_zone(ROOT / "examples" / "quality_inspection", machines=3) as zone:
        assert zone.call("watch", {"name": "words"}).errcode == 0
        said, found = set[str](), set[str]()
        for _ in range(2):
            before = len(zone.client.notifications())
            said |= {zone.client.say("zhangwei", "这款产品保证收益", to=["helan"]) for _ in range(4)}
            zone.wait_idle()
            for each in zone.client.notifications()[before:]:
                event = zone.call("get_callback_data", notify_id=each["notify_id"]).reply
                found |= {hit["msgid"] for hit in event.get("finding", {}).get("hits", [])}
            zone.client.machines.wipe(2)
        assert found == said


def test_a_machine_that_is_stopped_keeps_its_events_and_crashes_are_its_own() -> None:
    with serve_zone(ROOT, machines=3) as zone:
        kept = fire(zone, 3)
        zone.client.machines.stop(3)
        assert set(machines_of_events(zone)) == {1, 2, 3}
        late = fire(zone, 2)
        assert machines_of_events(zone)[3] == 1
        zone.client.machines.start(3)
        check_fetched(zone, {**kept, **late})
        zone.kill_program(2)
        answers = [zone.call("chat_digest", {"limit": 5}) for _ in range(3)]
        assert sorted(answer.errcode for answer in answers) == [0, 0, 710674], "WeCom does not know that it is down"
        zone.start_program()
        assert zone.call("get_callback_data", notify_id=list(kept)[1]).reply == list(kept.values())[1]


def test_a_call_that_runs_once_runs_once_on_each_machine(tmp_path: Path) -> None:
    app = write_files(tmp_path / "shop", {"abilities/registry.toml": ONCE_ROWS, "abilities/place.py": ONCE})
    with serve_zone(app, machines=3) as zone:
        runs = [zone.call("place", {"order_id": "a"}).reply["run"] for _ in range(6)]
        assert runs[:3] == runs[3:], "each machine gives its first reply again"
        assert len(set(runs)) == 3
        zone.client.machines.wipe(1)
        again = [zone.call("place", {"order_id": "a"}).reply["run"] for _ in range(3)]
        assert again[1:] == runs[1:3]
        assert again[0] not in runs, "the wiped one has forgotten it"


def test_kept_values_and_places_are_those_of_one_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve_zone(ROOT, registry_of(tmp_path, monkeypatch), machines=3) as zone:
        say(zone, 3)  # an event for each machine, which begins to follow there
        zone.wait_idle()
        say(zone, 3)
        zone.wait_idle()
        assert machines_of_events(zone) == {1: 2, 2: 2, 3: 2}
        totals = [counted(zone) for _ in range(3)]
        assert min(totals) >= 3, "a machine has each message from the place where it began"
        zone.client.machines.wipe(2)
        assert sorted(counted(zone) for _ in range(3)) == sorted([totals[0], 0, totals[2]])


def test_the_archive_example_has_each_message_once_though_machines_are_wiped() -> None:
    with archive_stage(seed=3, machines=3) as (zone, app):
        rotate_key(zone, app.keys)
        app.start()
        app.wait_up()
        chatid, group = next(iter(zone.client.info()["groups"].items()))
        sender, *_ = group["members"]
        said = [zone.client.say(sender, f"no. {each}", group=chatid) for each in range(6)]
        wait_until(lambda: "6 messages, 6 opened keys" in app.page())
        zone.client.machines.wipe(2)
        said += [zone.client.say(sender, f"no. {each}", group=chatid) for each in range(6, 9)]
        zone.client.machines.stop(1)
        said += [zone.client.say(sender, f"no. {each}", group=chatid) for each in range(9, 12)]
        zone.client.machines.deploy()
        said += [zone.client.say(sender, f"no. {each}", group=chatid) for each in range(12, 15)]
        wait_until(lambda: "15 messages, 15 opened keys" in app.page())
        assert not judge(app.database, said, MessageKeys(3).secret_key, {chatid: group["members"]})
