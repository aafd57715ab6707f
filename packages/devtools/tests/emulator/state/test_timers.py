import logging
import threading
from contextlib import nullcontext
from functools import partial

import pytest

from tests.emulator.conftest import StartEmulator
from tests.support.emulator import SealedProgram
from tests.support.waiting import DEADLINE, wait_until
from wwspec_devtools.emulator.events import outbox as outbox_module
from wwspec_devtools.emulator.events.outbox import Outbox
from wwspec_devtools.emulator.state.clock import Clock
from wwspec_devtools.emulator.state.timers import Timers


def test_an_action_that_fails_does_not_stop_the_others(caplog: pytest.LogCaptureFixture) -> None:
    timers, ran = Timers(Clock(100)), list[str]()
    timers.schedule(0, lambda: [].pop())
    timers.schedule(0, lambda: ran.append("second"))
    timers.run_due()
    assert ran == ["second"]
    assert "a timed action of the emulator failed" in caplog.text


def test_advance_runs_each_action_at_its_own_time_without_the_lock(start: StartEmulator) -> None:
    emulator, ran = start(), list[float]()
    world, begin = emulator.platform.world, emulator.platform.clock.now()

    def action() -> None:
        with world.lock:
            ran.append(emulator.platform.clock.now() - begin)
        if len(ran) < 3:
            world.timers.schedule(10, action)

    world.timers.schedule(5, action)
    emulator.advance(24)
    assert ran == [5, 15], "an action may schedule another one"
    emulator.advance(1)
    assert ran == [5, 15, 25]


def test_the_server_runs_due_actions_by_itself_as_the_clock_goes_on(start: StartEmulator) -> None:
    running, still = start(clock_start=None), start()
    for emulator, delay in ((running, 0.02), (still, 0)):
        done = threading.Event()
        emulator.platform.world.timers.schedule(delay, done.set)
        assert done.wait(DEADLINE)


@pytest.mark.parametrize("locked", [True, False])
def test_a_raised_event_reaches_the_program(
    start_with_program: StartEmulator, program: SealedProgram, locked: bool
) -> None:
    emulator = start_with_program()
    emulator.receive_events()
    world = emulator.platform.world
    deleted = {"knowledge_base_id": "kb1", "knowledge_base_name": "名"}
    with world.lock if locked else nullcontext():
        world.raise_event(world.app, "delete_knowledge_base", deleted)
    wait_until(lambda: len(program.calls) == 1)
    [call] = program.calls
    assert call.call_type == 2
    assert call.data == (
        '{"event_type":"delete_knowledge_base","timestamp":1750000000,'
        '"delete_knowledge_base":{"knowledge_base_id":"kb1","knowledge_base_name":"名"}}'
    )


def test_an_event_that_nobody_receives_is_dropped_with_a_line_in_the_log(
    start_with_program: StartEmulator, program: SealedProgram, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    emulator = start_with_program()
    emulator.platform.world.raise_event(emulator.platform.world.app, "hit_keyword", {"token": "t"})
    assert "event hit_keyword is dropped: no program receives events" in caplog.text
    emulator.receive_events()
    program.reply = lambda call: (500, {}, b"")
    emulator.platform.world.raise_event(emulator.platform.world.app, "hit_keyword", {"token": "t"})
    assert emulator.platform.wait_idle()
    assert "event hit_keyword did not reach the program: 710676" in caplog.text


def test_a_full_outbox_drops_what_comes(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(outbox_module, "QUEUE_SIZE", 2)
    outbox, sent = Outbox(), list[int]()
    for number in range(3):
        outbox.put(partial(sent.append, number))
    assert "an event is dropped: 2 are waiting already" in caplog.text
    assert outbox.wait_idle(1), "without a thread the caller sends"
    assert sent == [0, 1]


def test_an_outbox_that_stops_drops_what_waits(caplog: pytest.LogCaptureFixture) -> None:
    outbox, sent = Outbox(), list[int]()
    begun, release = threading.Event(), threading.Event()

    def first() -> None:
        begun.set()
        assert release.wait(DEADLINE)
        raise ValueError("the first event")

    outbox.start()
    outbox.put(first)
    assert begun.wait(DEADLINE)
    outbox.put(lambda: sent.append(2))
    assert not outbox.wait_idle(0)
    stopping = threading.Thread(target=outbox.stop)
    stopping.start()
    release.set()
    stopping.join(DEADLINE)
    assert sent == []
    assert "an event of the emulator could not be sent" in caplog.text
