"""Console files: the two JSON examples of each ability, as WeCom's admin console has them [100019].

A folder holds `<ability ID>.input.json` and `<ability ID>.output.json`. This module is their one reader and writer; it
does not compare them with anything.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from wwspec_contracts.decoding import decode_json
from wwspec_contracts.errors import ConfigurationError, JsonError, did_you_mean
from wwspec_contracts.input_files import read_file

SIDES = ("input", "output")


class ConsoleContract(msgspec.Struct, frozen=True):
    """The two JSON examples that are registered for one ability, decoded."""

    input: Any
    output: Any


class DescribedContract(ConsoleContract, frozen=True, omit_defaults=True):
    """The examples of one ability, with its description from the program's code, if that is known."""

    target: str = ""
    """What answers, in a few words."""
    declared: str = ""
    """File and row of the registry."""
    doc: str = ""
    timeout: float | None = None
    """Seconds within which the program answers; None for no limit."""
    schemas: dict[str, Any] = {}
    """JSON Schemas of `input` and `output`."""


def read_json(path: Path) -> Any:
    """Return the JSON value that a file holds.

    Raises:
        ConfigurationError: The file can't be read, or is not JSON; one line that names it.
    """
    try:
        return decode_json(read_file(path, did_you_mean(path.name, _json_files_beside(path)), "JSON file"))
    except JsonError as error:
        raise ConfigurationError(f"{path}: is not JSON: {error}") from None


def _json_files_beside(missing: Path) -> list[str]:
    """Return the names of JSON files in the folder of a file that is not there; none if it is there."""
    try:
        return [] if missing.exists() else sorted(each.name for each in missing.parent.glob("*.json"))
    except (OSError, ValueError):  # no file can have such a name
        return []


def read_console_files(folder: Path) -> dict[str, dict[str, Any]]:
    """Read all console files of a folder: ability ID -> side -> example.

    Raises:
        ConfigurationError: There is no such folder, or a JSON file has another name or can't be read; every fault at
            once.
    """
    found, faults = _read(folder)
    _refuse(faults)
    return found


def read_console_contracts(folder: Path) -> dict[str, ConsoleContract]:
    """Read the console files of a folder that has both examples of each ability.

    Raises:
        ConfigurationError: As for `read_console_files`; or an example is missing, or there is none at all.
    """
    found, faults = _read(folder)
    faults += [
        f"{folder / f'{ability_id}.{side}.json'}: is missing; each ability has both an input and an output example"
        for ability_id, sides in found.items()
        for side in SIDES
        if side not in sides
    ]
    if not found and not faults:
        faults = [f"{folder}: holds no <ability ID>.input.json"]
    _refuse(faults)
    return {ability_id: ConsoleContract(**sides) for ability_id, sides in found.items()}


def write_console_files(folder: Path, contracts: Mapping[str, ConsoleContract]) -> None:
    """Write both files of each ability; makes the folder when it is missing.

    Raises:
        ConfigurationError: An ability ID can't be part of a file's name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for ability_id, contract in contracts.items():
        if "/" in ability_id or ability_id.startswith("."):
            raise ConfigurationError(f"the ability ID {ability_id} can't be part of a file's name")
        for side in SIDES:
            text = msgspec.json.format(msgspec.json.encode(getattr(contract, side)), indent=2).decode()
            (folder / f"{ability_id}.{side}.json").write_text(f"{text}\n", encoding="utf-8")


def _read(folder: Path) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Return the examples of a folder, with None for each that can't be read, and the faults."""
    if not folder.is_dir():
        names = "<ability ID>.input.json and <ability ID>.output.json"
        return {}, [f"{folder}: there is no such folder; name the one with {names}"]
    found: dict[str, dict[str, Any]] = {}
    faults = []
    for path in sorted(folder.glob("*.json")):
        ability_id, _, side = path.name.removesuffix(".json").rpartition(".")
        if side not in SIDES or not ability_id:
            faults.append(f"{path}: name it <ability ID>.input.json or <ability ID>.output.json")
            continue
        examples = found.setdefault(ability_id, {})
        try:
            examples[side] = read_json(path)
        except ConfigurationError as error:
            examples[side] = None
            faults.append(str(error))
    return found, faults


def _refuse(faults: list[str]) -> None:
    if faults:
        raise ConfigurationError("\n".join(faults))
