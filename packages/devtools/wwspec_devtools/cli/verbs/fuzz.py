"""`wwspec fuzz`: searches for requests that the application answers badly."""

import random
import sys
from collections.abc import Sequence
from functools import reduce
from operator import or_
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wwspec_contracts.errors import ConfigurationError, did_you_mean
from wwspec_contracts.extras import require
from wwspec_contracts.support.printable import counted
from wwspec_devtools.cli.option_types import Seconds
from wwspec_devtools.console_contracts.targets import wrapped_requests
from wwspec_router.cli.options import app_options
from wwspec_router.config import registry_path
from wwspec_router.registry.table import AbilityTable, build_table
from wwspec_router.registry.targets import Ability, ApiTarget, FuncTarget, HandlerTarget

if TYPE_CHECKING:
    from wwspec_devtools.testing.zone import Zone

EXAMPLES = 200
SHOWN = 20
"""Messages whose ids are taken."""
CLOCK_START = 1_800_000_000
"""Unix time at which the emulated world begins: with the same seed it is the same world each time."""


@click.command()
@click.argument("targets", metavar="[ABILITY|EVENT]...", nargs=-1)
@app_options
@click.option(
    "--examples",
    type=click.IntRange(1),
    default=EXAMPLES,
    show_default=True,
    help="Cases that are tried of each ability and event.",
)
@click.option(
    "--seed", type=click.IntRange(0), help="The same seed tries the same cases.  [default: another each time]"
)
@click.option(
    "--call-timeout",
    type=Seconds(0.1),
    default=5.0,
    show_default=True,
    help="Seconds after which a call that is not answered is a finding.",
)
def command(
    targets: tuple[str, ...], app: Path, registry: Path | None, examples: int, seed: int | None, call_timeout: float
) -> None:
    """Search for requests that the application answers badly.

    That are replies which the platform refuses, and handlers that crash or hang.

    Makes requests from the contracts, some that fit and some that almost fit, and lets SDK calls fail with every
    errcode and return code, come late, or be cut; notifications get lost or come twice. Without a name it tries the
    handlers of the application, and all events. Each finding is made as small as it can be, and printed as a pytest
    test that repeats it: `wwspec fuzz > tests/test_found.py`.

    Exit code: 0 when nothing was found, 1 with a finding, 2 for wrong usage.
    """
    require("testing", click.get_current_context().command_path)
    from wwspec_devtools.fuzz.campaign import HEAD, repeating_test, search  # here, since it needs the extra
    from wwspec_devtools.fuzz.crashes import listening
    from wwspec_devtools.testing.zone import Zone

    table = build_table(app, registry_path(app, registry))
    requests = requests_of(table, targets)
    seed = random.SystemRandom().randrange(2**32) if seed is None else seed
    found = 0
    with (
        listening() as crashes,
        Zone.in_process(app, registry, clock_start=CLOCK_START, call_timeout=call_timeout) as zone,
    ):
        known = known_values(zone, table)
        for number, (target, request) in enumerate(requests.items()):
            progress = _Progress(target)
            for finding in search(
                zone,
                target,
                request,
                examples=examples,
                seed=seed + number,
                crashes=crashes,
                known=known,
                on_case=progress.count,
            ):
                found += 1
                if found == 1:
                    click.echo(HEAD)
                click.echo(f"\n{repeating_test(finding, found, known['token'][0])}")
                progress.found += 1
            progress.end()
    tried = counted(len(requests), "ability or event", "abilities and events")
    click.echo(f"{tried}, seed {seed}: {_findings(found)}", err=True)
    if found:
        sys.exit(1)


def requests_of(table: AbilityTable, names: Sequence[str]) -> dict[str, Any]:
    """Return what is fuzzed: ability ID -> the msgspec type of its request; event type -> the code on it.

    Args:
        table: What the application answers.
        names: Abilities and events; none means the application's own handlers, and all events.

    Raises:
        ConfigurationError: There is no such ability or event.
    """
    chosen = names or [
        *(name for name, ability in table.abilities.items() if isinstance(ability.target, HandlerTarget)),
        *table.events,
    ]
    known = [*table.abilities, *table.events]
    requests: dict[str, Any] = {}
    for name in chosen:
        if name in table.abilities:
            requests[name] = _request(table.abilities[name])
        elif name in table.events:
            requests[name] = table.event_targets.get(name)
        else:
            hint = did_you_mean(name, known, "`wwspec abilities` lists those that there are")
            raise ConfigurationError(f"there is no ability and no event {name}; {hint}")
    return requests


def known_values(zone: "Zone", table: AbilityTable) -> dict[str, list[Any]]:
    """Return values of the emulated world, by the name of their key.

    Args:
        zone: The application in a zone.
        table: What it answers. Ids of messages, people and groups are known when one ability passes `sync_msg` on.
    """
    event = zone.client.fire("conversation_new_message")["event"]
    token = event["conversation_new_message"]["token"]
    known = {"token": [token]}
    pull = next((name for name, each in table.abilities.items() if _passes_on(each, "sync_msg")), None)
    if pull is None:
        return known
    answer = zone.call(pull, {"token": token, "limit": SHOWN})
    messages = [] if answer.refused_by else answer.reply["msg_list"]
    people = [each["sender"]["id"] for each in messages if each.get("sender")]
    ids = {"msgid": [each["msgid"] for each in messages], "chatid": [each.get("chatid") for each in messages]}
    ids |= dict.fromkeys(("userid", "open_userid", "external_userid"), people)
    return known | {key: found for key, each in ids.items() if (found := [value for value in each if value])}


def _passes_on(ability: Ability, api: str) -> bool:
    return isinstance(ability.target, ApiTarget) and ability.target.api == api


def _request(ability: Ability) -> Any:
    target = ability.target
    if isinstance(target, FuncTarget):
        return reduce(or_, wrapped_requests(target).values())
    return target.input.type


class _Progress:
    """One line for each ability: how many cases were tried. On a terminal the number grows during the search."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._tried = 0
        self.found = 0
        self._lives = sys.stderr.isatty()

    def count(self, *_: Any) -> None:
        self._tried += 1
        if self._lives and self._tried % 20 == 0:
            click.echo(f"\r{self._target}: {self._tried} cases", nl=False, err=True)

    def end(self) -> None:
        begin = "\r" if self._lives else ""
        click.echo(f"{begin}{self._target}: {self._tried} cases, {_findings(self.found)}", err=True)


def _findings(number: int) -> str:
    return counted(number, "finding") if number else "no findings"
