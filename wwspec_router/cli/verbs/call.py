"""`wwspec call`: one call of an ability, as an enterprise app makes it."""

import sys
from pathlib import Path

import click

from wwspec_router.cli.candidates import ability_ids
from wwspec_router.cli.emulator_options import url_option
from wwspec_router.cli.options import needs, print_json
from wwspec_router.cli.verbs.job import job_line, print_answer
from wwspec_router.emulator.http.answer import Answer, NoResultError
from wwspec_router.emulator.http.client import EmulatorClient


@click.command()
@needs("emulator")
@click.argument("ability_id", metavar="ABILITY", shell_complete=ability_ids)
@click.argument("data", metavar="[JSON | @FILE | -]", default="{}")
@click.option("--notify-id", default="", help="notify_id of a program_notify callback.")
@click.option("--async", "asynchronous", is_flag=True, help="Call asynchronously, and wait for the result.")
@click.option(
    "--wait",
    type=click.FloatRange(0),
    default=30.0,
    show_default=True,
    help="Seconds to wait for the result of an asynchronous call; with 0, print its jobid.",
)
@url_option
def command(ability_id: str, data: str, notify_id: str, asynchronous: bool, wait: float, url: str) -> None:
    """Call an ability through a running emulator and print the program's reply.

    The request is JSON text, @FILE that holds it, or - for standard input; {} when it is left out.

    Exit code: 0 when the program has answered, 1 when the platform or the program refused the call or nobody answered,
    2 for wrong usage.
    """
    if asynchronous and notify_id:
        raise click.UsageError("an asynchronous call carries no notify_id")
    request = _request(data)
    with EmulatorClient(url) as emulator:
        if not asynchronous:
            print_answer(emulator.call(ability_id, request, notify_id))
        elif (answer := _result(emulator, ability_id, request, wait)) is not None:
            print_answer(answer)


def _result(emulator: EmulatorClient, ability_id: str, request: str, wait: float) -> Answer[object] | None:
    """Return the answer to an asynchronous call; None when nobody waits for it, and its jobid is printed."""
    submitted = emulator.submit(ability_id, request)
    again = job_line(submitted.jobid, emulator.url)
    if not wait:
        print_json({"jobid": submitted.jobid})
        click.echo(f"`{again}` prints the result", err=True)
        return None
    try:
        return submitted.result(wait)
    except NoResultError as error:
        raise click.ClickException(f"{error}; `{again}` asks again") from None


def _request(data: str) -> str:
    """Return the JSON text that an argument stands for; `@-` is standard input, too, as with curl."""
    if data in ("-", "@-"):
        name, read = "standard input", sys.stdin.buffer.read
    elif data.startswith("@"):
        name, read = data[1:], Path(data[1:]).read_bytes
    else:
        return data
    try:
        return read().decode("utf-8-sig")
    except OSError as error:
        raise click.UsageError(f"{name}: can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise click.UsageError(f"{name}: is not text in UTF-8") from None
