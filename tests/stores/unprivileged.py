"""Opens a SQLite store, or serves a program over it, as a user who is not root.

Arguments: the path, and optionally the folder of an application that is to be served. With the environment variable
`WWSPEC_FILE_BYTES`, no file may grow beyond so many bytes.
"""

import os
import resource
import sys

import uvicorn.lifespan.on
import uvicorn.protocols.http.httptools_impl  # noqa: F401

from wwspec_router.cli import serve as _  # noqa: F401
from wwspec_router.cli.main import main
from wwspec_router.errors import StoreError
from wwspec_router.stores.sqlite import SqliteStore

if os.getuid() == 0:
    os.setgroups([])
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65534, 65534, 65534)
if limit := os.environ.get("WWSPEC_FILE_BYTES"):
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
path, *application = sys.argv[1:]
if application:
    sys.argv = [
        "wwspec",
        "serve",
        "--sdk",
        "emulator",
        "--port",
        "0",
        "--app",
        application[0],
        "--store",
        f"sqlite:{path}",
    ]
    sys.exit(main())
try:
    SqliteStore(path).close()
except StoreError as error:
    sys.stdout.write(f"refused {error}\n")
else:
    sys.stdout.write("opened\n")
