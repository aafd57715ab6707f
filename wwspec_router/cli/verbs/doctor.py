"""`wwspec doctor`: what keeps this machine from running the program, and what production would lack."""

import os
import platform
import sqlite3
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from wwspec_contracts.errors import ConfigurationError, WWSpecError
from wwspec_contracts.support.printable import counted
from wwspec_router.cli.environment import ENV_FILE, without_env_file
from wwspec_router.cli.findings import end, print_findings
from wwspec_router.cli.help import SettingsCommand
from wwspec_router.cli.options import app_options, origin, own_settings_file, setting_options, settings_file
from wwspec_router.cli.ports import Listener, port_finding
from wwspec_router.codecs.fitting import ENGINE
from wwspec_router.config import AUTO, PIN_ON, SETTINGS_FILE, SdkSource, Settings
from wwspec_router.findings import Finding, State, extra_finding, installed_findings
from wwspec_router.process.cores import usable_cores
from wwspec_router.process.elf import ElfError, machine
from wwspec_router.registry.own_settings import read_own_settings
from wwspec_router.registry.table import build_table, check_configuration
from wwspec_router.sdk.access_token import AccessTokenError, fetch_access_token
from wwspec_router.sdk.vendor import MODULE, SUPPORTED_PYTHONS
from wwspec_router.serving.own_cores import plan_cores
from wwspec_router.stores import open_store, risks_of

LOCK = 2.0
"""Seconds to wait for a lock on the store."""
LOAD = 30.0
"""Seconds within which the vendor's SDK must load."""
SAME_MACHINE = {"amd64": "x86_64", "arm64": "aarch64"}
LOADS = f"""
import sys
from pathlib import Path
from wwspec_router.config import SdkSource
from wwspec_contracts.errors import SdkUnavailableError
from wwspec_router.sdk.vendor import load_sdk
try:
    load_sdk(SdkSource.VENDOR, Path(sys.argv[1]))
except SdkUnavailableError as error:
    sys.exit("{MODULE}: " + str(error))
"""
"""Loads the SDK in a process of its own: a compiled module may end its process."""


@click.command(cls=SettingsCommand)
@app_options
@setting_options
@click.option(
    "--production",
    is_flag=True,
    help="Leave out what only developers need, and also exit with 1 when production lacks something.",
)
def command(app: Path, registry: Path | None, production: bool, sdk: str, **options: Any) -> None:
    """Say what keeps this machine from running the program, and what production would lack.

    \b
    One line each:
    ok    nothing to do
    prod  works here, and must be fixed before the program goes into the zone
    fix   does not work; the line names the fix, and the exit code is 1

    Changes nothing: an SQLite file that is not there yet is not made. It imports the application, as `wwspec check`
    does, and judges the settings that `wwspec serve` would have with the same options, and with the variables of .env.
    """  # noqa: D301 - click's own mark for a paragraph that keeps its lines
    config = own_settings_file(click.get_current_context())
    settings = Settings(app=app, registry=registry, config=config, sdk=SdkSource(sdk), **options)
    bad = {State.FIX, State.PRODUCTION} if production else {State.FIX}
    end(print_findings(_findings(settings, production)), bad)


def _findings(settings: Settings, production: bool) -> Iterator[Finding]:
    yield _python()
    yield Finding(State.OK, "checks", f"contracts are checked by {ENGINE}")
    yield extra_finding("zone", State.PRODUCTION, "the vendor's SDK")
    yield _sdk(settings.app)
    yield from _settings(settings)
    yield port_finding(Listener.PROGRAM, settings.port, "--port")
    yield _registry(settings)
    yield _store(settings)
    yield from installed_findings(settings, production=production)


def _python() -> Finding:
    text = f"{platform.python_implementation()} {platform.python_version()}, {_machine()}"
    if sys.implementation.name != "cpython" or sys.version_info[:2] not in SUPPORTED_PYTHONS:
        text += ": the vendor's SDK needs CPython 3.12 (WeCom document 100057)"
        return Finding(State.PRODUCTION, "Python", text)
    return Finding(State.OK, "Python", text)


def _sdk(app: Path) -> Finding:
    """Look for the vendor's module where `run.sh` and `wwspec serve` do: in sdk/, then on sys.path."""
    folders = [app / "sdk", *(Path(each) for each in sys.path if each)]
    suffixes = (".so", sysconfig.get_config_var("EXT_SUFFIX") or ".so")
    file = next((path for each in folders for end in suffixes if (path := each / f"{MODULE}{end}").is_file()), None)
    if file is None:
        text = f"no {MODULE}.so: put the vendor's into {app / 'sdk'} (WeCom document 100057)"
        return Finding(State.PRODUCTION, "SDK", text)
    built_for = _built_for(file)
    if built_for is None:
        return Finding(State.FIX, "SDK", f"{file} is no library for Linux: copy the vendor's file again, whole")
    if (sys.platform, built_for) != ("linux", _machine()):
        text = f"{file} is for Linux on {built_for}, this is {sys.platform} on {_machine()}: build the image for that"
        return Finding(State.PRODUCTION, "SDK", text)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(file.parent), *sys.path]))}
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter
            [sys.executable, "-c", LOADS, str(app)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=LOAD,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Finding(State.FIX, "SDK", f"{file} does not load within {LOAD:g} seconds: copy the vendor's file again")
    if done.returncode == 0:
        return Finding(State.OK, "SDK", f"{file}, {built_for}")
    reason = done.stderr.rpartition(f"{MODULE}: ")[2].strip() if done.returncode > 0 else ""
    text = reason or f"{file} ends the process that loads it: copy the vendor's file again, whole"
    return Finding(State.FIX, "SDK", text)


def _built_for(file: Path) -> str | None:
    """Return the processor that a library is for; None when it is no ELF file."""
    try:
        with file.open("rb") as opened:
            return machine(opened.read(64))
    except (OSError, ElfError):
        return None


def _machine() -> str:
    name = platform.machine().lower()
    return SAME_MACHINE.get(name, name)


def _settings(settings: Settings) -> Iterator[Finding]:
    """Yield the settings that production must not have, or can't start with."""
    context = click.get_current_context()
    file = settings_file(context)
    yield Finding(State.OK, "settings", f"no {SETTINGS_FILE}" if file is None else str(file.path))
    if settings.sdk is SdkSource.EMULATOR:
        text = f"sdk is the emulator's stand-in ({origin(context, 'sdk')}): the zone needs the vendor's"
        yield Finding(State.PRODUCTION, "settings", text)
    if settings.workers == AUTO:
        processes = counted(settings.processes, "worker process", "worker processes")
        yield Finding(State.OK, "workers", f"auto: {processes}, {usable_cores().reason}")
    if settings.pin_workers == PIN_ON and not (plan := plan_cores(PIN_ON, settings.processes)).cores:
        yield Finding(State.UNKNOWN, "workers", f"--pin-workers on has no effect here: {plan.reason}")
    if settings.wrap:
        yield _wrap(settings)
    if settings.debug_fault:
        yield Finding(State.FIX, "settings", settings.debug_fault)
    if settings.debug_token:
        text = f"a debug token is set ({origin(context, 'debug_token')}): without it the SDK leaves its debug mode "
        yield Finding(State.PRODUCTION, "debug", f"{text}(WeCom document 100083)")
    if settings.corpsecret and not settings.debug_fault:
        yield _access_token(settings)


def _wrap(settings: Settings) -> Finding:
    from wwspec_router.serving.asgi import wrap_function  # Starlette, which most programs do without

    try:
        wrap_function(settings)
    except ConfigurationError as error:
        return Finding(State.FIX, "wrap", str(error))
    where = origin(click.get_current_context(), "wrap")
    return Finding(State.OK, "wrap", f"{settings.wrap} ({where}): uvicorn's own HTTP serves what it returns")


def _access_token(settings: Settings) -> Finding:
    """Fetch the access token of debug mode. That changes nothing: WeCom returns the token that is valid."""
    try:
        token = fetch_access_token(settings.api_url, settings.corpid, settings.corpsecret)
    except AccessTokenError as error:
        return Finding(State.FIX, "token", f"{error}; check WWSPEC_CORPID, WWSPEC_CORPSECRET and the network")
    text = f"the access token is valid for {token.seconds:.0f} s more, and renewed by `wwspec serve` before that"
    return Finding(State.OK, "token", text)


def _registry(settings: Settings) -> Finding:
    try:
        table = build_table(settings.app, settings.registry_path)
        check_configuration(table)
        read_own_settings(table.settings, settings.config, os.environ)
    except WWSpecError as error:
        first, *more = str(error).splitlines()
        rest = f" (and {len(more)} more: wwspec check)" if more else ""
        return Finding(State.FIX, "registry", f"{first}{rest}")
    try:
        read_own_settings(table.settings, settings.config, without_env_file(click.get_current_context()))
    except WWSpecError as error:
        text = f"{ENV_FILE} has settings, and `wwspec serve` does not read it: {str(error).splitlines()[0]}"
        return Finding(State.PRODUCTION, "registry", text)
    abilities = counted(len(table.abilities), "ability", "abilities")
    return Finding(State.OK, "registry", f"{table.registry.path}: {abilities}")


def _store(settings: Settings) -> Finding:
    kind, _, path = settings.store_url.partition(":")
    if kind == "memory" and (processes := settings.processes) > 1:
        return Finding(State.FIX, "store", f"memory: is not shared by {processes} worker processes: take another")
    if kind == "memory":
        return Finding(State.PRODUCTION, "store", "memory: forgets all events at a restart: take sqlite: or redis:")
    try:
        if kind == "sqlite" and path:
            return Finding(State.OK, "store", _sqlite(Path(path)))
        with closing(open_store(settings.store_url)) as store:
            store.check()
            if risks := risks_of(store):
                return Finding(State.PRODUCTION, "store", f"{kind} takes writes; {'; '.join(risks)}")
    except WWSpecError as error:
        return Finding(State.FIX, "store", str(error))
    except (OSError, sqlite3.Error) as error:
        text = f"{path} can't be written ({error}): give this user the right to, or take another --store"
        return Finding(State.FIX, "store", text)
    return Finding(State.OK, "store", f"{kind} is reached and takes writes")


def _sqlite(file: Path) -> str:
    """Check a file, or the folder in which it would be made. Neither changes."""
    if file.exists():
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True, timeout=LOCK)) as opened:
            opened.execute("BEGIN IMMEDIATE")
            opened.rollback()
        return f"{file} can be written"
    folder = next(each for each in file.absolute().parents if each.exists())
    if not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)):
        raise PermissionError(f"no file can be made in {folder}")
    return f"{file} is made at the first start"
