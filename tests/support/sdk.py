"""An SDK in memory: canned replies, and a record of what was asked."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import current_thread
from typing import Any

from wwspec_contracts.errors import DecodeError, SdkCallError
from wwspec_devtools.emulator.settings import STANDIN_DIRECTORY
from wwspec_router.envelope import Call
from wwspec_router.sdk.base import Headers, SdkClient, SealedReply

OK = '{"errcode":0,"errmsg":"ok"}'


@dataclass(frozen=True)
class Invocation:
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
    is_emulated: bool = False

    def decode(self, headers: Headers, body: str) -> Call:
        self.decoding_threads.append(current_thread().name)
        if body not in self.decoded:
            raise DecodeError("the request could not be verified or decrypted", detail="no such body")
        return self.decoded[body]

    def encode(self, text: str) -> SealedReply:
        return SealedReply(headers={"WW-Kind": "normal", "Content-Length": "1"}, body=text)

    def encode_refusal(self, text: str) -> SealedReply:
        return SealedReply(headers={"WW-Kind": "exception", "Transfer-Encoding": "chunked"}, body=text)

    def client(self, corpid: str, agentid: int, ability_id: str, job_info: str) -> SdkClient:
        return MemoryClient(self, (corpid, agentid, ability_id, job_info))

    def new_notify_id(self) -> str:
        return next(self.notify_ids)

    def trace(self, reference: str, text: str = "") -> None:
        """Tell nobody."""

    @property
    def requests(self) -> list[tuple[str, Any]]:
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


@dataclass
class ScriptedSdk(MemorySdk):
    """`Sdk` whose platform answers `reply`, whatever is asked."""

    reply: str = ""
    invoked: list[tuple[str, str]] = field(default_factory=list)

    def client(self, corpid: str, agentid: int, ability_id: str, job_info: str) -> "ScriptedSdk":
        return self

    def invoke(self, api: str, request: str) -> str:
        self.invoked.append((api, request))
        return self.reply


def standin_as_vendor(folder: Path) -> Path:
    """Copy the emulator's stand-in into a new folder, where nothing shows that it is not the vendor's module."""
    shutil.copytree(STANDIN_DIRECTORY, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "wwspec_standin").rename(folder / "vendor_parts")
    module = folder / "wwspecapisdk.py"
    module.write_text(module.read_text("utf-8").replace("from wwspec_standin.", "from vendor_parts."), "utf-8")
    return folder
