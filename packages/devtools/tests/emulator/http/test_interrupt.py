"""Ctrl-C while the emulator starts, and once more while it ends."""

import asyncio
import gc
import signal
from collections.abc import Callable

import pytest
import uvicorn

from wwspec_devtools.emulator.http.server import serve
from wwspec_devtools.emulator.settings import EmulatorSettings


def test_ctrl_c_before_the_loop_runs_ends_the_emulator_without_a_warning(
    monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    def interrupted(config: uvicorn.Config) -> Callable[[], asyncio.AbstractEventLoop]:
        signal.raise_signal(signal.SIGINT)
        return asyncio.new_event_loop

    monkeypatch.setattr(uvicorn.Config, "get_loop_factory", interrupted)
    shown: list[str] = []
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        serve(EmulatorSettings(port=0, messages=0), on_start=shown.append)
    finally:
        signal.signal(signal.SIGINT, before)
    gc.collect()
    assert [str(each.message) for each in recwarn if "never awaited" in str(each.message)] == []
    assert shown == [], "no page is opened of an emulator that ends"


def test_a_second_ctrl_c_ends_the_emulator_without_a_traceback(caplog: pytest.LogCaptureFixture) -> None:
    def interrupt_twice(_: str) -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        serve(EmulatorSettings(port=0, messages=0), on_start=interrupt_twice)
    finally:
        signal.signal(signal.SIGINT, before)
    gc.collect()
    assert [each.getMessage() for each in caplog.records if each.levelname == "ERROR"] == []
