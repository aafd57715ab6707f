"""`wwspec dev`: program and emulator side by side, while the program is being written."""

import tempfile
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from pathlib import Path

import click
import msgspec

from wwspec_router.cli.child import Child, ChildError
from wwspec_router.cli.emulator_options import allow_host_option, port_options, seed_option
from wwspec_router.cli.options import app_options, needs, store_option
from wwspec_router.config import registry_path
from wwspec_router.contracts.files import read_console_contracts
from wwspec_router.emulator.http.client import EmulatorClient
from wwspec_router.signals import until_interrupted

WATCHED = ("abilities", "schemas")
SUFFIXES = (".py", ".toml", ".json")


@click.command()
@needs("emulator")
@app_options
@port_options
@allow_host_option
@store_option("sqlite:var/dev.db", "Where events wait.")
@seed_option
def command(
    app: Path,
    registry: Path | None,
    port: int,
    emulator_port: int,
    allowed_hosts: tuple[str, ...],
    store: str,
    seed: int,
) -> None:
    """Run the program and the emulator, and restart the program whenever a file of abilities/ or schemas/ changes.

    A program with a fault is reported and tried again at the next change; the emulator keeps its state throughout,
    and learns the program's contracts anew at every start.
    """
    import watchfiles  # here, since it needs the extra

    registry = registry_path(app, registry)
    url, program_url = f"http://127.0.0.1:{emulator_port}", f"http://127.0.0.1:{port}"
    with until_interrupted(), ExitStack() as stack:
        emulate = ["emulate", "--port", str(emulator_port), "--program-url", program_url, "--seed", str(seed)]
        emulator = Child([*emulate, *(f"--allow-host={name}" for name in allowed_hosts)])
        stack.callback(emulator.stop)
        emulator.wait_ready(f"{url}/emulator/info")
        client = stack.enter_context(EmulatorClient(url))
        program = _Program(app, registry, port, store, client)
        stack.callback(program.stop)
        folders = {each for each in (*(app / name for name in WATCHED), registry.parent) if each.is_dir()}
        seen = _state(folders)
        program.start()
        click.echo("watching abilities/ and schemas/; Ctrl-C ends it", err=True)
        # One check a second finds what changed before the watcher was up, or while the program restarted.
        for _ in watchfiles.watch(*folders, yield_on_timeout=True, rust_timeout=1000):
            now = _state(folders)
            if now == seen:
                continue
            seen = now
            click.echo("a file changed: restarting the program", err=True)
            program.stop()
            if program.start():
                click.echo("the program is up again", err=True)


def _state(folders: Iterable[Path]) -> dict[Path, int]:
    """When each file that matters was changed last."""
    found = (path for folder in folders for path in folder.rglob("*") if path.suffix in SUFFIXES)
    state = {}
    for path in found:
        with suppress(OSError):  # removed since it was listed
            state[path] = path.stat().st_mtime_ns
    return state


class _Program:
    """The program under development: started as often as its files change."""

    def __init__(self, app: Path, registry: Path, port: int, store: str, client: EmulatorClient) -> None:
        self._options = ["--app", str(app), "--registry", str(registry)]
        self._port = port
        self._store = store
        self._client = client
        self._child: Child | None = None

    def start(self) -> bool:
        """Register the program's contracts and start it; a fault is shown, and False returned."""
        with tempfile.TemporaryDirectory(prefix="wwspec-dev-") as folder:
            # In a process of its own, since this one would keep the modules of the first time.
            try:
                Child(["contracts", *self._options, "--out", folder]).wait_success()
            except ChildError:
                click.echo("the program is not started; fix the fault, then save the file", err=True)
                return False
            self._client.register(msgspec.to_builtins(read_console_contracts(Path(folder))))
        environment = {
            "WWSPEC_EMULATOR_URL": self._client.url,
            "WWSPEC_STORE": self._store,  # it may hold a password, which a command line would show
            "WWSPEC_STORE_FILE": "",
        }
        self._child = Child(["serve", "--sdk", "emulator", *self._options, "--port", str(self._port)], environment)
        try:
            self._child.wait_ready(f"http://127.0.0.1:{self._port}/healthz")
            self._client.receive_events()
        except ChildError as error:
            click.echo(str(error), err=True)
            return False
        return True

    def stop(self) -> None:
        """End the program, if it runs."""
        if self._child is not None:
            self._child.stop()
            self._child = None
