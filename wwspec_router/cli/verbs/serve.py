"""`wwspec serve`: the program as the zone runs it."""

from typing import Any

import click

from wwspec_router.cli.help import SettingsCommand
from wwspec_router.cli.options import app_options, own_settings_file, setting_options
from wwspec_router.config import SdkSource, Settings
from wwspec_router.host.extras import require
from wwspec_router.serving.service import serve


@click.command(cls=SettingsCommand)
@app_options
@click.option("--debug", is_flag=True, hidden=True)  # of `wwspec dev --debug`
@setting_options
def command(**options: Any) -> None:
    """Serve the program to the channel.

    A parent process watches over the workers. The application, the registry file, the SDK and the store are checked
    before the port accepts connections.

    Each setting also comes from the environment and from wwspec.toml: --queue-timeout is WWSPEC_QUEUE_TIMEOUT, and the
    key queue-timeout below [serve]. An option goes before the environment, and that before the file.
    """
    settings = settings_of(**options)
    if settings.sdk is SdkSource.EMULATOR:
        require("zone", f"{click.get_current_context().command_path} --sdk emulator")
    serve(settings)


def settings_of(*, sdk: str, **options: Any) -> Settings:
    """Return the settings that the options of `wwspec serve` give."""
    return Settings(sdk=SdkSource(sdk), config=own_settings_file(click.get_current_context()), **options)
