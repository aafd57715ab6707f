"""A program on several machines: which of them gets an event or a call, and what becomes of a machine [100142]."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.support.emulator import Emulator, SealedProgram, program_state
from wwspec_contracts.errors import ConfigurationError
from wwspec_devtools.emulator.http.client import EmulatorClient, EmulatorError
from wwspec_devtools.emulator.settings import EmulatorSettings, machine_url
from wwspec_devtools.emulator.state import machines


class Several:
    """An emulator, and a program on three machines; each answers the number of its machine."""

    def __init__(self, stack: ExitStack, **settings: Any) -> None:
        programs = [SealedProgram(stack) for _ in range(3)]
        several = EmulatorSettings(messages=20, clock_start=1_750_000_000, machines=3, **settings)
        self.emulator = Emulator(several, stack)
        self.client = stack.enter_context(EmulatorClient(self.emulator.url))
        self.jobs: list[str] = []
        for number, program in enumerate(programs, 1):
            program.key = self.emulator.key
            program.reply = lambda call, number=number: self._answer(call.job_info, number)  # type: ignore[misc]
            self.client.point_to(program.url, machine=number)
        self.emulator.receive_events()

    def _answer(self, job_info: str, number: int) -> str:
        self.jobs += [job_info] if job_info else []
        return json.dumps({"machine": number})

    def called(self, notify_id: str = "") -> int:
        """Return which machine answers a call."""
        answer = self.emulator.call_program(notify_id=notify_id)
        assert answer["errcode"] == 0, answer
        return int(json.loads(answer["response_data"])["machine"])

    def fired(self) -> int:
        """Return which machine an event goes to."""
        return int(json.loads(self.client.fire("hit_keyword")["reply"])["machine"])

    def notified(self, machine: int) -> str:
        """Let a machine notify the app, and return the notify_id."""
        asked = {"notify_id": f"notify_{machine}"}
        return str(self.emulator.sdk("spec_notify_app", asked, machine=machine)["notify_id"])


@pytest.fixture(scope="module")
def running() -> Iterator[Several]:
    with ExitStack() as stack:
        yield Several(stack)


@pytest.fixture
def zone(running: Several) -> Several:
    """The module's zone: all machines run, and the first one has the next turn."""
    for number in (1, 2, 3):
        running.client.machines.start(number)
    running.client.reset()
    running.jobs.clear()
    return running


def test_100142_events_and_calls_go_to_each_machine_in_its_turn(zone: Several) -> None:
    assert [zone.fired(), zone.called(), zone.fired(), zone.fired()] == [1, 2, 3, 1]
    rows = [row for row in zone.client.traffic() if row["kind"] in ("call", "event")]
    assert [row["machine"] for row in rows] == [1, 2, 3, 1]
    zone.client.reset()
    assert zone.called() == 1, "the same traffic goes to the same machines"


def test_100142_a_call_with_a_notify_id_goes_to_the_machine_that_made_it(zone: Several) -> None:
    third, first = zone.notified(3), zone.notified(1)
    assert [zone.called(third), zone.called(first), zone.called(third)] == [3, 1, 3]
    assert zone.called() == 1, "no turn was taken"
    assert zone.client.traffic(kind="sdk")[0]["machine"] == 3
    notify_id = zone.notified(3)
    zone.client.machines.stop(3)
    assert [zone.called(notify_id), zone.called(notify_id)] == [2, 1]
    zone.client.machines.start(3)
    assert zone.called(notify_id) == 3, "it has kept its disk"


def test_a_notify_id_of_a_machine_that_does_not_say_its_number_goes_to_any(zone: Several) -> None:
    notify_id = zone.emulator.sdk("spec_notify_app", {})["notify_id"]
    assert [zone.called(notify_id), zone.called(notify_id)] == [1, 2]


def test_settings_say_where_calls_with_a_notify_id_go() -> None:
    with ExitStack() as stack:
        zone = Several(stack, route_notify_ids=False)
        notify_id = zone.notified(3)
        assert [zone.called(notify_id), zone.called(notify_id)] == [1, 2]
        zone = Several(stack, gone_errcode=710646)
        notify_id = zone.notified(2)
        assert zone.called(notify_id) == 2
        zone.client.machines.stop(2)
        refused = zone.emulator.call_program(notify_id=notify_id)
        assert refused["errcode"] == 710646
        assert "machine 2, which made the notify_id, is gone" in refused["errmsg"]
        assert [zone.called(), zone.called()] == [1, 3], "other calls go on"


def test_100142_a_job_is_reported_by_the_machine_that_has_it(zone: Several) -> None:
    zone.called()
    jobid = zone.emulator.call_program(api="async_program_task")["jobid"]
    [job_info] = zone.jobs
    report = {"errcode": 0, "result": "{}"}
    refused = zone.emulator.sdk("program_async_job_call_back", report, machine=3, job_info=job_info)
    assert refused["errcode"] == 790017
    assert "the job is of machine 2, the report of machine 3" in refused["errmsg"]
    assert zone.emulator.app_call("async_program_result", {"jobid": jobid})["errcode"] == 710642
    assert zone.emulator.sdk("program_async_job_call_back", report, machine=2, job_info=job_info)["errcode"] == 0
    assert zone.emulator.app_call("async_program_result", {"jobid": jobid})["errcode"] == 0


def test_a_stopped_machine_gets_nothing_and_without_any_calls_are_refused(zone: Several) -> None:
    zone.client.machines.stop(2)
    assert [zone.called(), zone.called(), zone.fired()] == [1, 3, 1]
    assert [each["state"] for each in zone.client.machines.states()] == ["up", "stopped", "up"]
    zone.client.reset()
    assert [zone.called(), zone.called()] == [1, 3], "a reset starts no machine"
    zone.client.machines.stop(1)
    zone.client.machines.stop(3)
    refused = zone.emulator.call_program()
    assert refused["errcode"] == 710674
    assert "no machine of the program runs" in refused["errmsg"]
    with pytest.raises(EmulatorError, match=r"`wwspec zone machine start 1` starts one \(710674\)"):
        zone.client.fire("hit_keyword")
    shown = program_state(zone.client)
    assert (shown["state"], shown["pids"]) == ("down", [])
    zone.client.machines.start(2)
    assert zone.called() == 2


def test_a_machine_that_nobody_follows_is_not_wiped(zone: Several) -> None:
    with pytest.raises(EmulatorError, match=r"machine 2: this emulator can't wipe what it did not start; start .*dev"):
        zone.client.machines.wipe(2)
    with pytest.raises(EmulatorError, match="this emulator can't wipe what it did not start"):
        zone.client.machines.deploy()
    assert [zone.called() for _ in range(3)] == [1, 2, 3]


@pytest.mark.parametrize("order", ["stop", "start", "wipe"])
def test_a_machine_that_does_not_exist_is_named(zone: Several, order: str) -> None:
    with pytest.raises(EmulatorError, match="no machine 4: there are 3"):
        getattr(zone.client.machines, order)(4)
    with pytest.raises(EmulatorError, match="no machine 4: there are 3"):
        zone.client.point_to("http://127.0.0.1:1", machine=4)


def test_orders_are_refused_that_are_none(zone: Several) -> None:
    bodies: list[Any] = [{"machine": 1, "order": "burn"}, {"machine": 0, "order": "stop"}, {"machine": "1"}, []]
    for body in bodies:
        assert zone.emulator.http.post("/emulator/machines", json=body).json()["errcode"] == 40058
    assert zone.emulator.http.get("/emulator/machines/x").json()["errcode"] == 40058


def test_an_order_that_is_not_done_in_time_is_reported_and_another_one_taken(
    zone: Several, monkeypatch: pytest.MonkeyPatch
) -> None:
    zone.client.machines.follow()
    try:
        with monkeypatch.context() as patch:
            patch.setattr(machines, "ORDER_SECONDS", 0.0)
            with pytest.raises(EmulatorError, match="machine 1: not done within 0 seconds: wipe"):
                zone.client.machines.wipe(1)
        assert [zone.called(), zone.called()] == [2, 3], "what is being wiped gets nothing"
        body = {"machine": 1, "order": "stop"}
        refused = zone.emulator.http.post("/emulator/machines", json=body).json()
        assert "machine 1 has an order already: wipe" in refused["errmsg"]
        zone.client.machines.report(1, "no such file")
        assert zone.client.machines.states()[0]["fault"] == "no such file"
        assert [zone.called(), zone.called()] == [2, 3], "it could not start"
    finally:
        zone.emulator.platform.world.app.programs[zone.emulator.settings.program_id].machines.is_followed = False


def test_in_debug_mode_no_machine_is_called(zone: Several) -> None:
    with ExitStack() as stack:
        debugged = SealedProgram(stack)
        debugged.key = zone.emulator.key
        app, program_id = zone.emulator.platform.world.app, zone.emulator.settings.program_id
        app.linked(program_id).debug_url = debugged.url
        app.operation(program_id).app_debugs = True
        assert zone.emulator.call_program()["errcode"] == 0
        app.operation(program_id).app_debugs = False
        assert len(debugged.calls) == 1
        assert zone.client.traffic(kind="call")[0]["machine"] is None
    assert zone.called() == 1


def test_who_watches_takes_no_turn(zone: Several) -> None:
    assert zone.called() == 1
    asked = zone.emulator.http.post("/emulator/figures", json={"ability_id": "status"}).json()
    assert asked["reply"] == '{"machine": 1}'
    assert zone.called() == 2


def test_each_further_machine_listens_on_the_next_port() -> None:
    assert machine_url("http://127.0.0.1:8080", 1) == "http://127.0.0.1:8080"
    assert machine_url("http://127.0.0.1:8080", 3) == "http://127.0.0.1:8082"
    assert machine_url("https://zone.example/x", 2) == "https://zone.example:444/x"
    assert machine_url("http://[::1]:8080", 2) == "http://[::1]:8081"
    with pytest.raises(ConfigurationError, match="machine 3 would listen on port 65536"):
        EmulatorSettings(program_url="http://127.0.0.1:65534", machines=3)
    with pytest.raises(ConfigurationError, match="a program runs on one at least"):
        EmulatorSettings(machines=0)
