"""Options of the verbs that start an emulator or talk to one."""

from collections.abc import Callable
from functools import partial, wraps
from http.client import HTTPException
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import click
import msgspec
from click.core import ParameterSource

from wwspec_contracts.support.loopback import is_loopback
from wwspec_devtools.cli.dev_note import application_folder, note_path, noted_url
from wwspec_devtools.cli.option_types import FILE, FOLDER, Seconds, options
from wwspec_devtools.direct import direct
from wwspec_devtools.emulator.http.client import DEFAULT_URL, EmulatorClient, EmulatorError
from wwspec_devtools.emulator.settings import APP_TYPES, MAX_CORPS, EmulatorSettings
from wwspec_router.cli.options import FunctionT, secret_option
from wwspec_router.cli.ports import occupant
from wwspec_router.config import DEFAULT_PORT, variable

DEFAULTS = EmulatorSettings()
MOST_MACHINES = 16
FIRST_ANSWER = 10.0
"""Seconds to wait for a first answer: what listens there may be something else, which says nothing."""
URL_VARIABLE = "WWSPEC_EMULATOR_URL"
_SHOWN = f"{__name__}.shown"
"""Key in a context's `meta`: the URL of the emulator that nothing has named was shown."""


url_option = click.option(
    "--url",
    default=lambda: noted_url() or DEFAULT_URL,
    show_default=f"that of this folder, else {DEFAULT_URL}",
    envvar=URL_VARIABLE,
    show_envvar=True,
    help="The emulator.",
)
"""The emulator to talk to; `connected_to` opens it."""
corp_option = click.option(
    "--corp",
    "of_corp",
    default="",
    metavar="CORPID",
    help="The corp, if the emulator has several.  [default: the first]",
)


def connected_to(url: str, corp: str = "") -> EmulatorClient:
    """Return a client of the emulator that `--url` of this verb names; its errors say where the URL comes from.

    Raises:
        EmulatorError: Something takes the connection there and says nothing; or nothing names an emulator, and the one
            at the usual address is that of another folder.
    """
    context = click.get_current_context()
    match context.get_parameter_source("url"):
        case ParameterSource.COMMANDLINE:
            origin = "--url"
        case ParameterSource.ENVIRONMENT:
            origin = URL_VARIABLE
        case _:
            origin = str(note_path()) if url == noted_url() else "the default"
    try:
        info = _info(url)
    except TimeoutError:
        parts = urlsplit(url)
        who = f": {occupant(parts.port)[1]}" if is_loopback(parts.hostname or "") and parts.port else ""
        raise EmulatorError(
            f"no emulator answers at {url} ({origin}) within {FIRST_ANSWER:g} seconds{who}; --url names another one"
        ) from None
    if info is not None and origin == "the default" and _SHOWN not in context.meta:
        here = application_folder().resolve()
        if info.folder and Path(info.folder) != here:
            raise EmulatorError(
                f"the emulator at {url} is that of {info.folder}, and this folder is {here}: run `wwspec dev` here, or "
                f"name that one with --url {url}"
            )
        context.meta[_SHOWN] = url
        click.echo(f"emulator: {url}", err=True)
    return EmulatorClient(url, origin=origin, corp=corp)


class _Info(msgspec.Struct):
    """The part of an emulator's `/emulator/info` that says whose it is."""

    folder: str = ""


def _info(url: str) -> _Info | None:
    """Return what an emulator says of itself; None without one. Whatever is wrong then the client says.

    Raises:
        TimeoutError: Something takes a connection and does not answer.
    """
    try:
        with direct().open(f"{url.rstrip('/')}/emulator/info", timeout=FIRST_ANSWER) as answer:
            return msgspec.json.decode(answer.read(), type=_Info)
    except TimeoutError:
        raise
    except (OSError, ValueError, HTTPException, msgspec.DecodeError):
        return None


def with_emulator(function: FunctionT) -> FunctionT:
    """Give a command `--url`, and the client of the emulator there as its first argument; its `--help` needs none."""
    return url_option(_connecting(function))


def with_corp(function: FunctionT) -> FunctionT:
    """Do the same as `with_emulator`, with `--corp`."""
    return url_option(corp_option(_connecting(function)))


def _connecting(function: FunctionT) -> FunctionT:
    """Return a function that opens the client, and gives it to another function."""

    @wraps(function)
    def connect(*arguments: Any, url: str, of_corp: str = "", **options: Any) -> Any:
        with connected_to(url, of_corp) as emulator:
            return function(emulator, *arguments, **options)

    return cast(FunctionT, connect)


authority_option = click.option(
    "--state", type=FOLDER, help="Folder of the proxy's certificate authority.  [default: ~/.local/state/wwspec]"
)


_port = partial(click.option, metavar="PORT", type=click.IntRange(1, 65535), show_default=True)
port_options = options(
    _port("--port", default=DEFAULT_PORT, envvar=variable("port"), help="The program's port."),
    _port("--emulator-port", default=DEFAULTS.port, envvar=variable("emulator-port"), help="The emulator's port."),
)
"""For verbs that start a program and an emulator."""

OFTEN_USED = ("scene", "app_type", "corps", "callback_url")
"""The parameters of `often_used_options`, but for `machines`."""


def _setting(flags: str, kind: Any, text: str, **more: Any) -> Callable[[FunctionT], FunctionT]:
    """Return a decorator that adds the option of a field of `EmulatorSettings`, with the field's default.

    Args:
        flags: The option; a switch may have two names, with a slash between them.
        kind: The type of its value; `bool` for a switch.
        text: Its meaning.
        more: Further arguments of `click.option`.
    """
    default = getattr(DEFAULTS, flags.partition("/")[0].removeprefix("--").replace("-", "_"))
    is_shown = default not in ("", None) and default is not False
    more |= {"is_flag": True} if kind is bool else {"type": kind}
    return click.option(flags, default=default, show_default=is_shown, help=text, **more)


often_used_options = options(
    click.option(
        "--scene", type=FILE, help="TOML file: people, messages, [emulator], [[faults]].  [default: left to the seed]"
    ),
    click.option(
        "--app-type",
        type=click.Choice([each for each in APP_TYPES if each]),
        callback=lambda ctx, param, value: value or "",
        metavar="TYPE",
        help="The kind of app, which decides what answers and ends: self, custom (developed for a corp), third (of a "
        "provider) or external (a service).  [default: all APIs answer]",
    ),
    _setting("--corps", click.IntRange(1, MAX_CORPS), "How many corps have the app, each with its own data."),
    _setting(
        "--machines",
        click.IntRange(1, MOST_MACHINES),
        "How many machines the program runs on, each with a port and a disk of its own.",
    ),
    _setting("--callback-url", str, "The app's data callback URL, for program_notify."),
)
"""Those of `emulator_options` that `wwspec dev` has, too: `OFTEN_USED`."""

emulator_options = options(
    often_used_options,
    click.option(
        "--allow-host",
        "allowed_hosts",
        multiple=True,
        metavar="NAME",
        help="A name by which clients call this machine, such as host.docker.internal; may be repeated.  "
        "[default: localhost and loopback addresses]",
    ),
    _setting("--seed", int, "The same seed gives the same data."),
    _setting("--messages", click.IntRange(0, 100_000), "Messages that the seed makes, besides those of the scene."),
    _setting(
        "--clock-start",
        click.IntRange(0),
        "Unix time of a clock that moves only when it is put forward.  [default: the real time]",
        metavar="SECONDS",
    ),
    _setting("--call-timeout", Seconds(0.1), "Seconds to wait for the program."),
    _setting(
        "--route-notify-ids/--no-route-notify-ids",
        bool,
        "Let a call with a notify_id go to the machine that made it. WeCom implies that, and does not say it.",
    ),
    _setting(
        "--gone-errcode",
        click.IntRange(0),
        "Refuse such a call with this errcode when that machine is gone; 0 lets another machine answer. Unknown: "
        "WeCom does not say.",
        metavar="CODE",
    ),
    _setting(
        "--renew-notify-ids/--no-renew-notify-ids",
        bool,
        "Let a notify_id that the app is told again be valid for 10 minutes more. Unknown: WeCom does not say.",
    ),
    _setting(
        "--tokenless-pulls",
        click.IntRange(0),
        "Pulls that a corp may make in 60 seconds without a token. Unknown: WeCom does not publish its limit.",
    ),
    _setting("--debug-url", str, "Where the program listens in debug mode.  [default: the program's URL]"),
    secret_option("callback-token", "the token of the callback"),
    secret_option("encoding-aes-key", "the EncodingAESKey of the callback, 43 characters"),
    _setting("--command-url", str, "The provider's command callback URL, for suite_ticket and authorisations."),
    secret_option("command-token", "the token of the command callback"),
    secret_option("command-encoding-aes-key", "the EncodingAESKey of the command callback, 43 characters"),
    _setting("--expired-errcode", int, "Unknown: how WeCom refuses a call after the end of a data permission."),
    _setting("--expired-info-type", str, "Unknown: the InfoType of WeCom's callback at the end of a data permission."),
    _setting("--knowledge-auth-type", str, "Unknown: WeCom's AuthType of knowledge bases."),
    _setting("--document-auth-type", str, "Unknown: WeCom's AuthType of documents."),
    _setting(
        "--expiry-keeps-setup",
        bool,
        "Unknown: whether public key and receiver of events outlive the end of a data permission.",
    ),
    _setting(
        "--suite-doc-ticket", bool, "Unknown: whether a third-party app gets a user_doc_ticket when somebody logs in."
    ),
    _setting(
        "--trusted-domain",
        str,
        "The app's trusted domain: the code of a login that went elsewhere is refused.  [default: any]",
        metavar="HOST[:PORT]",
    ),
    click.option(
        "--proxy-port",
        type=click.IntRange(0, 65535),
        help="Also be a proxy, for clients whose base URL is hard-coded (extra 'proxy').",
    ),
    authority_option,
)
"""Those of an emulator's start, without the addresses of emulator and program."""
