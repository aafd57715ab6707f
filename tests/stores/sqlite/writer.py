"""Puts entries into a SQLite store from a process of its own, and prints each number once its put returned.

Arguments: path, agentid, how many, and optionally the size in bytes beyond which no file may grow.
"""

import resource
import sys

from wwspec_contracts.errors import StoreError
from wwspec_router.stores.sqlite.events import SqliteStore


def report(*parts: object) -> None:
    sys.stdout.write(" ".join(map(str, parts)) + "\n")
    sys.stdout.flush()


path, agentid, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
store = SqliteStore(path)
if len(sys.argv) > 4:
    limit = int(sys.argv[4])
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
for number in range(count):
    try:
        store.put("corp", agentid, str(number), f"secret {number} " + "x" * 2000, 3600)
    except StoreError as error:
        report("refused", error, error.__cause__, error.__context__)
        report("readable", store.get("corp", agentid, "0") is not None)
        sys.exit(3)
    report(number)
store.close()
