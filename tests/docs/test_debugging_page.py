"""`program/debugging.md`: an editor that takes the page's configuration stops in a handler."""

import json
import os
import re
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.apps import ROOT, write_files
from tests.support.command import Running
from tests.support.debug_adapter import Editor
from tests.support.pages import blocks_of_page
from tests.support.waiting import wait_until
from wwspec_devtools.testing.ports import held_ports

pytestmark = pytest.mark.slow  # starts the program, the emulator and their verbs, each under a debugger

HANDLERS = """
from wwspec_router import AsyncContext, Contract, Output, ability

class Asked(Contract):
    times: int = 1

class Reply(Output):
    text: str = ""

@ability
def greet(request: Asked) -> Reply:
    return Reply(text="hello" * request.times)

@ability
async def later(request: Asked, ctx: AsyncContext) -> Reply:
    return Reply(text="hello" * request.times)
"""
ROWS = [f'[abilities.{name}]\nhandler = "abilities.greeting:{name}"\ntimeout = 1.0\n' for name in ("greet", "later")]
FILES = {"abilities/registry.toml": "".join(ROWS), "abilities/greeting.py": HANDLERS}


def test_an_editor_with_the_configuration_of_the_page_stops_in_handlers(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "shop", FILES)
    file, log = folder / "abilities" / "greeting.py", tmp_path / "dev.log"
    with ExitStack() as stack:
        port, emulator_port = map(str, stack.enter_context(held_ports(2)))
        blocks = blocks_of_page(ROOT / "docs" / "en" / "program" / "debugging.md")
        [block] = [each.text for each in blocks if "launch.json" in each.text]
        [launch] = json.loads(re.sub(r"^// .*\n", "", block))["configurations"]
        ports = ["--port", port, "--emulator-port", emulator_port, "--store", "memory:"]
        launch |= {"cwd": str(folder), "args": [*launch["args"], *ports]}
        lines = [number for number, line in enumerate(HANDLERS.splitlines(), 1) if "return Reply" in line]
        editor = Editor(launch, {file: lines}, log, stack)
        wait_until(lambda: "watching /" in log.read_text() if log.exists() else False)
        for stops, ability in enumerate(("greet", "later"), 1):
            call = stack.enter_context(Running(["call", ability, '{"times": 2}'], folder, os.environ))
            wait_until(lambda: len(editor.stops) == stops)  # noqa: B023 - it is over before the next round
            program, stop = editor.stops[-1]
            frame = program.ask("stackTrace", {"threadId": stop["threadId"]})["stackFrames"][0]
            assert (frame["name"], frame["line"]) == (ability, lines[stops - 1])
            asked = {"expression": "request", "frameId": frame["id"]}
            assert program.ask("evaluate", asked)["result"] == "Asked(times=2)"
            program.ask("continue", {"threadId": stop["threadId"]})
            assert json.loads(call.end().stdout)["text"] == "hellohello"
