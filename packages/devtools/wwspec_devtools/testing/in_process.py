"""A zone within one process: both applications are called in memory, with the stand-in between them.

The only parts that differ from a served zone are the two ways that bytes travel: emulator -> program, and stand-in ->
emulator.
"""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from wwspec_contracts.errors import ConfigurationError
from wwspec_devtools.app_settings import app_variables, settings_file
from wwspec_devtools.console_contracts.described import ConsoleContracts
from wwspec_devtools.emulator.http.app import create_app
from wwspec_devtools.emulator.http.client import EmulatorClient
from wwspec_devtools.emulator.settings import read_settings
from wwspec_devtools.emulator.standin.wwspec_standin.link import NETWORK, HttpLink, LinkError
from wwspec_devtools.emulator.state.world import ChannelTimeoutError, ProgramReply
from wwspec_devtools.testing.memory import MemoryServer, MemoryTransport
from wwspec_devtools.testing.standin import load_standin
from wwspec_router.config import VAR, SdkSource, Settings
from wwspec_router.kernel.call_log import CALLS
from wwspec_router.registry.own_settings import read_own_settings
from wwspec_router.registry.table import build_table
from wwspec_router.sdk.vendor import VendorSdk
from wwspec_router.serving.asgi import ZoneApplication
from wwspec_router.serving.program import ZoneProgram
from wwspec_router.stores import open_store

CALL_LIMIT = 10.0
"""Seconds that the emulator waits for the program, unless its settings or the call have another limit."""
RETRY_PAUSE = 0.02
"""The most seconds before code on an event runs again after its first error. A test waits for it."""
URL = "http://127.0.0.1"
"""The emulator's address in requests: it accepts only a loopback address."""


def start(
    app: Path, registry: Path, own: Mapping[str, object] | None, scene: Path | None, emulator: Mapping[str, Any]
) -> tuple[EmulatorClient, ExitStack, Path]:
    """Start program and emulator; see `Zone.in_process`.

    Returns:
        A client of the emulator, the stack that ends both, and the program's folder for files of its own.
    """
    table = build_table(app, registry)
    played = read_settings(scene, contracts=ConsoleContracts(table), **emulator)
    if played.machines != 1:
        raise ConfigurationError("one process is one machine: several need Zone.serve(app, machines=3)")
    own_settings = read_own_settings(table.settings, settings_file(app), {**os.environ, **app_variables(own or {})})
    channel = _Channel()
    with ExitStack() as stack:
        var = stack.enter_context(own_var())
        platform = create_app(played, channel)
        emulator_server = stack.enter_context(MemoryServer(platform, "zone-emulator"))
        stack.enter_context(_call_lines())
        link = _Link(emulator_server)
        stack.callback(link.close)
        sdk = VendorSdk(load_standin(link), SdkSource.EMULATOR)
        settings = Settings(
            app=app,
            threads=32,
            grace=1.0,
            retry_pause=RETRY_PAUSE,
            queue_timeout=played.call_timeout,  # a busy test machine is no overload
        )
        program = ZoneProgram(table, sdk, open_store("memory:"), settings, own=own_settings)
        channel.program = stack.enter_context(MemoryServer(ZoneApplication(program), "zone-program"))
        client = stack.enter_context(EmulatorClient(URL, MemoryTransport(emulator_server)))
        client.receive_events()
        return client, stack.pop_all(), var


@contextmanager
def own_var() -> Iterator[Path]:
    """Yield an empty folder for the files of a program's code, which the program finds in the environment."""
    before = os.environ.get(VAR)
    with TemporaryDirectory(prefix="wwspec-zone-") as folder:
        os.environ[VAR] = folder
        try:
            yield Path(folder)
        finally:
            os.environ.pop(VAR, None)
            os.environ |= {} if before is None else {VAR: before}


@contextmanager
def _call_lines() -> Iterator[None]:
    """Let the program log each call, so that pytest shows the lines of a failed test."""
    logger = logging.getLogger(CALLS)
    before = logger.level
    if before == logging.NOTSET:
        logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.setLevel(before)


class _Channel:
    """The emulator's way to the program, in memory."""

    program: MemoryServer

    def post(self, url: str, headers: Mapping[str, str], body: str, limit: float | None = None) -> ProgramReply:
        """Send one sealed call; see `world.Channel`."""
        try:
            served = self.program.request("POST", "/", _raw(headers), body.encode(), limit or CALL_LIMIT)
        except (TimeoutError, ConnectionError) as error:
            raise ChannelTimeoutError(type(error).__name__) from None
        pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in served.headers]
        return ProgramReply(served.status, pairs, served.body)


class _Link(HttpLink):
    """The stand-in's way to the emulator, in memory."""

    def __init__(self, emulator: MemoryServer) -> None:
        super().__init__("127.0.0.1", 80)
        self._emulator = emulator

    def _exchange(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, bytes]:
        try:
            served = self._emulator.request(method, path, _raw({"host": "127.0.0.1", **headers}), body or b"")
        except ConnectionError as error:
            raise LinkError(NETWORK, f"the exchange with the emulator failed: {type(error).__name__}") from None
        return served.status, served.body


def _raw(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
