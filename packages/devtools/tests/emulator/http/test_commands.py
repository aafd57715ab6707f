from typing import Any

import pytest

from tests.emulator.conftest import StartEmulator
from tests.support.emulator import Emulator, Response, SealedProgram
from tests.support.sealing import seal_reply
from wwspec_contracts.errors import ConfigurationError
from wwspec_devtools.emulator.events.types import EVENT_TYPES
from wwspec_devtools.emulator.http.app import create_app
from wwspec_devtools.emulator.http.client import EmulatorClient
from wwspec_devtools.emulator.settings import EmulatorSettings
from wwspec_devtools.emulator.standin.wwspec_standin import seal


def test_an_emulator_binds_to_loopback_only() -> None:
    for host in ("0.0.0.0", "192.0.2.1", "example.com", "", "::"):  # noqa: S104
        with pytest.raises(ConfigurationError, match="the emulator binds to loopback only"):
            EmulatorSettings(host=host)
    for host in ("127.0.0.1", "127.1.2.3", "::1", "localhost"):
        assert EmulatorSettings(host=host).host == host


@pytest.mark.parametrize("url", ["", "127.0.0.1:8080", "ftp://127.0.0.1", "http://", "http://a:port", "http://a:0"])
def test_a_program_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="program_url"):
        EmulatorSettings(program_url=url)


def test_half_a_callback_is_refused() -> None:
    with pytest.raises(
        ConfigurationError,
        match="all three or none; missing: WWSPEC_CALLBACK_TOKEN and WWSPEC_ENCODING_AES_KEY; set: --",
    ):
        EmulatorSettings(callback_url="http://127.0.0.1:1")
    callback: dict[str, Any] = {"callback_token": "t", "encoding_aes_key": "k" * 42}
    with pytest.raises(ConfigurationError, match="callback_url must"):
        EmulatorSettings(callback_url="nowhere", **callback)
    with pytest.raises(ConfigurationError, match="EncodingAESKey"):
        create_app(EmulatorSettings(callback_url="http://a", **callback))


def test_info_tells_an_app_all_that_it_needs(start: StartEmulator) -> None:
    emulator = start(seed=9)
    settings = emulator.settings
    answer = emulator.http.get("/emulator/info").json()
    assert 0 <= answer.pop("now") - 1_750_000_000 <= 60
    assert answer.pop("kept")["messages"]["entries"] == 60
    people = {kind: answer.pop(kind) for kind in ("employees", "customers", "robots", "groups", "knowledge_bases")}
    assert all(people.values())
    fields = "corpid agentid secret app_type suite_id suite_secret suite_ticket permanent_code program_id program_url"
    given = {name: getattr(settings, name) for name in f"{fields} call_timeout messages seed debug_token".split()}
    assert answer == given | {
        "errcode": 0,
        "errmsg": "ok",
        "access_token": "",
        "corps": [settings.corpid],
        "callback_url": "",
        "callback_verified": False,
        "folder": "",
        "abilities": None,
        "events": list(EVENT_TYPES),
        "receives_events": False,
        "url": emulator.url,
    }


def test_the_clock_is_put_forward_and_never_back(emulator: Emulator) -> None:
    assert emulator.http.post("/emulator/clock", json={"advance": 3600.5}).json()["now"] == 1_750_003_600
    for body in (b"", b"{}", b'{"advance": "1"}', b'{"advance": true}', b'{"advance": -1}', b'{"advance": 1e400}'):
        assert emulator.http.post("/emulator/clock", content=body).json()["errcode"] == 40058


def test_the_program_may_move_to_what_is_a_url(emulator: Emulator, program: SealedProgram) -> None:
    moved = emulator.http.post("/emulator/program", json={"program_url": program.url})
    assert moved.json() == {"errcode": 0, "errmsg": "ok"}
    for url in (1, "nowhere"):
        assert emulator.http.post("/emulator/program", json={"program_url": url}).json()["errcode"] == 40058
    assert emulator.http.get("/emulator/info").json()["program_url"] == program.url


def test_what_is_in_work_says_of_an_event_whether_its_code_runs_or_will_run_again(
    client: EmulatorClient, emulator: Emulator, program: SealedProgram
) -> None:
    def accept(call: seal.CallContent) -> Response:
        sealed = seal_reply(program.key, "", call.request_id, 0)
        return 200, {**sealed.headers, seal.JOB_HEADER: "now"}, sealed.body.encode()

    def in_work_after(**fields: Any) -> list[str]:
        trace = {"reference": program.calls[0].request_id, "kind": "job", "milliseconds": {"total": 1}, **fields}
        assert emulator.http.post("/emulator/traces", json=[trace]).status_code == 204
        return client.wait_idle(0)

    program.reply = accept
    client.receive_events()
    number = client.fire("hit_keyword")["number"]
    assert emulator.platform.wait_idle()
    its_entry = f"event hit_keyword: {{}} (entry {number})".format
    assert client.wait_idle(0) == [its_entry("its code has not ended")]
    again = its_entry("attempt 2 of its code failed, the next is 1.5 s later")
    assert in_work_after(outcome="postponed", attempt=2, next_run=1.5) == [again]
    assert in_work_after(outcome="ok", attempt=3) == []


def test_two_emulators_never_share_a_zone_key(start: StartEmulator) -> None:
    assert start(seed=1).key != start(seed=1).key


def test_sdk_calls_of_another_form_are_refused_by_status(emulator: Emulator) -> None:
    http = emulator.http
    caller = {"ww-corpid": "ww1", "ww-agentid": "1"}
    assert http.post("/emulator/sdk/get_msg_body", json={}, headers=caller).status_code == 404
    assert http.post("/emulator/sdk/sync_msg", json=[], headers=caller).status_code == 400
    assert http.post("/emulator/sdk/sync_msg", json={}).status_code == 400
    assert http.post("/emulator/sdk/sync_msg", json={}, headers={**caller, "ww-agentid": "x"}).status_code == 400
    too_large = http.post("/emulator/sdk/sync_msg", content=b" " * (10 * 1024 * 1024 + 1), headers=caller)
    assert too_large.json()["errcode"] == 40206


def test_the_receiver_of_events_is_chosen_at_one_corp_or_at_every_one_that_authorises_the_app(
    start_with_program: StartEmulator,
) -> None:
    emulator = start_with_program(corps=3)
    apps = emulator.platform.world.apps

    def receivers() -> list[bool]:
        return [app.receiver is not None for app in apps]

    with EmulatorClient(emulator.url, corp=apps[1].corpid) as second, EmulatorClient(emulator.url) as every:
        second.receive_events()
        assert receivers() == [False, True, False]
        every.receive_events()
        assert receivers() == [True, True, True]
        second.cancel()
        every.receive_events()
        assert receivers() == [True, False, True], "it has taken its authorisation back"
