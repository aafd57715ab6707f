"""The reply of a status ability as metrics: their names, meanings and units."""

from collections.abc import Iterable, Iterator, Mapping
from math import nan
from typing import NamedTuple

from msgspec import UNSET, UnsetType
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from wwspec_devtools.metrics.counters import Counts
from wwspec_router.monitoring.status import Status

CALLS = "wwspec_calls"
DURATION = "wwspec_call_duration_seconds"
RECENT = "of the last one to two intervals of the program's --monitor-interval"


class _Counter(NamedTuple):
    text: str
    label: str = ""


_COUNTERS: Mapping[str, _Counter] = {
    CALLS: _Counter("Calls, events included; of the 100 busiest abilities.", "ability"),
    "wwspec_call_errors": _Counter("Those of them that were answered with an errcode other than 0.", "ability"),
    "wwspec_call_errcodes": _Counter("Calls of all abilities by errcode; without errcode 0.", "errcode"),
    "wwspec_jobs_ended": _Counter("Asynchronous calls that came to an end."),
    "wwspec_jobs_failed": _Counter("Those of them whose outcome is an errcode other than 0."),
    "wwspec_jobs_given_up": _Counter("Asynchronous calls whose report the platform never accepted."),
    "wwspec_events_ended": _Counter("Events whose own code ended, or is not run again."),
    "wwspec_events_retried": _Counter("Runs of such code that failed and were followed by another."),
    "wwspec_events_failed": _Counter("Events whose code failed in its last run."),
    "wwspec_events_given_up": _Counter("Events whose code ended, but which could not be stored for the app."),
    "wwspec_events_unfetched": _Counter("Notifications that the app did not fetch within `told_for`."),
}


def counts_of(status: Status) -> Counts:
    """Return what a program counted since its start."""
    single = {name: getattr(status, name.removeprefix("wwspec_")) for name, each in _COUNTERS.items() if not each.label}
    return {
        **{(CALLS, each.ability_id): each.calls for each in status.abilities},
        **{("wwspec_call_errors", each.ability_id): each.errors for each in status.abilities},
        **{("wwspec_call_errcodes", str(each.errcode)): each.count for each in status.errors},
        **{(name, ""): 0 if count is UNSET else count for name, count in single.items()},
    }


def counter_families(totals: Counts) -> Iterator[Metric]:
    """Yield the counters of a program."""
    for name, (text, label) in _COUNTERS.items():
        family = CounterMetricFamily(name, text, labels=[label] if label else [])
        for (owner, value), count in sorted(totals.items()):
            if owner == name:
                family.add_metric([value] if label else [], count)
        yield family


def gauge_families(status: Status, totals: Counts) -> Iterator[Metric]:
    """Yield the gauges of a program, and how long its calls take.

    Args:
        status: Its last reply.
        totals: What was counted, for the number of calls beside their durations.
    """
    yield gauge("wwspec_uptime_seconds", "Seconds since the program started.", status.uptime)
    yield gauge("wwspec_processes", "Worker processes that run.", status.processes)
    yield gauge("wwspec_threads", "Worker threads, busy or idle.", status.threads)
    yield gauge("wwspec_threads_busy", "Worker threads that run a call.", status.busy)
    yield gauge("wwspec_threads_hung", "Worker threads that were replaced, since their call does not end.", status.hung)
    yield gauge("wwspec_calls_queued", "Calls that wait for a thread.", status.queued)
    yield gauge("wwspec_jobs_running", "Asynchronous calls that a process of the program has.", status.jobs_running)
    duration = Metric(DURATION, f"How long calls took; {RECENT}.", "summary")
    for each in status.abilities:
        _add_quantiles(duration, {"ability": each.ability_id}, each.p50_us, each.p99_us)
        count = totals.get((CALLS, each.ability_id), 0)
        duration.add_sample(f"{DURATION}_count", {"ability": each.ability_id}, count)
    yield duration
    waited = Metric("wwspec_queue_wait_seconds", f"How long calls waited for a thread; {RECENT}.", "summary")
    _add_quantiles(waited, {}, status.queue_p50_us, status.queue_p99_us)
    yield waited
    yield gauge("wwspec_store_up", "1 when the store answers.", status.store == "ok")
    if status.store == "ok":
        yield from _store_families(status)


def _store_families(status: Status) -> Iterable[Metric]:
    yield gauge(
        "wwspec_store_events", "Events kept, fetched or not: each counts until `notify_ttl` is over.", status.store_rows
    )
    yield gauge("wwspec_store_events_bytes", "Bytes of their text.", status.store_bytes)
    unfetched = 0 if status.notifications_unfetched is UNSET else status.notifications_unfetched
    yield gauge("wwspec_notifications_unfetched", "Notifications that the app has not fetched.", unfetched)
    yield gauge("wwspec_jobs_waiting", "Asynchronous calls that no process has claimed.", status.jobs_waiting)
    yield gauge("wwspec_jobs_claimed", "Asynchronous calls that a process of any program has.", status.jobs_claimed)
    set_aside, forgotten = (0 if each is UNSET else each for each in (status.jobs_set_aside, status.jobs_forgotten))
    yield gauge("wwspec_jobs_set_aside", "Calls, events and notifications that failed for good.", set_aside)
    yield gauge("wwspec_jobs_forgotten", "Those of them that left, because there were too many.", forgotten)
    text = "Seconds since the oldest asynchronous call that is not reported yet was accepted."
    yield gauge("wwspec_oldest_job_age_seconds", text, status.jobs_oldest_age_s)


def gauge(name: str, text: str, value: float) -> Metric:
    """Return a metric without labels that goes up and down."""
    return GaugeMetricFamily(name, text, value=float(value))


def counter(name: str, text: str, value: int) -> Metric:
    """Return a metric without labels that only goes up; its name without `_total`."""
    return CounterMetricFamily(name, text, value=value)


def _add_quantiles(summary: Metric, labels: dict[str, str], p50_us: int | UnsetType, p99_us: int | UnsetType) -> None:
    for quantile, microseconds in (("0.5", p50_us), ("0.99", p99_us)):
        value = nan if isinstance(microseconds, UnsetType) else microseconds / 1e6  # there was no call
        summary.add_sample(summary.name, {**labels, "quantile": quantile}, value)
