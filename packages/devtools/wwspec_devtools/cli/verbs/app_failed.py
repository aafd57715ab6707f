"""`wwspec app failed`: what a receiver has given up, and another try for it."""

import time
from pathlib import Path

import click

from wwspec_devtools.cli.option_types import EXISTING_FILE
from wwspec_devtools.cli.tables import moment
from wwspec_router.cli.options import print_json


@click.command()
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
