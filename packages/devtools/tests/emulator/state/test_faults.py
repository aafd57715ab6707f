"""Faults that a test puts in the way, on each side and of each kind."""

import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.emulator.conftest import CallbackApp, LoadStandin, StartEmulator, callbacks_of, start_with_callback
from tests.support.emulator import Emulator, Json, SealedProgram
from tests.support.tables import for_each
from tests.support.waiting import DEADLINE, wait_until
from wwspec_client import NoAnswerError
from wwspec_devtools.emulator.http.client import EmulatorClient
from wwspec_devtools.testing.app import App


@pytest.fixture
def sdk_call(emulator: Emulator, load_standin: LoadStandin) -> Callable[..., str]:
    """Call an SDK API through the stand-in."""
    sdk: Any = load_standin(emulator.url)
    caller = sdk.ChatDataSDK(emulator.settings.corpid, emulator.settings.agentid, "", "")

    def call(api: str = "sync_msg", request: str = "{}") -> str:
        reply: str = getattr(caller, api)(request)
        return reply

    return call


@pytest.mark.parametrize(
    ("effect", "value", "return_code", "said"),
    [
        *(("return_code", code, code, "a fault that was set") for code in range(-10009, -10000)),
        ("drop", 0, -10002, "did not answer"),
        ("timeout", 0.01, -10002, "did not answer"),
    ],
)
def test_an_sdk_call_fails_with_the_return_code_of_the_fault_or_of_the_network(
    client: EmulatorClient, sdk_call: Callable[..., str], effect: str, value: float, return_code: int, said: str
) -> None:
    assert '"errcode":0' in sdk_call()
    client.add_fault("sdk", effect, "sync_msg", value, count=1)
    with pytest.raises(Exception, match=said) as raised:
        sdk_call()
    assert raised.value.return_code == return_code  # type: ignore[attr-defined]  # of the vendor's class
    assert '"errcode":0' in sdk_call()


def test_an_sdk_call_is_refused_with_any_errcode(client: EmulatorClient, sdk_call: Callable[..., str]) -> None:
    client.add_fault("sdk", "errcode", "sync_msg", 45009)
    client.add_fault("sdk", "errcode", "spec_notify_app", 999999)
    assert '"errcode":45009,"errmsg":"api freq out of limit' in sdk_call()
    assert '"errcode":999999,"errmsg":"refused' in sdk_call("spec_notify_app")
    assert '"errcode":710624' in sdk_call("get_group_chat", '{"chatid": "none"}'), "the others are left alone"


def test_a_latency_delays_and_then_lets_through(client: EmulatorClient, app: App, emulator: Emulator) -> None:
    for on in ("sdk", "app", "program"):
        client.add_fault(on, "latency", value=0.01)
    assert emulator.sdk("sync_msg", {})["errcode"] == 0
    assert app.call("echo").errcode == 0
    assert [fault["taken"] > 0 for fault in client.faults()] == [True, True, True]


def test_the_apps_connection_is_cut(client: EmulatorClient, app: App, emulator: Emulator) -> None:
    client.add_fault("app", "drop", "sync_call_program", count=1)
    with pytest.raises(httpx.RemoteProtocolError):
        emulator.call_program()
    assert emulator.call_program()["errcode"] == 0
    client.add_fault("app", "drop", "gettoken", count=1)
    with pytest.raises(NoAnswerError, match="RemoteProtocolError"):
        app.client.access_token()


def test_a_program_that_is_down_is_not_called(
    client: EmulatorClient, emulator: Emulator, program: SealedProgram
) -> None:
    client.add_fault("program", "errcode", value=710674)
    assert emulator.call_program()["errcode"] == 710674
    assert emulator.call_program()["errcode"] == 710674
    assert program.calls == []
    client.clear_faults()
    assert emulator.call_program()["errcode"] == 0


@pytest.mark.parametrize(
    ("effect", "value", "errcode"),
    [("errcode", errcode, errcode) for errcode in (710675, 710676, 710677, 790013, 790014)]
    + [("drop", 0, 710675), ("timeout", 0.01, 710675)],
)
def test_a_reply_that_is_lost_was_given_all_the_same(
    client: EmulatorClient, emulator: Emulator, program: SealedProgram, effect: str, value: float, errcode: int
) -> None:
    client.add_fault("program", effect, "echo", value, count=1)
    assert emulator.call_program()["errcode"] == errcode
    assert len(program.calls) == 1
    assert emulator.call_program()["errcode"] == 0


def test_a_fault_may_meet_one_event_type(client: EmulatorClient, emulator: Emulator) -> None:
    emulator.receive_events()
    client.add_fault("program", "errcode", "hit_keyword", 710676)
    assert emulator.fire("hit_keyword")["errcode"] == 710676
    assert emulator.fire("delete_knowledge_base")["errcode"] == 0


def test_console_contracts_come_before_the_faults_of_the_program(client: EmulatorClient, emulator: Emulator) -> None:
    client.register({"echo": {"input": {"a": 1}, "output": {"a": 1}}})
    client.add_fault("program", "errcode", value=710674, count=1)
    assert emulator.call_program('{"b": 1}')["errcode"] == 790016
    assert emulator.call_program()["errcode"] == 710674


def test_a_fault_works_as_often_as_it_says_or_until_it_is_cleared(client: EmulatorClient, emulator: Emulator) -> None:
    twice = client.add_fault("sdk", "errcode", value=45009, count=2)
    always = client.add_fault("sdk", "errcode", "sync_msg", 45033)
    assert [fault["id"] for fault in client.faults()] == [twice, always]
    assert [emulator.sdk("sync_msg", {})["errcode"] for _ in range(3)] == [45009, 45009, 45033]
    rest = {"api": "sync_msg", "value": 45033, "count": None, "id": always, "taken": 1}
    assert client.faults() == [{"on": "sdk", "effect": "errcode", **rest}]
    assert client.clear_faults("made-up") == 0
    assert client.clear_faults(always) == 1
    assert emulator.sdk("sync_msg", {})["errcode"] == 0


@for_each(
    [
        *(("app", "latency", seconds) for seconds in (0, 60)),
        *(("program", "errcode", errcode) for errcode in (710674, 710675, 710676, 710677, 790013, 790014)),
        ("callback", "late", 0),
    ]
)
def test_the_first_and_the_last_value_of_a_fault_are_taken(
    on: str, effect: str, value: float, client: EmulatorClient
) -> None:
    client.add_fault(on, effect, value=value)


def test_an_answer_replaces_the_one_before_but_for_one_that_is_counted(emulator: Emulator) -> None:
    for reply, count in (({"a": 1}, None), ({"b": 1}, 1), ({"c": 1}, None)):
        fault = {"on": "sdk", "effect": "answer", "api": "sync_msg", "reply": reply, "count": count}
        assert emulator.http.post("/emulator/faults", json=fault).json()["errcode"] == 0
    assert [emulator.sdk("sync_msg", {}) for _ in range(3)] == [{"b": 1}, {"c": 1}, {"c": 1}]


def test_a_callback_comes_late_by_the_clock(client: EmulatorClient, app: App, emulator: Emulator) -> None:
    client.add_fault("callback", "late", value=30, count=1)
    notify_id = emulator.sdk("spec_notify_app", {})["notify_id"]
    assert app.call("echo", notify_id=notify_id).errcode == 0, "the notify_id is valid at once"
    emulator.advance(29)
    assert emulator.notifications() == []
    assert client.traffic(kind="callback")[0]["outcome"] == "late"
    emulator.advance(1)
    assert [each["notify_id"] for each in emulator.notifications()] == [notify_id]
    assert client.traffic(kind="callback")[0]["outcome"] == "recorded"


@pytest.mark.parametrize(("effect", "times"), [("twice", 2), ("never", 0)])
def test_a_callback_comes_twice_or_never(
    start: StartEmulator, callback_app: CallbackApp, effect: str, times: int
) -> None:
    emulator = start_with_callback(start, callback_app.url)
    with EmulatorClient(emulator.url) as client:
        client.add_fault("callback", effect, count=1)
        emulator.sdk("spec_notify_app", {"notify_id": "first"})
        emulator.sdk("spec_notify_app", {"notify_id": "second"})
        assert callbacks_of(emulator) == [("delivered", 1)] * (times + 1)
        assert [each["NotifyId"] for each in callback_app.received] == ["first"] * times + ["second"]
        outcome = "delivered" if times else "withheld"
        assert [each["outcome"] for each in client.traffic(kind="callback")] == [outcome, "delivered"]


def test_a_reset_ends_what_a_fault_holds_up(client: EmulatorClient, emulator: Emulator) -> None:
    client.add_fault("sdk", "latency", value=60)
    answers = list[Json]()
    held = threading.Thread(target=lambda: answers.append(emulator.sdk("sync_msg", {})))
    held.start()
    wait_until(lambda: client.faults()[0]["taken"] == 1)
    client.reset()
    held.join(DEADLINE)
    assert [answer["errcode"] for answer in answers] == [0]
    assert client.faults() == []
