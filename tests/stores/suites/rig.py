"""What the suites of stores have in common: a clock, an empty store for each test, many threads at once."""

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from wwspec_contracts.errors import StoreError, StoreFullError
from wwspec_router.stores.base import Store
from wwspec_router.stores.capacity import StoreLimits

T = TypeVar("T")

StoreFactory = Callable[[StoreLimits], Store]
"""Opens a store that is empty and that goes by the suite's clock; the suite closes it."""

THREADS = 32
DEADLINE = 300.0
"""Seconds after which a concurrent test counts as hung."""

SETTINGS = settings(
    deadline=None,
    stateful_step_count=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
)
"""The profile says how many examples. Fixtures may serve all: each example overwrites or opens what it needs."""


class ManualClock:
    """A clock that tests move by hand.

    The suites take steps of half a minute or more. So a backend whose clock is a server's may subclass this, let that
    clock run, and in `advance` move all times that the server keeps into the past.
    """

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@contextmanager
def refused(match: str | None = None, error: type[Exception] = StoreError) -> Iterator[None]:
    """Expect an error that has no cause, and that does not repeat what must not be: tests call that `secret`."""
    with pytest.raises(error, match=match) as caught:
        yield
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is caught.value.__context__ is None


def refusal(call: Callable[[], object]) -> str:
    """Return the text of the StoreError that a call raises; empty when it raises none."""
    try:
        call()
    except StoreError as error:
        return str(error)
    return ""


class StoreFixtures:
    """The fixtures of a suite; a backend overrides `store_factory`, and may override `clock`."""

    @pytest.fixture
    def clock(self) -> ManualClock:
        return ManualClock()

    @pytest.fixture
    def store_factory(self, clock: ManualClock) -> StoreFactory:
        raise NotImplementedError

    @pytest.fixture
    def store(self, store_factory: StoreFactory) -> Iterator[Store]:
        with closing(store_factory(StoreLimits())) as store:
            yield store

    def run_machine(self, make: Callable[[], RuleBasedStateMachine]) -> None:
        """Run a state machine, which is made anew for each example."""
        run_state_machine_as_test(make, settings=SETTINGS)  # type: ignore[arg-type]  # it calls what it is given


def in_threads(work: Callable[[int], T], threads: int = THREADS) -> list[T]:
    """Run `work(0)` to `work(threads - 1)` in as many threads, started at once, and return their results."""
    start = threading.Barrier(threads, timeout=DEADLINE)

    def begin(number: int) -> T:
        start.wait()
        return work(number)

    with ThreadPoolExecutor(threads) as pool:
        futures = [pool.submit(begin, number) for number in range(threads)]
        return [future.result(timeout=DEADLINE) for future in futures]


def accepted(call: Callable[[str], object], names: Iterable[str]) -> list[str]:
    """Call with each name, and return those for which the store was not full."""
    found = []
    for name in names:
        with suppress(StoreFullError):
            call(name)
            found.append(name)
    return found
