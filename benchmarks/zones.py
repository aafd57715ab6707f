"""A zone as a benchmark needs it: a key, replies in files, and the platform's side of the seal.

Two SDK modules serve it: `light`, which is `benchmarks/sdk`, and `standin`, the emulator's in its local mode. It knows
nothing of servers.
"""

import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from benchmarks.sdk import wwspecapisdk as light
from wwspec_devtools.emulator.settings import STANDIN_DIRECTORY
from wwspec_devtools.emulator.standin.wwspec_standin import seal

__all__ = ["HOMES", "PASSTHROUGH", "ROOT", "SLOW_DATA", "SdkName", "BenchmarkZone", "zone"]

ROOT = Path(__file__).parents[1]
HOMES = (ROOT, *sorted(ROOT.glob("packages/*")))
"""The folders of our packages."""
PAYLOADS = ROOT / "tests" / "payloads"
MESSAGE_BYTES = 300
"""Length of one message: 10 are about 3 KB, 200 are 60 KB, 1,000 are 300 KB."""
CORPID, AGENTID = "wwbench", 1
PASSTHROUGH = "invoke_sync_msg"
DATA = '{"limit":200}'
SLOW_DATA = '{"cursor":"wait 50"}'
"""A request that the light SDK answers after 50 ms."""

SdkName = Literal["light", "standin"]


class BenchmarkZone:
    """A folder with a key and replies, and who may open and seal what.

    Args:
        folder: Where they are.
        sdk: Which SDK module the programs load.
    """

    def __init__(self, folder: Path, sdk: SdkName) -> None:
        self.folder = folder
        self.sdk = sdk
        self._key = (folder / "zone.key").read_bytes()
        self.module = Path(light.__file__) if sdk == "light" else STANDIN_DIRECTORY / "wwspecapisdk.py"
        """The SDK module's file."""

    @property
    def environment(self) -> dict[str, str]:
        """What tells the SDK modules of this folder."""
        return {"WWSPEC_BENCH_ZONE": str(self.folder), "WWSPEC_EMULATOR_URL": f"local:{self.folder}"}

    def seal(
        self,
        ability_id: str,
        data: str = DATA,
        *,
        call_type: int = 1,
        notify_id: str = "",
        request_id: str = "1_1",
    ) -> tuple[dict[str, str], str]:
        """Return headers and body of one call, as the channel sends it."""
        if self.sdk == "light":
            content = msgspec.json.encode(light.Call(CORPID, AGENTID, call_type, ability_id, data, notify_id))
            return {"ww-request-id": request_id}, light.seal(AESGCM(self._key), content, request_id)
        call = seal.CallContent(
            corpid=CORPID,
            agentid=AGENTID,
            call_type=call_type,
            data=data,
            request_id=request_id,
            timestamp=int(time.time()),
            ability_id=ability_id,
            notify_id=notify_id,
            is_async=False,
            job_info="",
        )
        sealed = seal.seal_call(self._key, call)
        return sealed.headers, sealed.body

    def open(self, headers: Mapping[str, str], body: str) -> Any:
        """Return the decoded JSON of one reply."""
        if self.sdk == "light":
            return msgspec.json.decode(light.unseal(AESGCM(self._key), body, headers["ww-request-id"]))
        return msgspec.json.decode(seal.open_reply(self._key, headers.items(), body).text)

    def reply(self, api: str = "sync_msg") -> Any:
        """Return what the SDK answers, decoded."""
        return msgspec.json.decode((self.folder / f"{api}.json").read_bytes())


@contextmanager
def zone(messages: int, sdk: SdkName = "light") -> Iterator[BenchmarkZone]:
    """Set up a zone in which `sync_msg` answers with so many messages."""
    with tempfile.TemporaryDirectory(prefix="wwspec-bench-") as name:
        folder = Path(name)
        (folder / "zone.key").write_bytes(os.urandom(seal.KEY_BYTES))
        (folder / "sync_msg.json").write_bytes(sync_msg_reply(messages))
        (folder / "spec_notify_app.json").write_text('{"errcode":0,"errmsg":"ok"}')
        yield BenchmarkZone(folder, sdk)


def sync_msg_reply(messages: int) -> bytes:
    """Return a reply of `sync_msg`: the documented example with so many messages."""
    example = msgspec.json.decode((PAYLOADS / "api" / "sync_msg.response.json").read_bytes())
    one = {**example["msg_list"][0]}
    del one["receiver_list"][1:], one["extra_info"]  # one receiver, and it is no call
    secret = one["service_encrypt_info"]
    surplus = len(msgspec.json.encode(one)) - MESSAGE_BYTES
    secret["encrypted_secret_key"] = secret["encrypted_secret_key"][:-surplus]
    return msgspec.json.encode({**example, "msg_list": [{**one, "msgid": f"{n:032d}"} for n in range(messages)]})


def event() -> str:
    """Return the text of one event."""
    return msgspec.json.encode(msgspec.json.decode((PAYLOADS / "events" / "hit_keyword.json").read_bytes())).decode()
