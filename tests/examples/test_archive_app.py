"""examples/archive_app: what it does between an event and its page."""

import os
import sqlite3
import subprocess
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.support.apps import ROOT
from tests.support.processes import processes_of
from tests.support.waiting import wait_until
from torture.app_process import page_of
from torture.archive import archive_stage, judge, rotate_key
from torture.program import until
from wwspec_devtools.emulator.state.keys import MessageKeys
from wwspec_devtools.testing.ports import held_ports

EXAMPLE = ROOT / "examples" / "archive_app"


@pytest.mark.slow  # the app and a zone of three processes; the tests of the archiver do it with a zone in memory
def test_a_message_becomes_a_row_with_its_key_and_its_group_and_is_shown() -> None:
    with archive_stage(seed=1) as (zone, app):
        rotate_key(zone, app.keys)
        app.start()
        app.wait_up()
        assert "0 messages" in app.page()
        groups = {chatid: each["members"] for chatid, each in zone.client.info()["groups"].items()}
        chatid, members = next(iter(groups.items()))
        said = [zone.client.say(members[0], "您好", group=chatid)]
        wait_until(lambda: f"1 messages, 1 opened keys, {len(members)} members" in app.page())
        said.append(zone.client.say(members[1], "<b>", to=[members[0]]))
        wait_until(lambda: "2 messages, 2 opened keys" in app.page())
        with closing(sqlite3.connect(app.database)) as db, db:
            db.execute("UPDATE messages SET sender = '<script>' WHERE msgid = ?", said[1:])
        assert "<td>&lt;script&gt;<td>" in app.page()
        assert "<script>" not in app.page()
        assert not judge(app.database, said, MessageKeys(1).secret_key, {chatid: members})


@pytest.mark.slow  # waits for the app's next pull: 4 s
def test_a_lost_cursor_brings_no_message_twice_and_stops_no_later_one() -> None:
    with archive_stage(seed=2) as (zone, app):
        rotate_key(zone, app.keys)
        zone.client.say("zhangwei", "您好", to=["helan"])
        app.start()
        wait_until(lambda: "1 messages" in app.page())
        cursor = app.database.parent / "messages.cursor"
        wait_until(cursor.exists)
        app.kill()
        cursor.unlink()
        zone.client.say("helan", "在吗", to=["zhangwei"])
        app.start()
        wait_until(lambda: "2 messages" in app.page())


@pytest.mark.nightly  # it starts the emulator, the program and the app, one after the other
def test_the_demo_shows_the_emulators_messages_and_ends_all_that_it_has_started(tmp_path: Path) -> None:
    check_demo(EXAMPLE, "500 messages, 500 opened keys", tmp_path)


def check_demo(example: Path, shown: str, folder: Path) -> None:
    """Run the demo of an example until its page shows a text; nothing of it is left afterwards."""
    log = folder / "demo.log"
    with ExitStack() as stack:
        archive, emulator, program = map(str, stack.enter_context(held_ports(3)))
        ports = {"ARCHIVE_PORT": archive, "EMULATOR_PORT": emulator, "PROGRAM_PORT": program}
        output = stack.enter_context(log.open("wb"))
        environment = {**os.environ, "TMPDIR": str(folder), **ports}
        demo = stack.enter_context(subprocess.Popen([example / "demo"], env=environment, stdout=output, stderr=output))
        try:
            assert until(lambda: shown in page_of(f"http://127.0.0.1:{archive}/"), 120, 0.1), log.read_text()
        finally:
            demo.terminate()
    assert processes_of(folder) == []
    assert [path.name for path in folder.iterdir()] == ["demo.log"]
