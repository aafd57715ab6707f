"""What caused an exchange, and which exchanges belong together."""

import json
from collections.abc import Iterator
from contextvars import copy_context
from threading import Thread
from typing import Any

import pytest

from tests.emulator.conftest import LoadStandin
from tests.support.emulator import Emulator, SealedProgram
from wwspec_client import StillRunningError
from wwspec_devtools.emulator.http.client import EmulatorClient
from wwspec_devtools.emulator.standin.wwspec_standin import seal
from wwspec_devtools.emulator.state.traffic.entries import SDK
from wwspec_devtools.emulator.state.traffic.record import Traffic, under
from wwspec_devtools.testing.app import App


@pytest.fixture
def client(emulator: Emulator) -> Iterator[EmulatorClient]:
    with EmulatorClient(emulator.url) as client:
        client.receive_events()
        yield client


def tree(client: EmulatorClient, since: int) -> list[tuple[str, str, int | None, int]]:
    """Return kind, name, parent and flow of each entry; numbers begin anew after `since`."""
    return [
        (each["kind"], each["name"], each["parent"] and each["parent"] - since, each["flow"] - since)
        for each in client.traffic(since)
    ]


def test_an_event_its_notification_the_fetch_and_all_pages_are_one_flow(
    client: EmulatorClient, app: App, emulator: Emulator, program: SealedProgram
) -> None:
    def reply(call: seal.CallContent) -> str:
        if call.call_type == 2:
            emulator.sdk("spec_notify_app", {"notify_id": "n-1"}, request_id=call.request_id)
            return "{}"
        if call.notify_id:
            return "{}"
        return json.dumps(emulator.sdk("sync_msg", json.loads(call.data), request_id=call.request_id))

    program.reply = reply
    app.call("warm-up: the token", '{"limit": 1}')
    since = client.last_number()
    token = client.fire("hit_keyword")["event"]["hit_keyword"]["token"]
    app.call("get_callback_data", "{}", "n-1")
    page: Any = app.call("pull", json.dumps({"token": token, "limit": 1})).reply
    app.call("pull", json.dumps({"cursor": page["next_cursor"], "limit": 1}))
    assert tree(client, since) == [
        ("event", "hit_keyword", None, 1),
        ("sdk", "spec_notify_app", 1, 1),
        ("callback", "program_notify", 2, 1),
        ("app", "sync_call_program", 3, 1),
        ("call", "get_callback_data", 4, 1),
        ("app", "sync_call_program", None, 1),
        ("call", "pull", 6, 1),
        ("sdk", "sync_msg", 7, 1),
        ("app", "sync_call_program", None, 1),
        ("call", "pull", 9, 1),
        ("sdk", "sync_msg", 10, 1),
    ]
    assert client.entry(since + 1)["children"] == [since + 2]


def test_an_asynchronous_call_its_job_its_report_and_its_result_are_one_flow(
    client: EmulatorClient, app: App, emulator: Emulator, program: SealedProgram
) -> None:
    client.register({"echo": {"input": {"a": 1}, "output": {"b": 1}}})
    app.client.access_token()
    app.call("echo", '{"a": 1}')
    since = client.last_number()
    submitted = app.submit("echo", '{"a": 1}')
    with pytest.raises(StillRunningError, match=f"{submitted.jobid}: the program has reported no result"):
        submitted.result(0)
    job_info = program.calls[-1].job_info
    emulator.sdk("get_group_chat", {"chatid": "none"}, job_info=job_info, request_id="of another call")
    for result in ('{"b": "text"}', '{"b": 2}'):
        emulator.sdk("program_async_job_call_back", {"errcode": 0, "result": result}, job_info=job_info)
    assert submitted.result().reply == {"b": 2}
    assert tree(client, since) == [
        ("app", "async_program_task", None, 1),
        ("call", "echo", 1, 1),
        ("app", "async_program_result", 1, 1),
        ("sdk", "get_group_chat", 2, 1),
        ("sdk", "program_async_job_call_back", 2, 1),
        ("sdk", "program_async_job_call_back", 2, 1),
        ("app", "async_program_result", 1, 1),
    ]
    misfit, fits = client.traffic(since)[4:6]
    problem = {"fits": False, "path": "$.b", "problem": ["expected an integer, got a string", "应为整数，实为字符串"]}
    assert misfit["contract"] == {"request": problem, "reply": None}
    assert (misfit["errcode"], misfit["verdict"]) == (790014, "failed")
    assert (fits["contract"], fits["program_errcode"]) == ({"request": {"fits": True}, "reply": None}, 0)


def test_code_that_runs_after_an_event_is_known_by_its_notify_id_and_token(
    client: EmulatorClient, emulator: Emulator, program: SealedProgram, load_standin: LoadStandin
) -> None:
    """A job of an event has neither the request's thread nor a job_info."""
    standin, made = load_standin(emulator.url), list[str]()

    def reply(call: seal.CallContent) -> str:
        sealed = seal.seal_call(emulator.key, call)
        standin.WWToSpecHTTPReqDecoder(list(sealed.headers.items()), sealed.body)
        made.append(standin.spec_gen_notify_id())
        return "{}"

    program.reply = reply
    since = client.last_number()
    token = client.fire("hit_keyword")["event"]["hit_keyword"]["token"]
    emulator.sdk("sync_msg", {"token": token})
    emulator.sdk("spec_notify_app", {"notify_id": made[0]})
    emulator.sdk("spec_notify_app", {"notify_id": "unknown"})
    emulator.sdk("get_group_chat", {"chatid": "none"}, request_id=made[0])
    trace = {"reference": made[0], "kind": "job", "outcome": "failed", "milliseconds": {"total": 1.0}}
    emulator.http.post("/emulator/traces", json=[trace])
    assert [each["outcome"] for each in client.entry(since + 1)["traces"]] == ["failed"], "and not the notification"
    assert tree(client, since) == [
        ("event", "hit_keyword", None, 1),
        ("sdk", "sync_msg", 1, 1),
        ("sdk", "spec_notify_app", 1, 1),
        ("callback", "program_notify", 3, 1),
        ("sdk", "spec_notify_app", None, 5),
        ("callback", "program_notify", 5, 5),
        ("sdk", "get_group_chat", 1, 1),
    ]


def test_an_event_that_comes_later_was_caused_by_the_call_that_ordered_it(
    client: EmulatorClient, emulator: Emulator
) -> None:
    world, since = emulator.platform.world, client.last_number()
    with under(world.traffic.begin(SDK, "create_chatdata_export_job")):
        world.timers.schedule(60, lambda: world.raise_event(world.app, "chat_archive_export_finished", {"jobid": "j"}))
    client.advance(61)
    assert tree(client, since) == [
        ("sdk", "create_chatdata_export_job", None, 1),
        ("clock", "advance", None, 2),
        ("event", "chat_archive_export_finished", 1, 1),
    ]


def test_the_standin_says_which_request_and_process_a_call_is_of_also_from_a_thread_in_its_context(
    client: EmulatorClient, app: App, emulator: Emulator, program: SealedProgram, load_standin: LoadStandin
) -> None:
    standin, settings = load_standin(emulator.url), emulator.settings

    def reply(call: seal.CallContent) -> Any:
        sealed = seal.seal_call(emulator.key, call)
        standin.WWToSpecHTTPReqDecoder(list(sealed.headers.items()), sealed.body)
        caller = standin.ChatDataSDK(settings.corpid, settings.agentid, "echo", "")
        caller.get_group_chat('{"chatid": "none"}')
        helper = Thread(target=copy_context().run, args=(caller.get_group_chat, '{"chatid": "none"}'))
        helper.start()
        helper.join()
        constructor = standin.WWToSpecHTTPRspConstructor("{}")
        return 200, constructor.get_normal_header(), constructor.get_encoded_body().encode()

    program.reply = reply
    app.call("echo", "{}")
    call, first, second = client.traffic()[-3:]
    assert (first["parent"], second["parent"]) == (call["number"], call["number"])
    assert call["pid"] == first["pid"] == second["pid"]
    assert call["pid"] is not None


def test_a_call_that_the_program_makes_without_a_cause_is_a_flow_of_its_own(
    client: EmulatorClient, emulator: Emulator
) -> None:
    since = client.last_number()
    emulator.sdk("get_group_chat", {"chatid": "none"}, request_id="unknown", job_info="unknown")
    assert tree(client, since) == [("sdk", "get_group_chat", None, 1)]


@pytest.mark.parametrize("traffic", [1], indirect=True)
def test_what_was_forgotten_causes_nothing(traffic: Traffic) -> None:
    traffic.begin("call", "a", keys=("request-1",))
    traffic.begin("call", "b", keys=("request-2",))
    assert traffic.find("request-1") is None
    entry = traffic.begin("sdk", "c", refers_to=["request-1", "request-2"])
    assert (entry.parent, entry.flow) == (2, 2)
