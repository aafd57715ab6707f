"""examples/archive_app: what it does between an event and its page, and that it is as small as it says."""

import re
import sqlite3
from contextlib import closing

from tests.support.apps import ROOT
from tests.support.waiting import wait_until
from torture.archive import archive_stage, judge, rotate_key, watch_for_copies
from wwspec_router.emulator.state.keys import MessageKeys

EXAMPLE = ROOT / "examples" / "archive_app"


def test_the_example_has_at_most_120_lines_of_python() -> None:
    lines = [line for file in EXAMPLE.rglob("*.py") for line in file.read_text("utf-8").splitlines() if line.strip()]
    assert 0 < len(lines) <= 120


def test_the_readme_names_every_variable_of_the_environment() -> None:
    code = (EXAMPLE / "app.py").read_text("utf-8")
    [settings] = re.findall(r"SETTINGS = \((.*?)\)", code)
    names = {f"WWSPEC_{name}" for name in re.findall(r'"(\w+)"', settings)} | set(
        re.findall(r'environ\.get\("(\w+)"', code)
    )
    assert len(names) == 8
    assert names == set(re.findall(r"^\| `(\w+)` \|", (EXAMPLE / "README.md").read_text("utf-8"), re.MULTILINE))


def test_a_message_becomes_a_row_with_its_key_and_its_group_and_is_shown() -> None:
    with archive_stage(seed=1) as (zone, app):
        rotate_key(zone, app.keys)
        app.start()
        app.wait_up()
        watch_for_copies(app.database)
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
