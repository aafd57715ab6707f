"""What the suites have in common: methods that may be `async def`, and many threads at once."""

import inspect
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, ClassVar, TypeVar

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

T = TypeVar("T")

DEADLINE = 120.0
"""Seconds after which a test counts as hung."""

SETTINGS = settings(
    deadline=None,
    max_examples=30,
    stateful_step_count=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
)
"""A store serves all examples of a test, each of which begins with an empty one."""

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
"""Any texts that a database can keep."""


class Loop:
    """An event loop on a thread of its own, for stores whose methods are `async def`."""

    def __init__(self, portal: BlockingPortal) -> None:
        self._portal = portal

    def __call__(self, found: T | Awaitable[T]) -> T:
        """Return what a method has returned, or what its awaitable gives; any thread may call it."""
        if not inspect.isawaitable(found):
            return found
        given: T = self._portal.start_task_soon(lambda: found).result(DEADLINE)
        return given

    @staticmethod
    @contextmanager
    def running() -> Iterator["Loop"]:
        """Yield a loop that runs while this block runs."""
        with start_blocking_portal("asyncio", name="wwspec-store-suite") as portal:
            yield Loop(portal)


class Suite:
    """Base class of the suites."""

    threads: ClassVar[int] = 8
    """How many threads use a store at once."""
    rounds: ClassVar[int] = 20
    """How often a test of threads is repeated; a suite that runs rarely may say 1,000."""
    histories: ClassVar[int] = 30
    """How many histories of up to 25 steps a test tries; each step reads all rows."""

    @pytest.fixture
    def open_store(self) -> Callable[[], Any]:
        """Give the stores to try."""
        raise NotImplementedError("give the fixture open_store")

    @pytest.fixture
    def call(self) -> Iterator[Loop]:
        """Gives the results of methods, whether these are plain or `async def`."""
        with Loop.running() as loop:
            yield loop

    def try_histories(self, machine: Callable[..., RuleBasedStateMachine], *arguments: Any) -> None:
        """Compare a store with a model of it, over as many histories as the suite says.

        Args:
            machine: The class of the model.
            arguments: What each of its objects is made with.
        """
        make: Any = lambda: machine(*arguments)  # noqa: E731 - Hypothesis takes a function, and declares a class
        run_state_machine_as_test(make, settings=settings(SETTINGS, max_examples=self.histories))

    def together(self, work: Callable[[int], Any]) -> list[Any]:
        """Call a function with 0, 1, ... on as many threads, started at once, and return the results."""
        return together(work, self.threads)


def together(work: Callable[[int], T], threads: int) -> list[T]:
    """Call a function with 0 to `threads - 1` on as many threads, started at once, and return the results."""
    start = threading.Barrier(threads, timeout=DEADLINE)

    def begin(number: int) -> T:
        start.wait()
        return work(number)

    with ThreadPoolExecutor(threads) as pool:
        futures = [pool.submit(begin, number) for number in range(threads)]
        return [future.result(DEADLINE) for future in futures]
