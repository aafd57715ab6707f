"""`wwspec demo`: the documented flow on this machine, with every part real but the platform."""

import secrets
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from queue import Empty, Queue
from threading import Event
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import click
import msgspec
from click.core import ParameterSource

from wwspec_contracts.callbacks import CallbackError
from wwspec_contracts.errors import ConfigurationError
from wwspec_contracts.support.printable import counted
from wwspec_contracts.support.signals import until_interrupted
from wwspec_devtools.app_settings import file_variable
from wwspec_devtools.child import Child, ChildError
from wwspec_devtools.cli.browser import open_in_browser, open_option
from wwspec_devtools.cli.dev_banner import print_call_lines, print_places, row
from wwspec_devtools.cli.dev_note import DevNote, noted
from wwspec_devtools.cli.emulator_options import port_options
from wwspec_devtools.cli.free_ports import require_free_ports
from wwspec_devtools.console_contracts.described import described_contracts
from wwspec_devtools.emulator.http.client import EmulatorClient
from wwspec_devtools.testing.ports import held_ports
from wwspec_router.cli.options import app_options, own_settings_file
from wwspec_router.config import registry_path
from wwspec_router.registry.table import build_table

if TYPE_CHECKING:
    from wwspec_client import NotifyEvent, ZoneClient

TICK = 0.2
"""Seconds between two checks for a signal."""
CALLBACK_LIMIT = 10.0
"""Seconds to wait for the notification."""
PAGE = 200


@click.command()
@app_options
@click.option("--once", is_flag=True, help="End after the flow, on other ports when those by default are taken.")
@port_options
@open_option
def command(app: Path, registry: Path | None, once: bool, port: int, emulator_port: int, opens: bool) -> None:
    """Play the documented flow: an event, the notification, the event's data, and all messages page by page.

    Starts the program and the emulator, plays an enterprise app with a callback URL of its own, and prints each step.
    """
    source = click.get_current_context().get_parameter_source
    named = any(source(name) is not ParameterSource.DEFAULT for name in ("port", "emulator_port"))
    registry = registry_path(app, registry)
    contracts = described_contracts(build_table(app, registry), app)
    serving = partial(_serving, app, registry)
    with until_interrupted(), ExitStack() as stack:
        try:
            client = stack.enter_context(serving(port, emulator_port))
        except ConfigurationError:
            if named or not once:
                raise
            port, emulator_port = stack.enter_context(held_ports(2))  # other ports will do until the flow ends
            client = stack.enter_context(serving(port, emulator_port))
        program_url = f"http://127.0.0.1:{port}"
        stack.enter_context(noted(app, DevNote(client.url, program_url)))
        client.register(contracts)
        print_places(client, program_url, f"{counted(len(contracts), 'ability', 'abilities')} of {app}")
        click.echo()
        if opens:
            open_in_browser(f"http://127.0.0.1:{emulator_port}/")
        _play(client, *stack.enter_context(_receiving(client)))
        if not once:
            _keep_serving(client)


class _QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Log nothing: the demo prints its own steps."""


@contextmanager
def _receiving(client: EmulatorClient) -> "Iterator[tuple[ZoneClient, Queue[NotifyEvent]]]":
    """Serve the app's callback URL [99843], on a loopback port that the system chooses, until the end of the block."""
    from wwspec_client import NotifyReceiver  # here, as below: `--help` needs no extra
    from wwspec_devtools.testing.app import App

    app = App(client).client
    events: Queue[NotifyEvent] = Queue()
    token, key, corpid = secrets.token_hex(16), secrets.token_hex(21) + "A", client.info()["corpid"]
    with (
        NotifyReceiver(app, events.put, token=token, encoding_aes_key=key, receive_id=corpid) as receiver,
        make_server("127.0.0.1", 0, receiver, handler_class=_QuietHandler) as server,
    ):
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="callback-server")
        thread.start()
        try:
            client.set_callback(f"http://127.0.0.1:{server.server_port}/callback", token, key)
            yield app, events
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def _serving(app: Path, registry: Path, port: int, emulator_port: int) -> Iterator[EmulatorClient]:
    """Run the emulator and the program until the end of the block.

    Raises:
        ConfigurationError: A port is taken, maybe only since it was found free.
    """
    ports = {"--port": port, "--emulator-port": emulator_port}
    require_free_ports(ports)
    url, program_url = f"http://127.0.0.1:{emulator_port}", f"http://127.0.0.1:{port}"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wwspec-demo-")))
        emulate = ["emulate", "--port", str(emulator_port), "--program-url", program_url]
        emulator = Child(emulate, {"WWSPEC_APP": str(app)}, folder / "emulator.log")
        stack.callback(emulator.stop)
        program = Child(
            ["serve", "--sdk", "emulator", "--app", str(app), "--registry", str(registry), "--port", str(port)]
            + ["--store", f"sqlite:{folder / 'notify.db'}", "--log-level", "INFO"],
            {"WWSPEC_EMULATOR_URL": url, **file_variable(own_settings_file(click.get_current_context()))},
            output=folder / "program.log",
        )
        stack.callback(program.stop)
        try:
            for child in (emulator, program):
                child.announced_url()  # until then it may be a stranger that answers
            program.wait_ready(f"{program_url}/healthz")
        except ChildError:
            stack.close()
            require_free_ports(ports)  # says who has taken one since
            raise
        yield stack.enter_context(EmulatorClient(url))


def _play(client: EmulatorClient, app: "ZoneClient", events: "Queue[NotifyEvent]") -> None:
    """Play the flow, and print a line or two for each step."""
    from wwspec_contracts import sync_msg

    client.receive_events()
    row("app", "set_receive_callback: events go to the program")
    fired = client.fire("conversation_new_message")
    row("WeCom", "event conversation_new_message -> program, encrypted, call_type 2")
    row("program", f"stored it under a fresh notify_id, called spec_notify_app, answered {fired['reply']}")
    try:
        event = events.get(timeout=CALLBACK_LIMIT)
    except Empty:
        raise CallbackError(f"no callback came within {CALLBACK_LIMIT:g} seconds") from None
    row("WeCom", f"program_notify -> app: NotifyId {event.notify_id}, NotifyScene {event.notification.scene}")
    row("app", f"get_callback_data by notify_id: {msgspec.json.encode(event.raw).decode()}")
    messages = pages = 0
    last: Any = None
    for page in app.pages(sync_msg.Request(token=event.raw["conversation_new_message"]["token"], limit=PAGE)):
        pages, messages = pages + 1, messages + len(page.msg_list)
        last = page.msg_list[-1] if page.msg_list else last
        row("app", f"invoke_sync_msg, page {pages}: {len(page.msg_list)} messages")
    row("app", f"{messages} messages in {pages} pages; the last is {last.msgid if last else 'missing'}")
    if "chat_digest" in client.info()["abilities"]:  # a program of `wwspec new` has it, one file alone does not
        digest = app.call("chat_digest", {"limit": PAGE})
        said = f"{digest['messages']} messages of {len(digest['senders'])} senders"
        row("app", f"chat_digest, the program's own code: {said}")
    click.echo("\nEvery call above was encrypted, decoded, checked against its contract, and sealed again.")


def _keep_serving(client: EmulatorClient) -> None:
    """Print what to try, and wait for Ctrl-C or SIGTERM."""
    click.echo("\nStill serving; Ctrl-C ends it. ", nl=False)
    print_call_lines(client, "invoke_sync_msg", '{"limit":2}')
    # Short waits: a signal that another thread receives does not end a long wait here.
    while not Event().wait(TICK):
        pass
