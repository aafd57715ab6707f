"""`wwspec job`: the result of an asynchronous call, later."""

import shlex

import click
import msgspec

from wwspec_router.cli.emulator_options import url_option
from wwspec_router.cli.options import needs, print_json
from wwspec_router.emulator.http.answer import Answer, NoResultError, SubmittedCall
from wwspec_router.emulator.http.client import DEFAULT_URL, EmulatorClient


@click.command()
@needs("emulator")
@click.argument("jobid", metavar="ID")
@click.option(
    "--wait",
    type=click.FloatRange(0),
    default=0.0,
    show_default=True,
    help="Seconds to wait for the result.",
)
@url_option
def command(jobid: str, wait: float, url: str) -> None:
    """Print the result of the asynchronous call ID, which `wwspec call --async --wait 0` has printed.

    Exit code: 0 when the program has reported a result, 1 when it has not yet, when it refused the call, or when the ID
    is unknown, 2 for wrong usage.
    """
    with EmulatorClient(url) as emulator:
        try:
            answer = SubmittedCall(jobid, lambda: emulator.result(jobid)).result(wait)
        except NoResultError as error:
            again = f"`{job_line(jobid, emulator.url)} --wait 30` waits for it"
            raise click.ClickException(f"{error if wait else f'{jobid}: there is no result yet'}; {again}") from None
    print_answer(answer)


def job_line(jobid: str, url: str) -> str:
    """Return the command that fetches the result of an asynchronous call."""
    where = "" if url == DEFAULT_URL else f" --url {shlex.quote(url)}"
    return f"wwspec job {shlex.quote(jobid)}{where}"


def print_answer(answer: Answer[object]) -> None:
    """Print the program's reply, also one that refuses the call.

    Raises:
        CallRefusedError: The call was refused, so the exit code is 1.
    """
    if answer.raw:
        print_json(msgspec.Raw(answer.raw.encode()))
    answer.raise_for_error()
