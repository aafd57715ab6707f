"""What the run `app` is there to find is found: messages that are missing, double or sealed, lost notifications."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from torture.archive import ANNOUNCED, HANDLED, judge, judge_announced, judge_notifications

SAID = ["m1", "m2"]
GROUPS = {"g1": ["a", "b"]}


def secret_key(msgid: str) -> str:
    return f"key of {msgid}"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "archive.db"
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE messages (msgid TEXT, secret_key TEXT)")
        db.execute("CREATE TABLE members (chatid TEXT, memberid TEXT)")
        db.executemany("INSERT INTO members VALUES ('g1', ?)", [("a",), ("b",)])
        db.executemany("INSERT INTO messages VALUES (?, ?)", [(msgid, secret_key(msgid)) for msgid in SAID])
    return path


def test_a_database_that_has_everything_has_no_failure(database: Path) -> None:
    assert judge(database, SAID, secret_key, GROUPS) == []


@pytest.mark.parametrize(
    ("statement", "failure"),
    [
        ("DELETE FROM messages WHERE msgid = 'm2'", "1 of 2 messages are missing, such as m2"),
        ("INSERT INTO messages VALUES ('m3', 'key of m3')", "1 messages were never said, such as m3"),
        ("INSERT INTO messages VALUES ('m1', 'key of m1')", "1 messages are there more than once"),
        ("UPDATE messages SET secret_key = NULL WHERE msgid = 'm1'", "1 keys are not opened, such as that of m1"),
        ("UPDATE messages SET secret_key = 'key of m2'", "1 keys are not opened, such as that of m1"),
        ("DELETE FROM members WHERE memberid = 'b'", "the members of group g1 are not those in WeCom"),
    ],
)
def test_a_database_with_a_fault_is_found_out(database: Path, statement: str, failure: str) -> None:
    with closing(sqlite3.connect(database)) as db, db:
        db.execute(statement)
    assert judge(database, SAID, secret_key, GROUPS) == [failure]


def test_a_notification_that_is_lost_waits_or_was_never_handled_is_named(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "notifications.db")) as db, db:
        db.execute("CREATE TABLE wwspec_notifications (notify_id TEXT, stage TEXT)")
        rows = [("n1", "done"), ("n2", "failed"), ("n3", "done"), ("n4", "fetched")]
        db.executemany("INSERT INTO wwspec_notifications VALUES (?, ?)", rows)
    (tmp_path / HANDLED).write_text("n1\nn1\n")
    assert judge_notifications(tmp_path, ["n1", "n2", "n5"]) == [
        "1 notifications were acknowledged and are not there, such as n5",
        "1 notifications are neither handled nor given up, such as n4",
        "1 notifications count as handled and are not, such as n3",
    ]


def test_a_number_that_the_app_was_told_and_never_got_is_named(tmp_path: Path) -> None:
    assert judge_announced(tmp_path, []) == []
    assert judge_announced(tmp_path, [7]) == ["1 of 1 that the absent app was told are lost, such as number 7"]
    (tmp_path / ANNOUNCED).write_text("8\n7\n8\n")
    assert judge_announced(tmp_path, [7, 8]) == [], "once more than told is well"
    lost = "2 of 4 that the absent app was told are lost, such as number 9"
    assert judge_announced(tmp_path, [7, 8, 10, 9]) == [lost]
