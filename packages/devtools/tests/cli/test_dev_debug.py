"""`wwspec dev --debug`: `breakpoint()` stops in the terminal, wherever code of the application runs."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.apps import write_files
from tests.support.dev_terminal import CTRL_C, PROMPT, DevTerminal
from tests.support.waiting import wait_until
from wwspec_devtools.testing.ports import held_ports

pytestmark = pytest.mark.slow  # each starts a program and an emulator

HANDLERS = """
from wwspec_router import AsyncContext, Context, Contract, EventContext, Output, ability
from wwspec_contracts.events import conversation_new_message

class Asked(Contract):
    times: int = 1

class Reply(Output):
    text: str = ""

@ability
def greet(request: Asked, ctx: Context) -> Reply:
    print(f"greeting {request.times}")
    breakpoint()
    return Reply(text="hello" * request.times)

@ability
async def later(request: Asked, ctx: AsyncContext) -> Reply:
    breakpoint()
    return Reply(text="hello" * request.times)

def on_message(event: conversation_new_message.Event, ctx: EventContext) -> None:
    breakpoint()
    print("seen", event.event_type)
"""
OPENING = """
from contextlib import contextmanager

@contextmanager
def opened():
    yield
    print("all is closed")
"""
FILES = {
    "abilities/registry.toml": """
[abilities.greet]
handler = "abilities.greeting:greet"
timeout = 1.0
[abilities.later]
handler = "abilities.greeting:later"
timeout = 1.0
[events.conversation_new_message]
handler = "abilities.greeting:on_message"
timeout = 1.0
""",
    "abilities/greeting.py": HANDLERS,
}


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., DevTerminal]]:
    with ExitStack() as stack:

        def start(*options: str, files: Mapping[str, str] = FILES) -> DevTerminal:
            folder = write_files(tmp_path / "shop", files)
            port, emulator_port = stack.enter_context(held_ports(2))
            dev = DevTerminal(folder, port, emulator_port, *options)
            stack.callback(dev.close)
            dev.expect("watching /")
            return dev

        yield start


@pytest.fixture
def dev(start: Callable[..., DevTerminal]) -> DevTerminal:
    settings = "[serve]\nhang-after = 0.2\nqueue-timeout = 0.2\n"
    return start("--debug", files={**FILES, "wwspec.toml": settings})


@pytest.mark.parametrize("ability", ["greet", "later"])
def test_a_call_stops_at_its_breakpoint_and_is_answered_afterwards(dev: DevTerminal, ability: str) -> None:
    call = dev.wwspec("call", ability, '{"times": 2}')
    dev.answer("p request")
    dev.expect(r"Asked\(times=2\)")
    dev.answer("p 'left', ctx.remaining")
    dev.expect(r"\('left', None\)")
    dev.answer("c")
    done = call.end()
    assert json.loads(done.stdout)["text"] == "hellohello", done.stderr
    dev.expect(f"{ability} +ok ")
    assert "has been running" not in dev.printed
    assert "held up" not in dev.printed


def test_code_on_an_event_and_an_asynchronous_call_stop_at_their_breakpoints(dev: DevTerminal) -> None:
    fired = dev.wwspec("fire", "conversation_new_message")
    dev.answer("p event.event_type")
    dev.expect("'conversation_new_message'")
    assert fired.end().returncode == 0
    dev.answer("c")
    dev.expect("seen conversation_new_message")
    dev.expect("job .*conversation_new_message +ok ")
    call = dev.wwspec("call", "--async", "greet")
    dev.answer("c")
    done = call.end()
    assert json.loads(done.stdout)["text"] == "hello", done.stderr


def test_two_calls_at_breakpoints_have_the_terminal_one_after_the_other(dev: DevTerminal) -> None:
    calls = [dev.wwspec("call", "greet", f'{{"times": {times}}}') for times in (1, 2)]
    wait_until(lambda: "greeting 1" in dev.printed and "greeting 2" in dev.printed)
    for _ in calls:
        dev.answer("p request")
        own = dev.expect(r"Asked\(times=\d\)\n")
        dev.answer("p request")
        assert dev.expect(r"Asked\(times=\d\)\n") == own
        dev.answer("c")
    texts = [json.loads(call.end().stdout)["text"] for call in calls]
    assert texts == ["hello", "hellohello"]


@pytest.mark.parametrize("ability", ["greet", "later"])
def test_q_fails_the_call_and_the_program_goes_on(dev: DevTerminal, ability: str) -> None:
    call = dev.wwspec("call", ability)
    dev.answer("q")
    assert json.loads(call.end().stdout)["errcode"] == 710660
    again = dev.wwspec("call", ability)
    dev.answer("c")
    assert json.loads(again.end().stdout)["text"] == "hello"


@pytest.mark.parametrize("ability", ["greet", "later"])
def test_ctrl_c_at_the_prompt_ends_everything_and_restores_the_terminal(dev: DevTerminal, ability: str) -> None:
    call = dev.wwspec("call", ability)
    dev.expect(re.escape(PROMPT))
    wait_until(lambda: not dev.is_restored)  # as line editing has it
    dev.type(CTRL_C)
    assert dev.end() == 0
    assert dev.is_restored
    call.end()
    assert "Fatal Python error" not in dev.printed


def test_a_changed_file_restarts_the_program_when_the_debugger_is_left(dev: DevTerminal) -> None:
    call = dev.wwspec("call", "greet")
    dev.expect(re.escape(PROMPT))
    write_files(dev.folder, {"abilities/greeting.py": HANDLERS.replace("breakpoint()", "pass")})
    dev.expect("greeting.py changed: restarting the program")
    dev.type("p request\n")
    dev.expect(r"Asked\(times=1\)")
    dev.answer("c")
    assert json.loads(call.end().stdout)["text"] == "hello"
    dev.expect("the program is up again")
    again = dev.wwspec("call", "greet", '{"times": 2}')
    assert json.loads(again.end().stdout)["text"] == "hellohello"


def test_ctrl_c_closes_what_the_program_has_open(start: Callable[..., DevTerminal]) -> None:
    registry = f'[program]\nlifespan = "abilities.opening:opened"\n{FILES["abilities/registry.toml"]}'
    files = {"abilities/registry.toml": registry, "abilities/opening.py": OPENING}
    dev = start("--debug", files=FILES | files)
    dev.type(CTRL_C)
    assert dev.end() == 0
    assert "all is closed" in dev.printed
    assert "Aborted" not in dev.printed
