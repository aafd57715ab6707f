"""How the peers on uvicorn are served: as plainly as the program."""

import sys
from typing import Any

import uvicorn

__all__ = ["serve"]


def serve(app: Any, **options: Any) -> None:
    """Serve an application on the port that is the first argument, with more options of uvicorn."""
    uvicorn.run(
        app, port=int(sys.argv[1]), access_log=False, log_config=None, server_header=False, ws="none", **options
    )
