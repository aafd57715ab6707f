import threading

import pytest

from wwspec_contracts.support.watchdog import Watchdog, Work


def hanging(name: str, since: float = 1.0) -> Work:
    return Work(threading.get_ident(), "thread-1", since, limit=0.1, name=name, request=7)


def test_work_that_hangs_is_logged_once_and_its_replacement_tried_until_there_is_room(
    caplog: pytest.LogCaptureFixture,
) -> None:
    room = iter([False, False, True])
    watchdog = Watchdog(lambda: [hanging("a call of echo")], lambda work: next(room))
    for _ in range(3):
        assert watchdog.check() == {threading.get_ident()}
    assert list(room) == []
    (line,) = caplog.messages
    assert line.startswith("a call of echo has been running on thread-1 for ")
    assert "; no thread takes its place, too many hang already; it is at " in line
    assert "test_watchdog.py:" in line


def test_the_next_work_of_a_thread_is_logged_by_itself(caplog: pytest.LogCaptureFixture) -> None:
    work = [hanging("first")]
    watchdog = Watchdog(lambda: work, lambda each: False)
    watchdog.check()
    work[:] = [hanging("second", since=2.0)]
    watchdog.check()
    assert [line.partition(" ")[0] for line in caplog.messages] == ["first", "second"]
