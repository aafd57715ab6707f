"""Adds abilities to a new application, from the examples that the admin console already has [100019].

The examples are the contracts. The application gets the files as they are, and for each ability a row that names them,
a handler to complete, and a test. An ability that begins with `invoke_` is an SDK API: one that this release does not
know gets a row without handler.
"""

import builtins
import keyword
import re
import tomllib
import unicodedata
from collections.abc import Container, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

import wwspec_contracts
from wwspec_contracts.errors import ConfigurationError, LoaderError
from wwspec_contracts.files import SIDES, ConsoleContract, read_console_contracts
from wwspec_devtools.console_contracts.described import accepts_error_reply
from wwspec_router.codecs.from_example import contract_of_file
from wwspec_router.config import REGISTRY
from wwspec_router.registry.apis import API_NAME

_APIS = Path(wwspec_contracts.__path__[0], "api")

_PREFIX = "invoke_"
"""Prefix of the passthrough of new programs."""

_FUNC = """
[func]
prefix = "input_"             # input_sync_msg -> the Python demo's {"input": {"func": "sync_msg", "func_req": {...}}}
apis = "*"
"""

_ROW = """
[abilities.%(id)s]
%(target)s
input = %(input)s
output = %(output)s
"""

_HANDLER = '''\
"""The ability `%(name)s`. Its contract is the console example in schemas/."""

from typing import Any

from wwspec_router import AbilityError, ability


@ability
def %(name)s(request: dict[str, Any]) -> dict[str, Any]:
    """Take what the input example lists, and answer with what the output example lists."""
    raise AbilityError("%(name)s is not written yet")
'''

_TEST = '''\
"""The ability `%(name)s`, called with its console example."""

from pathlib import Path

from wwspec_devtools.testing.zone import Zone

REQUEST = Path(__file__).parents[1] / %(input)s


def test_%(name)s_is_not_written_yet(zone: Zone) -> None:
    answer = zone.call(%(id)s, REQUEST.read_text("utf-8"))
    assert answer.errmsg == "%(name)s is not written yet"
'''

_API_TEST = '''\
"""The ability `%(name)s`: the SDK API of its row, which the test answers with the console example."""

import json
from pathlib import Path

from wwspec_devtools.testing.zone import Zone

APP = Path(__file__).parents[1]


def test_%(name)s_returns_what_the_sdk_api_does(zone: Zone) -> None:
    reply = json.loads((APP / %(output)s).read_text("utf-8"))
    zone.answer(%(api)s, reply)
    answer = zone.call(%(id)s, (APP / %(input)s).read_text("utf-8"))
    assert json.loads(answer.raw) == reply
'''


class Added(NamedTuple):
    """An application with the abilities of a folder of console examples."""

    files: dict[str, str]
    """All files of the application: path -> text."""
    handlers: dict[str, str]
    """The files of the handlers to complete, by ability ID."""
    answered: list[str]
    """The abilities of the examples that need no handler."""
    new_apis: dict[str, str]
    """The SDK APIs that this release does not know, by ability ID."""


def add_console_abilities(files: dict[str, str], folder: Path) -> Added:
    """Return an application's files with those for the abilities of a folder of examples added.

    Args:
        files: The new application's, by path.
        folder: Holds `<ability ID>.input.json` and `<ability ID>.output.json`.

    Raises:
        ConfigurationError: An example is missing, is broken, or can't be a contract; or the folder has none.
    """
    contracts = read_console_contracts(folder)
    registry = files[REGISTRY]
    known = tomllib.loads(registry)
    apis = {path.stem for path in _APIS.glob("*.py")}
    if any(_is_api(ability_id, "input_", apis) for ability_id in contracts):
        registry += _FUNC
    answered = [
        ability_id
        for ability_id in contracts
        if ability_id in known["abilities"] or any(_is_api(ability_id, each, apis) for each in (_PREFIX, "input_"))
    ]
    mine = {ability_id: contract for ability_id, contract in contracts.items() if ability_id not in answered}
    if faults := [fault for ability_id, contract in mine.items() for fault in _faults(folder, ability_id, contract)]:
        raise ConfigurationError("\n".join(faults))
    added, handlers, new_apis = dict(files), {}, {}
    for ability_id in mine:
        name = _function_name(ability_id, added)
        paths = {side: f"schemas/{ability_id}.{side}.json" for side in SIDES}
        words = {"name": name, "id": _quote(ability_id), **{side: _quote(path) for side, path in paths.items()}}
        if api := _new_api(ability_id):
            new_apis[ability_id] = api
            words |= {"api": _quote(api), "target": f"api = {_quote(api)}"}
        else:
            words["target"] = f'handler = "abilities.{name}:{name}"'
            handlers[ability_id] = f"abilities/{name}.py"
            added[handlers[ability_id]] = _HANDLER % words
        registry += _ROW % words
        added[f"tests/test_{name}.py"] = (_API_TEST if api else _TEST) % words
        added |= {path: (folder / Path(path).name).read_text("utf-8") for path in paths.values()}
    return Added(added | {REGISTRY: registry}, handlers, answered, new_apis)


def _new_api(ability_id: str) -> str:
    """Return the SDK API of an ability that this release does not know; empty for an ability of the program's own."""
    api = ability_id.removeprefix(_PREFIX)
    return api if api != ability_id and API_NAME.fullmatch(api) else ""


def _is_api(ability_id: str, prefix: str, apis: Container[str]) -> bool:
    return ability_id.startswith(prefix) and ability_id.removeprefix(prefix) in apis


def _faults(folder: Path, ability_id: str, contract: ConsoleContract) -> Iterator[str]:
    """Yield why the examples of an ability can't be its contracts."""
    if not ability_id.isprintable():
        yield f"{folder}: the ability ID {_quote(ability_id)} is not printable text"
    broken = False
    for side in SIDES:
        try:
            contract_of_file(folder / f"{ability_id}.{side}.json")
        except LoaderError as error:
            broken = True
            yield str(error)
    if not broken and not accepts_error_reply(contract):
        output = folder / f"{ability_id}.output.json"
        yield (
            f"{output}: an error reply does not fit, so the app would see 790014 instead; add errcode (a number) and "
            "errmsg (a string), here and in the console"
        )


def _function_name(ability_id: str, files: Container[str]) -> str:
    """Return a name for an ability's handler and its module. It is free, and hides no name of Python."""
    base = re.sub(r"\W+", "_", unicodedata.normalize("NFKC", ability_id).lower()).strip("_")
    if not base.isidentifier() or keyword.iskeyword(base) or hasattr(builtins, base) or base == "ability":
        base = f"ability_{base}".rstrip("_") if f"ability_{base}".isidentifier() else "ability"
    name, number = base, 1
    while name == "ability" or f"abilities/{name}.py" in files:
        number += 1
        name = f"{base}_{number}"
    return name


def _quote(text: str) -> str:
    """Return a string as TOML, JSON and Python write it."""
    return msgspec.json.encode(text).decode()
