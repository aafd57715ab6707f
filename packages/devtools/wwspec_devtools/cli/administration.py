"""What `wwspec job` and `wwspec forget` share: calls of an ability that manages what one of several machines has."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from wwspec_devtools.cli.call_target import Place, caller_options
from wwspec_devtools.cli.candidates import ability_ids, ability_of_kind
from wwspec_devtools.cli.option_types import options
from wwspec_router.cli.options import FunctionT

if TYPE_CHECKING:
    from wwspec_contracts.administration import InstanceReply

TRIES = 20
"""How often a machine is searched for: of three machines, one in 3,000 searches does not meet a certain one."""
NO_ABILITY = 800003
"""WeCom has no ability of this ID."""


class Said(NamedTuple):
    """The answer to one call."""

    machine: str
    """The name of the store of the machine that answered."""
    reply: Any
    """None when this machine lacks what is wanted."""


def administration_options(kind: str, tries: int = TRIES) -> Callable[[FunctionT], FunctionT]:
    """Return a decorator that adds `--ability`, `--tries`, and the options that name an emulator or WeCom.

    Args:
        kind: The kind of the ability.
        tries: The default of `--tries`.
    """
    return options(
        click.option(
            "--tries",
            type=click.IntRange(1, 1000),
            default=tries,
            show_default=True,
            help="Calls at most: WeCom chooses the machine that answers a call.",
        ),
        click.option(
            "--ability",
            default="",
            metavar="ID",
            shell_complete=ability_ids,
            help=f'The ability of kind = "{kind}".  [default: the one of the registry file here, else {kind}]',
        ),
        caller_options,
    )


def ask(
    place: Place, kind: str, ability: str, request: object, reply: "type[InstanceReply]", tries: int
) -> Iterator[Said]:
    """Call an ability again and again, and yield the answer to each call.

    Args:
        place: An emulator, or WeCom.
        kind: Of the ability.
        ability: Its ID; empty for the one of the registry file here, or else `kind`.
        request: Of each call.
        reply: The type of the program's reply.
        tries: How many calls at most.

    Raises:
        ClickException: The program has no such ability.
        ZoneClientError: A call was refused, and not because this machine lacks what is wanted.
    """
    ability = ability or ability_of_kind(click.get_current_context(), kind) or kind
    with place.client(ability, program=True) as client:
        from wwspec_client import PlatformError, ProgramError  # here, since it needs the extra
        from wwspec_contracts.decoding import decode_json

        for _ in range(tries):
            try:
                said: Any = client.call(ability, request, reply=reply)
                yield Said(said.instance, said)
            except ProgramError as error:
                if '"instance"' not in error.raw:
                    raise
                yield Said(decode_json(error.raw, reply).instance, None)
            except PlatformError as error:
                if error.errcode != NO_ABILITY:
                    raise
                raise click.ClickException(
                    f'the program has no ability {ability}: give its registry file a row of kind = "{kind}", register '
                    "it in the admin console, and name it with --ability"
                ) from None


def search_result(names: set[str], tries: int) -> str:
    """Return which machines have answered, and in how many calls."""
    listed = f" ({', '.join(sorted(names))})" if names else ""
    return f"{len(names)} {'machine has' if len(names) == 1 else 'machines have'} answered {tries} calls{listed}"
