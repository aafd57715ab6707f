"""Code that runs on events, and a notification of the program's own."""

import os
import secrets
import sqlite3
import time
from contextlib import closing

from tests.support.waiting import wait_until
from wwspec_router.testing.zone import Zone


def digest(zone: Zone) -> dict[str, int]:
    """Return what the program pushes to the app."""
    notify_id = zone.call("daily_digest", {"hours": 48}).reply["notify_id"]
    assert notify_id in [each["notify_id"] for each in zone.client.notifications()]
    pushed = zone.call("get_callback_data", notify_id=notify_id).reply
    assert pushed["event_type"] == "daily_digest"
    counts: dict[str, int] = pushed["daily_digest"]
    return counts


def test_each_consent_is_counted_once_in_the_digest_that_the_app_gets(zone: Zone) -> None:
    before = digest(zone)
    for kind in ("chat_archive_audit_approved_single", "chat_archive_audit_approved_room"):
        event = zone.fire(kind, external_userid=f"wm{secrets.token_hex(8)}")["event"]
        zone.client.fire_as_is(event)  # the platform sends it again
    expected = {"one_to_one": before["one_to_one"] + 1, "groups": before["groups"] + 1}
    wait_until(lambda: digest(zone) == expected)


def test_a_consent_that_no_digest_counts_any_more_is_deleted(zone: Zone) -> None:
    with closing(sqlite3.connect(os.environ["ARCHIVE"], isolation_level=None)) as db:
        db.execute("INSERT INTO consents VALUES ('corp', 'employee lina', 'wm1', ?)", (time.time() - 3 * 86400,))
        zone.fire("chat_archive_audit_approved_single", external_userid=f"wm{secrets.token_hex(8)}")
        wait_until(lambda: db.execute("SELECT count(*) FROM consents WHERE corpid = 'corp'").fetchone() == (0,))
