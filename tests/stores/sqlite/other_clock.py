"""Opens a SQLite store in a process that finds the system's clock set ahead, and tells what is in it.

Arguments: the path, and by how many seconds.
"""

import sys
import time
from contextlib import closing

ahead = float(sys.argv[2])
right = time.time
time.time = lambda: right() + ahead

from wwspec_router.stores.sqlite.events import SqliteStore  # noqa: E402 - it is to see no other clock

with closing(SqliteStore(sys.argv[1])) as store:
    sys.stdout.write(f"{store.get('corp', 1, 'id')} {[each.job_id for each in store.claim('another', 9, 100)]}\n")
