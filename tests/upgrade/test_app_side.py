"""What an app's client has kept outlives an upgrade: notifications, and where pulls ended."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.client.notify.stand import AES_KEY, CORPID, TOKEN, Stand
from tests.client.scripted import reply
from tests.upgrade.conftest import Programs
from tests.upgrade.releases import NEW, Release
from wwspec_router.client import CursorStore, DbCursor, FileCursor, SqlitePendingStore
from wwspec_router.testing.zone import Zone

pytestmark = pytest.mark.slow  # each runs code of two releases

EVENT = reply(event_type="hit_keyword", timestamp=5, hit_keyword={"token": "noted"})


def test_notifications_that_an_older_release_has_kept_are_handled_once_or_listed_as_failed(
    release: Release, tmp_path: Path
) -> None:
    file = tmp_path / "app.db"
    release.code.run(release.data / "keep_notifications.py", file, TOKEN, AES_KEY, CORPID, cwd=tmp_path)
    with Stand("wsgi", [EVENT], store=SqlitePendingStore(file)) as app:
        for each in ("done", "failed", "fetched", "noted"):
            app.notify(each)  # a second time: all of them are known
        assert {event.notify_id: event.attempt for event in app.handled(2)} == {"noted": 1, "fetched": 2}
        [failed] = app.failed()
        assert (failed.notification.notify_id, failed.attempts) == ("failed", 1)
        assert failed.reason.startswith("ValueError")
        assert app.retry(failed)
        contents = {event.notify_id: event.raw["hit_keyword"] for event in app.handled(3)}
    assert contents == {each: {"token": each} for each in ("noted", "fetched", "failed")}


def test_a_pull_goes_on_where_that_of_an_older_release_ended(emulator: Zone, release: Release, tmp_path: Path) -> None:
    info = emulator.client.info()
    credentials = (info["corpid"], info["secret"], info["program_id"], emulator.client.url)
    with Programs(emulator, release.app, "memory:", tmp_path) as programs, emulator.app_client() as client:
        programs.start(NEW)
        printed = release.code.run(release.data / "pull_messages.py", *credentials, tmp_path, cwd=tmp_path)
        from_file, from_database = (line.split() for line in printed.splitlines())

        def pulled(cursors: CursorStore) -> list[str]:
            return [message.msgid for page in client.messages(cursors) for message in page]

        whole = pulled(FileCursor(tmp_path / "anew.cursor"))
        assert len(whole) == len(set(whole)) > len(from_file) > 0
        assert from_file + pulled(FileCursor(tmp_path / "messages.cursor")) == whole
        with closing(sqlite3.connect(tmp_path / "app.db")) as connection:
            assert from_database + pulled(DbCursor(connection, name=info["corpid"])) == whole
