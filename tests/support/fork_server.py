"""Runs `wwspec` in forked processes: all that verbs import is imported once. See `tests.support.command`.

An order is one line of JSON on standard input, its exit code one line on standard output.
"""

import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import sys
import warnings
from typing import Any

LIBRARIES = ("httpx", "redis", "uvicorn", "wwspec_router.registry.table", "wwspec_router.serving.program")
"""What verbs import in functions."""
SECONDS = 600
"""What runs longer is ended by a signal."""


def import_verbs() -> None:
    """Import every verb, the libraries and all contracts of WeCom."""
    verbs = importlib.import_module("wwspec_router.cli.main").VERBS
    contracts = importlib.import_module("wwspec_router.wecom")
    found = pkgutil.walk_packages(contracts.__path__, "wwspec_router.wecom.")
    for name in (*LIBRARIES, *(f"wwspec_router.cli.verbs.{verb}" for verb in verbs), *(each.name for each in found)):
        importlib.import_module(name)
    gc.freeze()


def become(order: Any) -> None:
    """Make this process what a new interpreter would be in a folder, with an environment and a search path."""
    signal.alarm(SECONDS)
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    for number, path in enumerate([os.devnull, order["stdout"], order["stderr"]]):
        os.dup2(os.open(path, os.O_RDWR), number)
    sys.path[:] = [*order["path"], *(each for each in sys.path[1:] if each not in order["without"])]
    sys.argv[1:] = order["arguments"]
    if order["strict"]:
        warnings.simplefilter("error")
        sys.dont_write_bytecode = True


def serve() -> None:
    """Fork for each order; return in the process that is forked."""
    for line in sys.stdin:
        child = os.fork()
        if not child:
            become(json.loads(line))
            runpy.run_module("wwspec_router", run_name="__main__", alter_sys=True)
            return
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)  # noqa: T201 - the answer


if __name__ == "__main__":
    import_verbs()
    serve()
