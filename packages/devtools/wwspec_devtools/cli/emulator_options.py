"""Options of the verbs that start an emulator or talk to one."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import click
from click.core import ParameterSource

from wwspec_devtools.cli.dev_note import note_path, noted_url
from wwspec_devtools.emulator.http.client import DEFAULT_URL, EmulatorClient
from wwspec_devtools.emulator.settings import APP_TYPES, MAX_CORPS, EmulatorSettings
from wwspec_router.cli.options import Seconds, secret_option
from wwspec_router.config import DEFAULT_PORT, variable

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])

DEFAULTS = EmulatorSettings()
MOST_MACHINES = 16
URL_VARIABLE = "WWSPEC_EMULATOR_URL"


def url_option(function: FunctionT) -> FunctionT:
    """Add `--url`, of the emulator to talk to; `connected_to` opens it."""
    return click.option(
        "--url",
        default=lambda: noted_url() or DEFAULT_URL,
        show_default=f"that of the `wwspec dev` of this folder, else {DEFAULT_URL}",
        envvar=URL_VARIABLE,
        show_envvar=True,
        help="The emulator.",
    )(function)


def corp_option(function: FunctionT) -> FunctionT:
    """Add `--corp`, for an emulator with several corps."""
    return click.option(
        "--corp",
        "of_corp",
        default="",
        metavar="CORPID",
        help="The corp, if the emulator has several.  [default: the first]",
    )(function)


def connected_to(url: str, corp: str = "") -> EmulatorClient:
    """Return a client of the emulator that `--url` of this verb names; its errors say where the URL comes from."""
    match click.get_current_context().get_parameter_source("url"):
        case ParameterSource.COMMANDLINE:
            origin = "--url"
        case ParameterSource.ENVIRONMENT:
            origin = URL_VARIABLE
        case _:
            origin = str(note_path()) if url == noted_url() else "the default"
    return EmulatorClient(url, origin=origin, corp=corp)


def with_emulator(function: FunctionT) -> FunctionT:
    """Give a command `--url`, and the client of the emulator there as its first argument; its `--help` needs none."""

    @wraps(function)
    def connected(*arguments: Any, url: str, **options: Any) -> Any:
        with connected_to(url) as emulator:
            return function(emulator, *arguments, **options)

    return url_option(cast(FunctionT, connected))


def with_corp(function: FunctionT) -> FunctionT:
    """As `with_emulator`, with `--corp`."""

    @wraps(function)
    def connected(*arguments: Any, url: str, of_corp: str, **options: Any) -> Any:
        with connected_to(url, of_corp) as emulator:
            return function(emulator, *arguments, **options)

    return url_option(corp_option(cast(FunctionT, connected)))


def port_options(function: FunctionT) -> FunctionT:
    """Add `--port` and `--emulator-port`, for verbs that start a program and an emulator."""
    port = click.IntRange(1, 65535)
    program = click.option(
        "--port",
        type=port,
        default=DEFAULT_PORT,
        envvar=variable("port"),
        show_default=True,
        help="The program's port.",
    )
    emulator = click.option(
        "--emulator-port",
        type=port,
        default=DEFAULTS.port,
        envvar=variable("emulator-port"),
        show_default=True,
        help="The emulator's port.",
    )
    return program(emulator(function))


def emulator_options(function: FunctionT) -> FunctionT:
    """Add the options of an emulator's start, without the addresses of emulator and program: `EMULATOR_OPTIONS`."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


_OPTIONS = (
    click.option(
        "--allow-host",
        "allowed_hosts",
        multiple=True,
        metavar="NAME",
        help="A name by which clients call this machine, such as host.docker.internal; may be repeated.  "
        "[default: localhost and loopback addresses]",
    ),
    click.option(
        "--seed", type=int, default=DEFAULTS.seed, show_default=True, help="The same seed gives the same data."
    ),
    click.option(
        "--messages",
        type=click.IntRange(0, 100_000),
        default=DEFAULTS.messages,
        show_default=True,
        help="Messages that the seed makes.",
    ),
    click.option(
        "--scene",
        type=click.Path(path_type=Path, dir_okay=False),
        help="TOML file: who exists and what was said; --messages come on top.  [default: left to the seed]",
    ),
    click.option(
        "--app-type",
        type=click.Choice([each for each in APP_TYPES if each]),
        callback=lambda ctx, param, value: value or "",
        help="The kind of app: self-built, custom-developed, third-party, or an external service app. It decides which "
        "API answers; data permissions of the last three end after 90 days.  [default: every API answers, none ends]",
    ),
    click.option(
        "--corps",
        type=click.IntRange(1, MAX_CORPS),
        default=DEFAULTS.corps,
        show_default=True,
        help="How many corps have the app, each with its own people and messages.",
    ),
    click.option(
        "--clock-start",
        type=click.IntRange(0),
        metavar="SECONDS",
        help="Unix time of a clock that moves only when it is put forward.  [default: the real time]",
    ),
    click.option(
        "--call-timeout",
        type=Seconds(0.1),
        default=DEFAULTS.call_timeout,
        show_default=True,
        help="Seconds to wait for the program.",
    ),
    click.option(
        "--machines",
        type=click.IntRange(1, MOST_MACHINES),
        default=DEFAULTS.machines,
        show_default=True,
        help="How many machines the program runs on. Each has a port, one after the other, and a disk of its own.",
    ),
    click.option(
        "--route-notify-ids/--no-route-notify-ids",
        default=DEFAULTS.route_notify_ids,
        show_default=True,
        help="Let a call with a notify_id go to the machine that made it. WeCom implies that, and does not say it.",
    ),
    click.option(
        "--gone-errcode",
        type=click.IntRange(0),
        default=DEFAULTS.gone_errcode,
        show_default=True,
        metavar="CODE",
        help="Refuse such a call with this errcode when that machine is gone; 0 lets another machine answer. Unknown: "
        "WeCom does not say.",
    ),
    click.option(
        "--renew-notify-ids/--no-renew-notify-ids",
        default=DEFAULTS.renew_notify_ids,
        show_default=True,
        help="Let a notify_id that the app is told again be valid for 10 minutes more. Unknown: WeCom does not say.",
    ),
    click.option(
        "--debug-url", default="", help="Where the program listens in debug mode.  [default: the program's URL]"
    ),
    click.option("--callback-url", default="", help="The app's data callback URL, for program_notify."),
    secret_option("callback-token", "the token of the callback"),
    secret_option("encoding-aes-key", "the EncodingAESKey of the callback, 43 characters"),
    click.option(
        "--command-url", default="", help="The provider's command callback URL, for suite_ticket and authorisations."
    ),
    secret_option("command-token", "the token of the command callback"),
    secret_option("command-encoding-aes-key", "the EncodingAESKey of the command callback, 43 characters"),
    click.option(
        "--expired-errcode",
        type=int,
        default=DEFAULTS.expired_errcode,
        show_default=True,
        help="Unknown: how WeCom refuses a call after the end of a data permission.",
    ),
    click.option(
        "--expired-info-type",
        default=DEFAULTS.expired_info_type,
        show_default=True,
        help="Unknown: the InfoType of WeCom's callback at the end of a data permission.",
    ),
    click.option(
        "--knowledge-auth-type",
        default=DEFAULTS.knowledge_auth_type,
        show_default=True,
        help="Unknown: WeCom's AuthType of knowledge bases.",
    ),
    click.option(
        "--document-auth-type",
        default=DEFAULTS.document_auth_type,
        show_default=True,
        help="Unknown: WeCom's AuthType of documents.",
    ),
    click.option(
        "--expiry-keeps-setup",
        is_flag=True,
        help="Unknown: whether public key and receiver of events outlive the end of a data permission.",
    ),
    click.option(
        "--suite-doc-ticket",
        is_flag=True,
        help="Unknown: whether a third-party app gets a user_doc_ticket when somebody logs in.",
    ),
    click.option(
        "--trusted-domain",
        default="",
        metavar="HOST[:PORT]",
        help="The app's trusted domain: the code of a login that went elsewhere is refused.  [default: any]",
    ),
    click.option(
        "--proxy-port",
        type=click.IntRange(0, 65535),
        help="Also be a proxy, for clients whose base URL is hard-coded (extra 'proxy').",
    ),
    click.option(
        "--state",
        type=click.Path(path_type=Path, file_okay=False),
        help="Folder of the proxy's certificate authority.  [default: ~/.local/state/wwspec]",
    ),
)

EMULATOR_OPTIONS = (
    "allowed_hosts",
    "seed",
    "messages",
    "scene",
    "app_type",
    "corps",
    "clock_start",
    "call_timeout",
    "machines",
    "route_notify_ids",
    "gone_errcode",
    "renew_notify_ids",
    "debug_url",
    "callback_url",
    "callback_token",
    "encoding_aes_key",
    "command_url",
    "command_token",
    "command_encoding_aes_key",
    "expired_errcode",
    "expired_info_type",
    "knowledge_auth_type",
    "document_auth_type",
    "expiry_keeps_setup",
    "suite_doc_ticket",
    "trusted_domain",
    "proxy_port",
    "state",
)
"""The parameters of `emulator_options`."""
