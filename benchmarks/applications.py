"""The reference program without HTTP: its kernel over an SDK that answers at once, with as many abilities as wanted.

It knows no sockets and no encryption: what is timed here is the program's own share of a call.
"""

from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks.zones import AGENTID, CORPID, PASSTHROUGH, ROOT
from wwspec_router.envelope import Call, Reply
from wwspec_router.kernel.dispatch import Dispatcher
from wwspec_router.registry.table import build_table
from wwspec_router.sdk.base import Headers, SealedReply
from wwspec_router.stores import Store

__all__ = ["NO_STORE", "REGISTRY", "InstantSdk", "call", "kernel", "registry_with"]

REGISTRY = ROOT / "abilities" / "registry.toml"
NO_STORE: Any = object()
"""The store of a kernel whose calls need none. A call that asks it for something fails, so that no store is timed."""


class InstantSdk:
    """An SDK and its client in one: answers from texts at hand.

    Args:
        replies: From an API's name to its reply.
    """

    is_emulated = False

    def __init__(self, replies: Mapping[str, str]) -> None:
        self._replies = {"spec_notify_app": '{"errcode":0,"errmsg":"ok"}', **replies}
        self._ids = count()

    def client(self, corpid: str, agentid: int, ability_id: str, job_info: str) -> "InstantSdk":
        """Return itself."""
        return self

    def invoke(self, api: str, request: str) -> str:
        """Return the API's reply."""
        return self._replies[api]

    def new_notify_id(self) -> str:
        """Return a fresh id of the length that the vendor's have."""
        return f"{next(self._ids):039d}"

    def trace(self, reference: str, text: str = "") -> None:
        """Tell nobody."""

    def decode(self, headers: Headers, body: str) -> Call:
        """Refuse: nothing is sealed here."""
        raise NotImplementedError

    def encode(self, text: str) -> SealedReply:
        """Refuse: nothing is sealed here."""
        raise NotImplementedError

    encode_refusal = encode


def kernel(
    store: Store, replies: Mapping[str, str], registry: Path = REGISTRY
) -> tuple[Callable[[Call], Reply], list[str]]:
    """Build a kernel.

    Returns:
        What answers a call, and the ability IDs.
    """
    table = build_table(ROOT, registry)
    return Dispatcher(table, InstantSdk(replies), store).dispatch, list(table.abilities)


def call(
    ability_id: str = PASSTHROUGH, data: str = '{"limit":200}', *, call_type: int = 1, notify_id: str = ""
) -> Call:
    """Return one decoded call."""
    return Call(
        corpid=CORPID, agentid=AGENTID, call_type=call_type, ability_id=ability_id, data=data, notify_id=notify_id
    )


def registry_with(abilities: int, folder: Path) -> Path:
    """Write a registry file that adds so many abilities to those of the reference program.

    They answer with the SDK's APIs in turn, and each hundredth has a time-out of its own.
    """
    apis = sorted(path.stem for path in (ROOT / "packages/contracts/wwspec_contracts/api").glob("[!_]*.py"))
    rows = [
        f'[abilities.extra_{number:05d}]\napi = "{apis[number % len(apis)]}"\n'
        + ("timeout = 5.0\n" if number % 100 == 0 else "")
        for number in range(abilities)
    ]
    path = folder / f"registry-{abilities}.toml"
    path.write_text("\n".join([REGISTRY.read_text(), *rows]))
    return path
