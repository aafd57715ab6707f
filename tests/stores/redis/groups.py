"""What the tests of several servers share."""

import time
from collections.abc import Callable
from typing import Any

from tests.support.redis_group import LocalGroup
from tests.support.redis_server import LocalRedis
from tests.support.waiting import wait_until
from wwspec_router.errors import StoreError


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
