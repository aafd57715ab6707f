"""An SDK in memory, the reference application's table, and small applications on disk."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import current_thread
from typing import Any

import pytest
from msgspec.structs import replace

from wwspec_router.contracts.codec import InputCodec, OutputCodec, OutputPolicy
from wwspec_router.contracts.examples import console_example
from wwspec_router.contracts.matching import mismatches
from wwspec_router.envelope import Call, CallType, Reply
from wwspec_router.errors import DecodeError, SdkCallError
from wwspec_router.handlers.ability import handler_of
from wwspec_router.handlers.context import Portal
from wwspec_router.kernel.dispatch import Dispatcher
from wwspec_router.registry.table import Ability, AbilityTable, HandlerTarget, build_table
from wwspec_router.sdk.base import Headers, SealedReply
from wwspec_router.stores import NotifyStore, open_store

ROOT = Path(__file__).parents[2]
OK = '{"errcode":0,"errmsg":"ok"}'
DEADLINE = 20.0
"""Seconds after which a wait fails instead of hanging."""


@dataclass(frozen=True)
class Invocation:
    """One SDK call, as the platform would see it."""

    api: str
    request: str
    corpid: str
    agentid: int
    ability_id: str
    job_info: str
    thread: str


@dataclass
class MemorySdk:
    """`Sdk` without a platform: canned replies by API, and a record of every call."""

    replies: dict[str, str | Exception | Callable[[str], str]] = field(default_factory=dict)
    calls: list[Invocation] = field(default_factory=list)
    decoded: dict[str, Call] = field(default_factory=dict)
    """What each request body decodes to; any other body is refused."""
    decoding_threads: list[str] = field(default_factory=list)
    notify_ids: Iterator[str] = field(default_factory=lambda: (f"notify-{number}" for number in range(1_000_000)))
    description: str = "an SDK in memory"

    def decode(self, headers: Headers, body: str) -> Call:
        self.decoding_threads.append(current_thread().name)
        if body not in self.decoded:
            raise DecodeError("the request could not be verified or decrypted", detail="no such body")
        return self.decoded[body]

    def encode(self, text: str) -> SealedReply:
        return SealedReply(headers={"WW-Kind": "normal", "Content-Length": "1"}, body=text)

    def encode_refusal(self, text: str) -> SealedReply:
        return SealedReply(headers={"WW-Kind": "exception", "Transfer-Encoding": "chunked"}, body=text)

    def client(self, corpid: str, agentid: int, ability_id: str, job_info: str) -> "MemoryClient":
        return MemoryClient(self, (corpid, agentid, ability_id, job_info))

    def new_notify_id(self) -> str:
        return next(self.notify_ids)

    def log(self, level: str, text: str) -> None:
        raise NotImplementedError

    def open_debug_mode(self, debug_token: str, access_token: str) -> None:
        raise NotImplementedError

    @property
    def requests(self) -> list[tuple[str, Any]]:
        """API and decoded request of each call."""
        return [(call.api, json.loads(call.request)) for call in self.calls]


@dataclass
class MemoryClient:
    sdk: MemorySdk
    identity: tuple[str, int, str, str]

    def invoke(self, api: str, request: str) -> str:
        self.sdk.calls.append(Invocation(api, request, *self.identity, current_thread().name))
        reply = self.sdk.replies.get(api, OK)
        if isinstance(reply, Exception):
            raise reply
        return reply if isinstance(reply, str) else reply(request)


def network_failure(api: str) -> SdkCallError:
    return SdkCallError(api, -10002, "the network is down")


class Zone:
    """A kernel over an SDK in memory and a real store; every reply it gives is checked against the platform's rule."""

    def __init__(
        self, table: AbilityTable, store: NotifyStore, portal: Portal | None = None, sdk: MemorySdk | None = None
    ) -> None:
        self.table = table
        self.sdk = sdk or MemorySdk()
        self.store = store
        self.dispatcher = Dispatcher(table, self.sdk, store, portal)

    def dispatch(self, call: Call) -> Reply:
        return self.dispatcher.dispatch(call)

    def call(self, ability_id: str, data: str = "{}", **more: Any) -> Any:
        """Call an ability and return the decoded reply, which must fit what is registered for the ability."""
        reply = self.dispatch(app_call(ability_id, data, **more))
        value = json.loads(reply.text)
        ability = self.table.abilities.get(ability_id)
        if ability is not None and hasattr(ability.target, "output"):
            assert not list(mismatches(console_example(ability.target.output.type), value))
        return value

    def event(self, data: str, **more: Any) -> Any:
        """Send an event and return the decoded reply."""
        call = Call(corpid="corp", agentid=7, call_type=CallType.EVENT, data=data)
        return json.loads(self.dispatch(replace(call, **more)).text)


def app_call(ability_id: str, data: str = "{}", **more: Any) -> Call:
    """Return a call of the enterprise app."""
    call = Call(corpid="corp", agentid=7, call_type=CallType.APP, ability_id=ability_id, data=data)
    return replace(call, **more)


def with_handler(
    table: AbilityTable,
    function: Callable[..., Any],
    timeout: float | None = None,
    policy: OutputPolicy = OutputPolicy.STRICT,
) -> AbilityTable:
    """Return a table that has one more ability, named as the function is."""
    handler = handler_of(function)
    assert handler is not None
    assert handler.request is not None
    assert handler.response is not None
    target = HandlerTarget(handler, InputCodec(handler.request), OutputCodec(handler.response, policy))
    name = function.__name__
    ability = Ability(ability_id=name, target=target, timeout=timeout, place="the test")
    return replace(table, abilities={**table.abilities, name: ability})


@pytest.fixture(scope="session")
def reference_table() -> AbilityTable:
    """What the repository's own application answers."""
    return build_table(ROOT, ROOT / "abilities" / "registry.toml")


@pytest.fixture
def store() -> Iterator[NotifyStore]:
    opened = open_store("memory:")
    yield opened
    opened.close()


@pytest.fixture
def zone(reference_table: AbilityTable, store: NotifyStore) -> Zone:
    """The reference application's kernel."""
    return Zone(reference_table, store)


@pytest.fixture
def zone_with(reference_table: AbilityTable, store: NotifyStore) -> Callable[..., Zone]:
    """Return a kernel that has one more ability, answered by a function."""

    def build(
        function: Callable[..., Any],
        timeout: float | None = None,
        portal: Portal | None = None,
        policy: OutputPolicy = OutputPolicy.STRICT,
    ) -> Zone:
        return Zone(with_handler(reference_table, function, timeout, policy), store, portal)

    return build


@pytest.fixture
def zone_of(store: NotifyStore, tmp_path: Path) -> Callable[..., Zone]:
    """Return a kernel of the reference application under another registry file."""

    def build(text: str) -> Zone:
        registry = tmp_path / "registry.toml"
        registry.write_text(text)
        return Zone(build_table(ROOT, registry), store)

    return build


def write_files(folder: Path, files: Mapping[str, str]) -> Path:
    """Write text files below a folder and return the folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


_WITHOUT_REFERENCE = "import sys, wwspec_router; sys.path.remove(sys.argv.pop(1))\n"
"""Leaves the framework importable, and not the reference application beside it."""


def python(program: str, *arguments: object, path: Sequence[Path] = (), env: Mapping[str, str] | None = None) -> str:
    """Run a program in a process of its own and return what it printed; it must not fail."""
    done = _python(program, *arguments, path=path, env=env)
    assert done.returncode == 0, done.stdout
    return done.stdout


def _python(
    program: str, *arguments: object, path: Sequence[Path] = (), env: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    pythonpath = os.pathsep.join(map(str, (*path, ROOT)))
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", _WITHOUT_REFERENCE + program, str(ROOT), *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": pythonpath, "PYTHONDONTWRITEBYTECODE": "1", **(env or {})},
        cwd="/",
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=60,
        check=False,
    )


def check_app(folder: Path, path: Sequence[Path] = ()) -> tuple[int, str]:
    """Run `wwspec check` on an application; return its exit code and what it printed."""
    program = "from wwspec_router.cli.main import main\nmain()\n"
    done = _python(program, "check", "--app", folder, path=path)
    return done.returncode, done.stdout
