"""`wwspec app`: the enterprise app's side of a rollout."""

import time
from pathlib import Path

import click

from wwspec_devtools.cli.candidates import ability_ids
from wwspec_devtools.cli.command_group import CommandGroup
from wwspec_devtools.cli.key_options import key_options
from wwspec_devtools.cli.option_types import EXISTING_FILE
from wwspec_devtools.cli.sealing import prefix_option
from wwspec_devtools.cli.tables import moment
from wwspec_devtools.cli.verbs.app_tail import tail
from wwspec_devtools.cli.wecom import WeCom, WeComCommand, wecom_options
from wwspec_router.cli.findings import end, print_findings
from wwspec_router.cli.options import print_json
from wwspec_router.findings import State


@click.group(cls=CommandGroup)
def command() -> None:
    """Check an enterprise app and its program as WeCom has them.

    Which app it is comes from the environment, or from options: see `wwspec app check --help`.
    """


command.add_command(tail)


@command.command(cls=WeComCommand)
@click.option(
    "--ability",
    "ability_id",
    default="",
    metavar="ID",
    shell_complete=ability_ids,
    help="An ability without side effects, to be called.  [default: that of sync_msg]",
)
@click.option("--request", default="", metavar="JSON", help="What --ability is called with.  [default: {}]")
@prefix_option
@key_options(confirm=False)
@click.option("--json", "as_json", is_flag=True, help="Print a list of state, topic, text and errcode.")
@wecom_options
def check(
    wecom: WeCom, ability_id: str, request: str, prefix: str, keys: Path, passphrase: str | None, as_json: bool
) -> None:
    """Walk a rollout at WeCom, step by step, and say what to do next.

    \b
    One line each:
    ok    nothing to do
    prod  works, and must be changed before production
    look  no API tells it; the line says where to look
    skip  not tried: it needs a step that has failed
    fix   does not work; the line says what to do, and the exit code is 1

    Changes nothing at WeCom. To see which key WeCom has, it pulls up to 1000 messages, which it does not keep.
    """  # noqa: D301 - click's own mark for a paragraph that keeps its lines
    from wwspec_client.key_folder import KeyFolder
    from wwspec_devtools.cli.app_check import Trial, walk  # it needs the extra

    if request and not ability_id:
        raise click.UsageError("--request goes with --ability")
    with wecom.client(program=False) as client:
        steps = walk(client, wecom, KeyFolder(keys), Trial(prefix, ability_id, request or "{}", passphrase))
        found = list(steps) if as_json else print_findings(steps)
    if as_json:
        print_json([each._asdict() for each in found])
    end(found, {State.FIX})


@command.command()
@click.argument("file", type=EXISTING_FILE)
@click.argument("notify_ids", nargs=-1, metavar="[NOTIFY_ID]...")
@click.option("--retry", is_flag=True, help="Let the receiver try them again, within a second or at its next start.")
@click.option("--json", "as_json", is_flag=True, help="Print a list of notification, attempts, due and reason.")
def failed(file: Path, notify_ids: tuple[str, ...], retry: bool, as_json: bool) -> None:
    """Print the notifications and callbacks that a receiver has given up, and try them again with --retry.

    FILE is that of its SqlitePendingStore. The receiver may run meanwhile. Without a NOTIFY_ID it takes all of them.
    """
    from wwspec_client.notify.core import failed_rows, try_again
    from wwspec_client.running import run_asked
    from wwspec_client.stores import SqlitePendingStore
    from wwspec_contracts.support.printable import printable

    store = SqlitePendingStore(file)
    store.open()
    try:
        now = time.time()
        rows = run_asked(failed_rows(store, now))
        known = {row.notification.notify_id for row in rows}
        if unknown := [each for each in notify_ids if each not in known]:
            raise click.UsageError(f"{file} has no failed notification {unknown[0]}; without a NOTIFY_ID all are shown")
        rows = [row for row in rows if not notify_ids or row.notification.notify_id in notify_ids]
        if retry:
            rows = [row for row in rows if run_asked(try_again(store, row.notification, now))]
    finally:
        store.close()
    if as_json:
        names = ("notification", "attempts", "due", "reason")
        print_json([{name: getattr(row, name) for name in names} for row in rows])
        return
    for row in rows:
        about = f"{row.notification.notify_id} of {row.notification.corpid}, {row.attempts} attempts: {row.reason}"
        click.echo(printable(f"{moment(row.due)} {about}"))
    click.echo(f"{len(rows)} {'are tried again' if retry else 'have failed'}", err=True)
