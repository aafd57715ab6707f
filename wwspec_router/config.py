"""Settings of one program, as the command line gives them.

Loads nothing but the standard library: the parent of the worker processes reads them, too.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

__all__ = ["DEFAULT_PORT", "SdkSource", "Settings"]

DEFAULT_PORT = 8080
"""Where the channel calls a zone program [100057]."""


class SdkSource(StrEnum):
    """Which module named `wwspecapisdk` is meant. Chosen by the operator, never guessed."""

    VENDOR = "vendor"
    EMULATOR = "emulator"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to serve one application folder."""

    app: Path
    """The application folder, with `abilities/` and `schemas/`."""
    registry: Path | None = None
    """The registry file; `abilities/registry.toml` in the application folder when None."""
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    workers: int = 1
    """Worker processes; 0 serves in the process that was started, without a parent that watches over it."""
    threads: int = 256
    """Worker threads of each process: calls that may wait for the SDK at once."""
    queue: int = 1024
    """Calls of each process that may wait for a thread; more are refused at once."""
    queue_timeout: float = 5.0
    """Seconds that a call may wait for a thread; it is refused then, unless a thread has begun it."""
    connections: int = 4096
    """Connections of each process; what comes beyond them is answered with HTTP status 503."""
    job_threads: int = 8
    """Asynchronous calls of each process that run at once, apart from the worker threads; 0 refuses them."""
    job_lease: float = 30.0
    """Seconds after which an asynchronous call is begun again whose process gave no sign of life."""
    job_orphan: float = 600.0
    """Seconds after which an asynchronous call of an ability that no running program knows is reported as unknown."""
    store: str = "sqlite:var/notify.db"
    """Where events and asynchronous calls wait; see `stores.open_store`. It may hold a password."""
    sdk: SdkSource = SdkSource.VENDOR
    debug_token: str = ""
    access_token: str = ""
    """Both together switch the vendor SDK to debug mode [100083]."""
    max_body: int = 16 << 20
    """Largest request body that is read, in bytes."""
    body_timeout: float = 30.0
    """Seconds within which a request's body must have arrived."""
    head_timeout: float = 10.0
    """Seconds within which a request's head must have arrived, once its connection is open or idle no more."""
    hang_after: float = 60.0
    """Seconds after which a call or job that still runs is reported with its stack, and its thread replaced."""
    monitor_interval: float = 60.0
    """Seconds between two lines of figures in the log; 0 for none."""
    grace: float = 10.0
    """Seconds for running calls to end when the program is stopped."""
    lean_http: bool = True
    """Take calls the short way past ASGI; see `protocol.lean`. Without it all goes uvicorn's way."""
    freeze_gc: bool = True
    """Take what start-up made out of the garbage collector's sight, and let it look less often."""
    log_level: str = "INFO"
    log_json: bool = False
    """One JSON object a line instead of text."""

    def __repr__(self) -> str:
        """Show nothing of it: the store's URL and the tokens are secret."""
        return f"{type(self).__name__}(app={str(self.app)!r}, …)"

    @property
    def registry_path(self) -> Path:
        """Where the registry file is."""
        return self.registry if self.registry is not None else self.app / "abilities" / "registry.toml"

    @property
    def store_url(self) -> str:
        """The store's URL, with a relative SQLite path taken from the application folder."""
        scheme, _, path = self.store.partition(":")
        return f"sqlite:{self.app / path}" if scheme == "sqlite" and path else self.store
