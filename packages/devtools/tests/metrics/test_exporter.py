"""What an exporter makes of a real program's figures, read by Prometheus' own strict parser."""

import logging
import math
import re
from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.exposition import generate_latest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from scripts.website.pages import DOCS, LANGUAGES
from tests.stores.suites.rig import ManualClock
from tests.support.apps import ROOT
from wwspec_client import RetryPolicy
from wwspec_devtools.metrics.exporter import Exporter
from wwspec_devtools.testing.zone import Zone
from wwspec_router.monitoring.status import AbilityStatus, ErrcodeStatus, Status

ONCE = RetryPolicy(attempts=1)

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]

OTHERS = ("errcode", "errmsg", "start_id", "errors", "abilities", "store", "oldest_jobs")
NUMBERS = [name for name in Status.__struct_fields__ if name not in OTHERS]


@pytest.fixture(scope="module")
def zone() -> Iterator[Zone]:
    with Zone.in_process(ROOT, ROOT / "tests/serving/registry.toml", messages=20) as zone:
        yield zone


def scraped(exporter: Exporter) -> Samples:
    registry = CollectorRegistry()
    registry.register(exporter)
    text = generate_latest(registry).decode()
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    found = {(each.name, tuple(sorted(each.labels.items()))): each.value for each in samples}
    assert len(found) == len(samples)
    return found


def test_calls_errors_and_latencies_of_a_program_are_metrics(zone: Zone) -> None:
    with zone.app_client(retries=ONCE) as client:
        exporter = Exporter(client, "figures", 30.0)
        exporter.poll()
        client.call("invoke_sync_msg", {"limit": 5})
        assert zone.call("invoke_sync_msg", {"limit": 5000}).errcode == 710660
        exporter.poll()
        found = scraped(exporter)
    assert found["wwspec_up", ()] == 1
    assert found["wwspec_calls_total", (("ability", "invoke_sync_msg"),)] == 2
    assert found["wwspec_call_errors_total", (("ability", "invoke_sync_msg"),)] == 1
    assert found["wwspec_call_errcodes_total", (("errcode", "710660"),)] == 1
    assert found["wwspec_call_duration_seconds_count", (("ability", "invoke_sync_msg"),)] == 2
    p50, p99 = (
        found["wwspec_call_duration_seconds", (("ability", "invoke_sync_msg"), ("quantile", each))]
        for each in ("0.5", "0.99")
    )
    assert 0 < p50 <= p99 < 60
    assert (found["wwspec_polls_total", ()], found["wwspec_poll_errors_total", ()]) == (2, 0)
    assert 0 <= found["wwspec_last_poll_age_seconds", ()] < 60
    assert found["wwspec_threads", ()] >= 1
    assert found["wwspec_store_up", ()] == 1


def test_a_program_that_does_not_answer_is_down_keeps_its_counters_and_is_logged_once_a_minute(
    zone: Zone, caplog: pytest.LogCaptureFixture
) -> None:
    clock = ManualClock()
    with zone.app_client(retries=ONCE) as client, caplog.at_level(logging.INFO, "wwspec_devtools.metrics"):
        exporter = Exporter(client, "figures", 30.0, clock)
        exporter.poll()
        client.call("invoke_sync_msg", {"limit": 5})
        exporter.poll()
        zone.client.add_fault("app", "errcode", "sync_call_program", 45009, 7)
        for _ in range(7):
            clock.advance(10.0)
            exporter.poll()
        found = scraped(exporter)
        assert found["wwspec_up", ()] == 0
        assert found["wwspec_calls_total", (("ability", "invoke_sync_msg"),)] == 1
        assert (found["wwspec_polls_total", ()], found["wwspec_poll_errors_total", ()]) == (9, 7)
        assert found["wwspec_last_poll_age_seconds", ()] == 70
        assert ("wwspec_threads", ()) not in found
        clock.advance(30.0)
        exporter.poll()
        assert scraped(exporter)["wwspec_up", ()] == 1
        clock.advance(30.0)
        exporter.poll()
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("wwspec_devtools.metrics")]
    assert len(lines) == 3, lines
    assert lines[0].startswith("the program's figures can't be had: sync_call_program of figures: ")
    assert lines[1].endswith(" (and 5 more polls since the last such line)")
    assert lines[2] == "the program's figures are back"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_alert_on_no_events_reads_a_counter_that_events_raise(language: str, zone: Zone) -> None:
    page = (DOCS / language / "operation" / "monitoring.md").read_text("utf-8")
    selectors = set(re.findall(r'(wwspec_\w+)\{ability="([^"]+)"\}', page))
    assert len(selectors) == 1
    name, ability = selectors.pop()
    with zone.app_client(retries=ONCE) as client:
        exporter = Exporter(client, "figures", 30.0)
        exporter.poll()
        before = scraped(exporter).get((name, (("ability", ability),)), 0)
        zone.fire("hit_keyword")
        exporter.poll()
        assert scraped(exporter)[name, (("ability", ability),)] == before + 1


def test_every_metric_of_the_pages_is_there_and_the_other_way_round(zone: Zone) -> None:
    reference = (ROOT / "docs" / "en" / "reference" / "metrics.md").read_text("utf-8")
    with zone.app_client(retries=ONCE) as client:
        exporter = Exporter(client, "figures", 30.0)
        exporter.poll()
        exported = {
            f"{each.name}_total" if each.type == "counter" else each.name for each in exporter.collect() if each.name
        }
    assert set(re.findall(r"^\| `(wwspec_\w+)", reference, re.MULTILINE)) == exported
    for language in ("en", "zh"):
        page = (ROOT / "docs" / language / "operation" / "monitoring.md").read_text("utf-8")
        named = set(re.findall(r"\b(wwspec_(?!router|client|devtools)[a-z_]+)", page))
        assert len(named) > 15
        assert named <= exported


def test_every_figure_of_the_status_reply_is_a_metric_and_what_has_no_value_is_none() -> None:
    numbers: Any = {name: number for number, name in enumerate(NUMBERS, start=1001)}
    full = Status(
        **numbers,
        errors=[ErrcodeStatus(errcode=-1, count=3)],
        abilities=[AbilityStatus(ability_id='a"b\\c\n中', calls=4, errors=1)],
    )
    statuses = _Statuses(Status(uptime=full.uptime), full, Status(store="unavailable"))
    exporter = Exporter(statuses, "figures", 30.0)  # type: ignore[arg-type]
    exporter.poll()
    exporter.poll()
    found = scraped(exporter)
    values = [*found.values(), *(value * 1e6 for value in found.values())]
    silent = [name for name, number in numbers.items() if pytest.approx(number) not in values]
    assert silent == ["calls"], (
        "add each of these to packages/devtools/wwspec_devtools/metrics/families.py; the calls are by ability there"
    )
    label = (("ability", 'a"b\\c\n中'),)
    assert found["wwspec_calls_total", label] == 4
    assert math.isnan(found["wwspec_call_duration_seconds", (*label, ("quantile", "0.5"))])
    exporter.poll()
    found = scraped(exporter)
    assert (found["wwspec_up", ()], found["wwspec_store_up", ()]) == (1, 0)
    assert ("wwspec_store_events", ()) not in found


class _Statuses:
    """In place of a client: a store that is unavailable, and all figures at once, can't be had from a quick program."""

    def __init__(self, *replies: Status) -> None:
        self._replies = iter(replies)

    def call(self, ability_id: str, request: object, **options: object) -> Status:
        return next(self._replies)
