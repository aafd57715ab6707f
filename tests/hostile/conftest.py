"""A zone for people who mean harm: the reference program with handlers that misbehave, and what speaks to it in seals.

The tests know the zone key, as no attacker does: so they can also try what only the platform could send.
"""

import contextlib
import json
import shutil
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import httpx
import pytest

from tests.support.apps import ROOT
from tests.support.kernel import reference_table
from tests.support.never_lost import pytest_itemcollected as pytest_itemcollected
from tests.support.running_loop import running_loop as running_loop
from tests.support.sdk import ScriptedSdk
from tests.support.zones import serve_zone
from wwspec_devtools.emulator.standin.wwspec_standin import seal
from wwspec_devtools.testing.zone import ServedZone
from wwspec_router.envelope import Call
from wwspec_router.kernel.dispatch import Dispatcher
from wwspec_router.stores import open_store

LIMIT = 30.0
"""Seconds after which a test counts as hung."""
NOT_DECODED = {"errcode": 710660, "errmsg": "the request could not be verified or decrypted"}
OK = {"errcode": 0, "errmsg": "ok"}

Pairs = list[tuple[str, str]]


class Answer(NamedTuple):
    """What came back on the wire, opened."""

    status: int
    is_exception: bool
    reply: Any
    text: str


class Wire:
    def __init__(self, zone: ServedZone) -> None:
        self.zone = zone
        self.url = f"{zone.program_url}/"
        self.port = int(zone.program_url.rpartition(":")[2])
        self.key = httpx.get(f"{zone.client.url}/emulator/zone-key", trust_env=False).content
        self.info = zone.client.info()
        self._http = httpx.Client(trust_env=False, timeout=LIMIT)

    def close(self) -> None:
        self._http.close()

    def seal(self, ability_id: str = "misbehave", data: str = '{"name":"good"}', **call: Any) -> seal.Sealed:
        who = {"corpid": self.info["corpid"], "agentid": self.info["agentid"]}
        content = {**who, "call_type": 1, "request_id": "request-1", "timestamp": 1, **call}
        return seal.seal_call(self.key, seal.CallContent(data=data, ability_id=ability_id, **content))

    def send(self, headers: Pairs, body: str | bytes) -> Answer:
        """Send a request as it is and open the answer, which must be sealed."""
        raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
        response = self._http.post(self.url, headers=raw, content=body.encode() if isinstance(body, str) else body)
        assert response.status_code == 200, response.text
        reply = seal.open_reply(self.key, response.headers.multi_items(), response.text)
        return Answer(response.status_code, reply.is_exception, json.loads(reply.text), reply.text)

    def call(self, ability_id: str = "misbehave", data: str = '{"name":"good"}', **call: Any) -> Answer:
        sealed = self.seal(ability_id, data, **call)
        return self.send(list(sealed.headers.items()), sealed.body)

    def event(self, data: str, **call: Any) -> Answer:
        return self.call("", data, call_type=2, **call)

    def refuses(self, headers: Iterable[tuple[str, str]], body: str | bytes) -> None:
        answer = self.send(list(headers), body)
        assert answer.is_exception
        assert answer.reply == NOT_DECODED

    def raw(self, data: bytes) -> bytes:
        return sent_raw(self.port, data)

    def check_alive(self) -> None:
        assert self.call().reply == {**OK, "text": "good", "numbers": [], "ratio": 0.5}


def sent_raw(port: int, data: bytes) -> bytes:
    """Send bytes over a connection of their own, end this side of it, and return what came back."""
    came = bytearray()
    with socket.create_connection(("127.0.0.1", port), LIMIT) as connection:
        with contextlib.suppress(OSError):  # cut off in the middle
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            while more := connection.recv(65536):
                came += more
    return bytes(came)


def hostile_app(folder: Path) -> Path:
    """Copy the reference program with handlers that misbehave, and return its folder."""
    for name in ("abilities", "schemas"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "tests" / "hostile" / "misbehaviour.py", folder / "abilities")
    registry = folder / "abilities" / "registry.toml"
    names = ("misbehave", "misbehave_later")
    rows = [f"[abilities.{name}]\nhandler = 'abilities.misbehaviour:{name}'" for name in names]
    registry.write_text("\n".join([registry.read_text(), *rows, ""]))
    return folder


@pytest.fixture(scope="session")
def shared_wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    """A served zone that all tests share, and none leaves worse."""
    folder = hostile_app(tmp_path_factory.mktemp("hostile") / "app")
    with serve_zone(folder, serve=["--log-level", "DEBUG"]) as zone, contextlib.closing(Wire(zone)) as wire:
        yield wire


@pytest.fixture
def wire(shared_wire: Wire) -> Iterator[Wire]:
    """The wire to the shared zone, whose program still runs and answers after the test."""
    yield shared_wire
    assert shared_wire.zone.program.process.poll() is None, "the program did not survive"
    shared_wire.check_alive()


class Ask(Protocol):
    """Sends one call and returns the decoded reply, which must not come under the exception header."""

    def __call__(self, ability_id: str, data: str = "{}", **call: Any) -> Any: ...


@pytest.fixture(scope="module")
def kernel() -> Iterator[Dispatcher]:
    """The reference program's kernel; its platform accepts everything."""
    store, sdk = open_store("memory:"), ScriptedSdk()
    sdk.reply = '{"errcode":0,"errmsg":"ok"}'
    yield Dispatcher(reference_table(), sdk, store)
    store.close()


@pytest.fixture(params=["kernel", "wire"])
def ask(request: pytest.FixtureRequest, kernel: Dispatcher) -> Iterator[Ask]:
    """A way to call the reference program: its kernel in memory, or the served program with sealed requests."""
    if request.param != "kernel":
        wire: Wire = request.getfixturevalue("wire")

        def over_the_wire(ability_id: str, data: str = "{}", **call: Any) -> Any:
            answer = wire.call(ability_id, data, **call)
            assert not answer.is_exception
            return answer.reply

        yield over_the_wire
    else:

        def in_memory(ability_id: str, data: str = "{}", **call: Any) -> Any:
            fields = {"corpid": "corp", "agentid": 7, "call_type": 1, "ability_id": ability_id, "data": data, **call}
            return json.loads(kernel.dispatch(Call(**fields)).text)

        yield in_memory
        assert in_memory("invoke_sync_msg") == OK
