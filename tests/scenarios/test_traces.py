"""What a served program tells the emulator of its work: a call that fails, an `async def`, code on an event, a job."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.failing_app import failing_app
from tests.support.waiting import wait_until
from tests.support.zones import serve_zone
from wwspec_devtools.testing.zone import Zone

CRASHED = 710660


@pytest.fixture(scope="module")
def zone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zone]:
    with serve_zone(failing_app(tmp_path_factory.mktemp("app")), serve=("--retry-pause", "0.02")) as zone:
        yield zone


def entry_with(zone: Zone, kind: str, count: int) -> dict[str, Any]:
    """Return the latest entry of a kind, once the program has told so much of it."""
    number = zone.client.traffic(kind=kind)[-1]["number"]
    wait_until(lambda: len(zone.client.entry(number)["traces"]) >= count)
    return zone.client.entry(number)


def texts(trace: dict[str, Any]) -> list[tuple[str, str]]:
    return [(line["level"], line["text"]) for line in trace["lines"] if not line["text"].endswith(" failed")]


def own_lines(trace: dict[str, Any]) -> list[tuple[str, str]]:
    return [(frame["function"], frame["code"]) for frame in trace["failure"]["frames"] if frame["own"]]


def test_a_call_tells_what_it_logged_and_printed_what_it_raised_and_where_the_time_went(zone: Zone) -> None:
    assert zone.call("total", {"text": "no number"}).errcode == CRASHED
    entry = entry_with(zone, "call", 1)
    (trace,) = entry["traces"]
    assert (trace["kind"], trace["outcome"], trace["errcode"], trace["number"]) == (
        "call",
        "failed",
        CRASHED,
        entry["number"],
    ), "one number for it in the log and in the record"
    assert texts(trace) == [
        ("WARNING", "about to add no number"),
        ("stdout", "printed <img src=x onerror=alert(1)>"),
    ]
    assert trace["failure"]["name"] == "JSONDecodeError"
    assert own_lines(trace) == [
        ("total", "return Sum(sum=parsed(request.text))"),
        ("parsed", "return int(json.loads(text))"),
    ]
    spent = trace["milliseconds"]
    assert 0 < sum(spent[part] for part in ("queue", "check", "sdk", "handler")) <= spent["total"] + 0.01
    ats = [line["at"] for line in trace["lines"]]
    assert ats == sorted(ats)


def test_an_async_def_tells_of_its_task(zone: Zone) -> None:
    assert zone.call("later", {"text": "3"}).reply["sum"] == 3
    (trace,) = entry_with(zone, "call", 1)["traces"]
    assert (trace["outcome"], trace["failure"]) == ("ok", None)
    assert texts(trace) == [("INFO", "in a task"), ("stdout", "no end")]


def test_the_job_of_an_asynchronous_call_tells_of_its_run(zone: Zone) -> None:
    assert zone.submit("later", {"text": "no number"}).result().errcode == CRASHED
    entry = entry_with(zone, "call", 2)
    assert (entry["verdict"], entry["attempts"]) == ("failed", 1)
    (job,) = (trace for trace in entry["traces"] if trace["kind"] == "job")
    assert (job["outcome"], job["errcode"], job["failure"]["name"]) == ("failed", CRASHED, "JSONDecodeError")
    assert texts(job) == [("INFO", "in a task"), ("stdout", "no end")]


def test_all_that_code_on_an_event_does_hangs_under_its_event_and_the_event_is_red(zone: Zone) -> None:
    zone.fire("hit_keyword")
    event = entry_with(zone, "event", 3)
    assert (event["verdict"], event["attempts"]) == ("failed", 2)
    first, second = (trace for trace in event["traces"] if trace["kind"] == "job")
    assert (first["outcome"], first["attempt"], first["attempts"]) == ("postponed", 1, 2)
    assert 0 <= first["next_run"] < 5
    assert (second["outcome"], second["attempt"], second["next_run"]) == ("failed", 2, None)
    for trace in (first, second):
        assert texts(trace)[0] == ("stdout", f"attempt {trace['attempt']}")
        assert own_lines(trace)[-1][0] == "on_hit"
    rows = [row for row in zone.client.traffic(event["number"]) if row["flow"] == event["flow"]]
    assert [(row["kind"], row["name"], row["parent"] == event["number"]) for row in rows] == [
        ("sdk", "get_group_chat", True),
        ("sdk", "spec_notify_app", True),
        ("callback", "program_notify", False),
    ] * 2
