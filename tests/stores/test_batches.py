import signal
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tests.stores.suites.rig import THREADS, in_threads
from tests.support.waiting import DEADLINE
from wwspec_router.stores.batches import Batches


def test_each_item_is_written_once_in_bounded_batches_one_at_a_time() -> None:
    batches: list[list[tuple[int, int]]] = []
    seen: set[tuple[int, int]] = set()
    busy = threading.Lock()

    def write(item: tuple[int, int], others: Callable[[], list[tuple[int, int]]]) -> None:
        assert busy.acquire(blocking=False)
        batches.append([item, *others()])
        seen.update(batches[-1])
        busy.release()

    group = Batches(write, max_batch=4)

    def work(number: int) -> bool:
        for step in range(50):
            group.submit((number, step))
            if (number, step) not in seen:
                return False
        return True

    assert all(in_threads(work))
    written = [item for batch in batches for item in batch]
    assert sorted(written) == [(number, step) for number in range(THREADS) for step in range(50)]
    assert max(map(len, batches)) <= 4


def holds_within(seconds: float, condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0)
    return True


def test_items_that_come_during_a_write_are_written_together() -> None:
    batches: list[list[int]] = []
    begun, go_on = threading.Event(), threading.Event()

    def write(item: int, others: Callable[[], list[int]]) -> None:
        batch = [item, *others()]
        begun.set()
        assert go_on.wait(DEADLINE)
        batches.append(batch)

    group = Batches(write, max_batch=100)
    threads = [threading.Thread(target=group.submit, args=(item,)) for item in range(5)]
    threads[0].start()
    assert begun.wait(DEADLINE)
    for thread in threads[1:]:
        thread.start()
    assert holds_within(DEADLINE, lambda: group.waiting == 4)
    go_on.set()
    for thread in threads:
        thread.join(DEADLINE)
    assert batches[0] == [0]
    assert sorted(batches[1]) == [1, 2, 3, 4]


def test_items_that_come_before_a_writer_is_ready_are_taken_along() -> None:
    batches: list[list[int]] = []
    begun, go_on = threading.Event(), threading.Event()

    def write(item: int, others: Callable[[], list[int]]) -> None:
        begun.set()
        assert go_on.wait(DEADLINE)
        batches.append([item, *others()])

    group = Batches(write, max_batch=4)
    threads = [threading.Thread(target=group.submit, args=(item,)) for item in range(5)]
    threads[0].start()
    assert begun.wait(DEADLINE)
    for thread in threads[1:]:
        thread.start()
    assert holds_within(DEADLINE, lambda: group.waiting == 4)
    go_on.set()
    for thread in threads:
        thread.join(DEADLINE)
    assert [len(batch) for batch in batches] == [4, 1]
    assert sorted(item for batch in batches for item in batch) == [0, 1, 2, 3, 4]


def test_a_writer_that_takes_nobody_along_leaves_the_others_to_the_next() -> None:
    written: list[int] = []
    begun, go_on = threading.Event(), threading.Event()

    def write(item: int, others: Callable[[], list[int]]) -> None:
        begun.set()
        assert go_on.wait(DEADLINE)
        written.append(item)

    group = Batches(write, max_batch=100)
    threads = [threading.Thread(target=group.submit, args=(item,)) for item in range(4)]
    for thread in threads:
        thread.start()
    assert begun.wait(DEADLINE)
    assert holds_within(DEADLINE, lambda: group.waiting == 3)
    go_on.set()
    for thread in threads:
        thread.join(DEADLINE)
    assert sorted(written) == [0, 1, 2, 3]


def test_what_the_write_raises_reaches_one_thread_and_stops_no_other() -> None:
    def write(item: int, others: Callable[[], list[int]]) -> None:
        if item == 7:
            raise ValueError

    group = Batches(write, max_batch=1)

    def work(number: int) -> bool:
        try:
            group.submit(number)
        except ValueError:
            return True
        return False

    assert in_threads(work) == [number == 7 for number in range(THREADS)]
    assert group.idle, "the thread with the error has left once"


def test_items_that_come_while_others_are_worked_on_can_be_taken_as_well() -> None:
    batches: list[list[int]] = []
    begun, go_on = threading.Event(), threading.Event()

    def work(item: int, others: Callable[[], list[int]]) -> None:
        batch = [item, *others()]
        begun.set()
        assert go_on.wait(DEADLINE)
        while more := others():
            assert len(more) <= 2
            batch += more
        batches.append(batch)

    group = Batches(work, max_batch=3)
    threads = [threading.Thread(target=group.submit, args=(item,)) for item in range(6)]
    threads[0].start()
    assert begun.wait(DEADLINE)
    for thread in threads[1:]:
        thread.start()
    assert holds_within(DEADLINE, lambda: group.waiting == 5)
    go_on.set()
    for thread in threads:
        thread.join(DEADLINE)
    assert [sorted(batch) for batch in batches] == [[0, 1, 2, 3, 4, 5]]


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let SIGINT raise KeyboardInterrupt, also where this process was started with SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_in_a_waiting_thread_leaves_nobody_waiting() -> None:
    batches: list[list[str]] = []
    begun, go_on = threading.Event(), threading.Event()

    def write(item: str, others: Callable[[], list[str]]) -> None:
        batch = [item, *others()]
        begun.set()
        assert go_on.wait(DEADLINE)
        batches.append(batch)

    group = Batches(write, max_batch=100)
    here = threading.get_ident()

    def interrupt() -> None:
        if holds_within(DEADLINE, lambda: group.waiting == 1):
            # A signal that comes just before a thread blocks does not wake it, so more than one may be needed.
            for _ in range(10):
                signal.pthread_kill(here, signal.SIGINT)
                if holds_within(2, lambda: group.waiting == 0):
                    return

    first = threading.Thread(target=group.submit, args=("first",))
    first.start()
    assert begun.wait(DEADLINE)
    interrupter = threading.Thread(target=interrupt)
    interrupter.start()
    with pytest.raises(KeyboardInterrupt):
        group.submit("given up")
    interrupter.join(DEADLINE)
    go_on.set()
    first.join(DEADLINE)
    group.submit("later")
    assert batches == [["first"], ["later"]]


def test_who_does_not_wait_goes_on_while_another_thread_works_and_that_one_does_its_item_too() -> None:
    batches: list[list[str]] = []
    begun, go_on = threading.Event(), threading.Event()

    def work(item: str, others: Callable[[], list[str]]) -> None:
        batch = [item, *others()]
        begun.set()
        assert go_on.wait(DEADLINE)
        batches.append(batch)

    group = Batches(work, max_batch=100)
    first = threading.Thread(target=group.submit, args=("first",))
    first.start()
    assert begun.wait(DEADLINE)
    for item in ("soon", "soon after"):
        group.submit_soon(item)
    assert group.waiting == 2
    go_on.set()
    first.join(DEADLINE)
    assert batches == [["first"], ["soon", "soon after"]]
    group.submit_soon("alone")
    assert batches[-1] == ["alone"]
    assert group.idle


def test_a_thread_that_waits_works_before_those_for_which_nobody_waits_are_left_to_the_one_that_worked() -> None:
    workers: dict[str, str] = {}
    begun, go_on = threading.Event(), threading.Event()

    def work(item: str, others: Callable[[], list[str]]) -> None:
        workers.update(dict.fromkeys([item, *(others() if begun.is_set() else [])], threading.current_thread().name))
        begun.set()
        assert go_on.wait(DEADLINE)

    group = Batches(work, max_batch=100)
    threads = [threading.Thread(target=group.submit, args=(name,), name=name) for name in ("first", "second")]
    threads[0].start()
    assert begun.wait(DEADLINE)
    group.submit_soon("soon")
    threads[1].start()
    assert holds_within(DEADLINE, lambda: group.waiting == 2)
    go_on.set()
    for thread in threads:
        thread.join(DEADLINE)
    assert workers == {"first": "first", "second": "second", "soon": "second"}
