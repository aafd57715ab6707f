import signal
import threading
from collections.abc import Callable, Iterator

import pytest

from tests.support.waiting import DEADLINE, wait_until
from wwspec_router.stores.batches import Batches


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let SIGINT raise KeyboardInterrupt, also where this process was started with SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_in_a_waiting_thread_leaves_nobody_waiting() -> None:
    begun, go_on = threading.Event(), threading.Event()
    batches: list[list[str]] = []

    def work(item: str, others: Callable[[], list[str]]) -> None:
        batches.append([item, *others()])
        begun.set()
        assert go_on.wait(DEADLINE)

    def interrupt() -> None:
        wait_until(lambda: group.waiting == 1)
        # A signal that comes just before a thread blocks does not wake it, so more than one may be needed.
        while group.waiting:
            signal.pthread_kill(here, signal.SIGINT)
            go_on.wait(0.1)

    group, here = Batches(work, max_batch=100), threading.get_ident()
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
