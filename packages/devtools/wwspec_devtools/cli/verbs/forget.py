"""`wwspec forget`: all that a program has stored for a corp is removed."""

from collections import Counter

import click

from wwspec_devtools.cli.administration import administration_options, ask, search_result
from wwspec_devtools.cli.call_target import Place
from wwspec_devtools.cli.wecom import WeComCommand
from wwspec_router.cli.options import print_json


@click.command(cls=WeComCommand)
@click.argument("corp", metavar="CORP")
@click.option(
    "--machines",
    type=click.IntRange(1, 1000),
    default=1,
    show_default=True,
    help="How many machines the program runs on: it asks until so many have answered.",
)
@administration_options("forget")
def command(corp: str, machines: int, ability: str, tries: int, place: Place) -> None:
    """Remove all events, jobs, kept values and replies of the corp CORP that the program has stored.

    It asks an emulator, or WeCom with --base-url, as `wwspec call` does, and prints the machines that answered, with
    how much each has removed. The program needs an ability of kind = "forget" in its registry file. CORP is the corp
    of the app that calls; for another one, the row lists the calling corp in from_corps.

    Do this when the app no longer calls: what a running call stores afterwards stays.

    Exit code: 0 when so many machines have answered, 1 when they have not or one has refused, 2 for wrong usage.
    """
    from msgspec.structs import asdict  # here, since `--help` needs no extra

    from wwspec_contracts.administration import ForgetReply

    removed: dict[str, Counter[str]] = {}
    for said in ask(place, "forget", ability, {"corpid": corp}, ForgetReply, tries):
        counts = {name: count for name, count in asdict(said.reply).items() if type(count) is int and name != "errcode"}
        removed.setdefault(said.machine, Counter()).update(counts)
        if len(removed) == machines:
            break
    print_json([{"machine": machine, **counts} for machine, counts in removed.items()])
    if len(removed) < machines:
        raise click.ClickException(
            f"not {machines} yet: {search_result(set(removed), tries)}; call it again, or raise --tries"
        )
