"""`wwspec task`: the result of an asynchronous call, later."""

import click
import msgspec

from wwspec_devtools.cli.call_target import Place, caller_options, show_reply
from wwspec_devtools.cli.option_types import Seconds
from wwspec_devtools.cli.wecom import WeComCommand


@click.command(cls=WeComCommand)
@click.argument("jobid", metavar="ID")
@click.option("--wait", type=Seconds(0), default=0.0, show_default=True, help="Seconds to wait for the result.")
@caller_options
def command(jobid: str, wait: float, place: Place) -> None:
    """Print the result of the asynchronous call ID, which `wwspec call --async --wait 0` has printed.

    It asks an emulator, or WeCom with --base-url, as `wwspec call` does.

    Exit code: 0 when the program has reported a result, 1 when it has not yet, when it refused the call, or when the ID
    is unknown, 2 for wrong usage.
    """
    said = f"the program has reported no result within {wait:g} seconds" if wait else "there is no result yet"
    late = f"{jobid}: {said}; `{place.task_line(jobid)} --wait 30` waits for it"
    with place.client(jobid, program=False) as client:
        show_reply(lambda: client.task(jobid, reply=msgspec.Raw).result(wait), late)
