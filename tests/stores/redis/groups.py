"""What the tests of several servers share."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any

import pytest

from tests.stores.suites.job_samples import ids, job
from tests.stores.suites.rig import StoreFactory, StoreFixtures
from tests.support.redis_clock import RewindingClock
from tests.support.redis_group import LocalGroup
from tests.support.redis_server import LocalRedis
from tests.support.waiting import wait_until
from wwspec_router.errors import StoreError
from wwspec_router.stores import StoreLimits, open_store
from wwspec_router.stores.redis.events import RedisStore

CALM = ("--appendfsync", "everysec")
"""Options of servers that a whole suite uses: its hundreds of cases need no disk."""


class GroupStore(StoreFixtures):
    """The fixtures of a suite over several servers."""

    @pytest.fixture
    def clock(self, primary: LocalRedis) -> RewindingClock:
        return RewindingClock(primary)

    @pytest.fixture
    def store_factory(self, group: LocalGroup, primary: LocalRedis) -> StoreFactory:
        def open_empty(limits: StoreLimits) -> RedisStore:
            primary.run("FLUSHALL")
            return RedisStore(f"{group.url}?wait=1&wait_timeout=1.5", limits)

        return open_empty


class FailoverSuite:
    """What happens when another server takes over."""

    local: Callable[[Path], AbstractContextManager[LocalGroup]]
    """Runs servers with their files in a folder."""
    names: tuple[str, ...]
    """What is in the refusals of a failover: the first in each, the others in some."""

    def test_after_a_failover_the_new_primary_is_found_and_has_what_was_acknowledged(self, tmp_path: Path) -> None:
        with self.local(tmp_path) as group, closing(open_store(f"{group.url}?wait=1")) as store:
            store.put("corp", 1, "before", "text", 1000)
            store.add(job("before"))
            old = group.primary()
            old.kill()
            refusals = refusals_during(lambda: store.put("corp", 1, "during", "text", 1000), group, old)
            assert store.get("corp", 1, "before") == store.get("corp", 1, "during") == "text"
            assert ids(store.claim("one", 9, 1000)) == ["before"]
            assert refusals
            assert all(self.names[0] in each for each in refusals)
            assert all(any(name in each for each in refusals) for name in self.names)

    def test_a_primary_that_hangs_costs_each_connection_one_call_at_most(self, tmp_path: Path) -> None:
        with self.local(tmp_path) as group, closing(open_store(group.url)) as store:
            store.put("corp", 1, "before", "text", 1000)
            old = group.primary()
            old.freeze()
            try:
                began = time.monotonic()
                assert "did not answer" in str(seconds_of(lambda: store.get("corp", 1, "before"))[1])
                wait_until(lambda: answers_again(lambda: store.put("corp", 1, "after", "text", 1000)))
                assert group.primary() is not old
                assert time.monotonic() - began < 20
            finally:
                old.thaw()


def answers_again(call: Callable[[], object]) -> bool:
    """Tell whether the store does something."""
    return seconds_of(call)[1] is None


def is_replica(server: LocalRedis) -> bool:
    """Tell whether a server is a replica; one that becomes it just now breaks the connection of who asks."""
    from redis import RedisError

    try:
        return bool(server.run("ROLE")[0] == b"slave")
    except RedisError:
        return False


def seconds_of(call: Callable[[], Any]) -> tuple[float, StoreError | None]:
    """Return how long a call took, and its refusal if any."""
    began = time.monotonic()
    try:
        call()
    except StoreError as error:
        return time.monotonic() - began, error
    return time.monotonic() - began, None


def refusals_during(call: Callable[[], object], group: LocalGroup, killed: LocalRedis) -> list[str]:
    """Repeat a call until it works, and return the refusals; once another server takes over, start the killed one."""
    refusals: list[str] = []

    def works() -> bool:
        if not killed.runs and group.primary() is not killed:
            group.restart(killed)
        seconds, error = seconds_of(call)
        assert seconds < 6
        if error is not None:
            refusals.append(str(error))
        return error is None

    wait_until(works)
    return refusals
