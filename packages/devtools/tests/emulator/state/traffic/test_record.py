"""The record of the traffic: what it tells, what it hides, that it repeats itself, and calls sent again."""

import io
import json
from contextlib import ExitStack
from typing import Any

import pytest

from tests.emulator.conftest import LoadStandin, StartEmulator, record_exchanges
from tests.support.emulator import Emulator, Json, SealedProgram
from tests.support.handed_out import without_ids
from wwspec_client import PlatformError
from wwspec_contracts.files import ConsoleContract
from wwspec_devtools.emulator.display.views import row_with_bodies
from wwspec_devtools.emulator.http.client import EmulatorClient, EmulatorError
from wwspec_devtools.emulator.state.traffic.entries import MAX_BODY_BYTES
from wwspec_devtools.emulator.state.traffic.record import Bounds, Traffic
from wwspec_devtools.testing.app import App


def test_every_exchange_is_recorded_in_the_order_in_which_it_began(
    client: EmulatorClient, app: App, emulator: Emulator, program: SealedProgram
) -> None:
    program.reply = lambda call: json.dumps({"errcode": emulator.sdk("spec_notify_app", {})["errcode"]})
    assert app.call("echo", '{"a": 1}').errcode == 0
    client.receive_events()
    client.fire("hit_keyword")
    recorded = [(each["kind"], each["name"], each["outcome"]) for each in client.traffic()]
    assert recorded == [
        ("app", "gettoken", "ok"),
        ("app", "sync_call_program", "ok"),
        ("call", "echo", "ok"),
        ("sdk", "spec_notify_app", "ok"),
        ("callback", "program_notify", "recorded"),
        ("app", "set_receive_callback", "ok"),
        ("event", "hit_keyword", "ok"),
        ("sdk", "spec_notify_app", "ok"),
        ("callback", "program_notify", "recorded"),
    ]
    call = client.traffic(kind="call")[0]
    assert call["offset_ms"] > 0 < call["duration_ms"]
    place = {"number": 3, "parent": 2, "flow": 2, "time": 1_750_000_000, "time_ms": 1_750_000_000_000}
    who = {"corpid": emulator.settings.corpid, "agentid": emulator.settings.agentid}
    sent = {"kind": "call", "name": "echo", "ability": "echo", "request": {"a": 1}, "request_bytes": 8}
    got = {"reply": {"errcode": 0}, "reply_bytes": 14, "errcode": 0, "program_errcode": 0, "reason": ["", ""]}
    ended = {"outcome": "ok", "verdict": "ok", "faults": [], "attempts": 0, "replayable": True}
    nothing = dict.fromkeys(("replay_of", "pid", "machine", "contract", "advanced_ms", "attempt"))
    del call["offset_ms"], call["duration_ms"]
    assert call == place | who | sent | got | ended | nothing


def test_no_secret_is_told(client: EmulatorClient, app: App, emulator: Emulator, program: SealedProgram) -> None:
    client.receive_events()
    event_token = client.fire("hit_keyword")["event"]["hit_keyword"]["token"]
    app.call("echo", json.dumps({"token": event_token, "nested": [{"secret_key": "key-in-clear"}]}))
    emulator.sdk("sync_msg", {"token": event_token, "limit": 1})
    jobid = app.submit("echo").jobid
    with pytest.raises(PlatformError, match="710671"):
        app.client.open_debug_mode("debug-in-clear")
    text = json.dumps(client.traffic())
    job_info = program.calls[-1].job_info
    for secret in (emulator.settings.secret, emulator.token(), event_token, "key-in-clear", "debug-in-clear", job_info):
        assert secret not in text
    assert emulator.key.hex() not in text
    assert jobid in text
    sync_msg = client.traffic(kind="sdk")[0]
    assert sync_msg["request"] == {"token": "***", "limit": 1}
    info = sync_msg["reply"]["msg_list"][0]["service_encrypt_info"]
    assert info == {"encrypted_secret_key": "***", "public_key_ver": 1}
    call = client.traffic(kind="app")[2]
    assert call["request"]["request_data"] == '{"token":"***","nested":[{"secret_key":"***"}]}'


@pytest.mark.parametrize("traffic", [3], indirect=True)
def test_the_record_is_bounded_in_entries_and_bytes(traffic: Traffic) -> None:
    assert traffic.bounds == Bounds(first=1, last=0), "there are none"
    record_exchanges(
        traffic, *(f"api{number}" for number in range(5)), sent="x" * (MAX_BODY_BYTES + 1), reply="not json"
    )
    entries = [row_with_bodies(entry) for entry in traffic.kept_entries()]
    assert [each["name"] for each in entries] == ["api2", "api3", "api4"]
    assert traffic.bounds == Bounds(first=3, last=5)
    assert entries[0]["request"] == {"not kept, bytes": MAX_BODY_BYTES + 1}
    assert entries[0]["reply"] == "not JSON, 8 characters"


def test_what_is_nested_too_deep_is_hidden_whole(traffic: Traffic) -> None:
    record_exchanges(traffic, "deep", sent='{"a":' * 100 + '{"secret":"s"}' + "}" * 100)
    [entry] = map(row_with_bodies, traffic.kept_entries())
    assert (entry["name"], entry["request_bytes"] > 500) == ("deep", True)
    assert '"s"' not in json.dumps(entry)


def play(emulator: Emulator, sdk: Any, program: SealedProgram) -> list[Json]:
    """Do a little of everything, and return the record."""
    caller = sdk.ChatDataSDK(emulator.settings.corpid, emulator.settings.agentid, "echo", "")

    def reply(call: Any) -> str:
        return str(caller.spec_notify_app("{}") if call.call_type == 2 else caller.sync_msg('{"limit": 3}'))

    program.reply = reply
    with EmulatorClient(emulator.url) as client:
        app = App(client)
        client.receive_events()
        for event_type in client.info()["events"]:
            client.fire(event_type)
        app.call("echo", "1", client.notifications()[-1]["notify_id"])
        app.submit("echo", '{"a": 1}')
        app.client.upload_media(io.BytesIO(b"123456"), name="a.txt")
        client.advance(86_400.5)
        app.call("no such ability", "{")
        caller.sync_msg("{}")
        varying = ("offset_ms", "duration_ms", "pid")
        return [{name: value for name, value in each.items() if name not in varying} for each in client.traffic()]


def test_the_same_seed_gives_the_same_record_twice_and_after_a_reset(
    start: StartEmulator, stack: ExitStack, load_standin: LoadStandin
) -> None:
    contracts = {"echo": ConsoleContract(input={"a": 1}, output={})}
    records, program = [], SealedProgram(stack)
    for seed in (5, 5, 6):
        emulator = start(program_url=program.url, seed=seed, contracts=None if seed == 5 else contracts)
        program.key = emulator.key
        sdk = load_standin(emulator.url)
        records.append(play(emulator, sdk, program))
        if seed == 5:
            assert emulator.http.post("/emulator/reset").json()["errcode"] == 0
            records.append(play(emulator, sdk, program))
    assert len(records[0]) > 30
    same = [without_ids(record) for record in records]
    assert same[0] == same[1] == same[2] == same[3]
    assert same[4] != same[0]


def test_a_recorded_call_is_sent_again_under_a_fresh_request_id(
    client: EmulatorClient, app: App, program: SealedProgram, emulator: Emulator
) -> None:
    notify_id = emulator.sdk("spec_notify_app", {})["notify_id"]
    app.call("echo", '{"a": 1}', notify_id)
    client.advance(5)
    assert client.traffic(kind="clock")[0]["advanced_ms"] == 5000
    [entry] = client.traffic(kind="call")
    assert client.replay(entry["number"]) == '{"a": 1}'
    first, again = program.calls
    assert again == first._replace(request_id=again.request_id, timestamp=1_750_000_005)
    assert again.request_id != first.request_id
    assert [each["name"] for each in client.traffic(kind="call")] == ["echo", "echo"]
    client.register({"echo": {"input": {"a": 1}, "output": {"a": 1}}})
    edited = client.replay(entry["number"], data='{"b": 2}', ability_id="other", notify_id="n1")
    assert edited == '{"b": 2}', "contracts are not applied"
    again = program.calls[-1]
    assert (again.data, again.ability_id, again.notify_id) == ('{"b": 2}', "other", "n1")


def test_a_recorded_event_is_sent_again_with_its_secrets(client: EmulatorClient, program: SealedProgram) -> None:
    client.receive_events()
    client.fire("hit_keyword")
    [entry] = client.traffic(kind="event")
    client.replay(entry["number"])
    assert program.calls[1].data == program.calls[0].data
    assert [each["name"] for each in client.traffic(kind="event")] == ["hit_keyword", "hit_keyword"]


def test_only_a_call_that_is_recorded_and_was_not_too_long_is_sent_again(
    client: EmulatorClient, app: App, emulator: Emulator, program: SealedProgram
) -> None:
    app.call("echo")
    app.call("echo", json.dumps("x" * MAX_BODY_BYTES))
    for number in (1, client.last_number(), 99):
        with pytest.raises(EmulatorError, match="no call or event of this number"):
            client.replay(number)
    assert emulator.http.post("/emulator/replay", content=b"{}").json()["errcode"] == 40058
    program.reply = lambda call: (500, {}, b"")
    with pytest.raises(EmulatorError, match="710676"):
        client.replay(client.traffic(kind="call")[0]["number"])


def test_a_reset_goes_back_to_the_start_and_keeps_the_wiring(
    client: EmulatorClient, app: App, emulator: Emulator
) -> None:
    client.receive_events()
    client.register({"echo": {"input": {}, "output": {}}})
    before, key, first = client.info(), emulator.key, emulator.sdk("sync_msg", {})["msg_list"]
    client.fire("conversation_new_message")
    emulator.sdk("spec_notify_app", {})
    client.add_fault("callback", "never")
    submitted = app.submit("echo")
    emulator.platform.world.timers.schedule(5, lambda: pytest.fail("a timer outlived the reset"))
    client.advance(3)
    assert client.reset() == 1_750_000_000
    after = client.info()
    assert after["kept"]["messages"] == before.pop("kept")["messages"]
    del after["kept"]
    assert after == before | {"access_token": ""}
    assert emulator.key == key
    assert emulator.sdk("sync_msg", {})["msg_list"] == first
    assert client.notifications() == []
    assert client.faults() == []
    assert [each["name"] for each in client.traffic()] == ["sync_msg"]
    forgotten = submitted.result()
    assert (forgotten.refused_by, forgotten.errcode) == ("platform", 40088)
    client.advance(10)
    assert client.fire("hit_keyword")["errcode"] == 0


def test_a_whole_event_is_sent_as_it_is(client: EmulatorClient, program: SealedProgram) -> None:
    client.receive_events()
    event = {"event_type": "not_yet_documented", "timestamp": 1, "not_yet_documented": {"a": [1]}}
    assert client.fire_as_is(event)["event"] == event
    assert json.loads(program.calls[0].data) == event
    with pytest.raises(EmulatorError, match="event_type"):
        client.fire_as_is({"timestamp": 1})
