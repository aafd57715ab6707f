"""The console contracts of a program, applied to what goes in and what comes out [100019].

Says no with the platform's errcodes; how two JSON values are compared is `wwspec_router.contracts.matching`.
"""

from typing import Any

from wwspec_router.contracts.decoding import decode_json
from wwspec_router.contracts.files import ConsoleContract
from wwspec_router.contracts.matching import mismatches
from wwspec_router.emulator.answers import RefusedError
from wwspec_router.emulator.state.accounts import Program
from wwspec_router.errors import JsonError
from wwspec_router.spelling import did_you_mean

__all__ = ["check_request", "check_result", "registered"]


def registered(program: Program, ability_id: str) -> ConsoleContract | None:
    """Return the contract of an ability; None in the open mode, where everything passes.

    Raises:
        RefusedError: 800003.
    """
    if program.contracts is None:
        return None
    contract = program.contracts.get(ability_id)
    if contract is None:
        raise RefusedError(800003, did_you_mean(ability_id, program.contracts, "no contract is registered for it"))
    return contract


def check_request(contract: ConsoleContract | None, text: str) -> None:
    """Raise RefusedError unless a request may go to the program: 790015, 790016.

    An empty list is compared as an empty object, which it is in the JSON of PHP programs.
    """
    value = _parsed(text, 790015)
    if contract is not None:
        empty = value == [] and isinstance(contract.input, dict)
        _check_fit(contract.input, {} if empty else value, 790016)


def check_result(contract: ConsoleContract | None, text: str) -> None:
    """Raise RefusedError unless a result may go to the app: 790013, 790014."""
    value = _parsed(text, 790013)
    if contract is not None:
        _check_fit(contract.output, value, 790014)


def _parsed(text: str, errcode: int) -> Any:
    try:
        return decode_json(text)
    except JsonError as error:
        raise RefusedError(errcode, str(error)) from None


def _check_fit(example: Any, value: Any, errcode: int) -> None:
    first = next(mismatches(example, value), None)
    if first is not None:
        raise RefusedError(errcode, f"{first[0]}: {first[1]}")
