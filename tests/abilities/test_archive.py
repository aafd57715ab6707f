"""Code that runs on events, and a notification of the program's own."""

import secrets
import sqlite3
import time
from contextlib import closing

from schemas.archive import Digest
from wwspec_devtools.testing.zone import Zone


def digest(zone: Zone) -> Digest:
    """Return what the program pushes to the app."""
    zone.call("daily_digest", {"hours": 48}).raise_for_error()
    return zone.notified(Digest)


def test_each_consent_is_counted_once_in_the_digest_that_the_app_gets(zone: Zone) -> None:
    before = digest(zone)
    for kind in ("chat_archive_audit_approved_single", "chat_archive_audit_approved_room"):
        zone.repeat(zone.fire(kind, external_userid=f"wm{secrets.token_hex(8)}"))
    zone.wait_idle()
    assert digest(zone) == Digest(one_to_one=before.one_to_one + 1, groups=before.groups + 1)


def test_a_consent_that_no_digest_counts_any_more_is_deleted(zone: Zone) -> None:
    assert zone.var is not None
    with closing(sqlite3.connect(zone.var / "archive.db", isolation_level=None)) as db:
        db.execute("INSERT INTO consents VALUES ('corp', 'employee lina', 'wm1', ?)", (time.time() - 3 * 86400,))
        zone.fire("chat_archive_audit_approved_single", external_userid=f"wm{secrets.token_hex(8)}")
        zone.wait_idle()
        assert db.execute("SELECT count(*) FROM consents WHERE corpid = 'corp'").fetchone() == (0,)
