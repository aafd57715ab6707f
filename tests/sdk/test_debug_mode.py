"""Debug mode against the emulator, whose clock the tests put forward by hours at once."""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.support.apps import ROOT
from tests.support.emulator import http_server
from tests.support.tables import for_each
from tests.support.waiting import wait_until
from tests.support.zones import forked_child
from wwspec_contracts.errors import SdkUnavailableError
from wwspec_devtools.child import Child, ChildError
from wwspec_devtools.emulator.http.client import EmulatorClient
from wwspec_devtools.emulator.settings import EmulatorSettings
from wwspec_devtools.testing.app import App
from wwspec_router.config import SdkSource, Settings
from wwspec_router.sdk.access_token import AccessToken, AccessTokenError, fetch_access_token
from wwspec_router.sdk.debug_mode import DebugMode

DEFAULTS = EmulatorSettings()
NO_CORPID = "invalid corpid; there is no such corpid: compare it with the admin console"
LIFETIME = 7200
CLOCK_START = 1_800_000_000


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[EmulatorClient]:
    """An emulator whose clock stands still until it is put forward."""
    with ExitStack() as stack:
        process = forked_child(
            ["emulate", "--port", "0", "--clock-start", str(CLOCK_START)], output=tmp_path / "emulator.log"
        )
        stack.callback(process.stop)
        yield stack.enter_context(EmulatorClient(process.announced_url()))


def fetch_from(url: str, secret: str = DEFAULTS.secret) -> Callable[[], AccessToken]:
    return partial(fetch_access_token, url, DEFAULTS.corpid, secret)


def test_over_four_hours_the_token_is_renewed_within_two_seconds_of_its_end(emulator: EmulatorClient) -> None:
    tokens: list[str] = []

    def is_open() -> bool:
        """Return whether the emulator takes the latest token."""
        asked = {"debug_token": DEFAULTS.debug_token, "access_token": tokens[-1]}
        return bool(client.post("/emulator/debug-mode", json=asked).json())

    def open_debug_mode(debug_token: str, access_token: str) -> None:
        tokens.append(access_token)
        if not is_open():
            raise SdkUnavailableError("the SDK refused debug mode")

    with httpx.Client(base_url=emulator.url, trust_env=False) as client:
        debug_mode = DebugMode(open_debug_mode, DEFAULTS.debug_token, fetch_from(emulator.url))
        debug_mode.open()
        now, without, fetches = 0.0, 0.0, 0
        pause = debug_mode.renew()
        while now < 2 * LIFETIME + 60:
            emulator.advance(pause)
            now += pause
            if not is_open():
                without += pause
            pause = debug_mode.renew()
            fetches += 1
            assert is_open()
        assert len(tokens) == len(set(tokens)) == 3
        assert without <= 2.0 * (len(tokens) - 1)
        assert fetches <= 35 * len(tokens)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Where a served program writes."""
    return tmp_path / "program.log"


@pytest.fixture
def serve(log: Path, emulator: EmulatorClient) -> Iterator[Callable[..., Child]]:
    with ExitStack() as stack:

        def start(secret: str = DEFAULTS.secret) -> Child:
            program = forked_child(
                ["serve", "--sdk", "emulator", "--app", str(ROOT), "--port", "0", "--store", "memory:"]
                + ["--api-url", emulator.url, "--corpid", DEFAULTS.corpid],
                {
                    "WWSPEC_EMULATOR_URL": emulator.url,
                    "WWSPEC_DEBUG_TOKEN": DEFAULTS.debug_token,
                    "WWSPEC_CORPSECRET": secret,
                    "NO_COLOR": "1",
                },
                log,
            )
            stack.callback(program.stop)
            return program

        yield start


def test_a_served_program_takes_a_new_token_when_the_old_one_ends(
    serve: Callable[..., Child], emulator: EmulatorClient, log: Path
) -> None:
    fetch_from(emulator.url)()
    emulator.advance(LIFETIME - 2)
    emulator.point_to(serve().announced_url())
    wait_until(lambda: "debug mode: open with a new access token, valid for 2 s" in log.read_text())
    emulator.advance(3)
    wait_until(lambda: "debug mode: open with a new access token, valid for 7200 s" in log.read_text())
    app = App(emulator)
    assert app.call("invoke_sync_msg", '{"limit":1}').errcode == 0
    for each in ("-10008", DEFAULTS.secret, DEFAULTS.debug_token, "gettoken?"):
        assert each not in log.read_text()


def test_a_wrong_secret_is_one_line_that_names_the_fix(serve: Callable[..., Child], log: Path) -> None:
    with pytest.raises(ChildError):
        serve("a-secret-of-77d0").announced_url()
    [line] = [each for each in log.read_text().splitlines() if "gettoken" in each]
    assert line.endswith(
        "debug mode: gettoken was refused with 40001: invalid credential; the secret is not that of the app: "
        "compare it with the admin console; each app has its own; "
        "check WWSPEC_CORPID, WWSPEC_CORPSECRET and the network (WeCom document 100083)"
    )
    assert "a-secret-of-77d0" not in log.read_text()


def test_a_token_that_wecom_ends_before_its_time_is_replaced_within_five_minutes() -> None:
    opened: list[str] = []
    tokens = iter(["first", "first", "second"])
    debug_mode = DebugMode(lambda _, token: opened.append(token), "debug", lambda: AccessToken(next(tokens), LIFETIME))
    debug_mode.open()
    assert [debug_mode.renew(), debug_mode.renew()] == [300, 300]
    assert opened == ["first", "second"]


def test_failures_keep_the_old_token_and_are_logged_with_growing_pauses(caplog: pytest.LogCaptureFixture) -> None:
    opened: list[str] = []
    working = True

    def fetch() -> AccessToken:
        if not working:
            raise AccessTokenError("gettoken got no answer (Connection refused)")
        return AccessToken("same", LIFETIME)

    debug_mode = DebugMode(lambda _, token: opened.append(token), "debug", fetch)
    debug_mode.open()
    working = False
    with caplog.at_level(logging.INFO):
        pauses = [debug_mode.renew() for _ in range(9)]
    assert 1 <= pauses[0] <= 2
    assert 30 <= pauses[-1] <= 60
    assert all("(Connection refused)" in line and "is valid for 7200 s more" in line for line in caplog.messages)
    working = True
    assert debug_mode.renew() == 300
    assert opened == ["same"]


def answering(status: int, body: bytes) -> AbstractContextManager[str]:
    return http_server(lambda *_: (405, {}, b""), lambda _: (status, {"Location": "http://127.0.0.1:1/"}, body))


@for_each(
    [
        (200, b"", "the answer of gettoken is not the platform's"),
        (200, b"[" * 100_000, "the answer of gettoken is not the platform's"),
        (200, b'{"access_token":7}', "the answer of gettoken is not the platform's"),
        (200, b'{"errcode":0}', "the answer of gettoken holds no access_token"),
        (200, b'{"errcode":40013,"errmsg":"hint s3cret"}', f"gettoken was refused with 40013: {NO_CORPID}"),
        (200, b'{"errcode":99999}', "gettoken was refused with 99999"),
        (502, b"", "gettoken was answered with HTTP status 502"),
        (302, b"", "gettoken was answered with HTTP status 302"),
    ]
)
def test_an_answer_without_a_token_is_told_in_one_line(status: int, body: bytes, text: str) -> None:
    with answering(status, body) as url, pytest.raises(AccessTokenError) as raised:
        fetch_access_token(url, "corp", "s3cret")
    assert str(raised.value) == text


def test_a_token_is_valid_for_as_long_as_the_answer_says() -> None:
    for expires, seconds in ((7200, 7200), (0, 0), (-5, 0), (10**12, 86_400), (0.5, 0.5)):
        with answering(200, json.dumps({"access_token": "t", "expires_in": expires}).encode()) as url:
            assert fetch_access_token(url, "corp", "s3cret") == ("t", seconds)


def test_without_a_server_the_reason_is_that_of_the_system() -> None:
    with pytest.raises(AccessTokenError) as raised:
        fetch_access_token("http://127.0.0.1:1", "corp", "s3cret")
    assert str(raised.value) == "gettoken got no answer (Connection refused)"


@for_each(
    [
        ({}, ""),
        ({"debug_token": "d", "access_token": "a"}, ""),
        ({"debug_token": "d", "corpid": "c", "corpsecret": "s3cret"}, ""),
        ({"debug_token": "d", "corpid": "c", "corpsecret": "s3cret", "api_url": "http://[::1]:8090"}, ""),
        ({"access_token": "a"}, "WWSPEC_DEBUG_TOKEN and WWSPEC_ACCESS_TOKEN go together"),
        ({"corpsecret": "s3cret"}, "WWSPEC_DEBUG_TOKEN and WWSPEC_CORPSECRET go together"),
        ({"corpsecret": "s3cret", "sdk": SdkSource.EMULATOR}, ""),  # of the verbs of an app, in the same shell
        ({"access_token": "a", "sdk": SdkSource.EMULATOR}, "WWSPEC_DEBUG_TOKEN and WWSPEC_ACCESS_TOKEN go together"),
        ({"debug_token": "d"}, "WWSPEC_DEBUG_TOKEN and WWSPEC_ACCESS_TOKEN go together; or set WWSPEC_CORPID and"),
        (
            {"debug_token": "d", "access_token": "a", "corpid": "c", "corpsecret": "s3cret"},
            "WWSPEC_ACCESS_TOKEN and WWSPEC_CORPSECRET are both set: unset the former",
        ),
        ({"api_url": "http://qyapi.weixin.qq.com"}, "would send the app's secret over the network as it is"),
        *(
            ({"api_url": url}, "--api-url must be https://HOST")
            for url in ("a.host", "https://", "https://a:b@host", "https://host:port", "https://host/?a=b")
        ),
    ]
)
def test_settings_of_debug_mode_that_do_not_fit_are_told(given: dict[str, str], fault: str) -> None:
    if "api_url" in given:
        given = {"debug_token": "d", "corpid": "c", "corpsecret": "s3cret", **given}
    text = Settings(app=Path(), **given).debug_fault  # type: ignore[arg-type]
    assert fault in text
    assert bool(fault) == bool(text)
    assert "s3cret" not in text
