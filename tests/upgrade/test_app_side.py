"""What an app's client has kept outlives an upgrade: notifications, and where pulls ended."""

import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.client.notify.stand import AES_KEY, CORPID, TOKEN, Stand
from tests.client.scripted import reply
from tests.support.waiting import wait_until
from tests.upgrade.conftest import Programs
from tests.upgrade.releases import NEW, Release
from wwspec_router.callbacks import Callback
from wwspec_router.client import (
    CursorStore,
    DbCursor,
    FileCursor,
    Notification,
    Pending,
    SqlitePendingStore,
    Stage,
)
from wwspec_router.client.notify.models import callback_row
from wwspec_router.testing.zone import Zone

pytestmark = pytest.mark.slow  # each runs code of two releases

EVENT = reply(event_type="hit_keyword", timestamp=5, hit_keyword={"token": "noted"})


def test_notifications_that_an_older_release_has_kept_are_handled_once_or_listed_as_failed(
    release: Release, tmp_path: Path
) -> None:
    file = tmp_path / "app.db"
    release.code.run(release.data / "keep_notifications.py", file, TOKEN, AES_KEY, CORPID, cwd=tmp_path)
    with Stand("wsgi", [EVENT], store=SqlitePendingStore(file)) as app:
        for each in ("done", "fetched", "noted"):
            app.notify(each)  # a second time: all of them are known
        assert {event.notify_id: event.attempt for event in app.handled(2)} == {"noted": 1, "fetched": 2}
        [failed] = app.failed()
        assert (failed.notification.notify_id, failed.attempts) == ("failed", 1)
        assert failed.reason.startswith("ValueError")
        assert app.retry(failed)
        contents = {event.notify_id: event.raw["hit_keyword"] for event in app.handled(3)}
    assert contents == {each: {"token": each} for each in ("noted", "fetched", "failed")}


OLDER_RECEIVER = """
import sys, threading
from wwspec_router.client import NotifyReceiver, SqlitePendingStore, ZoneClient

path, token, key, corpid = sys.argv[1:]
client = ZoneClient(corpid, "secret", program_id="program", base_url="http://127.0.0.1:9")
handled = threading.Event()
receiver = NotifyReceiver(
    client,
    lambda event: handled.set(),
    token=token,
    encoding_aes_key=key,
    receive_id=corpid,
    on_other=lambda callback: sys.exit("an older release has handled a callback that it has not got"),
    store=SqlitePendingStore(path),
)
with receiver:
    assert handled.wait(300)
    print(*(row.notification.notify_id for row in receiver.failed()))
"""
"""An app of an older release with one event to handle."""


def test_an_older_release_that_shares_the_file_leaves_the_callbacks_of_this_one(
    release: Release, tmp_path: Path
) -> None:
    file = tmp_path / "app.db"
    store = SqlitePendingStore(file)
    store.open()
    now = time.time()
    event = '{"event_type": "hit_keyword", "timestamp": 5, "hit_keyword": {"token": "fetched"}}'
    for stage, notify_id in ((Stage.FETCHED, "fetched"), (Stage.FAILED, "failed")):
        notification = Notification(corpid=CORPID, notify_id=notify_id)
        store.add(Pending(notification=notification, stage=stage, noted=now, due=now, event=event))
    callbacks = [Callback({"MsgType": "text"}, f"<xml><A>{number}</A></xml>", CORPID, {}) for number in (1, 2)]
    rows = [callback_row(each, now) for each in callbacks]
    given_up = replace(rows[1], stage=Stage.FAILED_CALLBACK)
    for each in (rows[0], given_up):
        store.add(each)
    store.close()
    printed = release.code.run("-c", OLDER_RECEIVER, file, TOKEN, AES_KEY, CORPID, cwd=tmp_path)
    assert printed.split() == ["failed"]
    others: list[str] = []
    with Stand("wsgi", [EVENT], store=SqlitePendingStore(file), on_other=lambda each: others.append(each.xml)) as app:
        wait_until(lambda: others)
        assert [each.key for each in app.failed()] == [(CORPID, "failed"), given_up.key]
        assert app.retry(given_up)
        wait_until(lambda: len(others) == 2)
    assert others == [each.xml for each in callbacks]


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
