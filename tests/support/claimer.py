"""Claims jobs from a process of its own until none is left, finishes them, and prints the id of each.

Arguments: the store's URL, and a name that no other process has.
"""

import sys
from contextlib import closing

from wwspec_router.stores import open_store

url, owner = sys.argv[1:]
with closing(open_store(url)) as store:
    while jobs := store.claim(owner, 3, 600):
        for job in jobs:
            if store.finish(owner, job.job_id):
                sys.stdout.write(f"{job.job_id}\n")
