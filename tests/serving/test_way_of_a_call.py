"""The folders that one call passes, as the page about its way lists them."""

import os
import re
import shutil
import signal
import sys
from pathlib import Path

from tests.serving.test_supervision import Serve
from tests.support.apps import ROOT
from tests.support.processes import UNMEASURED
from tests.support.waiting import wait_until
from wwspec_router.emulator.settings import STANDIN_DIRECTORY

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


def test_a_call_passes_the_parts_that_the_page_lists(serve: Serve, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    trace.touch()
    sdk = shutil.copytree(STANDIN_DIRECTORY, tmp_path / "sdk")  # from another folder it is taken for the vendor's
    environment = {**UNMEASURED, "TRACE": str(trace), "PYTHONPATH": f"{sdk}:{ROOT}"}
    service = serve("--workers", "0", "--sdk", "vendor", command=TRACED, environment=environment)
    service.call("whoami")
    traces = []
    for _ in range(5):  # what runs beside a call now and then is not in each of them
        os.kill(service.process.pid, signal.SIGUSR1)
        wait_until(lambda: not trace.exists())
        service.call("whoami")
        os.kill(service.process.pid, signal.SIGUSR2)
        wait_until(trace.exists)
        traces.append(set(trace.read_text().splitlines()))
    package = f"{ROOT / 'wwspec_router'}/"
    passed = {each.removeprefix(package) for each in set.intersection(*traces) if each.startswith(package)}
    section = (ROOT / "docs/en/explanation/call.md").read_text("utf-8").partition("\n## In the code\n")[2]
    steps = re.findall(r"^\| \d[^|]+ \| ([^|]+) \|", section, re.MULTILINE)
    listed = {part for step in steps for part in re.findall(r"`([^`]+)`", step)}
    assert listed == {folder + "/" if inside else folder for folder, inside, _ in (x.partition("/") for x in passed)}
    assert len(steps) == 8
