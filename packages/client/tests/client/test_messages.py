"""`client.messages`: pulls from where the last pull ended, and says so when messages may be missing."""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.client.conftest import asked
from tests.client.scripted import Script, answer, async_client_of, client_of, reply
from tests.support.async_store import AsyncStore
from wwspec_client import (
    MessageGapError,
    PlatformError,
    RepeatedCursorError,
    RetryPolicy,
    SdkApiError,
    ZoneClient,
    messages,
)
from wwspec_client.models import MessageGap
from wwspec_client.stores import CursorRefusedError, CursorStore, FileCursor
from wwspec_devtools.testing.zone import Zone

SOON = RetryPolicy(attempts=1000, first_pause=0.0, deadline=30.0)
"""Patience without pauses."""
DAY = 24 * 3600


def pulled(client: ZoneClient, cursors: CursorStore, **options: Any) -> list[str]:
    """Return the msgids that one whole pull hands out."""
    return [message.msgid for page in client.messages(cursors, **options) for message in page]


def said(zone: Zone, count: int = 1) -> list[str]:
    return [zone.client.say("zhangwei", "你好", to=["helan"]) for _ in range(count)]


def store_pull(file: Path, *, seconds_ago: int, cursor: str | None = None) -> None:
    """Let the last pull be so long ago."""
    kept = msgspec.json.decode(file.read_bytes()) if cursor is None else {"cursor": cursor, "pages": 1}
    file.write_bytes(msgspec.json.encode({**kept, "covered_until": int(time.time()) - seconds_ago}))


def cursor_in(file: Path) -> str:
    return str(msgspec.json.decode(file.read_bytes())["cursor"])


def test_a_pull_goes_on_where_the_one_before_ended(zone: Zone, app: ZoneClient, file: Path) -> None:
    assert [len(page) for page in app.messages(FileCursor(file), limit=25)] == [25, 25, 10]
    assert pulled(app, FileCursor(file)) == []
    new = said(zone, 3)
    with zone.app_client() as later:
        assert pulled(later, FileCursor(file), limit=2) == new
        assert pulled(later, FileCursor(file)) == []


def test_a_page_that_was_not_kept_comes_again(zone: Zone, app: ZoneClient, file: Path) -> None:
    first = [message.msgid for message in next(app.messages(FileCursor(file), limit=25))]
    pages = app.messages(FileCursor(file), limit=25)
    assert [message.msgid for message in next(pages)] == first
    second = next(pages)
    assert repr(second) == "<MessagePage of 25 messages>"
    with zone.app_client() as later:  # the app died with the second page
        again = next(later.messages(FileCursor(file), limit=25))
    assert [message.msgid for message in again] == [message.msgid for message in second]
    second.keep()
    second.keep()
    assert len(pulled(app, FileCursor(file))) == 10


def test_a_pull_outlasts_a_busy_platform_and_the_network(
    zone: Zone, app: ZoneClient, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    zone.client.add_fault("sdk", "errcode", "sync_msg", 45033, count=12)
    zone.client.add_fault("app", "errcode", "sync_call_program", 45033, count=9)
    zone.client.add_fault("app", "drop", "sync_call_program", count=9)
    with caplog.at_level(logging.WARNING, "wwspec_client"):
        assert len(pulled(app, FileCursor(file), limit=25, patience=SOON)) == 60
    assert "the SDK API answers errcode 45033" in caplog.text
    assert caplog.text.count("the next attempt is in 0.0 s") >= 12


def test_the_wait_for_a_page_is_bounded(zone: Zone, app: ZoneClient, file: Path) -> None:
    zone.client.add_fault("sdk", "errcode", "sync_msg", 45033)
    with pytest.raises(SdkApiError, match="45033") as caught:
        pulled(app, FileCursor(file), patience=RetryPolicy(attempts=7, first_pause=0.0))
    assert caught.value.retryable
    assert len(asked(zone)) == 7
    assert not file.exists()


def test_what_does_not_pass_by_waiting_ends_the_pull_at_once(zone: Zone, app: ZoneClient, file: Path) -> None:
    zone.client.add_fault("app", "errcode", "sync_call_program", 710671)
    with pytest.raises(PlatformError, match="710671"):
        pulled(app, FileCursor(file), patience=SOON)
    assert len(asked(zone, "sync_call_program", "app")) == 1


def test_the_token_of_an_event_goes_with_each_pull_until_it_is_refused(zone: Zone, app: ZoneClient, file: Path) -> None:
    token = zone.fire("conversation_new_message")["event"]["conversation_new_message"]["token"]
    assert len(pulled(app, FileCursor(file), limit=25, token=token)) == 61  # with that of the event
    assert ["token" in each["request"] for each in asked(zone)] == [True] * 3
    said(zone, 2)
    tokens = iter([token, "made-up", "made-up", ""])
    assert len(pulled(app, FileCursor(file), limit=1, token=lambda: next(tokens))) == 2
    outcomes = [("token" in each["request"], each["outcome"]) for each in asked(zone)]
    assert outcomes[3:] == [(True, "ok"), (True, "40058"), (False, "ok")]


def test_no_token_is_sent_that_the_app_has_had_for_ten_minutes(
    zone: Zone, app: ZoneClient, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "TOKEN_LIFETIME", 0.0)
    assert len(pulled(app, FileCursor(file), token=lambda: "old")) == 60
    assert ["token" in each["request"] for each in asked(zone)] == [False]


def test_a_refusal_that_is_not_of_the_token_is_raised_after_one_pull_without_it(
    zone: Zone, app: ZoneClient, file: Path
) -> None:
    zone.client.add_fault("sdk", "errcode", "sync_msg", 710659)
    with pytest.raises(SdkApiError, match="710659"):
        pulled(app, FileCursor(file), token=lambda: "any")
    assert len(asked(zone)) == 2


def test_a_gap_ends_the_pull_unless_the_app_takes_note_of_it(zone: Zone, app: ZoneClient, file: Path) -> None:
    next(app.messages(FileCursor(file), limit=25)).keep()
    store_pull(file, seconds_ago=6 * DAY)
    with pytest.raises(MessageGapError, match=r"messages that were sent from .* UTC may be missing.*give .* on_gap="):
        pulled(app, FileCursor(file))
    gaps: list[MessageGap] = []
    assert len(pulled(app, FileCursor(file), limit=20, on_gap=gaps.append)) == 35
    [gap] = gaps
    assert (gap.until - gap.since).total_seconds() == pytest.approx(DAY, abs=5)
    assert (datetime.now(UTC) - gap.until).total_seconds() == pytest.approx(5 * DAY, abs=5)
    assert pulled(app, FileCursor(file)) == []


def test_a_gap_of_which_no_page_was_kept_is_reported_again(app: ZoneClient, file: Path) -> None:
    next(app.messages(FileCursor(file), limit=25)).keep()
    store_pull(file, seconds_ago=6 * DAY)
    gaps: list[MessageGap] = []
    for _ in range(2):
        assert len(next(app.messages(FileCursor(file), limit=20, on_gap=gaps.append))) == 20
    assert len(gaps) == 2


def test_a_pull_that_brought_nothing_counts_as_one(app: ZoneClient, file: Path) -> None:
    pulled(app, FileCursor(file))
    store_pull(file, seconds_ago=4 * DAY)
    before = file.read_bytes()
    assert pulled(app, FileCursor(file)) == []
    assert file.read_bytes() != before
    just_now = file.read_bytes()
    assert pulled(app, FileCursor(file)) == []
    assert file.read_bytes() == just_now  # not worth a write


def test_the_first_pull_has_no_gap_however_old_its_messages_are(file: Path) -> None:
    old = int(time.time()) - 6 * DAY
    pages = [reply(has_more=1, next_cursor=each, msg_list=[{"msgid": each, "send_time": old}]) for each in "ab"]
    with client_of(*pages, reply(next_cursor="c")) as client:
        assert pulled(client, FileCursor(file)) == ["a", "b"]


def test_messages_that_expire_while_a_later_pull_lasts_are_a_gap(file: Path) -> None:
    """The pages of a pull are so slow that what follows the first one is older than 5 days."""
    store_pull(file, seconds_ago=5 * DAY - 60, cursor="x")
    old = int(time.time()) - 5 * DAY - 30
    with client_of(reply(has_more=1, next_cursor="a", msg_list=[{"msgid": "m1", "send_time": old}]), reply()) as client:
        assert pulled(client, FileCursor(file)) == ["m1"]
        assert cursor_in(file) == "a"


def test_an_old_cursor_that_wecom_refuses_is_a_gap(zone: Zone, app: ZoneClient, file: Path) -> None:
    store_pull(file, seconds_ago=6 * DAY, cursor="of a time long ago")
    gaps: list[MessageGap] = []
    assert len(pulled(app, FileCursor(file), on_gap=gaps.append)) == 60
    assert len(gaps) == 1


def test_a_gap_is_told_once_though_time_passes_between_pages(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = [reply(has_more=1, next_cursor=each, msg_list=[{"msgid": each}]) for each in "bcd"]
    last = [reply(next_cursor=each, msg_list=[{"msgid": each}]) for each in "ae"]
    seconds, gaps, cursors = count(int(time.time())), list[MessageGap](), FileCursor(file)
    with client_of(last[0], *pages, last[1]) as client:
        assert [len(page.messages) for page in client.messages(cursors)] == [1]
        store_pull(file, seconds_ago=6 * DAY)
        monkeypatch.setattr(time, "time", lambda: float(next(seconds)))
        assert [len(page.messages) for page in client.messages(cursors, on_gap=gaps.append)] == [1, 1, 1, 1]
    assert len(gaps) == 1


def test_a_recent_cursor_that_wecom_refuses_is_an_error_that_names_its_store(app: ZoneClient, file: Path) -> None:
    store_pull(file, seconds_ago=60, cursor="of another corp")
    with pytest.raises(CursorRefusedError, match=f"{file}.*errcode 710611: use one store .* its last start or reset"):
        pulled(app, FileCursor(file), on_gap=print)


def test_a_next_cursor_that_leads_back_is_an_error(file: Path) -> None:
    with client_of(reply(has_more=1, next_cursor="a", msg_list=[{"msgid": "m1"}])) as client:
        with pytest.raises(RepeatedCursorError):
            pulled(client, FileCursor(file))
    assert cursor_in(file) == "a"


async def test_messages_are_pulled_on_an_event_loop_with_any_store(file: Path) -> None:
    script, gaps = Script([]), list[MessageGap]()
    page = reply(has_more=1, next_cursor="a", msg_list=[{"msgid": "m1"}, {"msgid": "m2"}])
    outcomes = [answer(45033), reply(errcode=45033), page, reply(next_cursor="b", msg_list=[{"msgid": "m3"}])]

    async def note(gap: MessageGap) -> None:
        gaps.append(gap)

    async def latest() -> str:
        return "token"

    async def pulled(cursors: CursorStore, *, keep: bool) -> list[str]:
        found: list[str] = []
        script.outcomes = [*outcomes]
        async for page in client.messages(cursors, token=latest, on_gap=note, patience=SOON):
            found.extend(message.msgid for message in page)
            if keep:
                await page.keep()
        return found

    async with async_client_of(script=script) as client:
        of_loop: Any = AsyncStore(FileCursor(file.with_name("of_loop")))
        for cursors in (FileCursor(file), of_loop):
            for keep in (True, False):
                assert await pulled(cursors, keep=keep) == ["m1", "m2", "m3"]
        assert cursor_in(file) == "b"
        store_pull(file, seconds_ago=6 * DAY)
        assert await pulled(FileCursor(file), keep=True) == ["m1", "m2", "m3"]
    assert len(gaps) == 1


def test_a_pull_ends_after_so_many_pages_and_the_next_one_goes_on(zone: Zone, app: ZoneClient, file: Path) -> None:
    pages = list(app.messages(FileCursor(file), limit=25, max_pages=2))
    assert [(len(page), page.has_more) for page in pages] == [(25, True), (25, True)]
    assert len(asked(zone)) == 2
    pages = list(app.messages(FileCursor(file), limit=25, max_pages=2))
    assert [(len(page), page.has_more) for page in pages] == [(10, False)]


def test_a_page_without_messages_counts_as_a_page_and_is_kept_and_not_handed_out(file: Path) -> None:
    with client_of(reply(has_more=1, next_cursor="a"), reply(msg_list=[{"msgid": "m1"}], next_cursor="b")) as client:
        assert list(client.messages(FileCursor(file), max_pages=1)) == []
        assert cursor_in(file) == "a"
        assert pulled(client, FileCursor(file), max_pages=1) == ["m1"]


def test_no_page_is_asked_for_after_the_deadline(app: ZoneClient, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    began, passed = time.monotonic(), [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: began + passed[0])
    lengths: list[int] = []
    for page in app.messages(FileCursor(file), limit=25, deadline=100.0):
        lengths.append(len(page))
        passed[0] += 60.0
    assert lengths == [25, 25]
    assert len(pulled(app, FileCursor(file))) == 10


def test_a_busy_wecom_is_not_waited_for_beyond_the_deadline(zone: Zone, app: ZoneClient, file: Path) -> None:
    zone.client.add_fault("sdk", "errcode", "sync_msg", 45009)
    with pytest.raises(SdkApiError, match="45009"):
        pulled(app, FileCursor(file), deadline=1.0, patience=RetryPolicy(attempts=9, first_pause=30.0, deadline=900.0))
    assert len(asked(zone)) == 1


@pytest.mark.parametrize("kind", [int, lambda begin: datetime.fromtimestamp(begin, UTC)])
def test_a_first_pull_begins_near_a_time_and_leaves_out_what_is_older(
    zone: Zone, app: ZoneClient, tmp_path: Path, kind: Callable[[int], Any]
) -> None:
    everything = [message for page in app.messages(FileCursor(tmp_path / "all")) for message in page]
    begin = everything[30].send_time
    since = [message.msgid for message in everything if message.send_time >= begin]
    assert 0 < len(since) < 60
    assert pulled(app, FileCursor(tmp_path / "some"), limit=7, begin_time=kind(begin)) == since
    sent = [each["request"] for each in asked(zone)][1:]
    assert ["begin_time" in each for each in sent] == [True] + [False] * (len(sent) - 1)  # only without a cursor


def test_messages_from_before_a_time_are_left_out_after_a_kept_place_too(file: Path) -> None:
    rows = [{"msgid": f"m{each}", "send_time": each} for each in (99, 100, 101)]
    script = Script([reply(msg_list=rows, next_cursor="a")])
    store_pull(file, seconds_ago=0, cursor="x")
    with client_of(transport=script) as client:
        assert pulled(client, FileCursor(file), begin_time=100) == ["m100", "m101"]
    [request] = [msgspec.json.decode(each.content)["request_data"] for each in script.requests]
    assert "begin_time" not in request
