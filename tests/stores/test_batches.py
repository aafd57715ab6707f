import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.waiting import DEADLINE, Gate, wait_until
from wwspec_router.stores.batches import Batches

Others = Callable[[], list[Any]]


class Held(Gate):
    """Batches whose first work waits until the test lets it go on; it returns what it took along."""

    def __init__(self, work: Callable[["Held", Any, Others], list[Any]], max_batch: int = 100) -> None:
        super().__init__()
        self.batches: list[list[Any]] = []
        self.group: Batches[Any] = Batches(
            lambda item, others: self.batches.append(work(self, item, others)), max_batch=max_batch
        )
        self._threads: list[threading.Thread] = []

    def submit(self, *items: Any) -> None:
        """Submit each item in a thread of its own, which has its name; all but the one that works wait then."""
        for item in items:
            self._threads.append(threading.Thread(target=self.group.submit, args=(item,), name=str(item)))
            self._threads[-1].start()
        assert self.begun.wait(DEADLINE)

    def wait_for(self, waiting: int) -> None:
        wait_until(lambda: self.group.waiting == waiting)

    def finish(self) -> list[list[Any]]:
        self.go_on.set()
        for thread in self._threads:
            thread.join(DEADLINE)
        return self.batches


def early(held: Held, item: Any, others: Others) -> list[Any]:
    batch = [item, *others()]
    held.hold()
    return batch


def late(held: Held, item: Any, others: Others) -> list[Any]:
    held.hold()
    return [item, *others()]


def alone(held: Held, item: Any, others: Others) -> list[Any]:
    held.hold()
    return [item]


def again_and_again(held: Held, item: Any, others: Others) -> list[Any]:
    batch = early(held, item, others)
    while more := others():
        assert len(more) <= 2
        batch += more
    return batch


@pytest.mark.parametrize(
    ("work", "max_batch", "sizes"),
    [(early, 100, [1, 5]), (late, 4, [4, 2]), (alone, 100, [1] * 6), (again_and_again, 3, [6])],
)
def test_items_that_come_during_a_work_are_taken_along_as_the_work_wants(
    work: Callable[[Held, Any, Others], list[Any]], max_batch: int, sizes: list[int]
) -> None:
    held = Held(work, max_batch)
    held.submit(0)
    held.submit(*range(1, 6))
    held.wait_for(5)
    batches = held.finish()
    assert [len(batch) for batch in batches] == sizes
    assert sorted(item for batch in batches for item in batch) == list(range(6))


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let SIGINT raise KeyboardInterrupt, also where this process was started with SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_in_a_waiting_thread_leaves_nobody_waiting() -> None:
    held = Held(early)
    here = threading.get_ident()

    def interrupt() -> None:
        held.wait_for(1)
        # A signal that comes just before a thread blocks does not wake it, so more than one may be needed.
        while held.group.waiting:
            signal.pthread_kill(here, signal.SIGINT)
            held.go_on.wait(0.1)

    held.submit("first")
    interrupter = threading.Thread(target=interrupt)
    interrupter.start()
    with pytest.raises(KeyboardInterrupt):
        held.group.submit("given up")
    interrupter.join(DEADLINE)
    held.finish()
    held.group.submit("later")
    assert held.batches == [["first"], ["later"]]


def test_who_does_not_wait_goes_on_while_another_thread_works_and_that_one_does_its_item_too() -> None:
    held = Held(early)
    held.submit("first")
    for item in ("soon", "soon after"):
        held.group.submit_soon(item)
    assert held.group.waiting == 2
    assert held.finish() == [["first"], ["soon", "soon after"]]
    held.group.submit_soon("alone")
    assert held.batches[-1] == ["alone"]
    assert held.group.idle


def test_a_thread_that_waits_works_before_those_for_which_nobody_waits_are_left_to_the_one_that_worked() -> None:
    workers: dict[str, str] = {}

    def work(held: Held, item: str, others: Others) -> list[str]:
        batch = early(held, item, others if held.begun.is_set() else list)
        workers.update(dict.fromkeys(batch, threading.current_thread().name))
        return batch

    held = Held(work)
    held.submit("first")
    held.group.submit_soon("soon")
    held.submit("second")
    held.wait_for(2)
    held.finish()
    assert workers == {"first": "first", "second": "second", "soon": "second"}
