"""Own code on events, in programs of which one is killed: event, handler, notification."""

import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.apps import ROOT
from tests.support.redis_server import local_redis
from tests.support.waiting import wait_until
from tests.support.zones import another_program, serve_zone
from wwspec_devtools.testing.zone import ServedZone

HERE = "tests.support.event_handlers"
EVENTS = 12


def registry_of(folder: Path) -> Path:
    path = folder / "registry.toml"
    path.write_text(
        "[abilities.get_callback_data]\nkind='callback_data'\n"
        f"[events.hit_keyword]\nhandler='{HERE}:slow'\nnotify='after'\nconcurrency=2\n"
        f"[notifications.hits]\ncontract='{HERE}:Hits'\n"
    )
    return path


def fetched(zone: ServedZone) -> list[Any]:
    """Return what waits under each notify_id that the app was told."""
    replies = [zone.call("get_callback_data", notify_id=each["notify_id"]) for each in zone.client.notifications()]
    assert all(each.errcode == 0 for each in replies)
    return [each.reply for each in replies]


@pytest.mark.never_lost
def test_an_event_whose_program_is_killed_in_its_handler_is_handled_again(tmp_path: Path) -> None:
    registry = registry_of(tmp_path)
    with serve_zone(ROOT, registry) as zone:
        zone.fire("hit_keyword")
        threading.Event().wait(0.1)  # into the work; if it is late, the event is handled before
        zone.kill_program()
        zone.start_program()
        wait_until(lambda: len(zone.client.notifications()) >= 2)
        [stored] = [each for each in fetched(zone) if each["event_type"] == "hit_keyword"]
        assert stored["hit_keyword_result"] in ({"hits": 2}, {"hits": 1})


@pytest.mark.slow  # starts several processes
@pytest.mark.never_lost
def test_two_instances_handle_each_event_once_and_one_that_dies_leaves_its_own_to_the_other(tmp_path: Path) -> None:
    registry = registry_of(tmp_path)
    with ExitStack() as stack:
        options = ["--store", stack.enter_context(local_redis(tmp_path)).url, "--job-lease", "2"]
        zone = stack.enter_context(serve_zone(ROOT, registry, serve=options))
        other = another_program(stack, zone, tmp_path / "other.log", "--registry", str(registry), *options)
        urls = [zone.program_url, other.announced_url()]
        fire(zone, urls)
        wait_until(lambda: len(zone.client.notifications()) == 2 * EVENTS)
        assert results(zone) == [{"hits": 1}] * EVENTS
        fire(zone, urls)
        zone.kill_program()
        zone.client.point_to(urls[1])
        wait_until(lambda: len(results(zone)) == 2 * EVENTS)


def results(zone: ServedZone) -> list[Any]:
    return [each["hit_keyword_result"] for each in fetched(zone) if "hit_keyword_result" in each]


def fire(zone: ServedZone, urls: list[str]) -> None:
    for number in range(EVENTS):
        zone.client.point_to(urls[number % 2])
        zone.fire("hit_keyword")
