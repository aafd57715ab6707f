"""Several instances of one program behind one channel, with their store in Redis."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.scenarios.conftest import ROOT
from tests.stores.local_redis import LocalRedis
from wwspec_router.child import Child
from wwspec_router.testing.served import ServedZone
from wwspec_router.testing.zone import Zone


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[LocalRedis]:
    server = LocalRedis(tmp_path)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def instances(redis: LocalRedis, tmp_path: Path) -> Iterator[tuple[ServedZone, list[str]]]:
    """A zone, and where its three instances listen."""
    with ExitStack() as stack:
        zone = stack.enter_context(Zone.serve(ROOT, serve=["--store", redis.url]))
        urls = [zone.program_url]
        for number in (2, 3):
            options = ["--sdk", "emulator", "--app", str(ROOT), "--port", "0", "--store", redis.url]
            output = tmp_path / f"program-{number}.log"
            program = Child(["serve", *options], {"WWSPEC_EMULATOR_URL": zone.client.url}, output)
            stack.callback(program.stop)
            urls.append(program.announced_url())
            program.wait_ready(f"{urls[-1]}/healthz")
        yield zone, urls


def test_an_event_that_one_instance_took_is_fetched_from_every_other(instances: tuple[ServedZone, list[str]]) -> None:
    zone, urls = instances
    for taken in urls:
        zone.client.point_to(taken)
        fired = zone.fire("hit_keyword")
        for fetched in urls:
            zone.client.point_to(fetched)
            assert zone.call("get_callback_data", notify_id=zone.notified()).reply == fired["event"]


def test_a_store_that_is_down_is_an_error_at_once_and_comes_back(
    instances: tuple[ServedZone, list[str]], redis: LocalRedis
) -> None:
    zone, _ = instances
    fired = zone.fire("hit_keyword")
    notify_id = zone.notified()
    redis.kill()
    assert zone.call("get_callback_data", notify_id=notify_id).reply == {
        "errcode": 710660,
        "errmsg": "the event could not be read",
    }
    assert '"errcode":710660' in zone.fire("hit_keyword")["reply"]
    redis.start()
    assert zone.call("get_callback_data", notify_id=notify_id).reply == fired["event"]
