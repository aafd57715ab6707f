"""The parts of the program that a call passes, as the page lists them, and how many files; the same for an event."""

import os
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from tests.serving.service import Serve, Service
from tests.support.apps import ROOT
from tests.support.processes import UNMEASURED
from tests.support.sdk import standin_as_vendor
from tests.support.waiting import wait_until

TRACED = (
    sys.executable,
    "-c",
    """
import os, signal, sys, threading
from pathlib import Path

passed = set()

def note(frame, event, arg):
    passed.add(frame.f_code.co_filename)

def begin(number, frame):
    passed.clear()
    Path(os.environ["TRACE"]).unlink()

def end(number, frame):
    part, whole = (Path(os.environ["TRACE"] + suffix) for suffix in (".part", ""))
    part.write_text("\\n".join(sorted(passed)))
    part.rename(whole)

signal.signal(signal.SIGUSR1, begin)
signal.signal(signal.SIGUSR2, end)
threading.setprofile(note)
sys.setprofile(note)
from wwspec_router.cli.main import main
main(["serve", *sys.argv[1:]])
""",
)


CODE = """
from wwspec_router import EventContext
from wwspec_contracts.events import hit_keyword

def code(event: hit_keyword.Event, ctx: EventContext) -> None:
    pass
"""
EVENT = {"event_type": "hit_keyword", "timestamp": 1, "hit_keyword": {"token": "t"}}


def test_a_plain_call_passes_12_files_in_the_parts_that_the_page_lists(serve: Serve, tmp_path: Path) -> None:
    service = traced(serve, tmp_path)
    passed = files_passed(service, lambda: service.call("whoami"))
    section = (ROOT / "docs/en/explanation/call.md").read_text("utf-8").partition("\n## The steps\n")[2]
    steps = re.findall(r"^\| \d+ \| ([^|]+) \|", section.partition("\n## ")[0], re.MULTILINE)
    listed = {part for step in steps for part in re.findall(r"`([^`]+)`", step)}
    assert listed == {folder + "/" if inside else folder for folder, inside, _ in (x.partition("/") for x in passed)}
    assert len(steps) == 10
    assert len(passed) <= 12, "\n".join(sorted(passed))


def test_an_event_passes_few_files_until_the_job_of_its_code_has_ended(serve: Serve, tmp_path: Path) -> None:
    service = traced(serve, tmp_path, "--store", f"sqlite:{tmp_path}/events.db")

    def send() -> None:
        ended = service.log.count("job ended")
        service.reply("", EVENT, call_type=2)
        wait_until(lambda: service.log.count("job ended") > ended)

    passed = files_passed(service, send)
    assert {"kernel/intake.py", "jobs/executor.py"} <= passed
    assert len(passed) <= 30, "\n".join(sorted(passed))


def traced(serve: Serve, folder: Path, *options: str) -> Service:
    """Start a program that notes on demand which files it passes, with the SDK of the vendor and code on an event."""
    sdk = standin_as_vendor(folder / "sdk")
    with (sdk / "wwspecapisdk.py").open("a") as module:  # there is no platform that could be asked
        module.write("\nChatDataSDK.spec_notify_app = lambda self, request: '{\"errcode\": 0}'\n")
    environment = {**UNMEASURED, "TRACE": str(folder / "trace"), "PYTHONPATH": f"{sdk}:{ROOT}"}
    options = ("--workers", "0", "--sdk", "vendor", *options)
    files, rows = {"abilities/events.py": CODE}, "\n[events.hit_keyword]\nhandler = 'abilities.events:code'\n"
    return serve(*options, command=TRACED, environment=environment, files=files, rows=rows)


def files_passed(service: Service, send: Callable[[], object]) -> set[str]:
    """Return the files of the program, and of the contracts, that each of five requests passes."""
    trace = service.folder / "trace"
    trace.touch()
    send()
    traces = []
    for _ in range(5):  # what runs beside a request now and then is not in each of them
        os.kill(service.process.pid, signal.SIGUSR1)
        wait_until(lambda: not trace.exists())
        send()
        os.kill(service.process.pid, signal.SIGUSR2)
        wait_until(trace.exists)
        traces.append(set(trace.read_text().splitlines()))
    own, contracts = (f"{ROOT / package}/" for package in ("wwspec_router", "packages/contracts"))
    passed = set.intersection(*traces) - {f"{ROOT}/wwspec_router/http1/budget.py"}  # of a body that waits for a thread
    return {each.removeprefix(own).removeprefix(contracts) for each in passed if each.startswith((own, contracts))}
