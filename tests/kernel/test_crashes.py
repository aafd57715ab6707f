"""A crash: the app reads a reference, the log has one line that begins with it, and neither has a value."""

import re
from collections.abc import Callable

import pytest

from tests.stores.suites.rig import ManualClock
from tests.support.kernel import Kernel
from wwspec_router import Contract, Output, ability
from wwspec_router.logs.formats import Fields
from wwspec_router.logs.handlers import SDK_LOG_BYTES, SdkLogHandler
from wwspec_router.logs.lines import about

KernelWith = Callable[..., Kernel]

SECRET = "a-secret-of-91d4"  # noqa: S105 - to be searched for


class Asked(Contract):
    text: str = ""


@ability
def sum_up(request: Asked) -> Output:
    """Crash, with a secret wherever an error can have one."""
    error = KeyError(request.text)
    error.add_note(request.text)
    raise error from ValueError(request.text)


def errmsg_of(kernel: Kernel) -> str:
    reply = kernel.call("sum_up", f'{{"text":"{SECRET}"}}')
    assert reply.pop("errcode") == 710660
    [errmsg] = reply.values()
    return str(errmsg)


def test_the_app_s_reference_begins_the_line_about_the_crash_and_is_in_the_piece_that_wecom_keeps(
    kernel_with: KernelWith, caplog: pytest.LogCaptureFixture
) -> None:
    errmsg = errmsg_of(kernel_with(sum_up))
    found = re.fullmatch("internal error ([0-9a-f]{6})", errmsg)
    assert found
    [record] = caplog.records
    line = rf"{found[1]} ability sum_up failed in test_crashes:\d+: KeyError at test_crashes.py:\d+"
    assert re.fullmatch(f"{line} .*", record.getMessage())
    assert isinstance(record.msg, Fields)
    assert record.msg.fields == {"ability": "sum_up", "error": "KeyError", "reference": found[1]}
    assert SECRET not in caplog.text
    assert record.exc_info is None
    written: list[str] = []
    with about(1234):
        SdkLogHandler(lambda level, text: written.append(text)).emit(record)
    assert len(written[0].encode()) <= SDK_LOG_BYTES
    assert re.search(line.partition(" at ")[0], written[0])


def test_no_line_means_no_reference(
    kernel_with: KernelWith, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    kernel = kernel_with(sum_up)
    first, second = errmsg_of(kernel), errmsg_of(kernel)
    assert re.fullmatch("internal error [0-9a-f]{6}", first)
    assert second == "internal error of the program"
    assert len(caplog.records) == 1
    clock.advance(2)
    third = errmsg_of(kernel)
    assert third.split()[-1] in caplog.records[-1].getMessage()
    assert first != third
