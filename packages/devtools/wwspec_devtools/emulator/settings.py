"""The settings of an emulator: its identity, the program to call, the console contracts."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args
from urllib.parse import urlsplit, urlunsplit

import msgspec

from wwspec_contracts.errors import ConfigurationError, did_you_mean
from wwspec_contracts.files import ConsoleContract
from wwspec_contracts.support.loopback import is_loopback
from wwspec_devtools.emulator.scene import Scene, load_scene

STANDIN_DIRECTORY = Path(__file__).parent / "standin"
"""The directory to put first on a program's PYTHONPATH: it holds the stand-in `wwspecapisdk`."""
JAVA_STANDIN_DIRECTORY = Path(__file__).parent / "standin_java"
"""The directory with the source of the stand-in that a program in Java is compiled with."""

CALLBACK_NAMES = ("--callback-url", "WWSPEC_CALLBACK_TOKEN", "WWSPEC_ENCODING_AES_KEY")
"""The names that set the app's callback: an option, since the URL is no secret, and two variables."""

COMMAND_NAMES = ("--command-url", "WWSPEC_COMMAND_TOKEN", "WWSPEC_COMMAND_ENCODING_AES_KEY")
"""The same of the provider's command callback."""

SECRETS = {
    **dict.fromkeys(("secret", "suite_secret", "suite_ticket", "permanent_code", "debug_token"), ""),
    **{name.removeprefix("WWSPEC_").lower(): f": set {name}" for name in (*CALLBACK_NAMES[1:], *COMMAND_NAMES[1:])},
}
"""The fields of `EmulatorSettings` that no file may have, and what to do, if there is a variable."""

AppType = Literal["", "self", "custom", "third", "external"]
"""Self-built, custom-developed, third-party, or external service app; empty: any of them, and nothing ends."""

OF_PROVIDERS: tuple[AppType, ...] = ("third", "external")
"""The kinds of app that WeCom gives no message before they have set a public key [99824]."""

APP_TYPES: tuple[AppType, ...] = get_args(AppType)

MAX_CORPS = 20

WECOM_HOST = "qyapi.weixin.qq.com"
"""The host of WeCom's own base URL."""

LOGIN_HOST = "open.weixin.qq.com"
"""The host of WeCom's login."""

PAGE_HOST = "open.work.weixin.qq.com"
"""The host of the frame that shows messages in an app's page."""

Speakers = Literal["letters", "names"]
"""How `{chat}` names who speaks: A, B, C in the order of their first messages, or their real names."""


class CallbackSpec(NamedTuple):
    """A callback URL of the app, and what callbacks to it are sealed with."""

    url: str
    token: str
    encoding_aes_key: str


class EmulatorSettings(msgspec.Struct, kw_only=True, frozen=True):
    """The settings of one emulator.

    Raises:
        ConfigurationError: `host` is not a loopback address, a URL or a host is malformed, or the callback settings are
            incomplete.
    """

    folder: str = ""
    """The application folder whose emulator it is; empty for that of any."""
    seed: int = 1
    """The same seed (and `clock_start`) gives the same data."""
    host: str = "127.0.0.1"
    """A loopback address to bind to."""
    port: int = 8090
    """0 lets the kernel choose."""
    allowed_hosts: tuple[str, ...] = ()
    """Names and addresses of this machine that requests may have, besides the loopback ones."""
    program_url: str = "http://127.0.0.1:8080"
    """Where the program listens; calls and events are POSTed to its root path."""
    machines: int = 1
    """How many machines the program runs on. The first listens at `program_url`, each further one on the next port."""
    route_notify_ids: bool = True
    """Whether a call with a notify_id goes to the machine that made it. WeCom implies that, and does not say it."""
    gone_errcode: int = 0
    """The errcode of such a call when that machine is gone; 0 lets another machine answer. WeCom does not say."""
    renew_notify_ids: bool = True
    """Whether a further `spec_notify_app` of a notify_id lets it be valid for 10 minutes more. WeCom does not say."""
    contracts: Mapping[str, ConsoleContract] | None = None
    """Console contracts by ability ID. None is the open mode: each ability is forwarded, nothing compared."""
    app_type: AppType = ""
    """The kind of app decides which API answers, and whether permissions end; empty: all answer and none ends."""
    corps: int = 1
    """How many corps have the app; the first one is `corpid`."""
    corpid: str = "wwemulator00000001"
    agentid: int = 1000002
    secret: str = "emulator-app-secret"  # noqa: S105 - of an app that exists in the emulator only
    provider_corpid: str = "wwprovider00000001"
    """The provider of the suite."""
    suite_id: str = "emulator-suite"
    """The third-party app that the corps have installed as the app: its provider gets access tokens, too."""
    suite_secret: str = "emulator-suite-secret"  # noqa: S105 - of a suite that exists in the emulator only
    suite_ticket: str = "emulator-suite-ticket"
    permanent_code: str = "emulator-permanent-code"
    program_id: str = "emulator-program"
    trusted_domain: str = ""
    """The app's trusted domain, as host or host:port, the only one that gets codes of logins and whose pages show
    messages; empty: any may."""
    suite_doc_ticket: bool = False
    """Whether `getuserinfo3rd` answers a `user_doc_ticket`. Unknown: the pages that we know do not list it."""
    authorised: bool = True
    """False plays an app without zone permission: 48002 and 710641."""
    callback_url: str = ""
    """The app's data callback URL for `program_notify`; empty: notifications are only recorded."""
    callback_token: str = ""
    encoding_aes_key: str = ""
    """43 characters, as WeCom's admin console makes them."""
    command_url: str = ""
    """The provider's command callback URL, for the suite_ticket and changes of authorisations; empty: these are only
    recorded."""
    command_token: str = ""
    command_encoding_aes_key: str = ""
    expired_errcode: int = 710726
    """How a call is refused after the end of a data permission. WeCom does not document it."""
    expired_info_type: str = "expire_data_permission"
    """The InfoType of the callback at the end of a data permission. WeCom's page was not seen to its end [101587]."""
    knowledge_auth_type: str = "data_zone_knowledge_base"
    """The AuthType of knowledge bases; only that of chats is known [101587]."""
    document_auth_type: str = "data_zone_document"
    """The AuthType of documents; only that of chats is known [101587]."""
    expiry_keeps_setup: bool = False
    """Whether public key and receiver of events outlive the end of a data permission. WeCom does not document it."""
    connect_timeout: float = 3.0
    """Seconds to connect to the program."""
    call_timeout: float = 10.0
    """Seconds to wait for the program's reply. WeCom does not publish its own limit."""
    messages: int = 500
    """How many messages the corp has at the start."""
    tokenless_pulls: int = 10
    """Pulls that one corp may make in 60 seconds without a token. WeCom does not publish its own limit."""
    speakers: Speakers = "letters"
    """How `{chat}` names speakers. WeCom's pages show A and B, and do not say how they go on."""
    knowledge_fragments: int = 3
    """How many contents fill `{knowledge}` at most. WeCom does not publish its number."""
    model_prompt: str = ""
    """The prompt of the general models, with placeholders, as in the admin console. Empty: one with each placeholder
    that a request fills."""
    clock_start: int | None = None
    """Unix seconds at which the emulator's clock starts and stops: it moves only when it is put forward. None means a
    clock that runs with the real time."""
    scene: Scene | None = None
    """Who exists and what was said; None leaves both to the seed."""
    faults: tuple[Mapping[str, Any], ...] = ()
    """Faults that are set at the start and after each reset: fields of `state.faults.FaultSpec`."""
    debug_url: str = ""
    """Where calls and events go in debug mode; empty: to `program_url` as well."""
    debug_token: str = "emulator-debug-token"  # noqa: S105 - of a program that exists in the emulator only
    """The debug credential."""

    def __post_init__(self) -> None:
        if not is_loopback(self.host):
            raise ConfigurationError(f"the emulator binds to loopback only, not to {self.host!r}")
        for name in self.allowed_hosts:
            _check_host(name)
        check_url("program_url", self.program_url)
        if self.machines < 1:
            raise ConfigurationError("machines: a program runs on one at least")
        try:
            machine_url(self.program_url, self.machines)
        except ValueError as error:
            raise ConfigurationError(str(error)) from None
        if not 1 <= self.corps <= MAX_CORPS:
            raise ConfigurationError(f"corps: 1 to {MAX_CORPS}, not {self.corps}")
        _check_callback("app's", CALLBACK_NAMES, self.callback)
        _check_callback("provider's command", COMMAND_NAMES, self.command_callback)
        for name in ("callback_url", "command_url", "debug_url"):
            if url := getattr(self, name):
                check_url(name, url)

    @property
    def callback(self) -> CallbackSpec:
        """The app's data callback."""
        return CallbackSpec(self.callback_url, self.callback_token, self.encoding_aes_key)

    @property
    def command_callback(self) -> CallbackSpec:
        """The provider's command callback."""
        return CallbackSpec(self.command_url, self.command_token, self.command_encoding_aes_key)


def read_settings(path: Path | None, **given: Any) -> EmulatorSettings:
    """Return the settings of a scene file, with those that are given in place of its own.

    Args:
        path: The file; None for none.
        given: Fields of `EmulatorSettings`.

    Raises:
        ConfigurationError: The file can't be read or has a fault, or the settings contradict each other.
    """
    if path is None:
        return EmulatorSettings(**given)
    scene = load_scene(path)
    types = {each.name: each.type for each in msgspec.structs.fields(EmulatorSettings)}
    known = types.keys() - {"folder", "contracts", "scene", "faults"}
    found: dict[str, Any] = {"scene": scene if scene.has_people else None, "faults": tuple(scene.faults)}
    for name, value in scene.emulator.items():
        place = f"{path}: [emulator] {name}"
        if name in SECRETS:
            raise ConfigurationError(f"{place}: a secret does not belong in this file{SECRETS[name]}")
        if name not in known:
            raise ConfigurationError(f"{place}: unknown key; {did_you_mean(name, known, ', '.join(sorted(known)))}")
        try:
            found[name] = msgspec.convert(value, types[name])
        except msgspec.ValidationError as error:
            raise ConfigurationError(f"{place}: {error}") from None
    return EmulatorSettings(**found | given)


def host_of(authority: str) -> str:
    """Return the host of a `host[:port]` in lower case; empty when it is malformed."""
    try:
        parts = urlsplit(f"//{authority}")
        return (parts.hostname or "") if parts.netloc == authority and parts.username is None else ""
    except ValueError:
        return ""


def machine_url(url: str, number: int) -> str:
    """Return where a machine listens: the first at `url`, each further one on the next port.

    Raises:
        ValueError: There is no such port.
    """
    if number == 1:
        return url
    parts = urlsplit(url)
    port = (parts.port or (443 if parts.scheme == "https" else 80)) + number - 1
    if port > 65_535:
        raise ValueError(f"machine {number} would listen on port {port}, and the last one is 65535")
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return urlunsplit(parts._replace(netloc=f"{host}:{port}"))


def check_url(name: str, url: str) -> None:
    """Raise ConfigurationError unless `url` is an http:// or https:// URL."""
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        sound = False
    if not sound:
        raise ConfigurationError(f"{name} must be an http:// or https:// URL")


def _check_callback(whose: str, names: tuple[str, str, str], values: CallbackSpec) -> None:
    missing = [name for name, value in zip(names, values, strict=True) if not value]
    if any(values) and missing:
        raise ConfigurationError(
            f"the {whose} callback is its URL, its Token and its EncodingAESKey: set all three or none; missing: "
            f"{' and '.join(missing)}; set: {' and '.join(each for each in names if each not in missing)}"
        )


def _check_host(name: str) -> None:
    authority = f"[{name}]" if ":" in name else name
    if host_of(authority) != name.lower() or not re.fullmatch(r"[\w.:-]+", name):
        raise ConfigurationError(
            f"an allowed host is a host name or an address without a port, such as host.docker.internal: not {name!r}"
        )
