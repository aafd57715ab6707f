"""Opens a SQLite store whose path is given, and says whether that was refused.

With the environment variable `WWSPEC_FILE_BYTES`, no file may grow beyond so many bytes.
"""

import os
import resource
import sys

from wwspec_contracts.errors import StoreError
from wwspec_router.stores.sqlite.events import SqliteStore

if limit := os.environ.get("WWSPEC_FILE_BYTES"):
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
try:
    SqliteStore(sys.argv[1]).close()
except StoreError as error:
    sys.stdout.write(f"refused {error}\n")
else:
    sys.stdout.write("opened\n")
