"""Runs `wwspec` in forked processes: all that verbs import is imported once. See `tests.support.command`.

An order is one line of JSON on standard input, its exit code one line on standard output.
"""

import atexit
import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import sys
import threading
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


def run(*, strict: bool) -> None:
    """Run `wwspec`, and end this process as an interpreter does, but let the kernel free the memory.

    To free what the server has imported takes five times as long as a short verb, since its pages are copied first.
    """
    try:
        runpy.run_module("wwspec_router", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if strict or isinstance(end.code, str):  # what was left open is a warning at the end
            raise
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(end.code or 0)


def serve() -> None:
    """Fork for each order; return in the process that is forked."""
    for line in sys.stdin:
        child = os.fork()
        if not child:
            order = json.loads(line)
            become(order)
            run(strict=order["strict"])
            return
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)  # noqa: T201 - the answer


if __name__ == "__main__":
    import_verbs()
    serve()
