"""Spans and metrics of a client's requests, by OpenTelemetry. Needs the extra `telemetry`, which brings its API only.

The app chooses and sets up the SDK and its exporters. No span and no metric has a token, a secret, a body, or the text
of an error.
"""

from contextvars import Token

from wwspec_client.hooks import ClientAttempt, ClientCall, ClientHooks, ClientOutcome
from wwspec_contracts.extras import require

require("telemetry", "wwspec_client.telemetry")

from opentelemetry import context, metrics, trace  # noqa: E402 - after the check of the extra
from opentelemetry.context import Context  # noqa: E402
from opentelemetry.util.types import AttributeValue  # noqa: E402

__all__ = ["OpenTelemetryHooks"]

_SCOPE = "wwspec_client"
_BOUNDARIES = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 30.0, 60.0)
"""Those of the semantic conventions for HTTP, and two for slow programs."""

Attributes = dict[str, AttributeValue]


class OpenTelemetryHooks(ClientHooks):
    """Spans and metrics of a client: give it to `hooks` of `ZoneClient` or `AsyncZoneClient`; several may share one.

    Each call is a span of kind CLIENT within the current span, with an event for each attempt, and is current while it
    lasts: spans of an instrumented httpx lie within it. Metrics are `wwspec.client.call.duration`,
    `wwspec.client.attempts`, `wwspec.client.errors` and, of a suite, `wwspec.client.corps_gone`.

    Args:
        tracer_provider: Makes the spans; the global one by default.
        meter_provider: Makes the metrics; the global one by default.
    """

    def __init__(
        self, tracer_provider: trace.TracerProvider | None = None, meter_provider: metrics.MeterProvider | None = None
    ) -> None:
        meter = metrics.get_meter(_SCOPE, meter_provider=meter_provider)
        self._tracer = trace.get_tracer(_SCOPE, tracer_provider=tracer_provider)
        self._duration = meter.create_histogram(
            "wwspec.client.call.duration",
            unit="s",
            description="Time of a call, with all attempts and pauses.",
            explicit_bucket_boundaries_advisory=_BOUNDARIES,
        )
        self._attempts = meter.create_counter(
            "wwspec.client.attempts", unit="{attempt}", description="Attempts of calls."
        )
        self._errors = meter.create_counter(
            "wwspec.client.errors", unit="{call}", description="Calls that ended with an error, by its class."
        )
        self._gone = meter.create_counter(
            "wwspec.client.corps_gone",
            unit="{corp}",
            description="Corps whose cancel_auth was lost, and are forgotten.",
        )
        self._running: dict[ClientCall, tuple[trace.Span, Token[Context]]] = {}

    def corp_gone(self, corpid: str) -> None:
        """Count a corp that has removed the app.

        Args:
            corpid: The corp.
        """
        self._gone.add(1)

    def before_call(self, call: ClientCall) -> None:
        """Begin the span of a call.

        Args:
            call: The request.
        """
        span = self._tracer.start_span(_name(call), kind=trace.SpanKind.CLIENT, attributes=_of(call, metric=False))
        self._running[call] = span, context.attach(trace.set_span_in_context(span))

    def after_attempt(self, attempt: ClientAttempt, outcome: ClientOutcome) -> None:
        """Add the event of an attempt.

        Args:
            attempt: The attempt.
            outcome: How it ended.
        """
        self._attempts.add(1, {**_of(attempt.call), **_error(outcome)})
        span, _ = self._running[attempt.call]
        if span.is_recording():
            resent = {"http.request.resend_count": attempt.number - 1} if attempt.number > 1 else {}
            pause = {} if outcome.pause is None else {"wwspec.retry.pause": outcome.pause}
            facts: Attributes = {"wwspec.attempt": attempt.number, "wwspec.seconds": outcome.seconds, **resent, **pause}
            span.add_event("wwspec.attempt", {**facts, **_ending(outcome)})

    def after_call(self, call: ClientCall, outcome: ClientOutcome) -> None:
        """End the span of a call.

        Args:
            call: The request.
            outcome: How it ended.
        """
        span, token = self._running.pop(call)
        context.detach(token)
        span.set_attributes(_ending(outcome))
        if outcome.error_type:
            span.set_status(trace.Status(trace.StatusCode.ERROR))
            self._errors.add(1, {**_of(call), **_error(outcome)})
        span.end()
        self._duration.record(outcome.seconds, {**_of(call), **_error(outcome)})

    def traceparent(self) -> str:
        """Return the traceparent of the current span; empty when there is none."""
        now = trace.get_current_span().get_span_context()
        if not now.is_valid:
            return ""
        return f"00-{now.trace_id:032x}-{now.span_id:016x}-{now.trace_flags:02x}"


def _name(call: ClientCall) -> str:
    return " ".join(filter(None, (call.api.rpartition("/")[2], call.ability_id)))


def _of(call: ClientCall, *, metric: bool = True) -> Attributes:
    """Return what is called. Metrics have neither corp nor program, so that their number does not grow with both."""
    facts = {"wwspec.api": call.api, "wwspec.ability.id": call.ability_id}
    if not metric:
        facts |= {"wwspec.program.id": call.program_id, "wwspec.corp.id": call.corpid}
    return {name: value for name, value in facts.items() if value}


def _ending(outcome: ClientOutcome) -> Attributes:
    facts: dict[str, str | int | None] = {
        "http.response.status_code": outcome.status,
        "wwspec.errcode": outcome.errcode,
        "wwspec.request.id": outcome.request_id,
        **_error(outcome),
    }
    return {name: value for name, value in facts.items() if value}


def _error(outcome: ClientOutcome) -> dict[str, str]:
    return {"error.type": outcome.error_type} if outcome.error_type else {}
