"""The commands of `wwspec zone` that play the admin of a corp, and send the provider what becomes of authorisations."""

from pathlib import Path
from typing import Any

import click

from wwspec_devtools.cli.emulator_options import with_corp, with_emulator
from wwspec_devtools.cli.option_types import EXISTING_FILE
from wwspec_devtools.cli.tables import json_option, moment, print_list
from wwspec_devtools.emulator.http.client import EmulatorClient
from wwspec_devtools.emulator.state.authorisations import PERMISSIONS
from wwspec_router.cli.options import print_json


@click.command()
@click.option(
    "--redirect", is_flag=True, help="Send no create_auth, as after an installation from the provider's site."
)
@click.option("--no-data", is_flag=True, help="Grant no data permission yet: `wwspec zone renew` does that.")
@click.option("--state", default="", help="The state of the install link.")
@click.option(
    "--permission",
    "permissions",
    type=click.Choice(PERMISSIONS),
    multiple=True,
    help="Which data permissions; may be repeated.  [default: all]",
)
@with_corp
def authorize(
    emulator: EmulatorClient, permissions: tuple[str, ...], redirect: bool, no_data: bool, state: str
) -> None:
    """Let the corp authorise the app, after `cancel`: create_auth, then auth_data_permission. Prints the auth_code.

    The auth_code is exchanged for the permanent_code within ten minutes. The app then sets its public key and calls
    set_receive_callback anew, and gets no message from before.
    """
    chosen = () if no_data else permissions or None
    answer = emulator.authorize(chosen, state=state, with_callback=not redirect)
    print_json({**answer["authorisation"], **({"auth_code": answer["auth_code"]} if "auth_code" in answer else {})})


@click.command()
@with_emulator
def push_ticket(emulator: EmulatorClient) -> None:
    """Send the provider the latest suite_ticket now. By itself one comes every ten minutes."""
    emulator.push_ticket()
    print_json({"suite_ticket": emulator.info()["suite_ticket"]})


@click.command()
@click.argument("file", type=EXISTING_FILE)
@click.option("--version", type=click.IntRange(1), default=1, show_default=True, help="Of the key.")
@with_corp
def public_key(emulator: EmulatorClient, file: Path, version: int) -> None:
    """Set the public key of a self-built app from the PEM in FILE, as is done in the admin console."""
    emulator.set_public_key(file.read_text(), version)
    print_json({"public_key_ver": version})


@click.command()
@json_option
@with_emulator
def authorisations(emulator: EmulatorClient, as_json: bool) -> None:
    """Print what each corp has authorised the app for, and until when."""

    def permissions(row: dict[str, Any]) -> str:
        shown = ((name, each["ends"], each["is_granted"]) for name, each in row["permissions"].items())
        return ", ".join(
            f"{name} {'until' if granted else 'ended'} {'further notice' if ends is None else moment(ends)}"
            for name, ends, granted in shown
        )

    columns = ("corpid", "name", "agentid", "installed", "permissions", "events")
    cells = {
        "name": lambda row: row["corp_name"],
        "installed": lambda row: "yes" if row["is_installed"] else "no",
        "permissions": permissions,
        "events": lambda row: "yes" if row["receives_events"] else "no",
    }
    print_list(emulator.authorisations(), columns, as_json, cells)


ACTS = (authorize, push_ticket, public_key, authorisations)
"""All of them."""
