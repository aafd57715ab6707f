"""Callbacks of the app: how they are delivered, when their URL is verified, and what is said when either fails."""

import logging
import threading
import time
from collections import deque
from contextlib import ExitStack
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.emulator.conftest import AES_KEY, TOKEN, CallbackApp, StartEmulator, callbacks_of, start_with_callback
from tests.support.apps import ROOT
from tests.support.emulator import Emulator, Response, free_socket, http_server, url_of
from tests.support.waiting import DEADLINE, wait_until
from wwspec_contracts.callbacks import CallbackCrypto
from wwspec_devtools.emulator.callbacks import delivery as courier_module
from wwspec_devtools.emulator.callbacks.delivery import Courier
from wwspec_devtools.emulator.http.client import EmulatorClient, EmulatorError
from wwspec_devtools.emulator.state.clock import Clock
from wwspec_devtools.emulator.state.tickets import Notification
from wwspec_devtools.testing.zone import Zone
from wwspec_router.cli.main import main

CORPID = "wwcorp"
CRYPTO = CallbackCrypto(TOKEN, AES_KEY, CORPID)


def callbacks(emulator: Emulator) -> list[dict[str, Any]]:
    """Return the entries of the callbacks, each with its row in the list of notifications."""
    callbacks_of(emulator)
    rows = emulator.http.get("/emulator/traffic?kind=callback&bodies=true").json()["traffic"]
    entries = [emulator.http.get(f"/emulator/traffic/{row['number']}").json()["entry"] for row in rows]
    assert [each["attempt"] for each in entries] == [row["attempt"] for row in rows]
    return [{**each, "notification": row} for each, row in zip(entries, emulator.notifications(), strict=True)]


@pytest.mark.parametrize(("renews", "late"), [(True, 0), (False, 710646)])
def test_a_setting_says_whether_a_further_notification_lets_a_notify_id_be_valid_for_longer(
    start: StartEmulator, renews: bool, late: int
) -> None:
    emulator = start(renew_notify_ids=renews, clock_start=1_700_000_000)
    world = emulator.platform.world

    def notify() -> int:
        return int(emulator.sdk("spec_notify_app", {"notify_id": "again"})["errcode"])

    def is_valid() -> bool:
        return world.notify_ids.valid(emulator.settings.corpid, emulator.settings.agentid, "again", world.clock.now())

    assert notify() == 0
    emulator.advance(599)
    assert notify() == 0
    emulator.advance(2)
    assert is_valid() is renews
    emulator.advance(700)
    assert notify() == late
    assert is_valid() is renews


def test_spec_notify_app_reaches_the_callback_url_stamped_by_this_machines_time_wherever_the_emulators_clock_is(
    start: StartEmulator, callback_app: CallbackApp
) -> None:
    """An app refuses callbacks whose timestamp is minutes away from its own clock: they may be repeated."""
    emulator = start_with_callback(start, callback_app.url)
    emulator.advance(7200)
    for scene in (7, 255):
        answer = emulator.sdk("spec_notify_app", {"notify_id": f"n{scene}", "notify_scene": scene})
        assert answer == {"errcode": 0, "errmsg": "ok", "notify_id": f"n{scene}"}
    assert callbacks_of(emulator) == [("delivered", 1), ("delivered", 1)]
    assert callback_app.echoes == 1, "the URL is verified at the start, and not again for each delivery"
    assert abs(callback_app.stamps[0] - time.time()) < 60
    first = callback_app.received[0]
    assert abs(int(first.pop("CreateTime")) - emulator.platform.clock.seconds()) <= 60
    sent = {"ToUserName": "wwcallback", "FromUserName": "sys", "MsgType": "event", "Event": "program_notify"}
    assert first == sent | {"NotifyId": "n7", "NotifyScene": "7"}
    assert callback_app.outer[0]["ToUserName"] == "wwcallback"
    assert callback_app.outer[0]["AgentID"] == str(emulator.settings.agentid)


def test_a_url_that_does_not_answer_the_echo_gets_nothing(start: StartEmulator, callback_app: CallbackApp) -> None:
    callback_app.echo_answers.extend(["wrong"] * 4)
    emulator = start_with_callback(start, callback_app.url)
    wait_until(lambda: callback_app.echoes == 1)
    emulator.sdk("spec_notify_app", {})
    assert callbacks_of(emulator) == [("failed", 3)]
    assert callback_app.received == []
    emulator.sdk("spec_notify_app", {})
    assert callbacks_of(emulator)[1] == ("delivered", 1)


def test_a_callback_that_the_app_refuses_three_times_says_why_in_the_record_and_in_the_log(
    start: StartEmulator, callback_app: CallbackApp, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    emulator = start_with_callback(start, callback_app.url)
    callback_app.answers.extend([500, 500, 403, 500, 404, 200])
    callback_app.body = b"forbidden by \x1b[31mgateway" + b"x" * 300
    for _ in range(2):
        emulator.sdk("spec_notify_app", {})
    assert callbacks_of(emulator) == [("failed", 3), ("delivered", 3)]
    assert callback_app.posts == 6
    refused, delivered = callbacks(emulator)
    said = callback_app.body.decode()[:200]
    attempt = refused["attempt"]
    assert attempt == refused["notification"]["attempt"]
    assert [attempt[name] for name in ("method", "url", "status", "body")] == ["POST", callback_app.url, 403, said]
    assert attempt["error"] == ["", ""]
    assert attempt["seconds"] >= 0
    assert refused["http"]["status"] == 403
    [record] = caplog.records
    assert record.name == "uvicorn.error", "which is where `wwspec emulate` prints"
    advice, chinese = attempt["advice"]
    assert refused["advice"] == [advice, chinese]
    assert "WWSPEC_CALLBACK_TOKEN, WWSPEC_ENCODING_AES_KEY and the receive id wwcallback are the app's" in advice
    assert "wwspec zone verify-callback" in chinese
    shown = said.replace("\x1b", "\\x1b")
    assert record.getMessage() == (
        f"a callback to the callback URL failed after 3 tries: POST {callback_app.url} answered HTTP status 403 "
        f'"{shown}": {advice}'
    )
    assert (delivered["attempt"]["status"], delivered["attempt"]["advice"]) == (200, None)
    assert delivered["advice"] is None


def test_a_callback_to_a_url_that_is_not_verified_has_the_attempt_to_verify_it(
    start: StartEmulator, stack: ExitStack, caplog: pytest.LogCaptureFixture
) -> None:
    answer: Response = (403, {}, b'{"secret": "s", "said": "forbidden"}')
    url = stack.enter_context(http_server(lambda headers, body: answer, lambda path: answer))
    emulator = start_with_callback(start, f"{url}/callback?own=1")
    emulator.sdk("spec_notify_app", {})
    [refused] = callbacks(emulator)
    control = stack.enter_context(EmulatorClient(emulator.url))
    attempt = control.attempt(refused["number"])
    assert attempt is not None
    assert (attempt.method, attempt.url, attempt.status) == ("GET", f"{url}/callback", 403)
    assert attempt.body == '{"secret":"***","said":"forbidden"}'
    assert refused["http"]["method"] == "GET"
    assert not refused["sealed"]
    assert "failed after 3 tries, since it is not verified: GET http" in caplog.text
    assert control.attempt(1) is None, "an SDK call is no callback"


def test_without_a_callback_url_notifications_are_recorded(emulator: Emulator) -> None:
    made = emulator.sdk("spec_notify_app", {})["notify_id"]
    emulator.sdk("spec_notify_app", {"notify_id": "own", "notify_scene": 3})
    recorded = emulator.notifications()
    assert [(each["notify_id"], each["notify_scene"]) for each in recorded] == [(made, 0), ("own", 3)]
    assert 1 <= len(made.encode()) <= 64
    own = {"notify_id": "own", "notify_scene": 3, "create_time": recorded[1]["create_time"]}
    app = {"corpid": emulator.settings.corpid, "agentid": emulator.settings.agentid}
    assert recorded[1] == own | app | {"state": "recorded", "attempts": 0, "attempt": None}


@pytest.mark.parametrize(
    ("request_json", "errcode"),
    [
        ({"notify_id": "x" * 64}, 0),
        ({"notify_id": "x" * 65}, 710646),
        ({"notify_id": "中" * 21}, 0),
        ({"notify_id": "中" * 22}, 710646),
        ({"notify_scene": 256}, 0),
        ({"notify_scene": -1}, 0),
    ],
)
def test_spec_notify_app_keeps_its_limits(emulator: Emulator, request_json: dict[str, object], errcode: int) -> None:
    assert emulator.sdk("spec_notify_app", request_json)["errcode"] == errcode
    assert [each["notify_scene"] for each in emulator.notifications()] == ([] if errcode else [0])


def test_a_courier_that_stops_drops_what_waits_and_ends_its_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courier_module, "QUEUE_SIZE", 2)
    asked, reports = threading.Event(), deque[tuple[str, int]]()
    release = threading.Event()

    def hang(path: str) -> Response:
        asked.set()
        release.wait(DEADLINE)
        return 500, {}, b""

    with http_server(lambda headers, body: (200, {}, b""), hang) as url:
        courier = Courier(url, CRYPTO, Clock(), ("the corpid", "corpid"))
        courier.start(lambda notification, state, attempts, last: reports.append((state, attempts)))
        assert asked.wait(DEADLINE)
        for number in range(3):
            courier.deliver(
                Notification(corpid=CORPID, agentid=1, notify_id=str(number), notify_scene=0, create_time=0)
            )
        assert list(reports) == [("dropped", 0)], "the queue of two is full"
        stopping = threading.Thread(target=courier.stop)
        stopping.start()
        wait_until(lambda: courier._stopping.is_set())
        release.set()
        stopping.join(DEADLINE)
    assert list(reports) == [("dropped", 0)] * 3
    assert "emulator-courier" not in [thread.name for thread in threading.enumerate()]


def test_a_running_emulator_takes_another_callback_url_and_goes_back_to_that_of_its_start(
    callback_app: CallbackApp,
) -> None:
    settings: dict[str, Any] = {"callback_token": TOKEN, "encoding_aes_key": AES_KEY, "corpid": callback_app.corpid}
    start = "http://127.0.0.1:1/start"
    with Zone.in_process(ROOT, callback_url=start, **settings) as zone:
        with pytest.raises(EmulatorError, match="must be an http"):
            zone.client.set_callback("nowhere", TOKEN, AES_KEY)
        with pytest.raises(EmulatorError, match="43 characters"):
            zone.client.set_callback(callback_app.url, TOKEN, "short")
        assert zone.client.info()["callback_url"] == start
        zone.client.set_callback(callback_app.url, TOKEN, AES_KEY)
        zone.client.reset()
        assert zone.client.verify_callback() == callback_app.url
        zone.fire("hit_keyword")
        wait_until(lambda: callback_app.received)
        zone.client.restore_callback()
        assert zone.client.info()["callback_url"] == start


def verify(emulator: Emulator) -> Result:
    return CliRunner().invoke(main, ["zone", "verify-callback"], env={"WWSPEC_EMULATOR_URL": emulator.url})


def is_verified(emulator: Emulator) -> bool:
    return bool(emulator.http.get("/emulator/info").json()["callback_verified"])


def test_the_url_is_verified_again_after_a_reset(start: StartEmulator, callback_app: CallbackApp) -> None:
    emulator = start_with_callback(start, callback_app.url)
    wait_until(lambda: is_verified(emulator))
    callback_app.echo_answers.append("wrong")
    emulator.http.post("/emulator/reset")
    wait_until(lambda: callback_app.echoes == 2)
    assert not is_verified(emulator)
    emulator.http.post("/emulator/reset")
    wait_until(lambda: is_verified(emulator))
    assert callback_app.echoes == 3


@pytest.mark.parametrize("answer", ["wrong", "", '"{}"', "{}\n", " {}", "\ufeff{}"])
def test_an_answer_that_is_not_the_bare_echo_fails(
    start: StartEmulator, callback_app: CallbackApp, answer: str
) -> None:
    """Row 29: WeCom takes neither quotes nor a line end."""
    emulator = start_with_callback(start, callback_app.url)
    wait_until(lambda: is_verified(emulator))
    callback_app.echo_answers.append(answer.format(emulator.platform.clock.seconds()))
    done = verify(emulator)
    assert done.exit_code == 1
    assert "not the decrypted echostr" in done.stderr
    assert "without quotes or a line end" in done.stderr
    assert not is_verified(emulator)


@pytest.mark.parametrize(
    ("app_type", "named", "answer", "reason"),
    [
        ("self", "the corpid wwcallback are", (403, {}, b"forbidden"), 'status 403 "forbidden"'),
        ("third", "the provider's corpid wwprovider00000001 are", (302, {"location": "/elsewhere"}, b""), "status 302"),
    ],
)
def test_a_refusal_names_the_settings_that_may_differ_and_the_id_for_which_the_url_is_verified(
    start: StartEmulator, stack: ExitStack, app_type: str, named: str, answer: Response, reason: str
) -> None:
    url = stack.enter_context(http_server(lambda headers, body: answer, lambda path: answer))
    done = verify(start_with_callback(start, url, app_type=app_type))
    assert done.exit_code == 1
    assert done.stderr.startswith(f"Error: GET {url} answered HTTP {reason}: check that it takes GET requests")
    assert f"WWSPEC_CALLBACK_TOKEN, WWSPEC_ENCODING_AES_KEY and {named} the app's" in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_app_that_is_not_up_yet_is_a_warning_and_no_end(
    start: StartEmulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    with free_socket() as nobody_listens:
        url = url_of(nobody_listens)
        emulator = start_with_callback(start, url)
        wait_until(lambda: "nothing answers" in caplog.text)
        [record] = caplog.records
        assert record.name == "uvicorn.error", "which is where `wwspec emulate` prints"
        assert record.getMessage() == (
            f"the callback URL is not verified: GET {url} failed, nothing answers (ConnectError): start the app, "
            "then run `wwspec zone verify-callback`"
        )
        done = verify(emulator)
        emulator.sdk("spec_notify_app", {})
        [refused] = callbacks(emulator)
    assert done.exit_code == 1
    assert done.stderr.startswith(f"Error: GET {url} failed, nothing answers (ConnectError): start the app, then run")
    attempt, notification = refused["attempt"], refused["notification"]
    said = ["nothing answers (ConnectError)", "无法连接（ConnectError）"]
    assert (attempt["status"], attempt["body"], attempt["error"]) == (None, "", said)
    assert (notification["state"], notification["attempts"]) == ("failed", 3)
    assert refused["http"]["status"] is None


def test_with_another_key_or_no_callback_url_the_verification_fails(start: StartEmulator, stack: ExitStack) -> None:
    done = verify(start())
    assert done.exit_code == 1
    assert done.stderr == (
        "Error: the emulator has no callback URL: start it with --callback-url, WWSPEC_CALLBACK_TOKEN and "
        "WWSPEC_ENCODING_AES_KEY\n"
    )
    assert verify(start_with_callback(start, CallbackApp(stack, "wwanother").url)).exit_code == 1
