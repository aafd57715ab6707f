"""What the runs are there to find is found: lost events and jobs, foreign answers, late refusals, unsound stores."""

import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from time import time
from typing import Any

import pytest

from tests.support.tables import for_each
from torture.backends import SqliteBackend, open_backend
from torture.handlers import chained
from torture.intruder import judge, lines_by_kind
from torture.ledger import Ledger
from torture.soak import judge_growth
from wwspec_router.stores import open_store
from wwspec_router.stores.failed import Failure
from wwspec_router.stores.job import Job

EVENT = {"event_type": "hit_keyword", "hit_keyword": {"token": "event-1"}}
RESULT = {
    "event_type": "conversation_new_message",
    "conversation_new_message": {"token": "event-2"},
    "conversation_new_message_result": {"token": "event-2", "receipt": "r"},
}
RESULT_LESS = {key: value for key, value in RESULT.items() if not key.endswith("_result")}
HANDLED = {"event_type": "handled", "handled": {"token": "event-2", "receipt": "r"}}
MIB = 1 << 20


@pytest.fixture
def ledger() -> Ledger:
    """Books that are in order: one event and one job, from beginning to end."""
    ledger = Ledger(frozenset({"the event could not be read"}))
    ledger.fired("event-1")
    ledger.delivered("event-1")
    ledger.notified("notify-1")
    ledger.fetched("notify-1", EVENT)
    ledger.accepted(1)
    ledger.reported(1)
    return ledger


def test_books_in_order_also_of_an_event_that_code_ran_on_have_no_failure(ledger: Ledger) -> None:
    _hand_over(ledger, HANDLED, RESULT, HANDLED)
    figures = ledger.close()
    assert ledger.failures == []
    assert (figures["events_handed_over"], figures["events_handled_twice_or_more"]) == (1, 1)
    assert (figures["jobs_reported"], figures["jobs_reported_twice_or_more"]) == (1, 0)


def _hand_over(ledger: Ledger, *fetched: Any) -> None:
    ledger.fired("event-2")
    ledger.handed_over("event-2")
    _fetch(ledger, *fetched)


def _fetch(ledger: Ledger, *fetched: Any) -> None:
    for number, each in enumerate(fetched, 2):
        ledger.notified(f"notify-{number}")
        ledger.fetched(f"notify-{number}", each)


def test_an_event_whose_code_was_begun_too_often_may_have_no_result(ledger: Ledger) -> None:
    _hand_over(ledger, HANDLED, RESULT_LESS)
    assert ledger.close(given_up=1)["events_without_result"] == 1
    assert ledger.failures == []


def test_a_reader_may_not_have_read_the_messages_that_came_last(ledger: Ledger) -> None:
    two = chained(chained("", "a"), "b")
    ledger.compare_reading(1, {"messages": 2, "chain": two}, THERE, 2)
    ledger.compare_reading(2, {"messages": 3, "chain": chained(two, "c")}, THERE, 2)
    assert ledger.close()["counted_by_code"] == {"messages": 5, "events": 0}
    assert ledger.failures == []


@pytest.mark.parametrize(("seconds", "again"), [(-5, 0), (5, 1)])
def test_code_that_runs_after_the_app_was_given_its_end_is_counted_and_not_what_is_told_late(
    ledger: Ledger, seconds: int, again: int
) -> None:
    _hand_over(ledger, HANDLED, RESULT, {**HANDLED, "timestamp": int(time()) + seconds})
    assert ledger.close()["events_handled_after_their_end"] == again


THERE = ["a", "b", "c"]
ONE, AGAIN = chained("", "a"), chained(chained("", "a"), "a")


def _read(ledger: Ledger, least: int, **read: Any) -> None:
    ledger.compare_reading(1, read, THERE, least)


def _never_notify(ledger: Ledger) -> None:
    ledger.fired("event-2")
    ledger.delivered("event-2")


def _answer_another_event_than_before(ledger: Ledger) -> None:
    ledger.fired("event-2")
    ledger.fetched("notify-1", {**EVENT, "hit_keyword": {"token": "event-2"}})


def _store_what_a_run_wrote_twice(ledger: Ledger) -> None:
    _hand_over(ledger, HANDLED, RESULT)
    ledger.compare_reading(1, {"messages": 1, "events": 2, "chain": ONE}, ["a"], 1)


ANOTHER_RESULT = {**RESULT, "conversation_new_message_result": {"token": "event-1", "receipt": "r"}}
ANOTHER_RECEIPT = {**HANDLED, "handled": {"token": "event-2", "receipt": "another"}}
NEVER_SENT = {**EVENT, "hit_keyword": {"token": "event-9"}}
UNREADABLE = {"errcode": 710660, "errmsg": "no event waits under this notify_id"}
NO_RESULT = "1 events have no result, and 0 were given up: event-2"


@pytest.mark.parametrize(
    ("fault", "finding"),
    [
        (lambda books: books.notified("notify-2"), "notify-2 was notified for can't be fetched"),
        (_never_notify, "event-2 was answered with success and never notified"),
        (lambda books: _hand_over(books, RESULT), NO_RESULT),
        (lambda books: _hand_over(books, HANDLED, RESULT_LESS), NO_RESULT),
        (lambda books: _hand_over(books, HANDLED), "event-2 was answered with success and the app never got it after"),
        (lambda books: _hand_over(books, HANDLED, RESULT, ANOTHER_RECEIPT), "notify-4 answered another event"),
        (lambda books: _fetch(books, HANDLED, RESULT), "code ran on 1 unknown events, and 0 had no good answer"),
        (
            lambda books: _read(books, 1, messages=1, chain=chained("", "b")),
            "reader 1 has counted 1 messages of 1 to 3,",
        ),
        (lambda books: _read(books, 1, messages=2, chain=AGAIN), "reader 1 has counted 2 messages of 1 to 3,"),
        (_store_what_a_run_wrote_twice, "1 events have ended, and code has counted 2"),
        (
            lambda books: _read(books, 2, messages=1, chain=ONE),
            "reader 1 has counted 1 messages of 2 to 3, or not these",
        ),
        (lambda books: _hand_over(books, HANDLED, ANOTHER_RESULT), "notify-3 answered another event"),
        (lambda books: books.accepted(2), "job 2 was accepted and never reported"),
        (lambda books: _fetch(books, NEVER_SENT), "notify-2 answered another event"),
        (_answer_another_event_than_before, "notify-1 answered another event"),
        (lambda books: books.refused("fetch", UNREADABLE), "no event waits under this notify_id"),
        (lambda books: books.unreached("call", 790014, "the reply does not match"), "the platform answered 790014"),
    ],
)
def test_a_broken_promise_is_a_failure(ledger: Ledger, fault: Callable[[Ledger], None], finding: str) -> None:
    fault(ledger)
    ledger.close()
    assert len(ledger.failures) == 1
    assert finding in ledger.failures[0]


def test_a_job_that_was_reported_twice_a_program_that_is_away_and_an_allowed_error_are_counted_only(
    ledger: Ledger,
) -> None:
    ledger.reported(1)
    ledger.unreached("call", 710674, "connect")
    ledger.refused("fetch", {"errcode": 710660, "errmsg": "the event could not be read"})
    figures = ledger.close()
    assert figures["refused"] == {"call 710674": 1, "fetch: the event could not be read": 1}
    assert figures["jobs_reported_twice_or_more"] == 1
    assert ledger.failures == []


@pytest.fixture
def backend(tmp_path: Path) -> SqliteBackend:
    backend = SqliteBackend(tmp_path)
    with closing(open_store(backend.url)) as store:
        store.put("corp", 1, "notify-1", "text", 3600)
        job = Job(job_id="1", corpid="corp", agentid=1, ability_id="job", job_info="info", data="{}", notify_id="")
        store.add(job)
    return backend


def test_a_sound_file_is_found_sound(backend: SqliteBackend) -> None:
    assert backend.check() == ({"integrity_check": "ok", "rows": 1, "jobs_left": 1, "jobs_failed": 0}, [])


@pytest.mark.parametrize("name", ["sqlite", "redis"])
def test_a_store_with_a_job_that_failed_for_good_is_found_sound(name: str, tmp_path: Path) -> None:
    with open_backend(name, tmp_path) as backend:
        with closing(open_store(backend.url)) as store:
            for job_id in ("1", "2"):
                store.add(Job(job_id=job_id, corpid="corp", agentid=1, ability_id="job", data="{}", notify_id=""))
            assert len(store.claim("owner", 1, 60)) == 1
            assert store.set_aside("owner", "1", Failure(error="report refused"))
        figures, faults = backend.check()
    assert (figures["jobs_left"], figures["jobs_failed"], faults) == (1, 1, [])


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        ("UPDATE notify_usage SET rows = 7", "notify_usage says"),
        ("UPDATE job_usage SET bytes = 7", "job_usage says"),
        ("DELETE FROM job_texts", "job_texts holds 0 rows"),
        ("UPDATE notify SET expires = 0", "the store counts (0, 0) events"),
    ],
)
def test_a_file_that_does_not_fit_itself_is_found_out(backend: SqliteBackend, statement: str, finding: str) -> None:
    with closing(sqlite3.connect(backend.path, isolation_level=None)) as db:
        db.execute(statement)
    assert any(finding in fault for fault in backend.check()[1])


def test_a_file_whose_index_is_damaged_is_found_out(backend: SqliteBackend) -> None:
    with closing(sqlite3.connect(backend.path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = DELETE")
        [(root,)] = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'jobs_waiting'")
        [(size,)] = db.execute("PRAGMA page_size")
    with backend.path.open("r+b") as file:
        file.seek((root - 1) * size + size - 4)
        file.write(b"\x01\x02\x03\x04")
    figures, faults = backend.check()
    assert figures["integrity_check"] != "ok"
    assert any("integrity_check" in fault for fault in faults)


@for_each(
    [
        ([40 * MIB] * 50, [*range(70, 20, -1)], []),  # to close files is no growth
        ([40 * MIB] * 30 + [44 * MIB] * 20, [20] * 50, ["worker grew from 40.0 to 44.0 MiB"]),
        ([40 * MIB] * 50, [*range(20, 70)], ["worker had 34.5 files open, then 64.5"]),
        ([10 * MIB] * 10 + [40 * MIB] * 40, [5] * 10 + [20] * 40, []),  # to warm up is no growth
    ]
)
def test_growth_between_the_second_and_the_last_fifth_is_found_out(
    resident: list[int], files: list[int], finding: list[str]
) -> None:
    assert judge_growth("worker", resident, files)[1] == finding


LOG = """\
2026-11-25 10:00:00,000 INFO wwspec_router.serving.server 12 listening on http://127.0.0.1:8080/
2026-11-25 10:00:01,000 WARNING uvicorn.error 12 Invalid HTTP request received.
2026-11-25 10:00:02,000 WARNING uvicorn.error 12 Invalid HTTP request received. (and 7 more since the last such line)
2026-11-25 10:00:03,000 ERROR wwspec_router.serving.calls 12 #345 no reply could be sealed
2026-11-25 10:00:04,000 ERROR wwspec_router.serving.calls 12 #346 no reply could be sealed
Traceback
"""


def test_lines_of_a_log_that_differ_in_their_numbers_are_of_one_kind() -> None:
    assert sorted(lines_by_kind(LOG).values()) == [1, 1, 2, 2]
    assert lines_by_kind(LOG)["ERROR wwspec_router.serving.calls no reply could be sealed"] == 2


@for_each(
    [
        (63 * MIB, 0.1, 1.0, {"a line": 61}, []),
        (64 * MIB, 0.1, 1.0, {"a line": 61}, ["memory grew by 64.0 MiB"]),
        (0, 0.11, 1.0, {"a line": 61}, ["good calls took 110.0 ms (p99)"]),
        (0, 0.1, 1.1, {"a line": 61}, ["/healthz took 1100.0 ms"]),
        (0, 0.1, 1.0, {"a line": 62, "another": 3}, ["the log has 62 lines like this: a line"]),
    ]
)
def test_what_an_intruder_must_not_bring_about_is_found_out(
    growth: int, p99: float, gap: float, lines: dict[str, int], finding: list[str]
) -> None:
    found = judge(growth, p99, gap, Counter(lines), 60.0)
    assert len(found) == len(finding)
    assert all(text in failure for text, failure in zip(finding, found, strict=True))
