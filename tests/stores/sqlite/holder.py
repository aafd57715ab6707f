"""Claims a job and a key of a SQLite store for an hour, begins the job, and waits until it is killed.

Argument: the path.
"""

import sys
from contextlib import closing

from wwspec_router.stores.once import OnceClaim
from wwspec_router.stores.sqlite.events import SqliteStore

with closing(SqliteStore(sys.argv[1])) as store:
    [job] = store.claim("the holder", 1, 3600)
    store.begin("the holder", job.job_id)
    store.claim_once(OnceClaim(key="a1", token="1", request="f00d"), 3600)  # noqa: S106 - no secret
    sys.stdout.write("claimed\n")
    sys.stdout.flush()
    sys.stdin.read()
