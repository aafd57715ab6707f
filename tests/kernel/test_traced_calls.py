"""The trace of an app, through the program: in its log, in its handlers, and in what the emulator records."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider

from tests.support.apps import write_files
from tests.support.command import wwspec
from tests.support.tables import for_each
from tests.support.waiting import DEADLINE, wait_until
from tests.support.zones import serve_zone
from wwspec_client.telemetry import OpenTelemetryHooks
from wwspec_devtools.testing.zone import Zone

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE_ID}-00f067aa0ba902b7-01"

APP = {
    "abilities/registry.toml": """
        [program]
        name = "traced_orders"
        [abilities.order]
        handler = "abilities.orders:order"
        trace = "meta.traceparent"
        [abilities.order.once]
        key = "number"
        [abilities.order_async]
        handler = "abilities.orders:order_async"
        trace = "meta.traceparent"
        [abilities.untraced]
        handler = "abilities.orders:untraced"
    """,
    "abilities/orders.py": '''
import logging
from msgspec import field
from wwspec_router import AsyncContext, Context, Contract, Output, ability
from wwspec_contracts import get_group_chat

log = logging.getLogger("orders")

class Meta(Contract):
    traceparent: str = ""

class Order(Contract):
    number: str = "1"
    meta: Meta = field(default_factory=Meta)

class Seen(Output):
    traceparent: str = ""
    trace_id: str = ""

def seen(ctx):
    log.warning("handled")
    return Seen(traceparent=ctx.traceparent, trace_id=ctx.trace_id)

@ability
def order(request: Order, ctx: Context) -> Seen:
    """Order."""
    return seen(ctx)

@ability
async def order_async(request: Order, ctx: AsyncContext) -> Seen:
    """Order."""
    return seen(ctx)

@ability
def untraced(request: Order, ctx: Context) -> Seen:
    """Order."""
    return seen(ctx)
''',
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_files(tmp_path_factory.mktemp("app"), APP)


@pytest.fixture(scope="module")
def module_zone(folder: Path) -> Iterator[Zone]:
    with serve_zone(folder, serve=["--log-json"]) as zone:
        yield zone


@pytest.fixture
def zone(module_zone: Zone) -> Zone:
    module_zone.client.reset()
    return module_zone


def order(traceparent: object, number: str = "1") -> dict[str, Any]:
    return {"number": number, "meta": {"traceparent": traceparent}}


def reply_of(zone: Zone, ability_id: str, request: object) -> dict[str, Any]:
    reply: dict[str, Any] = zone.call(ability_id, request).reply
    return reply


@pytest.mark.parametrize("ability_id", ["order", "order_async"])
def test_a_handler_and_the_log_lines_of_a_call_have_the_trace_of_its_app(zone: Zone, ability_id: str) -> None:
    before = len(zone.program_log())
    reply = reply_of(zone, ability_id, order(TRACEPARENT, f"seen by {ability_id}"))
    assert (reply["traceparent"], reply["trace_id"]) == (TRACEPARENT, TRACE_ID)

    def lines() -> dict[str, dict[str, Any]]:
        complete = zone.program_log()[before:].rpartition("\n")[0].splitlines()
        return {line["message"]: line for line in map(json.loads, complete)}

    wait_until(lambda: "call" in lines())
    assert lines()["handled"]["trace_id"] == lines()["call"]["trace_id"] == TRACE_ID


def test_an_asynchronous_call_has_the_trace_of_its_app(zone: Zone) -> None:
    with zone.app_client() as app:
        reply = app.submit("order", order(TRACEPARENT, "later")).result(timeout=DEADLINE)
    assert reply["trace_id"] == TRACE_ID


def test_the_trace_of_a_call_is_not_that_of_the_next_one(zone: Zone) -> None:
    for _ in range(40):  # every thread of the pool has a traced call behind it
        reply_of(zone, "order_async", order(TRACEPARENT))
        assert reply_of(zone, "untraced", order(TRACEPARENT))["trace_id"] == ""
        assert reply_of(zone, "order_async", {"number": "1"})["trace_id"] == ""


@for_each(["", "x", f"ff{TRACEPARENT[2:]}", f"00-{'0' * 32}-00f067aa0ba902b7-01", "\u0660" * 55, f"{TRACEPARENT}\n"])
def test_a_malformed_traceparent_is_ignored(text: str, zone: Zone) -> None:
    reply = reply_of(zone, "order_async", order(text))
    assert (reply["errcode"], reply["traceparent"], reply["trace_id"]) == (0, "", "")


def test_a_traceparent_of_a_later_version_counts_without_what_it_adds(zone: Zone) -> None:
    later = f"01{TRACEPARENT[2:]}"
    assert reply_of(zone, "order_async", order(f"{later}-more"))["traceparent"] == later


def test_a_repeat_of_another_trace_gets_the_reply_of_the_first_call(zone: Zone) -> None:
    first = reply_of(zone, "order", order(TRACEPARENT, "once"))
    repeat = reply_of(zone, "order", order(TRACEPARENT.replace("4bf9", "5bf9"), "once"))
    assert repeat == first
    assert first["trace_id"] == TRACE_ID


def test_the_record_of_a_call_shows_its_trace(zone: Zone) -> None:
    reply_of(zone, "order_async", order(TRACEPARENT))
    [row] = [each for each in zone.client.traffic(kind="call") if each["ability"] == "order_async"]
    wait_until(lambda: zone.client.entry(row["number"])["traces"])  # the program sends it after the reply
    assert [each["trace_id"] for each in zone.client.entry(row["number"])["traces"]] == [TRACE_ID]


def test_one_trace_leads_from_the_app_to_the_program(zone: Zone, client_module: Any) -> None:
    provider = TracerProvider()
    tracer = provider.get_tracer("app")
    with zone.app_client(hooks=[OpenTelemetryHooks(provider)]) as app:
        with tracer.start_as_current_span("request") as span:
            inside = app.call(client_module.OrderAsync(number="1"))
            own = client_module.OrderAsync(meta={"traceparent": TRACEPARENT})
            given = app.call(own)
        outside = app.call(client_module.OrderAsync(number="2"))
    provider.shutdown()
    assert inside.trace_id == f"{span.get_span_context().trace_id:032x}"
    assert given.traceparent == TRACEPARENT
    assert outside.trace_id == ""


@pytest.fixture
def client_module(folder: Path, tmp_path: Path) -> Iterator[Any]:
    wwspec(tmp_path, "contracts", "--app", folder, "--client", tmp_path).check_returncode()
    module = sys.modules["traced_orders"] = ModuleType("traced_orders")  # msgspec looks up annotations there
    exec((tmp_path / "traced_orders.py").read_text(), vars(module))  # noqa: S102 - what the test is about
    yield module
    del sys.modules["traced_orders"]
