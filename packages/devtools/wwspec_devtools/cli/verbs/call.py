"""`wwspec call`: one call of an ability, as an enterprise app makes it."""

import sys
from pathlib import Path

import click
import msgspec

from wwspec_contracts.errors import ConfigurationError
from wwspec_devtools.cli.call_target import Place, caller_options, show_reply
from wwspec_devtools.cli.candidates import ability_ids, application_folder, saved_names, saved_requests
from wwspec_devtools.cli.option_types import Seconds
from wwspec_devtools.cli.saved_requests import is_name
from wwspec_devtools.cli.wecom import WeComCommand
from wwspec_router.cli.environment import take_env_file
from wwspec_router.cli.options import print_json


def _take_env_file(ctx: click.Context, param: click.Parameter, value: str) -> str:
    take_env_file(ctx, application_folder(ctx))
    return value


@click.command(cls=WeComCommand)
@click.argument(
    "ability_id",
    metavar="ABILITY|@NAME",
    shell_complete=ability_ids,
    is_eager=True,  # the options have the variables, too
    callback=_take_env_file,
)
@click.argument("data", metavar="[JSON|@FILE|-]", default="", shell_complete=saved_names)
@click.option("--notify-id", default="", help="notify_id of a program_notify callback.")
@click.option("--async", "asynchronous", is_flag=True, help="Call asynchronously, and wait for the result.")
@click.option(
    "--wait",
    type=Seconds(0),
    show_default="30, or the emulator's --call-timeout if that is longer",
    help="Seconds to wait for the result of an asynchronous call; with 0, print its jobid.",
)
@caller_options
def command(ability_id: str, data: str, notify_id: str, asynchronous: bool, wait: float | None, place: Place) -> None:
    """Call an ability through a running emulator, or through WeCom, and print the program's reply.

    The request is JSON text, @FILE that holds it, or - for standard input; {} when it is left out. @NAME is a request
    that is saved as requests/ABILITY.NAME.json in the application folder: WWSPEC_APP, else this folder. It needs no
    ABILITY when only one ability has a saved request of this name. The variables of the folder's .env count, too; those
    of the shell go before them.

    With --base-url or WWSPEC_BASE_URL the call goes to WeCom, as the app that --corpid, --corpsecret-file and
    --program-id name, or WWSPEC_CORPID, WWSPEC_CORPSECRET and WWSPEC_PROGRAM_ID; without it to the emulator at --url.

    When a call of an emulator's program failed, standard error has the lines of `wwspec zone show`: why, and where.

    Exit code: 0 when the program has answered, 1 when the platform or the program refused the call or nobody answered,
    2 for wrong usage.
    """
    if asynchronous and notify_id:
        raise click.UsageError("an asynchronous call carries no notify_id")
    ability_id, request = _ability_and_request(ability_id, data)
    with place.client(ability_id, program=True) as client:
        if not asynchronous:
            show_reply(lambda: client.call(ability_id, request, reply=msgspec.Raw, notify_id=notify_id))
            return
        wait = place.result_seconds() if wait is None else wait
        task = client.submit(ability_id, request, reply=msgspec.Raw)
        again = place.task_line(task.jobid)
        if not wait:
            print_json({"jobid": task.jobid})
            click.echo(f"`{again}` prints the result", err=True)
            return
        late = f"{task.jobid}: the program has reported no result within {wait:g} seconds; `{again}` asks again"
        show_reply(lambda: task.result(wait), late)


def _ability_and_request(ability_id: str, data: str) -> tuple[str, str]:
    if ability_id.startswith("@"):
        if data:
            raise click.UsageError(f"{ability_id} is a saved request: name no other beside it")
        name, ability_id = ability_id[1:], ""
    elif is_name(data[1:]) and data.startswith("@") and not Path(data[1:]).is_file():
        name = data[1:]
    else:
        return ability_id, _request(data or "{}")
    saved = saved_requests()
    try:
        found = saved.find(name, ability_id)
        return found.ability_id, saved.text(found)
    except ConfigurationError as error:
        raise click.UsageError(str(error)) from None


def _request(data: str) -> str:
    """Return the JSON text that an argument gives or names. `@-` also means standard input, as with curl."""
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
