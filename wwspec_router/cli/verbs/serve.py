"""`wwspec serve`: the program as the zone runs it."""

import os
from typing import Any

import click
from click.core import ParameterSource

from wwspec_contracts.extras import require
from wwspec_router.cli.help import SettingsCommand
from wwspec_router.cli.options import app_options, own_settings_file, setting_options
from wwspec_router.config import SdkSource, Settings
from wwspec_router.serving.service import serve

EMULATOR_URL = "WWSPEC_EMULATOR_URL"


@click.command(cls=SettingsCommand)
@app_options
@click.option(
    "--emulator-url",
    metavar="URL",
    envvar=EMULATOR_URL,
    show_envvar=True,
    help="The emulator, with --sdk emulator.  [default: http://127.0.0.1:8090]",
)
@click.option("--debug", is_flag=True, hidden=True)  # of `wwspec dev --debug`
@setting_options
def command(sdk: str, emulator_url: str | None, **options: Any) -> None:
    """Serve the program to the channel.

    A parent process watches over the workers. The application, the registry file, the SDK and the store are checked
    before the port accepts connections.

    Each setting also comes from the environment and from wwspec.toml: --queue-timeout is WWSPEC_QUEUE_TIMEOUT, and the
    key queue-timeout below [serve]. An option goes before the environment, and that before the file.
    """
    context = click.get_current_context()
    settings = Settings(sdk=SdkSource(sdk), config=own_settings_file(context), **options)
    if settings.sdk is SdkSource.EMULATOR:
        require("zone", f"{context.command_path} --sdk emulator")
    elif context.get_parameter_source("emulator_url") is ParameterSource.COMMANDLINE:
        raise click.UsageError("--emulator-url goes with --sdk emulator: WeCom's SDK finds WeCom by itself")
    if emulator_url:
        os.environ[EMULATOR_URL] = emulator_url  # the stand-in reads it
    serve(settings)
