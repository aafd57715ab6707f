"""The kernel over an SDK in memory and a real store."""

import json
from collections.abc import Callable
from functools import cache
from typing import Any

from msgspec.structs import replace

from tests.support.apps import ROOT
from tests.support.sdk import MemorySdk
from wwspec_contracts.call_type import CallType
from wwspec_contracts.examples import console_example
from wwspec_contracts.matching import mismatches
from wwspec_router.codecs.codec import InputCodec, OutputCodec, OutputPolicy
from wwspec_router.envelope import Call, Reply
from wwspec_router.handlers.ability import handler_of
from wwspec_router.handlers.async_bridge import Portal
from wwspec_router.kernel.dispatch import Dispatcher
from wwspec_router.registry.file import OnceRow, Registry
from wwspec_router.registry.request_paths import once_rule
from wwspec_router.registry.table import AbilityTable, build_table
from wwspec_router.registry.targets import Ability, HandlerTarget
from wwspec_router.stores import Store

EMPTY = AbilityTable(registry=Registry(path=ROOT), abilities={}, apis={}, api_contracts={}, events={})


@cache
def reference_table() -> AbilityTable:
    return build_table(ROOT, ROOT / "abilities" / "registry.toml")


class Kernel:
    """A kernel over an SDK in memory and a real store; every reply it gives is checked against the platform's rule."""

    def __init__(
        self, table: AbilityTable, store: Store, portal: Portal | None = None, sdk: MemorySdk | None = None
    ) -> None:
        self.table = table
        self.sdk = sdk or MemorySdk()
        self.store = store
        self.dispatcher = Dispatcher(table, self.sdk, store, portal)

    def dispatch(self, call: Call) -> Reply:
        return self.dispatcher.dispatch(call)

    def call(self, ability_id: str, data: str = "{}", **more: Any) -> Any:
        reply = self.dispatch(app_call(ability_id, data, **more))
        value = json.loads(reply.text)
        ability = self.table.abilities.get(ability_id)
        if ability is not None and hasattr(ability.target, "output"):
            assert not list(mismatches(console_example(ability.target.output.type), value))
        return value

    def event(self, data: str, **more: Any) -> Any:
        call = Call(corpid="corp", agentid=7, call_type=CallType.EVENT, data=data)
        return json.loads(self.dispatch(replace(call, **more)).text)


def app_call(ability_id: str, data: str = "{}", **more: Any) -> Call:
    call = Call(corpid="corp", agentid=7, call_type=CallType.APP, ability_id=ability_id, data=data)
    return replace(call, **more)


def with_handler(
    table: AbilityTable,
    function: Callable[..., Any],
    timeout: float | None = None,
    policy: OutputPolicy = OutputPolicy.STRICT,
    once: OnceRow | None = None,
) -> AbilityTable:
    handler = handler_of(function)
    assert handler is not None
    assert handler.request is not None
    assert handler.response is not None
    output = OutputCodec(handler.response, policy)
    target = HandlerTarget(handler, InputCodec(handler.request), output, None if once is None else once_rule(once))
    name = function.__name__
    ability = Ability(ability_id=name, target=target, timeout=timeout, place="the test")
    return replace(table, abilities={**table.abilities, name: ability})
