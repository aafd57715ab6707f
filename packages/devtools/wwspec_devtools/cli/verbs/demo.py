"""`wwspec demo`: the documented flow on this machine, with every part real but the platform."""

import secrets
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, Queue
from threading import Event
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

import click
import msgspec
from click.core import ParameterSource

from wwspec_contracts.callbacks import CallbackCrypto, CallbackError, CallbackReceiver
from wwspec_contracts.errors import ConfigurationError
from wwspec_contracts.support.signals import until_interrupted
from wwspec_devtools.app_settings import file_variable
from wwspec_devtools.child import Child, ChildError
from wwspec_devtools.cli.browser import open_in_browser, open_option
from wwspec_devtools.cli.dev_banner import print_call_lines, print_places, row
from wwspec_devtools.cli.emulator_options import port_options
from wwspec_devtools.cli.free_ports import require_free_ports
from wwspec_devtools.console_contracts.described import described_contracts
from wwspec_devtools.emulator.http.client import EmulatorClient
from wwspec_devtools.emulator.settings import EmulatorSettings
from wwspec_devtools.testing.ports import held_ports
from wwspec_router.cli.options import app_options, own_settings_file
from wwspec_router.config import registry_path
from wwspec_router.registry.table import build_table

TICK = 0.2
"""Seconds between two checks for a signal."""
CALLBACK_LIMIT = 10.0
"""Seconds to wait for the notification."""
PAGE = 200
MAX_BODY = 1 << 20


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
            client, callbacks = stack.enter_context(serving(port, emulator_port))
        except ConfigurationError:
            if named or not once:
                raise
            port, emulator_port = stack.enter_context(held_ports(2))  # other ports will do until the flow ends
            client, callbacks = stack.enter_context(serving(port, emulator_port))
        client.register(contracts)
        print_places(client, f"http://127.0.0.1:{port}", f"{len(contracts)} abilities of {app}")
        click.echo()
        if opens:
            open_in_browser(f"http://127.0.0.1:{emulator_port}/")
        _play(client, callbacks)
        if not once:
            _keep_serving(client)


class CallbackServer:
    """The app's callback URL [99843], on a loopback port that the system chooses, within a `with` block.

    Args:
        crypto: Token, key and corpid of the app's callback.
    """

    def __init__(self, crypto: CallbackCrypto) -> None:
        self._callbacks: Queue[dict[str, str]] = Queue()
        receiver, callbacks = CallbackReceiver(crypto), self._callbacks

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._answer(receiver.answer_echo)

            def do_POST(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                body = self.rfile.read(min(length, MAX_BODY)).decode(errors="replace")

                def read(query: Mapping[str, str]) -> str:
                    callbacks.put(dict(receiver.open(query, body).fields))
                    return ""

                self._answer(read)

            def _answer(self, work: Callable[[Mapping[str, str]], str]) -> None:
                query = dict(parse_qsl(urlsplit(self.path).query))
                try:
                    status, text = 200, work(query)
                except CallbackError:
                    status, text = 403, ""
                self.send_response(status)
                self.send_header("content-length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
                """Log nothing: the demo prints its own steps."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="callback-server")

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/callback"

    def receive(self, timeout: float) -> dict[str, str]:
        """Return the fields of the next callback, such as `Event` and `NotifyId`.

        Raises:
            CallbackError: None came within `timeout` seconds.
        """
        try:
            return self._callbacks.get(timeout=timeout)
        except Empty:
            raise CallbackError(f"no callback came within {timeout:g} seconds") from None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@contextmanager
def _serving(
    app: Path, registry: Path, port: int, emulator_port: int
) -> Iterator[tuple[EmulatorClient, CallbackServer]]:
    """Run the app's callback URL, the emulator and the program until the end of the block.

    Raises:
        ConfigurationError: A port is taken, maybe only since it was found free.
    """
    ports = {"--port": port, "--emulator-port": emulator_port}
    require_free_ports(ports)
    url, program_url = f"http://127.0.0.1:{emulator_port}", f"http://127.0.0.1:{port}"
    token, key = secrets.token_hex(16), secrets.token_hex(21) + "A"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wwspec-demo-")))
        callbacks = stack.enter_context(CallbackServer(CallbackCrypto(token, key, EmulatorSettings().corpid)))
        emulator = Child(
            ["emulate", "--port", str(emulator_port), "--program-url", program_url] + ["--callback-url", callbacks.url],
            {"WWSPEC_CALLBACK_TOKEN": token, "WWSPEC_ENCODING_AES_KEY": key},
            output=folder / "emulator.log",
        )
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
        yield stack.enter_context(EmulatorClient(url)), callbacks


def _play(client: EmulatorClient, callbacks: CallbackServer) -> None:
    """Play the flow, and print a line or two for each step."""
    from wwspec_contracts import sync_msg
    from wwspec_devtools.testing.app import App  # here, since `--help` needs no extra

    app = App(client).client
    client.receive_events()
    row("app", "set_receive_callback: events go to the program")
    fired = client.fire("conversation_new_message")
    row("WeCom", "event conversation_new_message -> program, encrypted, call_type 2")
    row("program", f"stored it under a fresh notify_id, called spec_notify_app, answered {fired['reply']}")
    notification = callbacks.receive(CALLBACK_LIMIT)
    notify_id = notification["NotifyId"]
    row("WeCom", f"program_notify -> app: NotifyId {notify_id}, NotifyScene {notification['NotifyScene']}")
    event = app.call("get_callback_data", notify_id=notify_id)
    row("app", f"get_callback_data by notify_id: {msgspec.json.encode(event).decode()}")
    messages = pages = 0
    last: Any = None
    for page in app.pages(sync_msg.Request(token=event["conversation_new_message"]["token"], limit=PAGE)):
        pages, messages = pages + 1, messages + len(page.msg_list)
        last = page.msg_list[-1] if page.msg_list else last
        row("app", f"invoke_sync_msg, page {pages}: {len(page.msg_list)} messages")
    row("app", f"{messages} messages in {pages} pages; the last is {last.msgid if last else 'missing'}")
    digest = app.call("chat_digest", {"limit": PAGE})
    counted = f"{digest['messages']} messages of {len(digest['senders'])} senders"
    row("app", f"chat_digest, the program's own code: {counted}")
    click.echo("\nEvery call above was encrypted, decoded, checked against its contract, and sealed again.")


def _keep_serving(client: EmulatorClient) -> None:
    """Print what to try, and wait for Ctrl-C or SIGTERM."""
    click.echo("\nStill serving; Ctrl-C ends it. ", nl=False)
    print_call_lines(client, "invoke_sync_msg", '{"limit":2}')
    # Short waits: a signal that another thread receives does not end a long wait here.
    while not Event().wait(TICK):
        pass
