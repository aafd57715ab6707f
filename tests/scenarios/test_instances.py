"""Several instances of one program behind one channel, with their store in Redis."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any

import pytest

from tests.support.apps import ROOT
from tests.support.redis_server import LocalRedis, local_redis
from tests.support.waiting import DEADLINE, wait_until
from tests.support.zones import another_program, serve_zone
from wwspec_devtools.testing.zone import CallRefusedError, ServedZone, ZoneTask

pytestmark = pytest.mark.never_lost

LEASE = "2"
JOBS = 30
CALLERS = 4


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[LocalRedis]:
    with local_redis(tmp_path) as server:
        yield server


@pytest.fixture
def instances(redis: LocalRedis, tmp_path: Path) -> Iterator[tuple[ServedZone, list[str]]]:
    with ExitStack() as stack:
        options = ("--store", redis.url, "--job-lease", LEASE)
        zone = stack.enter_context(serve_zone(ROOT, serve=options))
        others = [another_program(stack, zone, tmp_path / f"program-{number}.log", *options) for number in (2, 3)]
        yield zone, [zone.program_url, *(each.announced_url() for each in others)]


@pytest.mark.slow  # starts several processes
def test_an_event_that_one_instance_took_is_fetched_from_every_other(instances: tuple[ServedZone, list[str]]) -> None:
    zone, urls = instances
    for taken in urls:
        zone.client.point_to(taken)
        fired = zone.fire("hit_keyword")
        for fetched in urls:
            zone.client.point_to(fetched)
            assert zone.call("get_callback_data", notify_id=zone.notified()).reply == fired["event"]


def begin_jobs(zone: ServedZone, urls: list[str]) -> list[ZoneTask[Any]]:
    zone.client.add_fault("sdk", "latency", "get_group_chat", 0.1)
    submitted = []
    for number in range(JOBS):
        zone.client.point_to(urls[number % len(urls)])
        submitted.append(zone.submit("invoke_get_group_chat", {"chatid": str(number)}))
    return submitted


def wait_reported(submitted: list[ZoneTask[Any]]) -> None:
    deadline = monotonic() + DEADLINE
    for each in submitted:
        answer = each.result(deadline - monotonic())
        assert answer.errcode == 710624, "the platform's answer, since there is no such group"


@pytest.mark.slow  # starts three programs
def test_jobs_that_three_instances_accepted_are_run_once_and_reported_once(
    instances: tuple[ServedZone, list[str]],
) -> None:
    zone, urls = instances
    wait_reported(begin_jobs(zone, urls))
    traffic = zone.client.traffic(kind="sdk")
    runs = Counter(entry["request"]["chatid"] for entry in traffic if entry["name"] == "get_group_chat")
    assert runs == {str(number): 1 for number in range(JOBS)}
    assert sum(entry["name"] == "program_async_job_call_back" for entry in traffic) == JOBS


@pytest.mark.slow  # starts several processes
def test_jobs_of_an_instance_that_dies_are_reported_by_the_others(instances: tuple[ServedZone, list[str]]) -> None:
    zone, urls = instances
    submitted = begin_jobs(zone, urls)
    zone.kill_program()
    wait_reported(submitted)


@pytest.mark.slow  # starts several processes
def test_a_store_that_is_down_is_an_error_at_once_and_comes_back(
    instances: tuple[ServedZone, list[str]], redis: LocalRedis
) -> None:
    zone, _ = instances
    fired = zone.fire("hit_keyword")
    notify_id = zone.notified()
    redis.kill()
    refused = zone.call("get_callback_data", notify_id=notify_id)
    assert (refused.errcode, refused.errmsg) == (710660, "the event could not be read")
    with pytest.raises(CallRefusedError, match="event hit_keyword: refused by the program with errcode 710660"):
        zone.fire("hit_keyword")
    redis.start()
    assert zone.call("get_callback_data", notify_id=notify_id).reply == fired["event"]


@pytest.mark.slow  # starts several processes
def test_an_instance_is_replaced_under_load_without_losing_a_call_an_event_or_a_job(
    redis: LocalRedis, tmp_path: Path
) -> None:
    """The steps of docs/en/operation/deployment.md."""
    with ExitStack() as stack:
        zone = stack.enter_context(serve_zone(ROOT, serve=["--store", "memory:"]))  # whose own program is not called
        options = ("--store", redis.url, "--job-lease", LEASE)
        old = another_program(stack, zone, tmp_path / "old.log", *options)
        old_url = old.announced_url()
        zone.client.point_to(old_url)
        fired = zone.fire("hit_keyword")
        notify_id = zone.notified()
        ended, stop = [0] * CALLERS, Event()

        def call_on(number: int) -> list[Any]:
            answers = []
            while not stop.is_set():
                answers.append(zone.call("invoke_get_group_chat", {"chatid": "x"}))
                ended[number] += 1
            return answers

        pool = stack.enter_context(ThreadPoolExecutor(CALLERS))
        stack.callback(stop.set)
        callers = [pool.submit(call_on, number) for number in range(CALLERS)]
        new_url = another_program(stack, zone, tmp_path / "new.log", *options).announced_url()
        submitted = begin_jobs(zone, [old_url])
        zone.client.point_to(new_url)
        before = list(ended)
        wait_until(lambda: all(now > then + 1 for now, then in zip(ended, before, strict=True)))
        old.stop()
        assert old.process.returncode == 0
        wait_reported(submitted)
        assert zone.call("get_callback_data", notify_id=notify_id).reply == fired["event"]
        stop.set()
        answers = [answer for caller in callers for answer in caller.result(DEADLINE)]
    assert {(answer.refused_by, answer.errcode) for answer in answers} == {("program", 710624)}
