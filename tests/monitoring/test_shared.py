"""The memory that worker processes share: what each shows, what is left of those that are gone, and who leads."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from zlib import crc32

import msgspec
import pytest
from hypothesis import given, settings, strategies as st

from tests.support.apps import ROOT
from tests.support.waiting import wait_until
from wwspec_router.monitoring.figures import Figures, Gauges, Snapshot, merged
from wwspec_router.monitoring.shared import _HEAD, AREA, SharedFigures

SIZE = 4
PUBLISHER = """
import sys
from wwspec_router.monitoring.shared import SharedFigures
from wwspec_router.monitoring.figures import Figures, Gauges

shared = SharedFigures(int(sys.argv[1]), 4, int(sys.argv[2]))
figures = Figures(["digest"])
for _ in range(int(sys.argv[3])):
    figures.count("digest", 710660, 0.001, 0.01)
shared.publish(figures.snapshot(Gauges(busy=5)))
print(shared.lead(), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def file() -> Iterator[int]:
    file = os.memfd_create("shared")
    yield file
    os.close(file)


@contextmanager
def publisher(file: int, calls: int, number: int = 1) -> Iterator["subprocess.Popen[str]"]:
    """A process that shows its figures, and then waits to be ended; it prints whether it leads."""
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", PUBLISHER, str(file), str(number), str(calls)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        pass_fds=[file],
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def line_of(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def figures_of(calls: int) -> Snapshot:
    figures = Figures(["digest"])
    for _ in range(calls):
        figures.count("digest", 0, 0.001, 0.01)
    return figures.snapshot(Gauges(busy=1))


def test_a_killed_process_leaves_its_counts_and_not_its_gauges(file: int) -> None:
    shared = SharedFigures(file, SIZE, 0)
    with publisher(file, 3) as process:
        line_of(process)
        alive = merged(shared.read())
        assert (alive.processes, alive.calls, alive.gauges.busy) == (1, 3, 5)
        assert alive.waited
        process.send_signal(signal.SIGKILL)
        process.wait()
    gone = merged(shared.read())
    assert (gone.processes, gone.gauges, gone.waited) == (0, Gauges(), {})
    assert (gone.calls, gone.errors, gone.errcodes) == (3, 3, {710660: 3})
    assert gone.started == alive.started


def test_a_dead_process_that_nobody_waited_for_is_gone(file: int) -> None:
    shared = SharedFigures(file, SIZE, 0)
    with publisher(file, 3) as process:
        line_of(process)
        os.kill(process.pid, signal.SIGKILL)
        wait_until(lambda: merged(shared.read()).processes == 0)
        assert merged(shared.read()).calls == 3


def test_a_process_carries_on_the_counts_of_the_one_that_had_its_number(file: int) -> None:
    shared = SharedFigures(file, SIZE, 0)
    with publisher(file, 3) as process:
        line_of(process)
    successor = SharedFigures(file, SIZE, 1)
    assert merged(shared.read()).calls == 3
    assert merged(successor.read()).calls == 3
    successor.publish(figures_of(4))
    seen = merged(shared.read())
    assert (seen.processes, seen.calls, seen.errors) == (1, 7, 3)
    assert merged(successor.read()).calls == 3
    successor.publish(figures_of(6), ended=True)
    seen = merged(shared.read())
    assert (seen.processes, seen.calls, seen.gauges) == (0, 9, Gauges())
    third = SharedFigures(file, SIZE, 1)
    third.publish(figures_of(1))
    assert merged(shared.read()).calls == 10
    assert merged(third.read()).calls == 9


def test_a_process_with_the_pid_of_one_that_is_gone_is_another_one(file: int) -> None:
    shared = SharedFigures(file, SIZE, 0)
    SharedFigures(file, SIZE, 1).publish(figures_of(3))
    assert merged(shared.read()).processes == 1
    harm(file, 1, lambda post: {**post, "birth": post["birth"] - 1})  # as if the kernel had given us its number
    seen = merged(shared.read())
    assert (seen.processes, seen.calls) == (0, 3)


def harm(file: int, number: int, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Change what a process has shown once, checksum and all."""
    place = number * AREA + AREA // 2
    times, length, _ = _HEAD.unpack(os.pread(file, _HEAD.size, place))
    content = msgspec.msgpack.encode(change(msgspec.msgpack.decode(os.pread(file, length, place + _HEAD.size))))
    os.pwrite(file, _HEAD.pack(times, len(content), crc32(content)) + content, place)


@pytest.mark.parametrize("pid", [0, -1, 2**31])
def test_what_no_process_of_ours_wrote_is_passed_over(file: int, pid: int) -> None:
    shared = SharedFigures(file, SIZE, 0)
    SharedFigures(file, SIZE, 1).publish(figures_of(3))
    SharedFigures(file, SIZE, 2).publish(figures_of(4))
    harm(file, 1, lambda post: {**post, "pid": pid})
    assert merged(shared.read()).calls == 4


def test_a_process_that_was_killed_while_it_wrote_leaves_what_it_showed_before(file: int) -> None:
    shared, other = SharedFigures(file, SIZE, 0), SharedFigures(file, SIZE, 1)
    other.publish(figures_of(3))
    other.publish(figures_of(4))
    os.pwrite(file, b"torn", AREA + 40)  # into what it showed last
    assert merged(shared.read()).calls == 3


@settings(max_examples=3 * settings().max_examples, deadline=None)
@given(content=st.binary(max_size=200), place=st.integers(0, 300), half=st.integers(0, 1))
def test_no_content_harms_a_reader(content: bytes, place: int, half: int) -> None:
    file = os.memfd_create("shared")
    try:
        shared, other = SharedFigures(file, SIZE, 0), SharedFigures(file, SIZE, 1)
        other.publish(figures_of(2))
        other.publish(figures_of(2))
        os.pwrite(file, content, AREA + half * (AREA // 2) + place)
        assert merged(shared.read()).calls in (0, 2)
        SharedFigures(file, SIZE, 1).publish(figures_of(1))
    finally:
        os.close(file)


def test_figures_that_take_more_than_there_is_room_for_are_refused_and_the_others_stay(file: int) -> None:
    shared, other = SharedFigures(file, SIZE, 0), SharedFigures(file, SIZE, 1)
    shared.publish(figures_of(3))
    many = Figures([str(number) * 100 for number in range(100_000)])
    for number in range(100_000):
        many.count(str(number) * 100, 0, 0.001, 0.01)
    with pytest.raises(OSError, match="too large"):
        shared.publish(many.snapshot(Gauges()))
    assert merged(other.read()).calls == 3


def test_one_process_leads_until_it_is_gone(file: int) -> None:
    shared = SharedFigures(file, SIZE, 0)
    with publisher(file, 1, number=1) as first:
        assert line_of(first) == "True"
        with publisher(file, 1, number=2) as second:
            assert line_of(second) == "False"
        assert not shared.lead()
        first.send_signal(signal.SIGKILL)
        first.wait()
        assert shared.lead()
        assert shared.lead()
    with publisher(file, 1, number=3) as third:
        assert line_of(third) == "False"
    shared.close()
    with publisher(file, 1, number=1) as fourth:
        assert line_of(fourth) == "True"
