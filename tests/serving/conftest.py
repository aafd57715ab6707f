"""A zone program on a real socket: uvicorn on a thread, and an SDK that seals nothing.

The vendor's SDK is closed, so these tests bring one of their own: a call travels as plain JSON, and what the platform
would answer is the test's to say.
"""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import uvicorn

from tests.support.apps import ROOT
from tests.support.waiting import DEADLINE, wait_until
from wwspec_contracts.errors import DecodeError
from wwspec_contracts.support.certificates import trusted
from wwspec_router.config import Settings
from wwspec_router.envelope import Call
from wwspec_router.registry.table import AbilityTable, build_table
from wwspec_router.sdk.base import Headers, SealedReply
from wwspec_router.serving.program import ZoneProgram
from wwspec_router.serving.server import server_config
from wwspec_router.stores import open_store


class PlainSdk:
    """Calls and replies as plain JSON; `invoke` is the test's."""

    version = ""
    is_emulated = False

    def __init__(self) -> None:
        self.invoke: Callable[[str, str], str] = lambda api, request: '{"errcode":0,"errmsg":"ok"}'
        self.decoded_on: list[str] = []
        self.encoded_on: list[str] = []
        self.fails_to_encode = False

    def decode(self, headers: Headers, body: str) -> Call:
        self.decoded_on.append(threading.current_thread().name)
        if dict(headers).get("ww-plain") != "yes":
            raise DecodeError("the request could not be verified or decrypted")
        return msgspec.json.decode(body, type=Call)

    def encode(self, text: str) -> SealedReply:
        self.encoded_on.append(threading.current_thread().name)
        if self.fails_to_encode:
            raise RuntimeError("a secret that must not be seen")
        return SealedReply(headers={"Ww-Sealed": "yes"}, body=text)

    def encode_refusal(self, text: str) -> SealedReply:
        return SealedReply(headers={"Ww-Exception": "yes"}, body=text)

    def client(self, corpid: str, agentid: int, ability_id: str, job_info: str) -> "PlainSdk":
        return self

    def new_notify_id(self) -> str:
        return "notify-1"

    def trace(self, reference: str, text: str = "") -> None:
        """Tell nobody."""


class ServedProgram:
    """One running program."""

    def __init__(self, sdk: PlainSdk, settings: Settings, table: AbilityTable) -> None:
        self.sdk = sdk
        self.app = ZoneProgram(table, sdk, open_store("memory:"), settings)
        self.server = uvicorn.Server(server_config(self.app, settings))
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.port: int = self.socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._run, name="program")

    def _run(self) -> None:
        asyncio.run(self.server.serve([self.socket]))

    def start(self) -> None:
        self._thread.start()
        wait_until(lambda: self.server.started)

    def stop(self) -> None:
        self.server.should_exit = True
        self._thread.join(DEADLINE)
        assert not self._thread.is_alive()
        self.socket.close()

    @property
    def pending(self) -> int:
        """How many calls are being answered."""
        assert self.app.calls is not None
        return self.app.calls.pending

    def post(self, ability_id: str, data: Any = None, **call: Any) -> httpx.Response:
        """Call an ability on a connection of its own."""
        content = sealed(ability_id, data, **call)
        with httpx.Client(verify=trusted(), trust_env=False, timeout=DEADLINE) as client:
            return client.post(f"{self.url}/", content=content, headers={"ww-plain": "yes"})


def sealed(ability_id: str, data: Any = None, **call: Any) -> bytes:
    """A call as it travels in these tests."""
    fields = {"corpid": "corp", "agentid": 1, "call_type": 1, "ability_id": ability_id, **call}
    return msgspec.json.encode({**fields, "data": msgspec.json.encode({} if data is None else data).decode()})


@pytest.fixture(scope="session")
def table() -> AbilityTable:
    return build_table(ROOT, ROOT / "tests" / "serving" / "registry.toml")


@pytest.fixture
def start(table: AbilityTable) -> Iterator[Callable[..., ServedProgram]]:
    """Start programs; all of them are stopped with the test."""
    with contextlib.ExitStack() as stack:

        def begin(sdk: PlainSdk | None = None, **options: Any) -> ServedProgram:
            program = ServedProgram(sdk or PlainSdk(), Settings(app=ROOT, **{"grace": 1.0, **options}), table)
            program.start()
            stack.callback(program.stop)
            return program

        yield begin


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Start `wwspec serve` in a process of its own, as a `Service`; all of it is killed with the test."""
    from tests.serving.service import Service  # here, since it imports from this module

    with contextlib.ExitStack() as stack:

        def begin(*options: str, **more: Any) -> Service:
            service = Service(tmp_path, *options, **more)
            stack.callback(service.kill)
            return service

        yield begin


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """Threads for calls that last."""
    with ThreadPoolExecutor(4) as pool:
        yield pool
