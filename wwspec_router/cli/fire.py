"""`wwspec fire`: an event, as WeCom sends it."""

from typing import Any

import click
import msgspec

from wwspec_router.cli.options import print_json
from wwspec_router.emulator.client import DEFAULT_URL, EmulatorClient


@click.command()
@click.argument("event_type", metavar="EVENT")
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Set a field of the event; VALUE is JSON or text.",
)
@click.option("--url", default=DEFAULT_URL, show_default=True, envvar="WWSPEC_EMULATOR_URL", help="The emulator.")
def command(event_type: str, overrides: tuple[str, ...], url: str) -> None:
    """Let a running emulator send EVENT, such as conversation_new_message, to the program.

    Prints the event, the program's reply, and the notification that the app was sent, if any. Exits with 1 when the
    program does not answer with errcode 0.
    """
    with EmulatorClient(url) as emulator:
        if not emulator.info()["receives_events"]:
            emulator.receive_events()
        before = len(emulator.notifications())
        fired = emulator.fire(event_type, dict(map(_override, overrides)))
        notified = emulator.notifications()[before:]
    reply = msgspec.json.decode(fired["reply"])
    print_json({"event": fired["event"], "reply": reply, "notified": notified})
    if not isinstance(reply, dict) or reply.get("errcode", 0) != 0:
        click.get_current_context().exit(1)


def _override(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise click.UsageError(f'--set takes KEY=VALUE, not "{text}"')
    try:
        return key, msgspec.json.decode(value)
    except msgspec.DecodeError:
        return key, value
