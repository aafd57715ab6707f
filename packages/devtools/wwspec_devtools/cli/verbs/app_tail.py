"""`wwspec app tail`: the notifications of an app and their events, as they come."""

import logging
import math
import secrets
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click
import msgspec

from wwspec_contracts.errors import ConfigurationError
from wwspec_contracts.support.printable import printable
from wwspec_contracts.support.signals import until_interrupted
from wwspec_devtools.cli.dev_note import noted_url
from wwspec_devtools.cli.option_types import Address
from wwspec_devtools.cli.tables import moment, styled
from wwspec_devtools.cli.wecom import WeCom, WeComCommand, wecom_options
from wwspec_router.cli.options import secret_option
from wwspec_router.config import variable

if TYPE_CHECKING:
    from wwspec_client import Callback, NotifyEvent

PORT = 8090
LISTEN = f"127.0.0.1:{PORT}"


@click.command(cls=WeComCommand)
@click.option("--url", default="", metavar="URL", help="An emulator that runs; then nothing else need be given.")
@click.option(
    "--listen",
    type=Address(LISTEN),
    help=f"Where callbacks arrive, such as behind a tunnel.  [default: {LISTEN}, with --url any free port]",
)
@click.option(
    "--receive-id",
    default="",
    envvar=variable("receive-id"),
    show_envvar=True,
    help="Whom callbacks are sealed for.  [default: the corpid]",
)
@secret_option("callback-token", "the Token of the app's callback")
@secret_option("encoding-aes-key", "the EncodingAESKey of the app's callback")
@click.option("--json", "as_json", is_flag=True, help="Print a line of JSON for each.")
@wecom_options
def tail(
    wecom: WeCom,
    url: str,
    listen: tuple[str, int] | None,
    receive_id: str,
    callback_token: str,
    encoding_aes_key: str,
    as_json: bool,
) -> None:
    """Print notifications and their events as they come, until Ctrl-C.

    Serves the app's callback URL. At WeCom, set that URL in the admin console: it leads to --listen under any path. A
    running emulator is told with --url, and is given its own callback URL back at the end. In the folder of a running
    `wwspec dev` its emulator is taken when nothing of an app at WeCom is given.

    Events go to standard output, what goes wrong to standard error. Nothing is kept: an event that is printed is
    handled, and one that is not fetched at the end is lost.
    """
    secret = (callback_token, encoding_aes_key)
    if wecom == WeCom() and not any(secret):
        url = url or noted_url()
    with until_interrupted(), _listening(*(listen or ("127.0.0.1", 0 if url else PORT))) as bound:
        if url:
            _tail_emulator(url, bound, as_json)
        elif not all(secret):
            token, key = variable("callback-token"), variable("encoding-aes-key")
            raise click.UsageError(
                f"the callback is not known: set {token} and {key}, or {token}_FILE and {key}_FILE; for an "
                "emulator give --url"
            )
        else:
            receiver = {"token": callback_token, "encoding_aes_key": encoding_aes_key}
            _serve(wecom, bound, as_json, **receiver, receive_id=receive_id or wecom.corpid)


def _tail_emulator(url: str, bound: socket.socket, as_json: bool) -> None:
    from wwspec_client import NotifyPolicy
    from wwspec_devtools.emulator.http.client import EmulatorClient

    token, key = secrets.token_hex(16), f"{secrets.token_hex(21)}A"
    with EmulatorClient(url) as emulator:
        info = emulator.info()
        if not info["receives_events"]:
            emulator.receive_events()
        emulator.set_callback(f"http://{_place(*bound.getsockname())}/callback", token, key)
        names = {"corpid": info["corpid"], "corpsecret": info["secret"], "program_id": info["program_id"]}
        any_time = NotifyPolicy(replay_window=math.inf)  # the emulator's clock is put forward
        try:
            wecom = WeCom(base_url=emulator.url, **names)
            receiver = {"token": token, "encoding_aes_key": key, "receive_id": info["corpid"]}
            _serve(wecom, bound, as_json, **receiver, policy=any_time)
        finally:
            emulator.restore_callback()


def _serve(wecom: WeCom, bound: socket.socket, as_json: bool, **receiver: Any) -> None:
    import uvicorn

    from wwspec_client import AsyncNotifyReceiver

    def show(event: "NotifyEvent") -> None:
        whole = {"notification": event.notification, "event": event.raw}
        click.echo(msgspec.json.encode(whole).decode() if as_json else _line(event))

    def show_other(callback: "Callback") -> None:
        kind = callback.fields.get("InfoType") or callback.fields.get("Event") or callback.fields.get("MsgType", "")
        click.echo(printable(f"another callback: {kind}"), err=True)

    _log_to_stderr()
    app = AsyncNotifyReceiver(wecom.async_client(), show, on_other=show_other, **receiver)
    click.echo(styled(f"callbacks arrive at http://{_place(*bound.getsockname())}; Ctrl-C ends it", dim=True), err=True)
    config = uvicorn.Config(app, lifespan="on", log_config=None, access_log=False, ws="none", server_header=False)
    uvicorn.Server(config).run(sockets=[bound])


def _line(event: "NotifyEvent") -> str:
    own = event.raw.get(event.event_type) if event.event_type in event.raw else event.raw
    at = moment(event.timestamp or event.notification.create_time)
    about = f"notify_id {event.notify_id} scene {event.notification.scene}"
    text = msgspec.json.encode(own).decode()
    kind = styled(printable(event.event_type), fg="green", bold=True)
    return f"{styled(at, dim=True)} {kind} {printable(text)} {styled(printable(about), dim=True)}"


def _log_to_stderr() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    for name in ("wwspec_client.notify", "uvicorn.error"):
        logging.getLogger(name).addHandler(handler)
    logging.getLogger("wwspec_client.notify").setLevel(logging.INFO)
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    try:
        bound = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        place = _place(host, port)
        raise ConfigurationError(f"--listen {place}: {error.strerror}: choose another port or address") from None
    with bound:
        yield bound


def _place(host: str, port: int, *_: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
