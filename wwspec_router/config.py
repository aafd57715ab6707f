"""Settings of one program: each with its name, default, text and limits, stated once.

The options of `wwspec serve`, its `--help` and the table in docs/operations.md are made from them. Loads nothing but
the standard library: the parent of the worker processes reads them, too.
"""

from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

__all__ = [
    "DEFAULT_PORT",
    "LOG_LEVELS",
    "REGISTRY",
    "SdkSource",
    "Secret",
    "Setting",
    "Settings",
    "registry_path",
    "settings",
    "variable",
]

DEFAULT_PORT = 8080
"""Where the channel calls a zone program [100057]."""
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")

REGISTRY = "abilities/registry.toml"
"""The registry file of an application, from its folder, unless another is named."""


def registry_path(app: Path, registry: Path | None = None) -> Path:
    """Return where the registry file of an application is."""
    return app / REGISTRY if registry is None else registry


class SdkSource(StrEnum):
    """Which module named `wwspecapisdk` is meant. Chosen by the operator, never guessed."""

    VENDOR = "vendor"
    EMULATOR = "emulator"


class Secret(StrEnum):
    """Whether the value of a setting is secret. A secret comes from a file or the environment, never as an argument."""

    NEVER = "never"
    WITH_PASSWORD = "with a password"  # noqa: S105 - says when; it is not a password
    ALWAYS = "always"


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What an operator reads of one setting, and what is checked of it."""

    name: str = ""
    """As an attribute of `Settings`."""
    default: Any = None
    text: str
    least: float | None = None
    """The smallest value."""
    most: float | None = None
    """The largest value."""
    above: float | None = None
    """The value must be larger than this one."""
    choices: tuple[str, ...] = ()
    secret: Secret = Secret.NEVER

    @property
    def option(self) -> str:
        """The option's name without dashes at its beginning, such as `job-threads`."""
        return self.name.replace("_", "-")


def variable(option: str) -> str:
    """Return the environment variable of a setting that may be secret."""
    return f"WWSPEC_{option.upper().replace('-', '_')}"


def _setting(default: Any, text: str, **limits: Any) -> Any:
    return field(default=default, metadata={"setting": Setting(text=text, **limits)})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to serve one application folder. A field without a text is not an option of the command line."""

    app: Path
    """The application folder: `abilities/` and, for contracts of its own, `schemas/`."""
    registry: Path | None = None
    """The registry file; None means `REGISTRY` in the application folder."""
    host: str = _setting("127.0.0.1", "Address to listen on; the image uses 0.0.0.0.")
    port: int = _setting(DEFAULT_PORT, "Port to listen on; 0 lets the system choose.", least=0, most=65535)
    workers: int = _setting(
        1,
        "Worker processes; they share the store and the port. 0 serves in this process, without a parent that watches "
        "over it, for debuggers.",
        least=0,
        most=64,
    )
    threads: int = _setting(
        256, "Threads of each worker process: calls that may wait for the SDK at once.", least=1, most=4096
    )
    queue: int = _setting(
        1024, "Calls of each worker process that may wait for a thread; more are refused at once.", least=0
    )
    queue_timeout: float = _setting(
        5.0,
        "Seconds that a call may wait for a thread; then it is refused, whatever the timeout of its ability is.",
        above=0,
    )
    connections: int = _setting(
        4096, "Connections of each worker process; more are answered with HTTP status 503.", least=1
    )
    max_body: int = _setting(
        16 << 20,
        "Bytes of the largest request body that is read; a larger one is answered with HTTP status 413.",
        least=1,
    )
    job_threads: int = _setting(
        8,
        "Asynchronous calls of each worker process that run at once, on threads of their own; 0 refuses them.",
        least=0,
        most=1024,
    )
    job_lease: float = _setting(
        30.0,
        "Seconds after which an asynchronous call is started again when its process gives no sign of life; the same "
        "for all programs that share a store.",
        least=1,
    )
    job_orphan: float = _setting(
        600.0,
        "Seconds after which an asynchronous call is reported as unknown when no program on this store knows its "
        "ability; the same for all programs that share a store.",
        least=1,
    )
    retry_pause: float = _setting(
        1.0,
        "Seconds, at most, before code that runs on an event runs again after its first error; each further pause is "
        "four times as long, up to five minutes.",
        above=0,
    )
    store: str = _setting(
        "sqlite:var/notify.db",
        "Where events and asynchronous calls wait: sqlite:PATH, redis://HOST or memory:",
        secret=Secret.WITH_PASSWORD,
    )
    sdk: SdkSource = _setting(
        SdkSource.VENDOR,
        "The vendor's module, or the emulator's stand-in for development.",
        choices=tuple(each.value for each in SdkSource),
    )
    debug_token: str = _setting("", "The debug credential of the admin page.", secret=Secret.ALWAYS)
    access_token: str = _setting("", "The app's access_token, for debug mode.", secret=Secret.ALWAYS)
    """Both together switch the vendor SDK to debug mode [100083]."""
    body_timeout: float = 30.0
    """Seconds within which a request's body must have arrived."""
    head_timeout: float = 10.0
    """Seconds within which a request's head must have arrived, from the connection's start or its last response."""
    hang_after: float = _setting(
        60.0,
        "Seconds after which a call or job that still runs is logged with its stack, and its thread replaced; also for "
        "the event loop.",
        above=0,
    )
    monitor_interval: float = _setting(60.0, "Seconds between two lines of figures in the log; 0 for none.", least=0)
    grace: float = _setting(
        10.0,
        "Seconds for running calls to end on SIGTERM; what still runs then is killed within 3 seconds more.",
        least=0,
    )
    lean_http: bool = _setting(True, "Take calls the short way from the HTTP parser to the threads, past ASGI.")
    freeze_gc: bool = _setting(True, "Leave what the start made out of garbage collections, and collect less often.")
    log_level: str = _setting("INFO", "The least severe lines that are logged.", choices=LOG_LEVELS)
    log_json: bool = _setting(False, "Log one JSON object a line instead of text.")

    def __repr__(self) -> str:
        """Show nothing of it: the store's URL and the tokens are secret."""
        return f"{type(self).__name__}(app={str(self.app)!r}, …)"

    @property
    def registry_path(self) -> Path:
        """Where the registry file is."""
        return registry_path(self.app, self.registry)

    @property
    def store_url(self) -> str:
        """The store's URL, with a relative SQLite path taken from the application folder."""
        scheme, _, path = self.store.partition(":")
        return f"sqlite:{self.app / path}" if scheme == "sqlite" and path else self.store


def settings() -> dict[str, Setting]:
    """Return every setting that is an option, by its name, in the order of `Settings`."""
    return {
        each.name: replace(setting, name=each.name, default=each.default)
        for each in fields(Settings)
        if (setting := each.metadata.get("setting")) is not None
    }
