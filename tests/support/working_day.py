"""What happens before the tasks of a working day, which are done in a browser and in a terminal."""

import runpy
from pathlib import Path

from tests.support.waiting import wait_until
from wwspec_devtools.testing.zone import Zone

CRASHED = 710660
NETWORK = -10002
WEEK = 7 * 86400
CALLS = 1000


def fail(zone: Zone) -> None:
    assert zone.call("total", {"text": "no number"}).errcode == CRASHED
    number = zone.client.traffic(kind="call")[-1]["number"]
    wait_until(lambda: zone.client.entry(number)["traces"])  # the program tells it in the background


def make_calls(zone: Zone) -> None:
    zone.call("total", {"text": "1"}).raise_for_error()
    number = zone.client.traffic(kind="call")[-1]["number"]
    zone.client.replay(number, times=CALLS // 2)
    zone.client.add_fault("program", "latency", "recent", 3, 1)  # no other call takes so long on a busy machine
    zone.call("recent", {"limit": 3}).raise_for_error()
    zone.client.replay(number, times=CALLS // 2)


def run_written_test(source: str, folder: Path, zone: Zone) -> None:
    file = folder / "test_written.py"
    file.write_text(source, "utf-8")
    [test] = [each for name, each in runpy.run_path(str(file)).items() if name.startswith("test_")]
    test(zone)
