"""Kernels with an ability that runs once, over one store: each stands for a process of its own."""

import threading
from collections.abc import Callable

from msgspec.structs import replace

from tests.support.kernel import EMPTY as EMPTY, with_handler
from tests.support.sdk import MemorySdk
from tests.support.waiting import DEADLINE
from wwspec_contracts.base import UNSET, Contract, Output, UnsetType
from wwspec_router.envelope import Call, Deadline, Reply
from wwspec_router.handlers.ability import ability
from wwspec_router.kernel.dispatch import Dispatcher
from wwspec_router.registry.file import OnceRow
from wwspec_router.stores import Store

LEASE = 0.3
"""In seconds; so short that a test can wait until it is over."""
BY_ID = OnceRow(key="order.id")


class Item(Contract):
    id: str | UnsetType = UNSET
    price: float | UnsetType = UNSET
    parts: list[int] = []


class Order(Contract):
    order: Item | UnsetType = UNSET
    sent_at: int = 0


class Receipt(Output):
    number: int = 0


class Orders:
    """The side effects of an ability: each run is counted, and may be held up or fail.

    Attributes:
        runs: How often it ran.
        begun: Set when a run has begun.
        go: Cleared by a test that holds up the next run.
        failures: What the next runs raise, or return as errcode.
    """

    def __init__(self) -> None:
        self.runs = 0
        self.begun = threading.Event()
        self.go = threading.Event()
        self.go.set()
        self.failures: list[BaseException | int] = []
        self.on_run: Callable[[], None] = lambda: None
        self._lock = threading.Lock()

    def handler(self) -> Callable[[Order], Receipt]:
        @ability
        def place_order(request: Order) -> Receipt:
            with self._lock:
                self.runs += 1
                number = self.runs
                failure = self.failures.pop(0) if self.failures else None
            self.on_run()
            self.begun.set()
            assert self.go.wait(DEADLINE)
            if isinstance(failure, BaseException):
                raise failure
            return Receipt(number=number, errcode=failure or 0)

        return place_order

    def kernel(
        self, store: Store, once: OnceRow = BY_ID, *, timeout: float | None = None, lease: float = LEASE
    ) -> Dispatcher:
        table = with_handler(EMPTY, self.handler(), timeout, once=once)
        return Dispatcher(table, MemorySdk(), store, once_lease=lease)


def job_call(call: Call, attempt: int, job_info: str = "job") -> Call:
    return replace(call, is_async=True, job_info=job_info, attempt=attempt)


def run_job(kernel: Dispatcher, call: Call) -> Reply:
    return kernel.answer(call, kernel.job_route(call.ability_id), Deadline())
