"""Ctrl-C while a verb still imports its modules."""

import signal
import sys

from tests.support.processes import finished
from tests.support.tables import for_each

INTERRUPTED = """
import os, runpy, signal, sys

imported = sys.argv.pop(1)
signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs in the background of a shell ignores it

class Finder:
    def find_spec(name, path, target=None):
        if name == imported:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Finder)
runpy.run_module("wwspec_router", run_name="__main__", alter_sys=True)
"""
"""`python -m wwspec_router`, with Ctrl-C where it imports a module."""


@for_each(
    [
        ("dev", "click.core"),
        ("dev", "wwspec_devtools.cli.dev_program"),
        ("emulate --port=0", "starlette.routing"),
        ("demo", "wwspec_devtools.cli.dev_banner"),
        ("serve", "wwspec_router.config"),
    ]
)
def test_ctrl_c_in_the_first_second_prints_nothing(verb: str, imported: str) -> None:
    done = finished(sys.executable, "-c", INTERRUPTED, imported, *verb.split())
    assert done.stderr == ""
    assert done.returncode in (-signal.SIGINT, 0), "by the signal; 0 by an emulator that stops"
