"""Claims jobs from processes of its own until none is left, finishes them, and prints the id of each job.

Arguments: the store's URL, and a name for each process. They are forked when all is imported, so they begin at once.
"""

import sys
from contextlib import closing
from multiprocessing import get_context

from wwspec_router.stores import open_store


def claim(url: str, owner: str) -> None:
    with closing(open_store(url)) as store:
        while jobs := store.claim(owner, 3, 600):
            for job in jobs:
                if store.finish(owner, job.job_id):
                    sys.stdout.write(f"{job.job_id}\n")
                    sys.stdout.flush()


def main(url: str, *owners: str) -> int:
    if url.startswith("redis"):
        import redis  # noqa: F401 - once
    processes = [get_context("fork").Process(target=claim, args=(url, each)) for each in owners]
    for each in processes:
        each.start()
    for each in processes:
        each.join()
    return sum(each.exitcode != 0 for each in processes)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
