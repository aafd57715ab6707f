"""Runs jobs that keep values, from a process of its own, until it is killed or its store fails.

Several threads add a job, keep its outcome together with a value, and finish it together with another value; they write
the id of each job that has ended.
"""

import os
import sys
import threading
from contextlib import closing
from itertools import count
from multiprocessing.connection import Connection

from tests.stores.suites.job_samples import job
from wwspec_contracts.errors import StoreError
from wwspec_router.stores import open_store
from wwspec_router.stores.base import Demand, Store
from wwspec_router.stores.job import Outcome
from wwspec_router.stores.kept import KeptKey, KeptWrite

THREADS = 4
OWNER = "keeper"


def key_of(thread: int, name: str) -> KeptKey:
    return KeptKey("corp", thread, "app", name)


def keep(store: Store, thread: int, written: int) -> None:
    for number in count(1):
        job_id = f"{thread} {number}"
        outcome, end = (
            [KeptWrite(key=key_of(thread, name), text=str(number), version=f"{name} {number}")]
            for name in ("outcome", "end")
        )
        store.add(job(job_id, ability_id=str(thread)))
        store.claim(f"{OWNER} {thread}", 1, 1e-9, Demand(known=frozenset({str(thread)})))
        assert store.keep_outcome(f"{OWNER} {thread}", job_id, Outcome(errcode=0, result=str(number)), outcome)
        assert store.finish(f"{OWNER} {thread}", job_id, end)
        os.write(written, f"{job_id}\n".encode())


def keep_until_it_fails(store: Store, thread: int, written: int) -> None:
    try:
        keep(store, thread, written)
    except StoreError as error:
        sys.stderr.write(f"{error}\n")


def run(url: str, written: Connection) -> None:
    with closing(open_store(url)) as store:
        threads = [
            threading.Thread(target=keep_until_it_fails, args=(store, number, written.fileno()))
            for number in range(THREADS)
        ]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
