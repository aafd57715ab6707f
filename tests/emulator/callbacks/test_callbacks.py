import threading
import time
from collections import deque
from contextlib import ExitStack
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given, strategies as st

from tests.emulator.conftest import Emulator, Response, StartEmulator, free_socket, http_server, url_of
from tests.support.waiting import wait_until
from wwspec_router.callbacks import CallbackCrypto, CallbackError, CallbackReceiver, read_xml, write_xml
from wwspec_router.emulator.callbacks import courier as courier_module
from wwspec_router.emulator.callbacks.courier import Courier
from wwspec_router.emulator.state.clock import Clock
from wwspec_router.emulator.state.tickets import Notification
from wwspec_router.errors import ConfigurationError

TOKEN = "callback-token"  # noqa: S105
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
CORPID = "wwcorp"
CRYPTO = CallbackCrypto(TOKEN, AES_KEY, CORPID)

names = st.from_regex(r"[A-Za-z]\w{0,10}", fullmatch=True)


@given(st.text())
def test_a_callback_decrypts_to_what_was_encrypted(text: str) -> None:
    assert CRYPTO.decrypt(CRYPTO.encrypt(text)) == text


@given(st.text())
def test_a_receiver_opens_what_is_signed_for_it(text: str) -> None:
    encrypted = CRYPTO.encrypt(write_xml({"NotifyId": text}))
    query = CRYPTO.query(5, encrypted)
    opened = CallbackReceiver(CRYPTO).open(query, write_xml({"Encrypt": encrypted}))
    assert opened.fields == {"NotifyId": text}


@given(st.dictionaries(names, st.text() | st.integers()))
def test_xml_reads_back_as_it_was_written(fields: dict[str, str | int]) -> None:
    assert read_xml(write_xml(fields)) == {name: str(value) for name, value in fields.items()}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<xml>",
        '<?xml version="1.0"?><xml></xml>',
        '<!DOCTYPE xml [<!ENTITY a "b">]><xml><A>&a;</A></xml>',
        "<xml><A><B>1</B></A></xml>",
        "<xml><A>1</B></xml>",
        '<xml><A x="1">1</A></xml>',
        "<xml>text</xml>",
        "<other></other>",
        "<xml></xml><xml></xml>",
    ],
)
def test_xml_of_any_other_form_is_refused(text: str) -> None:
    with pytest.raises(CallbackError):
        read_xml(text)


def test_indented_xml_is_read() -> None:
    assert read_xml("<xml>\n <A><![CDATA[1]]></A>\n <B>2 &amp; 3</B>\n</xml>\n") == {"A": "1", "B": "2 & 3"}


@pytest.mark.parametrize("changed", ["msg_signature", "timestamp", "nonce"])
def test_a_changed_query_is_refused(changed: str) -> None:
    encrypted = CRYPTO.encrypt(write_xml({"A": 1}))
    query = CRYPTO.query(5, encrypted)
    query[changed] += "0"
    for given_query in (query, {}):
        with pytest.raises(CallbackError, match="signature"):
            CallbackReceiver(CRYPTO).open(given_query, write_xml({"Encrypt": encrypted}))


@given(st.data())
def test_a_ciphertext_of_noise_is_refused(data: st.DataObject) -> None:
    noise = data.draw(st.text() | st.binary().map(lambda content: content.hex()))
    with pytest.raises(CallbackError):
        CRYPTO.decrypt(noise)


def test_another_key_or_receiver_decrypts_nothing() -> None:
    encrypted = CRYPTO.encrypt("text")
    with pytest.raises(CallbackError, match="another receiver"):
        CallbackCrypto(TOKEN, AES_KEY, "other").decrypt(encrypted)
    with pytest.raises(CallbackError):
        CallbackCrypto(TOKEN, AES_KEY[::-1], CORPID).decrypt(encrypted)


def test_the_echo_is_answered_decrypted() -> None:
    encrypted = CRYPTO.encrypt("1234")
    query = {**CRYPTO.query(5, encrypted), "echostr": encrypted}
    assert CallbackReceiver(CRYPTO).answer_echo(query) == "1234"
    with pytest.raises(CallbackError):
        CallbackReceiver(CRYPTO).answer_echo({**query, "echostr": CRYPTO.encrypt("1234")})


def test_the_signature_is_the_sha1_of_the_sorted_parts() -> None:
    crypto = CallbackCrypto("QDG6eK", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", "wx5823bf96d3bd56c7")
    encrypted = (
        "RypEvHKD8QQKFhvQ6QleEB4J58tiPdvo+rtK1I9qca6aM/wvqnLSV5zEPeusUiX5L5X/0lWfrf0QADHHhGd3QczcdCUpj911L3vg3W/sYYvuJTs"
        "3TUUkSUXxaccAS0qhxchrRYt66wiSpGLYL42aM6A8dTT+6k4aSknmPj48kzJs8qLjvd4Xgpue06DOdnLxAUHzM6+kDZ+HMZfJYuR+LtwGc2hgf5g"
        "sijff0ekUNXZiqATP7PF5mZxZ3Izoun1s4zG4LUMnvw2r+KqCKIw+3IQH03v+BCA9nMELNqbSf6tiWSrXJB3LAVGUcallcrw8V2t9EL4EhzJWrQU"
        "ax5wLVMNS0+rUPA3k22Ncx4XXZS9o0MBH27Bo6BpNelZpS+/uh9KsNlY6bHCmJU9p8g7m3fVKn28H3KDYA5Pl/T8Z1ptDAVe0lXdQ2YoyyH2uyPI"
        "GHBZZIs2pDBS8R07+qN+E7Q=="
    )
    assert crypto.signature("1409659813", "1372623149", encrypted) == "477715d11cdb4164915debcba66cb864d751f3e6"
    assert read_xml(crypto.decrypt(encrypted))["ToUserName"] == "wx5823bf96d3bd56c7"


@pytest.mark.parametrize("key", ["", "short", "!" * 43, AES_KEY + "x"])
def test_an_encoding_aes_key_that_is_none_is_refused(key: str) -> None:
    with pytest.raises(ConfigurationError, match="43"):
        CallbackCrypto(TOKEN, key, CORPID)


class CallbackApp:
    """An app's callback URL; `answers` holds what it does with the next requests, 200 when empty."""

    def __init__(self, stack: ExitStack, corpid: str) -> None:
        self.receiver = CallbackReceiver(CallbackCrypto(TOKEN, AES_KEY, corpid))
        self.url = stack.enter_context(http_server(self._post, self._get)) + "/callback"
        self.echoes = 0
        self.answers: deque[int] = deque()
        self.echo_answers: deque[str] = deque()
        self.posts = 0
        self.stamps: list[int] = []
        self.received: list[dict[str, str]] = []
        self.outer: list[dict[str, str]] = []

    def _get(self, path: str) -> Response:
        self.echoes += 1
        echo = self.receiver.answer_echo(dict(parse_qsl(urlsplit(path).query)))
        return 200, {}, (self.echo_answers.popleft() if self.echo_answers else echo).encode()

    def _post(self, headers: list[tuple[str, str]], body: bytes) -> Response:
        self.posts += 1
        query = dict(parse_qsl(urlsplit(dict(headers)[":path"]).query))
        self.stamps.append(int(query["timestamp"]))
        self.received.append(dict(self.receiver.open(query, body.decode()).fields))
        self.outer.append(read_xml(body.decode()))
        return self.answers.popleft() if self.answers else 200, {}, b"success"


@pytest.fixture
def callback_app(stack: ExitStack) -> CallbackApp:
    return CallbackApp(stack, "wwcallback")


def start_with_callback(start: StartEmulator, url: str) -> Emulator:
    return start(corpid="wwcallback", callback_url=url, callback_token=TOKEN, encoding_aes_key=AES_KEY)


def callbacks_of(emulator: Emulator) -> list[tuple[str, int]]:
    wait_until(lambda: all(each["state"] != "waiting" for each in emulator.notifications()))
    return [(each["state"], each["attempts"]) for each in emulator.notifications()]


def test_spec_notify_app_reaches_the_callback_url(start: StartEmulator, callback_app: CallbackApp) -> None:
    emulator = start_with_callback(start, callback_app.url)
    for scene in (7, 255):
        answer = emulator.sdk("spec_notify_app", {"notify_id": f"n{scene}", "notify_scene": scene})
        assert answer == {"errcode": 0, "errmsg": "ok", "notify_id": f"n{scene}"}
    assert callbacks_of(emulator) == [("delivered", 1), ("delivered", 1)]
    assert callback_app.echoes == 1, "the URL is verified at the start, and not again for each delivery"
    first = callback_app.received[0]
    assert abs(int(first.pop("CreateTime")) - emulator.platform.clock.seconds()) <= 60
    assert first == {
        "ToUserName": "wwcallback",
        "FromUserName": "sys",
        "MsgType": "event",
        "Event": "program_notify",
        "NotifyId": "n7",
        "NotifyScene": "7",
    }
    assert callback_app.outer[0]["ToUserName"] == "wwcallback"
    assert callback_app.outer[0]["AgentID"] == str(emulator.settings.agentid)


def test_a_callback_is_stamped_by_this_machines_time_wherever_the_emulators_clock_is(
    start: StartEmulator, callback_app: CallbackApp
) -> None:
    """An app refuses callbacks whose timestamp is minutes away from its own clock: they may be repeated."""
    emulator = start_with_callback(start, callback_app.url)
    emulator.advance(7200)
    emulator.sdk("spec_notify_app", {})
    assert callbacks_of(emulator) == [("delivered", 1)]
    assert abs(callback_app.stamps[0] - time.time()) < 60
    assert int(callback_app.received[0]["CreateTime"]) == pytest.approx(emulator.platform.clock.seconds(), abs=60)


def test_a_failed_delivery_is_tried_three_times(start: StartEmulator, callback_app: CallbackApp) -> None:
    emulator = start_with_callback(start, callback_app.url)
    callback_app.answers.extend([500, 404, 200, 500, 500, 500])
    emulator.sdk("spec_notify_app", {})
    emulator.sdk("spec_notify_app", {})
    assert callbacks_of(emulator) == [("delivered", 3), ("failed", 3)]
    assert callback_app.posts == 6


def test_a_url_that_does_not_answer_the_echo_gets_nothing(start: StartEmulator, callback_app: CallbackApp) -> None:
    callback_app.echo_answers.extend(["wrong"] * 4)
    emulator = start_with_callback(start, callback_app.url)
    wait_until(lambda: callback_app.echoes == 1)
    emulator.sdk("spec_notify_app", {})
    assert callbacks_of(emulator) == [("failed", 3)]
    assert callback_app.received == []
    emulator.sdk("spec_notify_app", {})
    assert callbacks_of(emulator)[1] == ("delivered", 1)


def test_a_url_where_nobody_listens_fails(start: StartEmulator) -> None:
    with free_socket() as nobody_listens:
        emulator = start_with_callback(start, url_of(nobody_listens))
        emulator.sdk("spec_notify_app", {})
        assert callbacks_of(emulator) == [("failed", 3)]


def test_without_a_callback_url_notifications_are_recorded(start: StartEmulator) -> None:
    emulator = start()
    made = emulator.sdk("spec_notify_app", {})["notify_id"]
    emulator.sdk("spec_notify_app", {"notify_id": "own", "notify_scene": 3})
    recorded = emulator.notifications()
    assert [(each["notify_id"], each["notify_scene"]) for each in recorded] == [(made, 0), ("own", 3)]
    assert 1 <= len(made.encode()) <= 64
    assert recorded[1] == {
        "corpid": emulator.settings.corpid,
        "agentid": emulator.settings.agentid,
        "notify_id": "own",
        "notify_scene": 3,
        "create_time": recorded[1]["create_time"],
        "state": "recorded",
        "attempts": 0,
    }


@pytest.mark.parametrize(
    ("request_json", "errcode"),
    [
        ({"notify_id": "x" * 64}, 0),
        ({"notify_id": "x" * 65}, 710646),
        ({"notify_id": "中" * 21}, 0),
        ({"notify_id": "中" * 22}, 710646),
        ({"notify_id": 1}, 40058),
        ({"notify_scene": "1"}, 40058),
        ({"notify_scene": 256}, 0),
        ({"notify_scene": -1}, 0),
    ],
)
def test_spec_notify_app_keeps_its_limits(start: StartEmulator, request_json: dict[str, object], errcode: int) -> None:
    emulator = start()
    assert emulator.sdk("spec_notify_app", request_json)["errcode"] == errcode
    assert [each["notify_scene"] for each in emulator.notifications()] == ([] if errcode else [0])


def test_a_courier_that_stops_drops_what_waits_and_ends_its_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courier_module, "QUEUE_SIZE", 2)
    asked, states = threading.Event(), deque[str]()
    release = threading.Event()

    def hang(path: str) -> Response:
        asked.set()
        release.wait(20)
        return 500, {}, b""

    with http_server(lambda headers, body: (200, {}, b""), hang) as url:
        courier = Courier(url, CRYPTO, Clock())
        courier.start(lambda notification, state, attempts: states.append(state))
        assert asked.wait(20)
        for number in range(3):
            courier.deliver(
                Notification(corpid=CORPID, agentid=1, notify_id=str(number), notify_scene=0, create_time=0)
            )
        assert list(states) == ["dropped"], "the queue of two is full"
        stopping = threading.Thread(target=courier.stop)
        stopping.start()
        wait_until(lambda: courier._stopping.is_set())
        release.set()
        stopping.join(20)
    assert list(states) == ["dropped"] * 3
    assert "emulator-courier" not in [thread.name for thread in threading.enumerate()]
