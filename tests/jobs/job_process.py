"""A process that runs jobs of one store until none is left. Some jobs kill it.

Arguments: the store's URL, a file, and how many threads. A line is added to the file when a run begins, and for each
report: what, job_info, errcode, attempt. A job whose data says so kills the process; others take a moment.
"""

import json
import os
import signal
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.support.jobs import Platform, Process, Result
from wwspec_router.envelope import Call
from wwspec_router.stores import open_store

url, path, threads = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])


def note(*parts: object) -> None:
    with path.open("a") as file:
        file.write(" ".join(map(str, parts)) + "\n")


def run(call: Call) -> Result:
    note("begun", call.job_info, 0, call.attempt)
    if "kill" in call.data:
        os.kill(os.getpid(), signal.SIGKILL)
    threading.Event().wait(0.1)  # the work
    return Result(attempt=call.attempt)


def note_report(job_info: str, report: dict[str, Any]) -> None:
    note("reported", job_info, report["errcode"], json.loads(report["result"]).get("attempt", 0))


sdk = Platform()
sdk.on_report = note_report
with closing(open_store(url)) as store:
    jobs = Process(store, sdk, run, threads, lease=1.0).jobs
    jobs.start()
    while (figures := store.job_figures()).waiting + figures.claimed:
        threading.Event().wait(0.02)
    jobs.stop(10.0)
