"""Settings of one program: each with its name, default, text and limits, stated once.

The options of `wwspec serve`, its `--help`, the keys of wwspec.toml, the environment variables and the pages of the
documentation are made from them. Loads nothing but the standard library: the parent of the worker processes reads them,
too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple, Self

from wwspec_contracts.support.loopback import is_loopback
from wwspec_router.process.cores import usable_cores

LARGEST = 2**53
"""No setting is larger. The largest integers of TOML fit no float, and infinity no clock."""
DEFAULT_PORT = 8080
"""The port at which the channel calls a zone program [100057]."""
PIN_AUTO, PIN_ON, PIN_OFF = PIN_WORKERS = ("auto", "on", "off")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
NO_LIMIT = 604_800.0
"""Seconds that nobody waits for, a week; clocks and sockets take no infinity."""
AUTO: Final = "auto"
"""Stands for as many worker processes as this process may use cores."""
MOST_WORKERS = 64

REGISTRY = "abilities/registry.toml"
"""The registry file of an application, from its folder, unless another is named."""


PROGRAM = "program.py"
"""The module that is the whole program of a folder without a registry file."""

PROGRAM_TABLES: dict[str, Any] = {
    "program": {"modules": ["program"]},
    "passthrough": {"prefix": "invoke_"},
    "abilities": {"get_callback_data": {"kind": "callback_data"}},
}
"""The tables of the registry file that it stands for."""


def registry_path(app: Path, registry: Path | None = None) -> Path:
    """Return where the registry file of an application is: the one that is named, the usual one, or `PROGRAM`."""
    if registry is not None:
        return registry
    has_program = (app / PROGRAM).is_file() and not (app / REGISTRY).exists()
    return app / (PROGRAM if has_program else REGISTRY)


SETTINGS_FILE = "wwspec.toml"
"""The settings file of an application, in its folder, unless another is named."""
APP_TABLE = "app"
"""The table of wwspec.toml that has the application's own settings."""
APP_PREFIX = "WWSPEC_APP_"
"""What their environment variables begin with."""
APP_CONFIG = "WWSPEC_CONFIG_APP"
"""The variable by which `wwspec dev` names the settings file whose table `[app]` its program reads."""


class SdkSource(StrEnum):
    """Which module named `wwspecapisdk` is meant. Chosen by the operator, never guessed."""

    VENDOR = "vendor"
    EMULATOR = "emulator"


class Secrecy(StrEnum):
    """Whether the value of a setting is secret. A secret comes from a file or the environment, never as an argument."""

    NEVER = "never"
    WITH_PASSWORD = "with a password"  # noqa: S105 - says when; it is not a password
    ALWAYS = "always"


class Topic(StrEnum):
    """What a setting is about: `--help` shows the options of one topic together, and the topics in this order."""

    NETWORK = "Network"
    CALLS = "Calls"
    JOBS = "Asynchronous calls"
    STORE = "Store"
    SDK = "SDK"
    OPERATION = "Operation"


class Setting(NamedTuple):
    """What an operator reads of one setting, and what is checked of it."""

    text: str
    topic: Topic
    name: str = ""
    """The name that the attribute of `Settings` has."""
    default: Any = None
    least: float | None = None
    """The smallest value."""
    most: float | None = None
    """The largest value."""
    above: float | None = None
    """The value must be larger than this one."""
    choices: tuple[str, ...] = ()
    word: str = ""
    """A word that is allowed beside the numbers."""
    secret: Secrecy = Secrecy.NEVER

    @property
    def option(self) -> str:
        """The option's name without dashes at its beginning, such as `job-threads`; the key in wwspec.toml, too."""
        return self.name.replace("_", "-")

    @property
    def allowed(self) -> str:
        """Which values are allowed, such as `a whole number from 0 to 65535`."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        if isinstance(self.default, bool):
            return "true or false"
        if isinstance(self.default, str):
            return "text"
        kind = "a whole number" if isinstance(self.default, int) else "a number"
        kind += " of seconds" if self.text.startswith("Seconds") else ""
        if self.above is not None:
            return f"{kind} above {self.above:g}"
        word = f", or {self.word}" if self.word else ""
        upto = "" if self.most is None else f" to {self.most:g}" if self.most < 1e6 else f" to {self.most:.0f}"
        return f"{kind}{word}" if self.least is None else f"{kind} from {self.least:g}{upto or ' on'}{word}"

    def allows(self, value: object) -> bool:
        """Return whether a value of a TOML file is of the right type and within the limits."""
        if self.choices:
            return value in self.choices
        if self.word and value == self.word:
            return True
        if isinstance(self.default, bool) or isinstance(value, bool):
            return isinstance(self.default, bool) and isinstance(value, bool)
        if isinstance(self.default, str):
            return isinstance(value, str) and bool(value)
        if not isinstance(value, int if isinstance(self.default, int) else int | float):
            return False
        if not -LARGEST <= value <= LARGEST:  # NaN is neither
            return False
        return (
            (self.least is None or value >= self.least)
            and (self.most is None or value <= self.most)
            and (self.above is None or value > self.above)
        )

    def read(self, text: str) -> Any:
        """Return the value that a text of the environment or of the command line means.

        Raises:
            ValueError: It is not allowed; the text says what is.
        """
        try:
            value = self._convert(text)
        except ValueError:
            value = None
        if value is None or not (isinstance(value, str) or self.allows(value)):
            raise ValueError(f"must be {self.allowed}, not {text!r}")
        return value

    def _convert(self, text: str) -> Any:
        if self.choices:
            return type(self.default)(text) if text in self.choices else None
        if isinstance(self.default, str) or (self.word and text == self.word):
            return text
        if isinstance(self.default, bool):
            return _SWITCH.get(text.strip().lower())
        return type(self.default)(text)


_SWITCH = {
    **dict.fromkeys(("1", "true", "t", "yes", "y", "on"), True),
    **dict.fromkeys(("0", "false", "f", "no", "n", "off"), False),
}
"""What a variable may say of a setting that is on or off."""

VAR: Final = "WWSPEC_VAR"
"""The environment variable by which a zone for tests gives the application's code another folder than its var/."""


def variable(option: str) -> str:
    """Return the environment variable of a setting."""
    return f"WWSPEC_{option.upper().replace('-', '_')}"


def may_hold_password(url: str) -> bool:
    """Return whether the URL of a store may hold a password."""
    scheme, _, rest = url.partition(":")
    return scheme not in ("sqlite", "memory") and ("@" in rest or "password" in rest)


def _setting(topic: Topic, default: Any, text: str, **limits: Any) -> Any:
    return field(default=default, metadata={"setting": Setting(topic=topic, text=text, **limits)})


@dataclass(frozen=True, kw_only=True, repr=False)
class Settings:
    """How to serve one application folder. A field without a text is not an option of the command line."""

    app: Path
    """The application folder: `abilities/` and, for contracts of its own, `schemas/`."""
    registry: Path | None = None
    """The registry file; None means `REGISTRY` in the application folder, or `PROGRAM` there."""
    config: Path | None = None
    """The settings file whose table `[app]` has the application's own settings; None for none."""
    host: str = _setting(Topic.NETWORK, "127.0.0.1", "Address to listen on; the image uses 0.0.0.0.")
    allow_remote: bool = _setting(
        Topic.NETWORK,
        False,
        "Let other machines reach a program with --sdk emulator, whose key is no secret: --host may be any address.",
    )
    port: int = _setting(
        Topic.NETWORK, DEFAULT_PORT, "Port to listen on; 0 lets the system choose.", least=0, most=65535
    )
    workers: int | Literal["auto"] = _setting(
        Topic.OPERATION,
        1,
        "Worker processes; they share the store and the port. auto starts one for each core that this process may use. "
        "0 serves in this process, without a parent that watches over it, for debuggers.",
        least=0,
        most=MOST_WORKERS,
        word=AUTO,
    )
    pin_workers: str = _setting(
        Topic.OPERATION,
        PIN_AUTO,
        "Give each worker process a core of its own: on, off, or auto, which does so in a container whose cores they "
        "fill.",
        choices=PIN_WORKERS,
    )
    wrap: str = _setting(
        Topic.NETWORK,
        "",
        "MODULE:FUNCTION of the application: each process calls it with the program's Starlette application, and "
        "serves the ASGI application that it returns, by uvicorn's own HTTP. For middleware, routes and mounts.",
    )
    threads: int = _setting(
        Topic.CALLS, 256, "Threads of each worker process: calls that may wait for the SDK at once.", least=1, most=4096
    )
    queue: int = _setting(
        Topic.CALLS, 1024, "Calls of each worker process that may wait for a thread; more are refused at once.", least=0
    )
    queue_timeout: float = _setting(
        Topic.CALLS,
        5.0,
        "Seconds that a call may wait for a thread; then it is refused, whatever the timeout of its ability is.",
        above=0,
    )
    connections: int = _setting(
        Topic.NETWORK, 4096, "Connections of each worker process; more are answered with HTTP status 503.", least=1
    )
    max_body: int = _setting(
        Topic.NETWORK,
        16 << 20,
        "Bytes of the largest request body that is read; a larger one is answered with HTTP status 413.",
        least=1,
    )
    job_threads: int = _setting(
        Topic.JOBS,
        8,
        "Asynchronous calls of each worker process that run at once, on threads of their own; 0 refuses them.",
        least=0,
        most=1024,
    )
    job_lease: float = _setting(
        Topic.JOBS,
        30.0,
        "Seconds after which an asynchronous call is started again when its process gives no sign of life; the same "
        "for all programs that share a store.",
        least=1,
    )
    once_lease: float = _setting(
        Topic.CALLS,
        10.0,
        "Seconds after which a call that runs once is free to run again when its process gives no sign of life; the "
        "same for all programs that share a store.",
        least=1,
    )
    retry_pause: float = _setting(
        Topic.JOBS,
        1.0,
        "Seconds, at most, before code that runs on an event runs again after its first error; each further pause is "
        "four times as long, up to five minutes.",
        above=0,
    )
    store: str = _setting(
        Topic.STORE,
        "sqlite:var/notify.db",
        "Where events and asynchronous calls are stored: sqlite:PATH, redis://HOST or memory:",
        secret=Secrecy.WITH_PASSWORD,
    )
    sdk: SdkSource = _setting(
        Topic.SDK,
        SdkSource.VENDOR,
        "The vendor's module, or the emulator's stand-in for development.",
        choices=tuple(each.value for each in SdkSource),
    )
    debug_token: str = _setting(Topic.SDK, "", "The debug credential of the admin page.", secret=Secrecy.ALWAYS)
    access_token: str = _setting(Topic.SDK, "", "The app's access_token, for debug mode.", secret=Secrecy.ALWAYS)
    """With the debug token, this or corpid and corpsecret switch the SDK to debug mode [100083]."""
    corpid: str = _setting(
        Topic.SDK, "", "For debug mode: the corp whose access token is fetched, and renewed in time."
    )
    corpsecret: str = _setting(
        Topic.SDK, "", "The app's secret, with which debug mode fetches its access token.", secret=Secrecy.ALWAYS
    )
    api_url: str = _setting(
        Topic.SDK,
        "https://qyapi.weixin.qq.com",
        "Where debug mode fetches the access token; a test names its emulator.",
    )
    debug: bool = False
    """Whether a debugger holds calls: one process, no time limits, and `breakpoint()` stops in the terminal. It goes
    with the emulator's SDK only."""
    body_timeout: float = 30.0
    """Seconds within which a request's body must have arrived."""
    head_timeout: float = 10.0
    """Seconds within which a request's head must have arrived, from the connection's start or its last response."""
    hang_after: float = _setting(
        Topic.OPERATION,
        60.0,
        "Seconds after which a call or job that still runs is logged with its stack, and its thread replaced; also for "
        "the event loop.",
        above=0,
    )
    monitor_interval: float = _setting(
        Topic.OPERATION, 60.0, "Seconds between two lines of figures in the log; 0 for none.", least=0
    )
    grace: float = _setting(
        Topic.OPERATION,
        10.0,
        "Seconds for running calls to end on SIGTERM; what still runs then is killed within 3 seconds more.",
        least=0,
    )
    log_level: str = _setting(Topic.OPERATION, "INFO", "The least severe lines that are logged.", choices=LOG_LEVELS)
    log_json: bool = _setting(Topic.OPERATION, False, "Log one JSON object a line instead of text.")
    request_log: bool = _setting(
        Topic.OPERATION,
        False,
        "Log a line for each call and event: ability, errcode, milliseconds, bytes; always on with --sdk emulator.",
    )

    def __repr__(self) -> str:
        """Show nothing of it: the store's URL and the tokens are secret."""
        return f"{type(self).__name__}(app={str(self.app)!r}, …)"

    def for_debugger(self) -> Self:
        """Return these settings for one process without time limits."""
        limits = ("queue_timeout", "hang_after", "grace", "body_timeout", "head_timeout")
        unlimited: dict[str, Any] = dict.fromkeys(limits, NO_LIMIT)
        return replace(self, workers=0, **unlimited)

    @property
    def registry_path(self) -> Path:
        """Where the registry file is."""
        return registry_path(self.app, self.registry)

    @property
    def processes(self) -> int:
        """How many worker processes there are; with `AUTO` as this machine is now."""
        return min(usable_cores().number, MOST_WORKERS) if self.workers == AUTO else self.workers

    @property
    def debug_fault(self) -> str:
        """What is wrong with the settings of debug mode, which the zone has not, and the fix; empty when nothing is."""
        document = "(WeCom document 100083)"
        if not self.debug_token:
            others = {"WWSPEC_ACCESS_TOKEN": self.access_token, "WWSPEC_CORPSECRET": self.corpsecret}
            if self.sdk is SdkSource.EMULATOR:
                del others["WWSPEC_CORPSECRET"]  # the verbs of an app read it, too, in the shell of its developer
            named = next((name for name, value in others.items() if value), "")
            return named and f"WWSPEC_DEBUG_TOKEN and {named} go together: set both or none {document}"
        if self.access_token and self.corpsecret:
            return (
                "WWSPEC_ACCESS_TOKEN and WWSPEC_CORPSECRET are both set: unset the former, and the access token is "
                f"fetched and renewed {document}"
            )
        if self.access_token:
            return ""
        if not (self.corpid and self.corpsecret):
            return (
                "WWSPEC_DEBUG_TOKEN and WWSPEC_ACCESS_TOKEN go together; or set WWSPEC_CORPID and WWSPEC_CORPSECRET, "
                f"and the access token is fetched and renewed {document}"
            )
        return _url_fault(self.api_url)

    @property
    def store_url(self) -> str:
        """The store's URL, with a relative SQLite path taken from the application folder."""
        scheme, _, path = self.store.partition(":")
        return f"sqlite:{self.app / path}" if scheme == "sqlite" and path else self.store


def _url_fault(url: str) -> str:
    """Return what is wrong with the URL that the app's secret is sent to."""
    from urllib.parse import urlsplit  # here, since only debug mode needs it

    fault = "--api-url must be https://HOST, with neither user nor query"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return fault
    if parts.scheme not in ("http", "https") or not host or port == 0 or not url.isascii():
        return fault
    if parts.username is not None or parts.query or parts.fragment:
        return fault
    if parts.scheme == "http" and not is_loopback(host):
        return f"--api-url {url} would send the app's secret over the network as it is: write https"
    return ""


@cache
def settings() -> Mapping[str, Setting]:
    """Return every setting that is an option, by its name, in the order of `Settings`."""
    return MappingProxyType(
        {
            each.name: setting._replace(name=each.name, default=each.default)
            for each in fields(Settings)
            if (setting := each.metadata.get("setting")) is not None
        }
    )
