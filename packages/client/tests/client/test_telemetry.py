"""Spans and metrics of a client, with OpenTelemetry's own SDK."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

import httpx
import pytest
from opentelemetry import trace
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.client.scripted import Outcome, answer, async_client_of, client_of, reply
from tests.support.emulator import Response, http_server
from wwspec_client import ZoneClientError
from wwspec_client.telemetry import OpenTelemetryHooks

CALL = "sync_call_program greet"


class Telemetry(NamedTuple):
    hooks: OpenTelemetryHooks
    tracers: TracerProvider
    exporter: InMemorySpanExporter
    reader: InMemoryMetricReader

    def spans(self, name: str) -> list[ReadableSpan]:
        return [each for each in self.exporter.get_finished_spans() if each.name == name]

    def points(self, metric: str) -> list[tuple[dict[str, Any], Any]]:
        data = self.reader.get_metrics_data()
        metrics = [] if data is None else data.resource_metrics[0].scope_metrics[0].metrics
        points = [point for each in metrics if each.name == metric for point in each.data.data_points]
        return [(dict(each.attributes or {}), getattr(each, "value", None) or each) for each in points]


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    exporter, tracers, reader = InMemorySpanExporter(), TracerProvider(), InMemoryMetricReader()
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    meters = MeterProvider([reader])
    yield Telemetry(OpenTelemetryHooks(tracers, meters), tracers, exporter, reader)
    tracers.shutdown()
    meters.shutdown()


def call(telemetry: Telemetry, *outcomes: Outcome, **options: Any) -> None:
    """Call `greet`, whatever comes of it."""
    with client_of(*outcomes, hooks=[telemetry.hooks], **options) as client, suppress(ZoneClientError):
        client.call("greet", {"text": "private"})


def test_a_call_is_a_span_with_an_event_for_each_attempt(telemetry: Telemetry) -> None:
    call(telemetry, answer(-1), reply(errcode=0))
    [span] = telemetry.spans(CALL)
    assert span.kind is trace.SpanKind.CLIENT
    assert span.status.is_unset
    assert dict(span.attributes or {}) == {
        "wwspec.api": "chatdata/sync_call_program",
        "wwspec.ability.id": "greet",
        "wwspec.program.id": "p",
        "wwspec.corp.id": "corp",
        "http.response.status_code": 200,
    }
    first, second = ({**(each.attributes or {}), "wwspec.seconds": 0} for each in span.events)
    both = {"wwspec.seconds": 0, "http.response.status_code": 200}
    failed = {"wwspec.retry.pause": 0.0, "wwspec.errcode": -1, "error.type": "PlatformError"}
    assert first == {**both, **failed, "wwspec.attempt": 1}
    assert second == {**both, "wwspec.attempt": 2, "http.request.resend_count": 1}


def test_a_failed_call_has_the_class_of_its_error_and_not_its_text(telemetry: Telemetry) -> None:
    call(telemetry, reply(errcode=710660, errmsg="about a person"))
    [span] = telemetry.spans(CALL)
    assert span.status.status_code is trace.StatusCode.ERROR
    assert (span.attributes or {})["error.type"] == "ProgramError"
    assert (span.attributes or {})["wwspec.errcode"] == 710660
    assert "about a person" not in span.to_json()


def test_the_spans_of_a_call_lie_in_the_current_one(telemetry: Telemetry) -> None:
    with telemetry.tracers.get_tracer("app").start_as_current_span("request") as request:
        call(telemetry, reply(errcode=0))
        assert trace.get_current_span() is request
    [span], [token] = telemetry.spans(CALL), telemetry.spans("gettoken")
    assert span.parent == request.get_span_context()
    assert token.parent == span.context


async def test_tasks_that_share_a_client_have_spans_of_their_own(telemetry: Telemetry) -> None:
    tracer = telemetry.tracers.get_tracer("app")
    async with async_client_of(reply(errcode=0), hooks=[telemetry.hooks]) as client:

        async def handle(number: int) -> None:
            with tracer.start_as_current_span(f"request {number}"):
                await client.call("greet")

        await asyncio.gather(*map(handle, range(20)))
    spans = telemetry.exporter.get_finished_spans()
    requests = {each.context.span_id for each in spans if each.name.startswith("request ")}
    assert len(requests) == 20
    assert {each.parent.span_id for each in telemetry.spans(CALL) if each.parent is not None} == requests


async def test_a_call_that_is_cancelled_ends_its_span(telemetry: Telemetry) -> None:
    reached = asyncio.Event()

    async def never(request: httpx.Request) -> httpx.Response:
        reached.set()
        await asyncio.Event().wait()
        raise NotImplementedError

    options: dict[str, Any] = {"tokens": lambda: "token", "transport": httpx.MockTransport(never)}
    async with async_client_of(hooks=[telemetry.hooks], **options) as client:
        task = asyncio.create_task(client.call("greet"))
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    [span] = telemetry.spans(CALL)
    assert (span.attributes or {})["error.type"] == "abandoned"
    assert [(each.attributes or {})["error.type"] for each in span.events] == ["abandoned"]


def test_metrics_have_durations_attempts_and_errors_by_class(telemetry: Telemetry) -> None:
    call(telemetry, answer(-1), answer(48002))
    of: dict[str, Any] = {"wwspec.api": "chatdata/sync_call_program", "wwspec.ability.id": "greet"}
    failed = {**of, "error.type": "PlatformError"}
    [(_, duration)] = [each for each in telemetry.points("wwspec.client.call.duration") if each[0] == failed]
    assert duration.count == 1
    assert 0 < duration.sum < 60
    of_conventions = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
    assert duration.explicit_bounds == (*of_conventions, 30, 60)
    assert (failed, 2) in telemetry.points("wwspec.client.attempts")
    assert telemetry.points("wwspec.client.errors") == [(failed, 1)]
    assert ({"wwspec.api": "gettoken"}, 1) in telemetry.points("wwspec.client.attempts")


def test_metrics_of_many_corps_and_programs_are_no_more_than_those_of_one(telemetry: Telemetry) -> None:
    for number in range(3):
        call(telemetry, reply(errcode=0), program_id=f"program-{number}")
    assert len(telemetry.points("wwspec.client.call.duration")) == 2


async def test_nothing_secret_is_exported_beside_an_instrumented_httpx(telemetry: Telemetry) -> None:
    def token(path: str) -> Response:
        return 200, {}, b'{"errcode":0,"access_token":"token-1","expires_in":7200}'

    def called(headers: list[tuple[str, str]], body: bytes) -> Response:
        return 200, {}, b'{"errcode":0,"response_data":"{\\"text\\":\\"answered\\"}"}'

    instrumentor = HTTPXClientInstrumentor()
    instrumentor.instrument(tracer_provider=telemetry.tracers)
    try:
        with http_server(called, token) as url:
            call(telemetry, transport=None, base_url=url)
            async with async_client_of(hooks=[telemetry.hooks], transport=None, base_url=url) as client:
                await client.call("greet", {"text": "private"})
    finally:
        instrumentor.uninstrument()
    spans = telemetry.exporter.get_finished_spans()
    exported = "".join(each.to_json() for each in spans)
    for each in (CALL, "gettoken"):
        assert len(telemetry.spans(each)) == 2
        for own in telemetry.spans(each):
            assert any("/cgi-bin/" in str(each.attributes) for each in spans if each.parent == own.context)
    for secret in ("token-1", "the-secret", "private", "answered"):
        assert secret not in exported


def test_a_corp_whose_cancellation_was_lost_is_counted(telemetry: Telemetry) -> None:
    telemetry.hooks.corp_gone("corp")
    assert telemetry.points("wwspec.client.corps_gone") == [({}, 1)]
