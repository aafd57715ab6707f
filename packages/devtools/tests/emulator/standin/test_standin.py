import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.emulator.conftest import LoadStandin, StartEmulator
from tests.support.emulator import Emulator, Response, free_socket, http_server, serving, url_of
from tests.support.waiting import DEADLINE
from wwspec_devtools.emulator.http.app import create_app
from wwspec_devtools.emulator.settings import EmulatorSettings
from wwspec_devtools.emulator.standin.wwspec_standin import link, seal
from wwspec_devtools.emulator.standin.wwspec_standin.names import SDK_APIS

CALL = seal.CallContent(
    "ww1", 7, 1, '{"a": "中"}', "req-1", 1, ability_id="echo", notify_id="n1", is_async=True, job_info="job"
)


@pytest.fixture
def key(local_directory: Path) -> bytes:
    return (local_directory / "zone.key").read_bytes()


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    """Where the stand-in looks for an emulator, and a test answers it."""
    with free_socket() as listening:
        listening.listen()
        listening.settimeout(20)
        yield listening


@pytest.fixture
def sdk(load_standin: LoadStandin, local_directory: Path) -> ModuleType:
    return load_standin(f"local:{local_directory}")


def decode(sdk: ModuleType, key: bytes, call: seal.CallContent = CALL) -> Any:
    sealed = seal.seal_call(key, call)
    return sdk.WWToSpecHTTPReqDecoder(list(sealed.headers.items()), sealed.body)


@contextmanager
def fails(code: int, match: str) -> Iterator[pytest.ExceptionInfo[Exception]]:
    """Assert that the block raises the vendor's error, which has and names a return code."""
    with pytest.raises(Exception, match=match) as raised:
        yield raised
    assert raised.value.return_code == code  # type: ignore[attr-defined]  # of the vendor's class
    assert str(code) in str(raised.value)


def test_getters_give_what_the_platform_sealed(sdk: ModuleType, key: bytes) -> None:
    decoder = decode(sdk, key)
    names = ("corpid", "agentid", "call_type", "data", "ability_id", "notify_id", "is_async", "job_info")
    for name in names:
        assert getattr(decoder, f"get_{name}")() == getattr(CALL, name), name
    assert decoder.get_is_async() is True


def test_a_reply_goes_out_under_the_normal_or_the_exception_header(sdk: ModuleType, key: bytes) -> None:
    decode(sdk, key)
    reply = sdk.WWToSpecHTTPRspConstructor('{"errcode": 0}')
    for headers, is_exception in [(reply.get_normal_header(), False), (reply.get_exception_header(), True)]:
        opened = seal.open_reply(key, headers.items(), reply.get_encoded_body())
        assert opened == ('{"errcode": 0}', "req-1", is_exception)


def test_the_module_offers_the_documented_names_and_no_others(sdk: ModuleType) -> None:
    logs = {f"spec_log_{level}" for level in ("debug", "error", "info")}
    codec = {"WWToSpecHTTPReqDecoder", "WWToSpecHTTPRspConstructor"}
    assert {*sdk.__all__} == {"ChatDataSDK", "spec_gen_notify_id", "spec_open_debug_mode"} | logs | codec
    methods = [name for name in vars(sdk.ChatDataSDK) if not name.startswith("_")]
    assert len(methods) == len(SDK_APIS)
    assert {"sync_msg", "spec_notify_app", "program_async_job_call_back"} <= set(methods)
    with pytest.raises(AttributeError):
        sdk.ChatDataSDK("ww1", 7, "", "").get_msg_body("{}")


def test_an_altered_request_is_refused_with_the_signature_code(sdk: ModuleType, key: bytes) -> None:
    sealed = seal.seal_call(key, CALL)
    with fails(-10004, "return code") as raised:
        sdk.WWToSpecHTTPReqDecoder(list(sealed.headers.items()), f"{sealed.body[:-5]}AAAA=")
    assert raised.type.__name__ not in sdk.__all__


@pytest.mark.parametrize(
    "call",
    [
        lambda sdk: sdk.WWToSpecHTTPReqDecoder([], b""),
        lambda sdk: sdk.WWToSpecHTTPReqDecoder({}, ""),
        lambda sdk: sdk.WWToSpecHTTPReqDecoder([("a", 1)], ""),
        lambda sdk: sdk.WWToSpecHTTPReqDecoder(["ab"], ""),
        lambda sdk: sdk.WWToSpecHTTPRspConstructor(b"{}"),
        lambda sdk: sdk.WWToSpecHTTPRspConstructor({}),
        lambda sdk: sdk.ChatDataSDK("ww1", "7", "", ""),
        lambda sdk: sdk.ChatDataSDK(b"ww1", 7, "", ""),
        lambda sdk: sdk.ChatDataSDK("ww1", 7, "", None),
        lambda sdk: sdk.ChatDataSDK("ww1", 7, ""),
        lambda sdk: sdk.ChatDataSDK("ww1", 7, "", "").sync_msg({}),
        lambda sdk: sdk.spec_open_debug_mode("token", None),
    ],
)
def test_arguments_of_a_wrong_type_raise_type_error(sdk: ModuleType, call: Any) -> None:
    with pytest.raises(TypeError):
        call(sdk)


def test_log_lines_have_the_documented_form(sdk: ModuleType, key: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    decode(sdk, key)
    sdk.spec_log_info("one", 2, None)
    sdk.spec_log_error("x" * 129)
    sdk.spec_log_debug("中" * 100)
    info, error, debug = capsys.readouterr().out.splitlines()
    ids = rf"<{os.getpid()},{threading.get_native_id()}>"
    line = rf"{ids},\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{{3}},INFO,req-1,test_standin\.py,\d+,one 2 None"
    assert re.fullmatch(line, info)
    assert ",ERR,req-1,test_standin.py," in error
    assert error.endswith(f",{'x' * 128}")
    assert debug.rpartition(",")[2] == "中" * 42
    assert ",DBG," in debug


def test_log_lines_carry_the_request_of_their_thread(
    sdk: ModuleType, key: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    decode(sdk, key)
    other = threading.Thread(target=sdk.spec_log_info, args=("elsewhere",))
    other.start()
    other.join()
    with pytest.raises(Exception, match="return code"):
        sdk.WWToSpecHTTPReqDecoder([], "")
    sdk.spec_log_info("after a failure")
    requests = [line.split(",")[4] for line in capsys.readouterr().out.splitlines()]
    assert requests == ["", ""]


def test_notify_ids_are_fresh_and_short(sdk: ModuleType) -> None:
    ids = {sdk.spec_gen_notify_id() for _ in range(100)}
    assert len(ids) == 100
    assert all(len(notify_id.encode()) <= 64 for notify_id in ids)


def test_debug_mode_needs_the_credentials(sdk: ModuleType, emulator: Emulator, load_standin: LoadStandin) -> None:
    assert sdk.spec_open_debug_mode("debug", "access") is True
    assert sdk.spec_open_debug_mode("", "access") is False
    sdk, debug_token, access_token = load_standin(emulator.url), emulator.settings.debug_token, emulator.token()
    assert sdk.spec_open_debug_mode("made-up", access_token) is False
    assert sdk.spec_open_debug_mode(debug_token, "made-up") is False
    assert sdk.spec_open_debug_mode(debug_token, access_token) is True


def test_notify_ids_follow_from_the_request_so_that_the_same_traffic_has_the_same_ids(
    emulator: Emulator, load_standin: LoadStandin
) -> None:
    sdk = load_standin(emulator.url)
    made = []
    for request_id in ("r1", "r2", "r1"):
        decode(sdk, emulator.key, CALL._replace(request_id=request_id))
        made.append((sdk.spec_gen_notify_id(), sdk.spec_gen_notify_id()))
    assert made[0] == made[2]
    assert len({*made[0], *made[1]}) == 4
    with pytest.raises(Exception, match="return code"):
        sdk.WWToSpecHTTPReqDecoder([], "")
    assert sdk.spec_gen_notify_id() != sdk.spec_gen_notify_id(), "before a request they are random"


def test_local_mode_answers_the_files_text_and_refuses_what_has_no_file(
    load_standin: LoadStandin, sdk: ModuleType, local_directory: Path
) -> None:
    caller, text = sdk.ChatDataSDK("ww1", 7, "", ""), '{"errcode": 0,  "errmsg": "中"}'
    with fails(-10006, r"sync_msg\.json"):
        caller.sync_msg("{}")
    (local_directory / "sync_msg.json").write_text(text)
    assert caller.sync_msg("{}") == text
    keyless = load_standin(f"local:{local_directory / 'elsewhere'}")
    with pytest.raises(Exception, match=r"zone\.key"):
        keyless.WWToSpecHTTPRspConstructor("{}")


ELSEWHERE = """
http://192.0.2.1:8090 http://example.com:80 http://127.0.0.1.example.com:80 http://127.0.0.1:80@example.com
http://user@127.0.0.1:80 http://127.0.0.1 https://127.0.0.1:8090 127.0.0.1:8090 local:
""".split()


@pytest.mark.parametrize("url", ELSEWHERE)
def test_only_loopback_and_local_are_accepted(load_standin: LoadStandin, url: str) -> None:
    with pytest.raises(ImportError, match="loopback"):
        load_standin(url)


def test_sdk_calls_reach_the_emulator_with_their_caller(emulator: Emulator, load_standin: LoadStandin) -> None:
    sdk = load_standin(emulator.url)
    settings = emulator.settings
    reply = sdk.ChatDataSDK(settings.corpid, settings.agentid, "ab/中", "job\n").sync_msg('{"limit": 1}')
    assert '"errcode":0' in reply
    assert '"errcode":710641' in sdk.ChatDataSDK("ww-nobody", 1, "", "").sync_msg("{}")
    assert '"errcode":40063' in sdk.ChatDataSDK(settings.corpid, settings.agentid, "", "").search_msg("{}")


def test_an_api_that_the_standin_lacks_and_no_test_answers_is_not_there(
    emulator: Emulator, load_standin: LoadStandin
) -> None:
    caller = load_standin(emulator.url).ChatDataSDK(emulator.settings.corpid, emulator.settings.agentid, "", "")
    for name in ("say_hello", "名字"):
        assert not hasattr(caller, name)


def test_a_request_that_is_no_json_object_raises(emulator: Emulator, load_standin: LoadStandin) -> None:
    sdk = load_standin(emulator.url).ChatDataSDK("ww1", 7, "", "")
    for request in ["", "[]", "{", '"\ud800"']:
        with fails(-10009, "sync_msg"):
            sdk.sync_msg(request)


def test_a_reply_that_never_comes_raises_the_network_code(
    load_standin: LoadStandin, listening: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "READ_SECONDS", 0.05)
    sdk = load_standin(url_of(listening))
    with fails(-10002, "TimeoutError"):
        sdk.ChatDataSDK("ww1", 7, "", "").sync_msg("{}")


@pytest.mark.parametrize(("response", "code"), [((500, {}, b"{}"), -10003), ((200, {}, b"\xff"), -10009)])
def test_replies_that_are_none_raise_their_code(load_standin: LoadStandin, response: Response, code: int) -> None:
    with http_server(lambda headers, body: response) as url:
        sdk = load_standin(url)
        with fails(code, "sync_msg"):
            sdk.ChatDataSDK("ww1", 7, "", "").sync_msg("{}")


def test_each_thread_keeps_one_connection(load_standin: LoadStandin, listening: socket.socket) -> None:
    sdk = load_standin(url_of(listening))

    def call_three_times() -> None:
        for _ in range(3):
            assert sdk.ChatDataSDK("ww1", 7, "", "").sync_msg("{}") == "{}"

    for _ in range(2):
        caller = threading.Thread(target=call_three_times)
        caller.start()
        connection, _ = listening.accept()
        with connection:
            for _ in range(3):
                read_request(connection)
                connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
            assert connection.recv(1) == b"", "the thread's end closes its connection"
        caller.join()


def test_a_kept_connection_that_was_closed_is_opened_once_more(
    load_standin: LoadStandin, listening: socket.socket
) -> None:
    sdk = load_standin(url_of(listening))
    replies: list[str] = []
    closed = threading.Event()

    def call_twice() -> None:
        replies.append(sdk.ChatDataSDK("ww1", 7, "", "").sync_msg("{}"))
        closed.wait(DEADLINE)
        replies.append(sdk.ChatDataSDK("ww1", 7, "", "").sync_msg("{}"))

    caller = threading.Thread(target=call_twice)
    caller.start()
    for text in (b"11", b"22"):
        connection, _ = listening.accept()
        with connection:
            read_request(connection)
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n" + text)
        closed.set()
    caller.join()
    assert replies == ["11", "22"]


def test_a_fresh_connection_that_is_closed_without_a_reply_raises(
    load_standin: LoadStandin, listening: socket.socket
) -> None:
    sdk = load_standin(url_of(listening))
    with ThreadPoolExecutor() as pool:
        call = pool.submit(sdk.ChatDataSDK("ww1", 7, "", "").sync_msg, "{}")
        connection, _ = listening.accept()
        read_request(connection)
        connection.close()
        assert getattr(call.exception(DEADLINE), "return_code", None) == -10002


def test_the_key_is_waited_for_until_the_emulator_is_up(
    load_standin: LoadStandin, monkeypatch: pytest.MonkeyPatch
) -> None:
    bound = free_socket()
    sdk = load_standin(url_of(bound))
    app = create_app(EmulatorSettings(messages=0))
    tried = threading.Event()
    read_key = link.HttpLink._read_key

    def read(self: link.HttpLink) -> bytes:
        try:
            return read_key(self)
        finally:
            tried.set()

    monkeypatch.setattr(link.HttpLink, "_read_key", read)
    replies: list[Any] = []
    waiting = threading.Thread(target=lambda: replies.append(sdk.WWToSpecHTTPRspConstructor("{}")))
    waiting.start()
    assert tried.wait(DEADLINE)
    with serving(app, bound):
        waiting.join()
        headers, body = replies[0].get_normal_header(), replies[0].get_encoded_body()
        assert seal.open_reply(app.state.platform.world.zone_key, headers.items(), body).text == "{}"


def test_a_restarted_emulators_new_key_is_fetched(
    start: StartEmulator, load_standin: LoadStandin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "KEY_REFRESH_SECONDS", -1.0)
    emulator = start()
    sdk = load_standin(emulator.url)
    decode(sdk, emulator.key)
    world = emulator.platform.world
    world.zone_key = bytes(32)
    assert decode(sdk, bytes(32)).get_corpid() == "ww1"
    with fails(-10004, "signature"):
        decode(sdk, bytes([1] * 32))


def test_another_server_on_the_emulators_port_gives_no_key(load_standin: LoadStandin) -> None:
    with http_server(lambda headers, body: (200, {}, b""), lambda path: (200, {}, b"hello")) as url:
        sdk = load_standin(url)
        with fails(-10003, "another server"):
            sdk.WWToSpecHTTPRspConstructor("{}")


def test_a_process_that_ends_does_not_wait_for_an_emulator_that_is_gone() -> None:
    with free_socket() as bound:  # nothing listens there
        code = (
            "from wwspec_devtools.emulator.standin.wwspec_standin import link\n"
            f"link.TRACE_PAUSE_SECONDS = {DEADLINE}\n"
            f"link.HttpLink('127.0.0.1', {bound.getsockname()[1]}).trace('{{}}')\n"
        )
        subprocess.run([sys.executable, "-c", code], check=True, timeout=DEADLINE / 10)


def read_request(connection: socket.socket) -> None:
    content = b""
    while not content.endswith(b"{}"):
        chunk = connection.recv(4096)
        assert chunk
        content += chunk


def test_a_call_that_finds_no_emulator_says_where_it_looked_why_and_what_to_do() -> None:
    with free_socket() as nobody:
        port = nobody.getsockname()[1]
    place = f"the emulator at http://127.0.0.1:{port} can't be reached (Connection refused)"
    advice = "start it there, or name another one with WWSPEC_EMULATOR_URL or"
    with fails(link.NETWORK, re.escape(f"{place}: {advice}")):
        link.link_to(f"http://127.0.0.1:{port}").invoke("sync_msg", {}, "{}")
