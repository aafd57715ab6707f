"""`wwspec call`: one call of an ability, as an enterprise app makes it."""

import click
import msgspec

from wwspec_router.cli.options import print_json
from wwspec_router.emulator.client import DEFAULT_URL, EmulatorClient


@click.command()
@click.argument("ability_id", metavar="ABILITY")
@click.argument("data", metavar="[JSON]", default="{}")
@click.option("--notify-id", default="", help="notify_id of a program_notify callback.")
@click.option("--url", default=DEFAULT_URL, show_default=True, envvar="WWSPEC_EMULATOR_URL", help="The emulator.")
def command(ability_id: str, data: str, notify_id: str, url: str) -> None:
    """Call an ability through a running emulator and print the program's reply.

    Exits with 1 when the platform or the program answers with an errcode other than 0.
    """
    with EmulatorClient(url) as emulator:
        result = emulator.call(ability_id, data, notify_id)
    if result.errcode != 0:
        raise click.ClickException(f"{result.errmsg} ({result.errcode})")
    print_json(msgspec.Raw(result.response_data.encode()))
    reply = result.reply
    if isinstance(reply, dict) and reply.get("errcode", 0) != 0:
        click.get_current_context().exit(1)
