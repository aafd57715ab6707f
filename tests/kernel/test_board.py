"""The folder that worker processes share: what each shows, what is left of those that are gone, and who leads."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import msgspec
import pytest
from hypothesis import given, settings, strategies as st

from tests.kernel.conftest import DEADLINE, ROOT
from wwspec_router.board import Board
from wwspec_router.errors import ConfigurationError
from wwspec_router.figures import Figures, Gauges, Snapshot, merged

PUBLISHER = """
import sys
from pathlib import Path
from wwspec_router.board import Board
from wwspec_router.figures import Figures, Gauges

board = Board(Path(sys.argv[1]))
figures = Figures(["digest"])
for _ in range(int(sys.argv[2])):
    figures.count("digest", 710660, 0.001, 0.01)
board.publish(figures.snapshot(Gauges(busy=5)))
print(board.lead(), flush=True)
sys.stdin.read()
"""


@contextmanager
def publisher(folder: Path, calls: int) -> Iterator["subprocess.Popen[str]"]:
    """A process that shows its figures, and then waits to be ended; it prints whether it leads."""
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", PUBLISHER, str(folder), str(calls)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
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


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = monotonic() + DEADLINE
    while not condition():
        assert monotonic() < deadline
        threading.Event().wait(0.01)


def posts(folder: Path) -> list[Path]:
    return sorted(folder.glob("*-*.msgpack"))


def test_processes_see_each_other_but_not_themselves(tmp_path: Path) -> None:
    board, other = Board(tmp_path / "new" / "board"), Board(tmp_path / "new" / "board")
    board.publish(figures_of(3))
    other.publish(figures_of(4))
    seen = merged(board.read())
    assert (seen.processes, seen.calls, seen.gauges.busy) == (1, 4, 1)
    assert merged(other.read()).calls == 3


def test_what_is_published_replaces_what_was(tmp_path: Path) -> None:
    board, other = Board(tmp_path), Board(tmp_path)
    board.publish(figures_of(3))
    snapshot = figures_of(5)
    board.publish(snapshot)
    assert merged(other.read()) == snapshot
    assert [path.suffix for path in tmp_path.iterdir()] == [".msgpack"]


def test_a_killed_process_leaves_its_counts_and_not_its_gauges(tmp_path: Path) -> None:
    board = Board(tmp_path)
    with publisher(tmp_path, 3) as process:
        line_of(process)
        alive = merged(board.read())
        assert (alive.processes, alive.calls, alive.gauges.busy) == (1, 3, 5)
        assert alive.waited
        process.send_signal(signal.SIGKILL)
        process.wait()
    gone = merged(board.read())
    assert (gone.processes, gone.gauges, gone.waited) == (0, Gauges(), {})
    assert (gone.calls, gone.errors, gone.errcodes) == (3, 3, {710660: 3})
    assert gone.started == alive.started


def test_a_dead_process_that_nobody_waited_for_is_gone(tmp_path: Path) -> None:
    board = Board(tmp_path)
    with publisher(tmp_path, 3) as process:
        line_of(process)
        os.kill(process.pid, signal.SIGKILL)
        wait_until(lambda: merged(board.read()).processes == 0)
        assert merged(board.read()).calls == 3


def test_a_process_that_ended_leaves_its_counts(tmp_path: Path) -> None:
    board, other = Board(tmp_path), Board(tmp_path)
    other.publish(figures_of(4), ended=True)
    seen = merged(board.read())
    assert (seen.processes, seen.calls, seen.gauges) == (0, 4, Gauges())


def test_a_process_with_the_pid_of_one_that_is_gone_is_another_one(tmp_path: Path) -> None:
    board = Board(tmp_path)
    with publisher(tmp_path, 3) as process:
        line_of(process)
    [path] = posts(tmp_path)
    post = msgspec.msgpack.decode(path.read_bytes())
    post["pid"] = os.getpid()  # as if the kernel had given us its number
    path.unlink()
    (tmp_path / f"{os.getpid()}-{post['token']}.msgpack").write_bytes(msgspec.msgpack.encode(post))
    seen = merged(board.read())
    assert (seen.processes, seen.calls) == (0, 3)


def test_files_that_are_none_of_ours_are_passed_over(tmp_path: Path) -> None:
    board, other = Board(tmp_path), Board(tmp_path)
    other.publish(figures_of(4))
    [path] = posts(tmp_path)
    whole = path.read_bytes()
    post = msgspec.msgpack.decode(whole)
    (tmp_path / f"{path.stem} (copy).msgpack").write_bytes(whole)
    (tmp_path / "1-half.msgpack").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "1-empty.msgpack").touch()
    (tmp_path / "1-other.msgpack").write_bytes(msgspec.msgpack.encode({"pid": "one"}))
    (tmp_path / "1-deep.msgpack").write_bytes(b"\x91" * 100_000)
    (tmp_path / "1-folder.msgpack").mkdir()
    (tmp_path / "gone.msgpack").write_bytes(b"no")
    for pid in (0, -1, 2**70 % 2**64):
        name = tmp_path / f"{pid}-{post['token']}.msgpack"
        name.write_bytes(msgspec.msgpack.encode({**post, "pid": pid}))
    seen = merged(board.read())
    assert (seen.processes, seen.calls) == (1, 4)
    assert board.lead()
    board.sweep()
    assert merged(board.read()).calls == 4
    board.close()


@settings(max_examples=200, deadline=None)
@given(content=st.binary(max_size=200), place=st.integers(0, 10_000), cut=st.booleans())
def test_no_content_of_a_file_harms_a_reader(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, place: int, cut: bool
) -> None:
    folder = tmp_path_factory.getbasetemp() / "harmed"
    board = Board(folder)
    other = Board(folder)
    other.publish(figures_of(2))
    path = next(path for path in posts(folder) if path.read_bytes())
    whole = path.read_bytes()
    place %= len(whole)
    for harmed in (path, folder / "gone.msgpack"):
        harmed.write_bytes(content if cut else whole[:place] + content + whole[place:])
    board.read()
    for each in folder.iterdir():
        each.unlink()


def test_sweeping_keeps_the_counts_and_removes_the_files(tmp_path: Path) -> None:
    board, other = Board(tmp_path), Board(tmp_path)
    other.publish(figures_of(1))
    for calls in (2, 3):
        with publisher(tmp_path, calls) as process:
            line_of(process)
    assert len(posts(tmp_path)) == 3
    assert board.lead()
    for _ in range(2):
        board.sweep()
        seen = merged(board.read())
        assert (seen.processes, seen.calls, seen.errors) == (1, 6, 5)
        assert len(posts(tmp_path)) == 1
    Board(tmp_path).publish(figures_of(10), ended=True)
    board.sweep()
    assert merged(board.read()).calls == 16
    board.close()


def test_a_sweep_that_was_cut_off_counts_nothing_twice(tmp_path: Path) -> None:
    board = Board(tmp_path)
    with publisher(tmp_path, 3) as process:
        line_of(process)
    [path] = posts(tmp_path)
    whole = path.read_bytes()
    board.sweep()
    path.write_bytes(whole)  # as if the leader had died before it came to remove the file
    assert merged(board.read()).calls == 3
    board.sweep()
    assert not path.exists()
    assert merged(board.read()).calls == 3


def test_one_process_leads_until_it_is_gone(tmp_path: Path) -> None:
    board = Board(tmp_path)
    with publisher(tmp_path, 1) as first:
        assert line_of(first) == "True"
        with publisher(tmp_path, 1) as second:
            assert line_of(second) == "False"
        assert not board.lead()
        first.send_signal(signal.SIGKILL)
        first.wait()
        assert board.lead()
        assert board.lead()
    with publisher(tmp_path, 1) as third:
        assert line_of(third) == "False"
    board.close()
    with publisher(tmp_path, 1) as fourth:
        assert line_of(fourth) == "True"


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="file/board: worker processes can't share"):
        Board(tmp_path / "file" / "board")
