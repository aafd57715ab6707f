"""Own code on events, in a program as it is tested and as it is served: event, handler, notification."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.apps import ROOT
from tests.support.redis_server import local_redis
from tests.support.waiting import wait_until
from tests.support.zones import another_program, serve_zone
from wwspec_devtools.testing.zone import ServedZone, Zone

HERE = "tests.support.event_handlers"
EVENTS = 12


def registry_of(folder: Path, handler: str, notify: str) -> Path:
    path = folder / "registry.toml"
    path.write_text(
        "[abilities.get_callback_data]\nkind='callback_data'\n[abilities.status]\nkind='status'\n"
        f"[events.hit_keyword]\nhandler='{HERE}:{handler}'\nnotify='{notify}'\nconcurrency=2\n"
        f"[notifications.hits]\ncontract='{HERE}:Hits'\n"
    )
    return path


@pytest.fixture(params=["in-process", "served"])
def start(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    with ExitStack() as stack:

        def begin(handler: str, notify: str) -> Zone:
            registry = registry_of(tmp_path, handler, notify)
            if request.param == "in-process":
                return stack.enter_context(Zone.in_process(ROOT, registry))
            return stack.enter_context(serve_zone(ROOT, registry, serve=["--retry-pause", "0.02"]))

        yield begin


def fetched(zone: Zone) -> list[Any]:
    """Return what waits under each notify_id that the app was told, without timestamps."""
    replies = [zone.call("get_callback_data", notify_id=each["notify_id"]) for each in zone.client.notifications()]
    assert all(each.errcode == 0 for each in replies)
    return [{key: value for key, value in each.reply.items() if key != "timestamp"} for each in replies]


def test_the_app_gets_event_result_and_notification(start: Any) -> None:
    zone = start("on_hit", "after")
    event = zone.fire("hit_keyword")["event"]
    wait_until(lambda: len(zone.client.notifications()) == 2)
    pushed, stored = fetched(zone)
    assert pushed == {"event_type": "hits", "hits": {"hits": 2}}
    own = {"hit_keyword": event["hit_keyword"], "hit_keyword_result": {"hits": 1}}
    assert stored == {"event_type": "hit_keyword", **own}
    status = zone.call("status").reply
    assert (status["events_ended"], status["events_retried"], status["events_failed"]) == (1, 0, 0)


@pytest.mark.never_lost
def test_an_event_whose_program_is_killed_in_its_handler_is_handled_again(tmp_path: Path) -> None:
    registry = registry_of(tmp_path, "slow", "after")
    with serve_zone(ROOT, registry) as zone:
        zone.fire("hit_keyword")
        threading.Event().wait(0.1)  # into the work; if it is late, the event is handled before
        zone.kill_program()
        zone.start_program()
        wait_until(lambda: len(zone.client.notifications()) >= 2)
        [stored] = [each for each in fetched(zone) if each["event_type"] == "hit_keyword"]
        assert stored["hit_keyword_result"] in ({"hits": 2}, {"hits": 1})


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[ServedZone, list[str]]]:
    """A zone, and where two instances of its program listen, which share a Redis server."""
    registry = registry_of(tmp_path, "slow", "after")
    with ExitStack() as stack:
        redis = stack.enter_context(local_redis(tmp_path))
        options = ["--store", redis.url, "--job-lease", "2"]
        zone = stack.enter_context(serve_zone(ROOT, registry, serve=options))
        other = another_program(stack, zone, tmp_path / "other.log", "--registry", str(registry), *options)
        yield zone, [zone.program_url, other.announced_url()]


@pytest.mark.slow  # starts several processes
@pytest.mark.never_lost
def test_two_instances_handle_each_event_once_and_one_that_dies_leaves_its_own_to_the_other(
    two: tuple[ServedZone, list[str]],
) -> None:
    zone, urls = two
    fire(zone, urls)
    wait_until(lambda: len(zone.client.notifications()) == 2 * EVENTS)
    results = [each["hit_keyword_result"] for each in fetched(zone) if "hit_keyword_result" in each]
    assert results == [{"hits": 1}] * EVENTS
    fire(zone, urls)
    zone.kill_program()
    zone.client.point_to(urls[1])

    def delivered() -> int:
        return sum("hit_keyword_result" in each for each in fetched(zone))

    wait_until(lambda: delivered() == 2 * EVENTS)


def fire(zone: ServedZone, urls: list[str]) -> None:
    for number in range(EVENTS):
        zone.client.point_to(urls[number % 2])
        zone.fire("hit_keyword")
