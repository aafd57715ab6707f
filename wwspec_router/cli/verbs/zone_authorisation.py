"""The commands of `wwspec zone` that play the admin of a corp, and send the provider what becomes of authorisations."""

from pathlib import Path
from typing import Any

import click

from wwspec_router.cli.emulator_options import with_corp, with_emulator
from wwspec_router.cli.options import print_json
from wwspec_router.cli.tables import json_option, moment, print_list
from wwspec_router.emulator.http.client import EmulatorClient
from wwspec_router.emulator.state.authorisations import ORDERS, PERMISSIONS

_permissions = click.option(
    "--permission",
    "permissions",
    type=click.Choice(PERMISSIONS),
    multiple=True,
    help="Which data permission; may be repeated.  [default: all]",
)


@click.command()
@click.option(
    "--redirect", is_flag=True, help="Send no create_auth, as after an installation from the provider's site."
)
@click.option("--no-data", is_flag=True, help="Grant no data permission yet: `wwspec zone renew` does that.")
@click.option("--state", default="", help="The state of the install link.")
@_permissions
@with_corp
def authorize(
    emulator: EmulatorClient, permissions: tuple[str, ...], redirect: bool, no_data: bool, state: str
) -> None:
    """Let the corp authorise the app, after `cancel`: create_auth, then auth_data_permission. Prints the auth_code.

    The auth_code is exchanged for the permanent_code within ten minutes. The app then sets its public key and calls
    set_receive_callback anew, and gets no message from before.
    """
    chosen = () if no_data else permissions or None
    _print(emulator.authorize(chosen, state=state, with_callback=not redirect))


@click.command()
@with_corp
def cancel(emulator: EmulatorClient) -> None:
    """Let the corp take the authorisation back: cancel_auth. Calls for it are refused from now on."""
    _print(emulator.cancel())


@click.command()
@_permissions
@with_corp
def expire(emulator: EmulatorClient, permissions: tuple[str, ...]) -> None:
    """End data permissions now, as 90 days after they were granted. The clock does not move."""
    _print(emulator.expire(permissions or None))


@click.command()
@_permissions
@with_corp
def renew(emulator: EmulatorClient, permissions: tuple[str, ...]) -> None:
    """Let the corp grant data permissions for 90 days from now on: auth_data_permission."""
    _print(emulator.renew(permissions or None))


@click.command()
@with_corp
def change(emulator: EmulatorClient) -> None:
    """Send the provider change_auth, as when a corp changes what the app may use."""
    _print(emulator.change_authorisation())


@click.command()
@with_corp
def reset_code(emulator: EmulatorClient) -> None:
    """Give a custom-developed app another secret: reset_permanent_code. Prints the auth_code for it."""
    _print(emulator.reset_permanent_code())


@click.command()
@with_emulator
def push_ticket(emulator: EmulatorClient) -> None:
    """Send the provider the latest suite_ticket now. By itself one comes every ten minutes."""
    emulator.push_ticket()
    print_json({"suite_ticket": emulator.info()["suite_ticket"]})


@click.command()
@click.argument("info_type", metavar="INFOTYPE", type=click.Choice(ORDERS))
@click.option("--edition", type=click.IntRange(2, 3), default=3, show_default=True, help="Which has too few seats.")
@with_corp
def order(emulator: EmulatorClient, info_type: str, edition: int) -> None:
    """Send the provider a callback about seats: advanced_api_insufficient or advanced_api_trial_expired.

    It only brings the callback; the emulator models no orders.
    """
    emulator.send_order(info_type, edition)


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
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

    columns = {
        "corpid": lambda row: row["corpid"],
        "name": lambda row: row["corp_name"],
        "agentid": lambda row: str(row["agentid"]),
        "installed": lambda row: "yes" if row["is_installed"] else "no",
        "permissions": permissions,
        "events": lambda row: "yes" if row["receives_events"] else "no",
    }
    print_list(emulator.authorisations(), columns, as_json)


def _print(answer: dict[str, Any]) -> None:
    code = {"auth_code": answer["auth_code"]} if "auth_code" in answer else {}
    print_json({**answer["authorisation"], **code})


ACTS = (authorize, cancel, expire, renew, change, reset_code, push_ticket, order, public_key, authorisations)
"""All of them."""
