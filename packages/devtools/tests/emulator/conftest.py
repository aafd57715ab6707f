"""Emulators, the program that they call, and what looks into them."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.support.emulator import Emulator, SealedProgram, module_zone as module_zone, zone as zone
from wwspec_devtools.emulator.http.client import EmulatorClient
from wwspec_devtools.emulator.settings import EmulatorSettings
from wwspec_devtools.emulator.standin.wwspec_standin import seal
from wwspec_devtools.emulator.state.traffic import record
from wwspec_devtools.emulator.state.traffic.entries import APP
from wwspec_devtools.emulator.state.traffic.record import Traffic
from wwspec_devtools.testing import standin
from wwspec_devtools.testing.app import App

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
