"""Programs where nothing is that Linux alone has, as on macOS."""

import os
import signal
import socket

from tests.serving.service import SERVE, Serve
from tests.support.apps import ROOT
from tests.support.waiting import DEADLINE, wait_until

WITHOUT_LINUX = {"PYTHONPATH": str(ROOT / "tests" / "support" / "without_linux")}


def test_worker_processes_serve_show_each_other_their_figures_and_get_no_cores_of_their_own(serve: Serve) -> None:
    service = serve("--workers", "2", "--pin-workers", "on", command=SERVE, environment=WITHOUT_LINUX)
    service.pids(2)
    wait_until(lambda: service.reply("status")["processes"] == 2)
    assert service.stop() == 0
    assert " WARNING " not in service.log
    assert "--pin-workers on has no effect: this system gives no process a core of its own\n" in service.log


def test_a_child_that_a_handler_forks_keeps_no_connection(serve: Serve) -> None:
    service = serve("--workers", "1", command=SERVE, environment=WITHOUT_LINUX)
    with socket.create_connection(("127.0.0.1", service.port), DEADLINE) as idle:
        child = service.call("fork")
        try:
            service.process.terminate()
            assert idle.recv(1) == b""  # closed by all who had it
        finally:
            os.kill(child, signal.SIGKILL)
