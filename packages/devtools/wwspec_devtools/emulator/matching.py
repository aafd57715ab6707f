"""The console contracts of a program, applied to requests and results [100019].

Refusals have the platform's errcodes; `wwspec_contracts.matching` compares two JSON values.
"""

from typing import Any

from wwspec_contracts.decoding import decode_json
from wwspec_contracts.errors import JsonError, did_you_mean
from wwspec_contracts.files import ConsoleContract
from wwspec_contracts.matching import mismatches
from wwspec_devtools.emulator.answers import RefusedError
from wwspec_devtools.emulator.state.programs import LinkedProgram

MISFITS = (790014, 790016)
"""Errcodes for a result and a request that do not fit."""

Misfit = tuple[str, str]
"""A path and a reason."""


def registered(program: LinkedProgram, ability_id: str) -> ConsoleContract | None:
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

    An empty list is compared as an empty object: PHP programs write one for the other.
    """
    value = _parsed(text, 790015)
    if contract is not None:
        _refuse(request_misfit(contract, value), 790016)


def check_result(contract: ConsoleContract | None, text: str) -> None:
    """Raise RefusedError unless a result may go to the app: 790013, 790014."""
    value = _parsed(text, 790013)
    if contract is not None:
        _refuse(result_misfit(contract, value), 790014)


def request_misfit(contract: ConsoleContract, value: Any) -> Misfit | None:
    """Return the first misfit of a request; None when it fits the contract."""
    empty = value == [] and isinstance(contract.input, dict)
    return next(mismatches(contract.input, {} if empty else value), None)


def result_misfit(contract: ConsoleContract, value: Any) -> Misfit | None:
    """Return the first misfit of a result; None when it fits the contract."""
    return next(mismatches(contract.output, value), None)


def _parsed(text: str, errcode: int) -> Any:
    try:
        return decode_json(text)
    except JsonError as error:
        raise RefusedError(errcode, str(error)) from None


def _refuse(misfit: Misfit | None, errcode: int) -> None:
    if misfit is not None:
        raise RefusedError(errcode, f"{misfit[0]}: {misfit[1]}")
