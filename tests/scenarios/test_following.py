"""A program that counts new messages, in zones: each message counts once, through failures, limits and kills."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.apps import ROOT
from tests.support.waiting import wait_until
from tests.support.zones import serve_zone
from wwspec_devtools.testing.zone import Zone

pytestmark = pytest.mark.never_lost

HERE = "tests.support.counting"


def registry_of(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COUNTING", str(folder))
    path = folder / "registry.toml"
    path.write_text(
        f"[abilities.counted]\nhandler='{HERE}:counted'\n[abilities.status]\nkind='status'\n"
        f"[events.conversation_new_message]\nhandler='{HERE}:on_message'\n"
    )
    return path


@pytest.fixture(scope="module", params=["in-process", "served"])
def zone(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zone]:
    """A zone whose program keeps in memory, and one whose program keeps in a file; it has counted before."""
    with pytest.MonkeyPatch.context() as patch:
        registry = registry_of(tmp_path_factory.mktemp("counting"), patch)
        served = request.param == "served"
        start = (
            serve_zone(ROOT, registry, serve=["--retry-pause", "0.02"]) if served else Zone.in_process(ROOT, registry)
        )
        with start as zone:
            say(zone)
            wait_until(lambda: ended(zone) == 1)
            assert counted(zone) >= 1
            yield zone


def say(zone: Zone, number: int = 1) -> None:
    for _ in range(number):
        zone.client.say("zhangwei", "hello", to=["helan"])


def ended(zone: Zone) -> int:
    status = zone.call("status").reply
    return int(status.get("events_ended", 0) - status.get("events_failed", 0))


def counted(zone: Zone) -> int:
    return int(zone.call("counted").reply["messages"])


def test_each_message_counts_once_though_many_events_come_at_once(zone: Zone) -> None:
    events, messages = ended(zone), counted(zone)
    say(zone, 8)
    wait_until(lambda: ended(zone) == events + 8)
    assert counted(zone) == messages + 8


def test_a_limit_of_wecom_is_waited_for_and_is_no_attempt(zone: Zone) -> None:
    events, messages = ended(zone), counted(zone)
    zone.client.add_fault("sdk", "errcode", api="sync_msg", value=45009, count=6)
    say(zone, 2)
    wait_until(lambda: ended(zone) == events + 2)
    assert counted(zone) == messages + 2
    assert zone.call("status").reply.get("events_retried", 0) == 0


def test_an_expired_token_is_left_out(zone: Zone) -> None:
    events, messages = ended(zone), counted(zone)
    zone.client.add_fault("sdk", "errcode", api="sync_msg", value=45009, count=3)
    say(zone)
    zone.client.expire_tokens()
    wait_until(lambda: ended(zone) == events + 1)
    assert counted(zone) == messages + 1


@pytest.mark.slow  # the pauses of 32 events that follow one after another
def test_32_events_at_once_count_each_message_once_and_hold_no_thread_that_others_need(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes, wait = tmp_path / "notes", tmp_path / "wait"
    options = ["--workers", "2", "--job-threads", "2", "--retry-pause", "0.1"]
    with serve_zone(ROOT, registry_of(tmp_path, monkeypatch), serve=options) as zone, ThreadPoolExecutor(32) as callers:
        say(zone)
        wait_until(lambda: ended(zone) == 1)
        messages = counted(zone)
        notes.unlink()
        wait.touch()
        list(callers.map(lambda _: zone.client.fire("conversation_new_message"), range(32)))
        wait_until(lambda: notes.exists() and notes.read_text().endswith("run 1\n"))
        tasks = [zone.submit("counted") for _ in range(8)]
        assert [task.result().reply["messages"] for task in tasks] == [messages] * 8, "they wait for no event"
        assert notes.read_text() == "step\nrun 1\n", "one follows, 31 wait"
        wait.unlink()
        wait_until(lambda: ended(zone) == 33)
        assert counted(zone) == messages + 32
        assert notes.read_text().splitlines() == ["step", "run 1"] * 32, "each ran once, alone"


@pytest.mark.slow  # a program is killed and started again, and pulls what it has missed
def test_a_kill_before_the_end_repeats_no_step_and_skips_and_doubles_no_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = tmp_path / "notes"
    with serve_zone(ROOT, registry_of(tmp_path, monkeypatch)) as zone:
        say(zone)
        wait_until(lambda: ended(zone) == 1)
        messages = counted(zone)
        (tmp_path / "wait").touch()
        notes.write_text("")
        say(zone)
        wait_until(lambda: notes.read_text() == "step\nrun 1\n")
        zone.kill_program()
        (tmp_path / "wait").unlink()
        zone.start_program()
        wait_until(lambda: notes.read_text() == "step\nrun 1\nrun 2\n")
        wait_until(lambda: ended(zone) == 1)  # by this process
        assert counted(zone) == messages + 1
