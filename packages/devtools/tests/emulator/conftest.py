"""Emulators, the program that they call, and what looks into them."""

import os
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.support.emulator import (
    Emulator,
    Response,
    SealedProgram,
    http_server,
    module_zone as module_zone,
    zone as zone,
)
from tests.support.waiting import wait_until
from wwspec_contracts.callbacks import CallbackCrypto, CallbackReceiver, read_xml
from wwspec_devtools.emulator.http.client import EmulatorClient
from wwspec_devtools.emulator.settings import EmulatorSettings
from wwspec_devtools.emulator.standin.wwspec_standin import seal
from wwspec_devtools.emulator.state.traffic import record
from wwspec_devtools.emulator.state.traffic.entries import APP
from wwspec_devtools.emulator.state.traffic.record import Traffic
from wwspec_devtools.testing import standin
from wwspec_devtools.testing.app import App

TOKEN = "callback-token"  # noqa: S105
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
StartEmulator = Callable[..., Emulator]
LoadStandin = Callable[[str], ModuleType]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def start(stack: ExitStack) -> StartEmulator:
    """Start an emulator with the given settings."""

    def start(**settings: Any) -> Emulator:
        return Emulator(EmulatorSettings(**{"messages": 60, "clock_start": 1_750_000_000, **settings}), stack)

    return start


@pytest.fixture
def program(stack: ExitStack, request: pytest.FixtureRequest) -> SealedProgram:
    """The program of the module's emulator; in a test that has none of it, a program of its own."""
    if "zone" in request.fixturenames:
        called: SealedProgram = request.getfixturevalue("zone")[1]
        return called
    return SealedProgram(stack)


@pytest.fixture
def emulator(zone: tuple[Emulator, SealedProgram]) -> Emulator:
    """The module's emulator, as if just started."""
    return zone[0]


@pytest.fixture
def client(emulator: Emulator) -> Iterator[EmulatorClient]:
    """What controls the module's emulator."""
    with EmulatorClient(emulator.url) as client:
        yield client


@pytest.fixture
def start_with_program(start: StartEmulator, program: SealedProgram) -> StartEmulator:
    """Start an emulator that calls `program`."""

    def start_both(**settings: Any) -> Emulator:
        emulator = start(program_url=program.url, **settings)
        program.key = emulator.key
        return emulator

    return start_both


@pytest.fixture
def load_standin(monkeypatch: pytest.MonkeyPatch) -> LoadStandin:
    """Load a fresh copy of the stand-in that finds its emulator at the URL."""

    def load(url: str) -> ModuleType:
        monkeypatch.setenv("WWSPEC_EMULATOR_URL", url)
        return standin.load_standin()

    return load


@pytest.fixture
def app(client: EmulatorClient) -> App:
    return App(client)


@pytest.fixture
def local_directory(tmp_path: Path) -> Path:
    """A directory for the stand-in's local mode."""
    (tmp_path / "zone.key").write_bytes(os.urandom(seal.KEY_BYTES))
    return tmp_path


@pytest.fixture
def traffic(emulator: Emulator, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Traffic:
    """The record of the module's emulator, empty; with an indirect parameter, one that keeps so many entries."""
    platform = emulator.platform
    if hasattr(request, "param"):
        monkeypatch.setattr(record, "KEPT_ENTRIES", request.param)
        platform.reset()
    return platform.world.traffic


def suite_token(emulator: Emulator) -> str:
    """Return the access token of the emulator's suite."""
    info = emulator.http.get("/emulator/info").json()
    suite = {name: info[name] for name in ("suite_id", "suite_secret", "suite_ticket")}
    return str(emulator.http.post("/cgi-bin/service/get_suite_token", json=suite).json()["suite_access_token"])


def record_exchanges(traffic: Traffic, *names: str, sent: str = "", reply: str = "") -> None:
    """Record exchanges of the app's side that ended well."""
    for name in names:
        traffic.end(traffic.begin(APP, name, sent), 0, reply)


class CallbackApp:
    """An app's callback URL; `answers` holds what it does with the next requests, 200 when empty."""

    def __init__(self, stack: ExitStack, corpid: str) -> None:
        self.corpid = corpid
        self.receiver = CallbackReceiver(CallbackCrypto(TOKEN, AES_KEY, corpid))
        self.url = stack.enter_context(http_server(self._post, self._get)) + "/callback"
        self.echoes = 0
        self.answers: deque[int] = deque()
        self.echo_answers: deque[str] = deque()
        self.body = b"success"
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
        return self.answers.popleft() if self.answers else 200, {}, self.body


@pytest.fixture
def callback_app(stack: ExitStack) -> CallbackApp:
    return CallbackApp(stack, "wwcallback")


def start_with_callback(start: StartEmulator, url: str, **more: Any) -> Emulator:
    return start(corpid="wwcallback", callback_url=url, callback_token=TOKEN, encoding_aes_key=AES_KEY, **more)


def callbacks_of(emulator: Emulator) -> list[tuple[str, int]]:
    wait_until(lambda: all(each["state"] != "waiting" for each in emulator.notifications()))
    return [(each["state"], each["attempts"]) for each in emulator.notifications()]
