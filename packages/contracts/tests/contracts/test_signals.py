"""How a verb ends by Ctrl-C or SIGTERM."""

import sys

import pytest

from tests.support.processes import finished

LOST = """
import signal, threading
from wwspec_contracts.support.signals import until_interrupted

class Dropped:
    def __del__(self):
        signal.raise_signal(signal.{signal})

with until_interrupted():
    Dropped()
    threading.Event().wait()
print("ended")
"""


@pytest.mark.parametrize("signal", ["SIGINT", "SIGTERM"])
def test_a_signal_that_comes_in_a_destructor_ends_the_block_all_the_same(signal: str) -> None:
    """Python drops what is raised there, and `wwspec dev` went on for ever when Ctrl-C came during an import."""
    done = finished(sys.executable, "-c", LOST.format(signal=signal))
    assert (done.returncode, done.stdout, done.stderr) == (0, "ended\n", "")
