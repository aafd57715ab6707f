"""`wwspec app`: the enterprise app's side of a rollout."""

from pathlib import Path

import click

from wwspec_devtools.cli.candidates import ability_ids
from wwspec_devtools.cli.command_group import CommandGroup
from wwspec_devtools.cli.key_options import key_options
from wwspec_devtools.cli.sealing import prefix_option
from wwspec_devtools.cli.verbs.app_failed import failed
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


command.add_command(failed)
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
