"""`wwspec shapes`: what WeCom's servers answer, without any value, against contracts and emulator."""

from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wwspec_contracts.errors import ConfigurationError, SdkUnavailableError
from wwspec_contracts.extras import require
from wwspec_contracts.support.printable import counted
from wwspec_devtools.cli.command_group import CommandGroup
from wwspec_devtools.cli.option_types import FILE
from wwspec_devtools.cli.tables import json_option, print_list
from wwspec_router.cli.help import SettingsCommand
from wwspec_router.cli.options import app_options, print_json, setting_options
from wwspec_router.config import SdkSource, Settings, Topic, settings, variable

if TYPE_CHECKING:
    from wwspec_router.sdk.base import SdkClient

_OTHERS = frozenset(each.name for each in settings().values() if each.topic is not Topic.SDK)
"""The settings that only a program needs."""


@click.group(cls=CommandGroup)
def command() -> None:
    """Record what WeCom answers in debug mode, and compare it with contracts and emulator.

    A file of shapes has keys, types, lengths and errcodes: no message, no name, no id.
    """


@command.command(cls=SettingsCommand)
@click.argument("file", type=FILE)
@click.option("--agentid", type=click.IntRange(1), envvar=variable("agentid"), show_envvar=True, help="The app.")
@click.option("--word", default="项目", show_default=True, help="A word in messages and in names of groups.")
@click.option("--name", default="zhang", show_default=True, help="Part of a person's name.")
@app_options
@partial(setting_options, but=_OTHERS)
def record(
    file: Path, agentid: int | None, word: str, name: str, app: Path, registry: Path | None, sdk: str, **options: Any
) -> None:
    """Call each read-only SDK API, and write the shapes of the answers to FILE.

    It needs what debug mode needs: WeCom's SDK, the debug credential, and corpid and secret of the app. It makes 30 to
    60 small requests and changes nothing. Ids of one answer are used in the next requests, and are not written. Read
    FILE before you share it.
    """
    config = Settings(app=app, registry=registry, sdk=SdkSource(sdk), **options)
    if file.exists():
        raise ConfigurationError(f"{file} exists: name a new file")
    client = _client(config, agentid)
    from wwspec_devtools.shapes.recording import record as recorded, write

    recording = recorded(client, config.sdk, {"word": word, "name": name})
    outcomes = {
        api: sum((each.outcomes for each in cases.values()), Counter()) for api, cases in recording.apis.items()
    }
    if not any(each.errcodes for cases in recording.apis.values() for each in cases.values()):
        codes = ", ".join(sorted({code for each in outcomes.values() for code in each}))
        raise SdkUnavailableError(f"no API was answered, so nothing is written: every call ended with {codes}")
    write(recording, file)
    for api, found in outcomes.items():
        click.echo(f"{api}: {', '.join(f'{times} with {code}' for code, times in found.items())}")
    calls = sum(each.total() for each in outcomes.values())
    click.echo(f"{file}: {counted(len(outcomes), 'API')}, {counted(calls, 'call')}; read it before you share it")


def _client(config: Settings, agentid: int | None) -> "SdkClient":
    """Return a client of the app in debug mode; with the emulator's SDK also without."""
    from wwspec_router.sdk.debug_mode import open_debug_mode
    from wwspec_router.sdk.vendor import load_sdk

    if config.debug_fault:
        raise ConfigurationError(config.debug_fault)
    if config.sdk is SdkSource.EMULATOR:
        require("zone", f"{click.get_current_context().command_path} --sdk emulator")
    elif not config.debug_token:
        raise ConfigurationError(
            f"WeCom answers outside of the zone in debug mode only: set {variable('debug_token')}, "
            f"{variable('corpid')} and {variable('corpsecret')} (WeCom document 100083)"
        )
    missing = [variable(key) for key, value in (("corpid", config.corpid), ("agentid", agentid)) if not value]
    if missing or agentid is None:
        raise click.UsageError(f"the app is not named: set {' and '.join(missing)}")
    sdk = load_sdk(config.sdk, config.app)
    open_debug_mode(sdk, config)
    return sdk.client(config.corpid, agentid, "", "")


@command.command()
@click.argument("file", type=FILE)
@click.option("--test", "as_test", is_flag=True, help="Print a pytest test that fails while there are differences.")
@json_option
def compare(file: Path, as_test: bool, as_json: bool) -> None:
    """Compare FILE with the contracts of this release, and with what its emulator answers to the same requests.

    Prints where recorded answers differ, and exits with 1 when there is such a place. It calls nobody.
    """
    from wwspec_devtools.shapes.comparing import differences, test_of
    from wwspec_devtools.shapes.recording import read

    recording = read(file)
    found = differences(recording)
    if as_test and found:
        click.echo(test_of(recording, found), nl=False)
    elif found:
        names = ("api", "case", "path", "contract", "emulator", "recorded")
        rows = [{name: getattr(each, name) for name in names} for each in found]
        print_list(rows, names, as_json)
    elif as_json and not as_test:
        print_json([])
    else:
        recorded_by = f"recorded by {recording.package} with --sdk {recording.sdk}"
        click.echo(f"{file}: no difference in {counted(len(recording.apis), 'API')}, {recorded_by}")
    if found:
        click.get_current_context().exit(1)
