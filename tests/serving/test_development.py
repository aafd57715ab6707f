"""What a developer reads: with the emulator's SDK everything, with the vendor's nothing that could be secret."""

import json
import re
from collections.abc import Callable
from itertools import chain
from pathlib import Path

import pytest

from tests.serving.service import CORP, Serve, Service
from tests.support.apps import ROOT
from tests.support.sdk import standin_as_vendor
from tests.support.waiting import wait_until
from wwspec_router import config

SECRET = "a-secret-of-81c3"  # noqa: S105 - to be searched for
"""What the copy of the stand-in says of itself that is taken for the vendor's."""
HANDLERS = """
import logging
import threading
from wwspec_router import AbilityError, AsyncContext, Context, Contract, Output, ability
from wwspec_contracts import sync_msg
from wwspec_contracts.events import conversation_new_message

class Asked(Contract):
    text: str = ""

def look_up(names: dict[str, int], name: str) -> int:
    return names[name]

@ability
def crash(request: Asked) -> Output:
    print("printed by the handler")
    logging.getLogger(__name__).info("logged by the handler\\non two lines")
    look_up({}, request.text)
    return Output()

@ability
async def crash_later(request: Asked, ctx: AsyncContext) -> Output:
    try:
        look_up({}, request.text)
    except KeyError as error:
        raise ValueError("the cause is above") from error
    return Output()

@ability
def refuse(request: Asked) -> Output:
    raise AbilityError(f"not {request.text}", errcode=7001)

@ability
def ask(request: Asked, ctx: Context) -> Output:
    ctx.invoke(sync_msg.Request(), check=False)
    return Output()

@ability
def leave_a_thread(request: Asked) -> Output:
    thread = threading.Thread(target=look_up, args=({}, request.text))
    thread.start()
    thread.join()
    return Output()

def on_message(event: conversation_new_message.Event) -> None:
    print("handled")
"""
NAMES = ("crash", "crash_later", "refuse", "ask", "leave_a_thread")


ROWS = "".join(f'[abilities.{name}]\nhandler = "abilities.crashing:{name}"\n' for name in NAMES)
ROWS += '[events.conversation_new_message]\nhandler = "abilities.crashing:on_message"\nnotify = "never"\n'
FILES = {
    "abilities/crashing.py": HANDLERS,
    "program_async_job_call_back.json": '{"errcode":0,"errmsg":"ok"}',
    "sync_msg.json": '{"errcode":45009,"errmsg":"too often"}',
}
Start = Callable[..., Service]


@pytest.fixture
def start(serve: Serve, tmp_path: Path) -> Start:
    """Starts a program over the SDK of the emulator or of the vendor, with handlers that fail, print and log."""

    def start(sdk: str, *options: str) -> Service:
        environment = {"PYTHONPATH": f"{standin_as_vendor(tmp_path / 'sdk')}:{ROOT}"} if sdk == "vendor" else {}
        options = ("--sdk", sdk, "--store", "memory:", *options)
        return serve(*options, environment=environment, files=FILES, rows=ROWS)

    return start


def test_with_the_emulator_a_crash_shows_its_text_own_frames_and_what_it_printed(start: Start) -> None:
    program = start("emulator")
    program.reply_text("crash", {"text": SECRET})
    wait_until(lambda: "errcode 710660" in program.log)
    log = program.log
    lines = log.splitlines()
    at = lines.index("printed by the handler")
    assert lines[at + 1].endswith("  abilities.crashing: logged by the handler")
    assert lines[at + 2].strip() == "on two lines"
    assert f"KeyError: '{SECRET}'" in log
    assert re.findall(r'File "([^"]*)", line \d+, in (\w+)', log) == [
        (str(program.folder / "abilities" / "crashing.py"), "crash"),
        (str(program.folder / "abilities" / "crashing.py"), "look_up"),
    ]
    program.reply_text("crash_later", {"text": SECRET})
    wait_until(lambda: "ValueError: the cause is above" in program.log)
    assert "The above exception was the direct cause" in program.log
    assert "wwspec_router" not in program.log
    assert "asyncio" not in program.log


def test_a_status_ability_has_a_line_only_when_it_fails(start: Start) -> None:
    program = start("emulator")
    program.reply_text("status", {})
    program.reply_text("status", 5)
    wait_until(lambda: "  errcode " in program.log)
    assert len(re.findall(r"  call +status +errcode", program.log)) == len(re.findall("  call ", program.log)) == 1


def test_with_the_emulator_each_call_has_a_line_with_both_errcodes_and_its_times(start: Start) -> None:
    program = start("emulator")
    event = {"event_type": "hit_keyword", "timestamp": 5, "hit_keyword": {"token": "a"}}
    for ability_id in ("ask", "refuse", "leave_a_thread", "no_such_ability"):
        program.reply_text(ability_id, {"text": "you"})
    program.reply_text("", event, call_type=2)
    program.reply_text("refuse", {"text": "later"}, is_async=True)
    wait_until(lambda: "  job  " in program.log)
    clock, sizes = r"\d\d:\d\d:\d\d\.\d{3}", r"\d+\.\d ms  SDK +\d+\.\d ms +\d+ B in +\d+ B out"
    for number, kind, ability_id, outcome, reason in (
        (1, "call", "ask", "ok", "  sync_msg was refused with 45009: too often"),
        (2, "call", "refuse", "errcode 7001", "  errcode 7001: not you"),
        (3, "call", "leave_a_thread", "ok", ""),
        (4, "call", "no_such_ability", "errcode 710660", "  AbilityNotFoundError unknown ability_id no_such_ability"),
        (5, "event", "hit_keyword", "errcode 710660", r"  .*spec_notify_app.*"),
        (6, "async", "refuse", "ok", ""),
    ):
        line = rf"^{clock}  INFO   #{number}  +{kind} +{ability_id} +{outcome} +{sizes}  wwtest/1{reason}$"
        assert re.search(line, program.log, re.MULTILINE), (line, program.log)
    job = rf"  INFO   #job-\w+ +job +refuse +errcode 7001 +{sizes}  wwtest/1  errcode 7001: not later$"
    assert re.search(job, program.log, re.MULTILINE)
    assert re.search(r"a thread ended: .*\n +Traceback[^|]*KeyError: 'you'", program.log)


def test_the_lines_of_a_job_have_the_number_of_the_call_or_event_that_it_is_of(start: Start) -> None:
    """The emulator's, under which it shows both."""
    program = start("emulator")
    event = {"event_type": "conversation_new_message", "timestamp": 5, "conversation_new_message": {"token": "a"}}
    program.reply_text("refuse", {"text": "later"}, is_async=True, entry=41)
    program.reply_text("", event, call_type=2, entry=52)
    wait_until(lambda: program.log.count("  job  ") == 2)
    assert re.search(r"#41 +job +refuse ", program.log)
    assert re.search(r"#52 +job +event:conversation_new_message |#52 +job +conversation_new_message ", program.log)
    assert "#job-" not in program.log


def test_as_json_a_crash_has_its_traceback_in_a_field(start: Start) -> None:
    program = start("emulator", "--log-json")
    program.reply_text("crash", {"text": SECRET})
    wait_until(lambda: '"errcode":710660' in program.log)
    records = [json.loads(line) for line in program.log.splitlines() if line.startswith("{")]
    [crash] = [each for each in records if "traceback" in each]
    assert crash["traceback"].endswith(f"KeyError: '{SECRET}'")
    assert SECRET not in crash["message"]


SWITCHES = [
    (f"--{'no-' if each.default else ''}{each.option}",)
    for each in config.settings().values()
    if isinstance(each.default, bool)
]
"""Each setting that is on or off, the other way."""


@pytest.mark.parametrize(
    "options",
    [(), ("--workers", "0"), ("--log-level", "DEBUG"), *SWITCHES, ("--log-level", "DEBUG", *chain(*SWITCHES))],
    ids=" ".join,
)
def test_with_the_vendors_sdk_no_option_shows_text_traceback_or_caller(start: Start, options: tuple[str, ...]) -> None:
    """The switch is the SDK itself: this one is the stand-in, but from a folder of another name."""
    program = start("vendor", *options)
    replies = [program.reply_text(name, {"text": SECRET}) for name in ("crash", "crash_later", "ask", "leave_a_thread")]
    program.reply_text("refuse", {"text": SECRET})  # its message is meant for the app
    wait_until(lambda: "a thread ended" in program.log)
    program.stop()
    for reply in replies[:2]:  # a number, and nothing else of the error
        reference = re.fullmatch(r'{"errcode":710660,"errmsg":"internal error ([0-9a-f]{6})"}', reply)
        assert reference
        own = [line for line in program.log.splitlines() if reference[1] in line and not line.startswith("<")]
        assert len(own) == 1, "one line of the program's own log has it, beside that of the SDK's"
    assert SECRET not in "".join(replies)
    assert re.search(r"\b[0-9a-f]{6} ability crash failed in crashing:\d+: KeyError at crashing.py:", program.log)
    assert "Traceback" not in program.log
    assert SECRET not in program.log
    assert CORP not in program.log
    assert "SDK " not in program.log.replace("SDK wwspecapisdk", "").replace("SDK: ", "")
