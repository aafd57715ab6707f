"""`wwspec job`: the result of an asynchronous call, later."""

import click

from wwspec_router.cli.callers import Place, caller_options
from wwspec_router.cli.wecom import WeComCommand


@click.command(cls=WeComCommand)
@click.argument("jobid", metavar="ID")
@click.option(
    "--wait",
    type=click.FloatRange(0),
    default=0.0,
    show_default=True,
    help="Seconds to wait for the result.",
)
@caller_options
def command(jobid: str, wait: float, place: Place) -> None:
    """Print the result of the asynchronous call ID, which `wwspec call --async --wait 0` has printed.

    It asks an emulator, or WeCom with --base-url, as `wwspec call` does.

    Exit code: 0 when the program has reported a result, 1 when it has not yet, when it refused the call, or when the ID
    is unknown, 2 for wrong usage.
    """
    with place.caller(program=False) as caller:
        reply = caller.result(jobid, wait)
    if reply is None:
        said = f"the program has reported no result within {wait:g} seconds" if wait else "there is no result yet"
        raise click.ClickException(f"{jobid}: {said}; `{place.job_line(jobid)} --wait 30` waits for it")
    reply.show()
