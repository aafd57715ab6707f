"""An ability that runs once, served by two worker processes of which one is killed while it runs."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.support.apps import write_files
from tests.support.waiting import DEADLINE, wait_until
from tests.support.zones import serve_zone
from wwspec_devtools.testing.answer import Answer
from wwspec_devtools.testing.zone import ServedZone

pytestmark = pytest.mark.never_lost

HANDLER = """
import os
from pathlib import Path
from threading import Event

from wwspec_router import Contract, Output, ability

class Request(Contract):
    order_id: str

class Response(Output):
    pid: int = 0

@ability
def place_order(request: Request) -> Response:
    folder = Path(os.environ["ORDERS"])
    with (folder / "begun").open("a") as file:
        file.write(f"{os.getpid()}\\n")
    while (folder / "hold").exists():
        Event().wait(0.01)
    return Response(pid=os.getpid())
"""
REGISTRY = """
[program]
once_errcode = 4001

[abilities.place_order]
handler = "abilities.place_order:place_order"
timeout = 3

[abilities.place_order.once]
key = "order_id"
"""


def begun(folder: Path) -> list[int]:
    file = folder / "begun"
    return [int(each) for each in file.read_text().split()] if file.exists() else []


@pytest.mark.slow  # a repeat waits three seconds, and a program with two workers starts and loses one
def test_a_call_whose_process_was_killed_is_taken_over_within_its_lease(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORDERS", str(tmp_path))
    app = write_files(tmp_path / "app", {"abilities/place_order.py": HANDLER, "abilities/registry.toml": REGISTRY})
    options = ["--workers", "2", "--store", url, "--once-lease", "1"]
    with serve_zone(app, serve=options) as zone, ThreadPoolExecutor(2) as pool:
        (tmp_path / "hold").touch()
        first = pool.submit(order, zone)
        wait_until(lambda: begun(tmp_path))
        repeat = order(zone)
        assert (repeat.refused_by, repeat.errcode) == ("program", 4001)
        assert repeat.errmsg == "the same call is still running, repeat it later"
        (victim,) = begun(tmp_path)
        os.kill(victim, signal.SIGKILL)
        (tmp_path / "hold").unlink()
        wait_until(lambda: order(zone).errcode == 0)
        pids = {order(zone).reply["pid"] for _ in range(4)}
        assert begun(tmp_path) == [victim, *pids]
        assert first.result(DEADLINE).errcode != 0


def order(zone: ServedZone) -> Answer[Any]:
    return zone.call("place_order", {"order_id": "1"})
