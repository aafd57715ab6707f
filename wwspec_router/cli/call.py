"""`wwspec call`: one call of an ability, as an enterprise app makes it."""

from time import monotonic, sleep

import click
import msgspec

from wwspec_router.cli.candidates import ability_ids
from wwspec_router.cli.emulator_options import url_option
from wwspec_router.cli.options import needs, print_json
from wwspec_router.contracts.decoding import decode_json
from wwspec_router.emulator.http.client import EmulatorClient

POLL = 0.1
"""Seconds between two requests for the result."""


@click.command()
@needs("emulator")
@click.argument("ability_id", metavar="ABILITY", shell_complete=ability_ids)
@click.argument("data", metavar="[JSON]", default="{}")
@click.option("--notify-id", default="", help="notify_id of a program_notify callback.")
@click.option("--async", "asynchronous", is_flag=True, help="Call asynchronously, and wait for the result.")
@click.option(
    "--wait",
    type=click.FloatRange(0),
    default=30.0,
    show_default=True,
    help="Seconds to wait for the result of an asynchronous call.",
)
@url_option
def command(ability_id: str, data: str, notify_id: str, asynchronous: bool, wait: float, url: str) -> None:
    """Call an ability through a running emulator and print the program's reply.

    Exits with 1 when the platform or the program answers with an errcode other than 0.
    """
    if asynchronous and notify_id:
        raise click.UsageError("an asynchronous call carries no notify_id")
    with EmulatorClient(url) as emulator:
        if asynchronous:
            errcode, text = _wait_for_result(emulator, emulator.call_async(ability_id, data), wait)
        else:
            result = emulator.call(ability_id, data, notify_id)
            if result.errcode != 0:
                raise click.ClickException(f"{result.errmsg} ({result.errcode})")
            errcode, text = 0, result.response_data
    if text:
        print_json(msgspec.Raw(text.encode()))
    reply = decode_json(text) if text else None
    if errcode != 0:
        raise click.ClickException(f"the program reported errcode {errcode}")
    if isinstance(reply, dict) and reply.get("errcode", 0) != 0:
        click.get_current_context().exit(1)


def _wait_for_result(emulator: EmulatorClient, jobid: str, seconds: float) -> tuple[int, str]:
    deadline = monotonic() + seconds
    while (result := emulator.async_result(jobid)) is None:
        if monotonic() > deadline:
            raise click.ClickException(f"the program reported no result of {jobid} within {seconds:g} seconds")
        sleep(POLL)
    return result.response_errcode, result.response_data
