"""`wwspec app failed` lists what a receiver has given up, and lets it try again."""

import json
import time
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from tests.support.command import wwspec
from wwspec_client import Notification
from wwspec_client.notify.models import callback_row
from wwspec_client.stores import Pending, SqlitePendingStore, Stage
from wwspec_contracts.callbacks import Callback

TICKET = f"suite_ticket:{sha256(b'<xml></xml>').hexdigest()[:32]}"
"""The ID of a callback: its kind, and a digest of its XML."""


@pytest.fixture
def store(tmp_path: Path) -> SqlitePendingStore:
    """One with two notifications that were given up, and one that was handled, and a callback that was given up."""
    store = SqlitePendingStore(tmp_path / "pending.db")
    store.open()
    stages = {"n1": Stage.FAILED, "n2": Stage.FAILED, "n3": Stage.DONE}
    for notify_id, stage in stages.items():
        notification = Notification(corpid="corp", notify_id=notify_id)
        now = time.time()
        store.add(Pending(notification=notification, stage=stage, noted=now, due=now, attempts=36, reason="E: \x1b[2J"))
    ticket = Callback({"InfoType": "suite_ticket", "SuiteTicket": "t"}, "<xml></xml>", "suite", {})
    store.add(replace(callback_row(ticket, time.time()), stage=Stage.FAILED_CALLBACK, attempts=36, reason="E"))
    return store


def test_failed_notifications_are_printed_one_a_line_and_what_is_not_there_is_named(
    store: SqlitePendingStore, tmp_path: Path
) -> None:
    done = wwspec(tmp_path, "app", "failed", "pending.db")
    assert done.returncode == 0
    assert [line[20:] for line in done.stdout.splitlines()] == [
        r"n1 of corp, 36 attempts: E: \x1b[2J",
        r"n2 of corp, 36 attempts: E: \x1b[2J",
        f"{TICKET} of suite, 36 attempts: E",
    ]
    assert done.stderr == "3 have failed\n"
    done = wwspec(tmp_path, "app", "failed", "pending.db", "n3")
    assert done.returncode == 2
    assert "pending.db has no failed notification n3" in done.stderr
    assert "'missing.db' does not exist" in wwspec(tmp_path, "app", "failed", "missing.db").stderr
    assert not (tmp_path / "missing.db").exists()


def test_one_is_tried_again_while_the_receiver_has_the_file(store: SqlitePendingStore, tmp_path: Path) -> None:
    done = wwspec(tmp_path, "app", "failed", "pending.db", "n2", "--retry", "--json")
    assert [row["notification"]["notify_id"] for row in json.loads(done.stdout)] == ["n2"]
    [noted] = store.due(Stage.NOTED, time.time(), 10)
    assert (noted.notification.notify_id, noted.attempts) == ("n2", 0)
    assert wwspec(tmp_path, "app", "failed", "pending.db", "--retry").stderr == "2 are tried again\n"
    [received] = store.due(Stage.RECEIVED, time.time(), 10)
    assert (received.notification.notify_id, received.attempts) == (TICKET, 0)
