"""Saved requests: files `<ability ID>.<name>.json` in the folder `requests/` of an application, sent by their names.

A file holds the request of one call, and git shares it. This module is the one reader of the folder; a symbolic
link in it is no saved request, so that nothing outside of it is read.
"""

import json
import re
from pathlib import Path

import msgspec

from wwspec_contracts.decoding import decode_json
from wwspec_contracts.errors import ConfigurationError, JsonError, did_you_mean
from wwspec_contracts.input_files import read_file

FOLDER = "requests"
"""The name of the folder in an application."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}")
_SUFFIX = ".json"


class SavedRequest(msgspec.Struct, frozen=True, order=True):
    """The request of one call."""

    name: str
    ability_id: str

    @property
    def file(self) -> str:
        """The name of its file."""
        return f"{self.ability_id}.{self.name}{_SUFFIX}"


class SavedRequests:
    """The saved requests of one application.

    Args:
        folder: The folder `requests/`; it may be missing.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def all(self) -> list[SavedRequest]:
        """Return those that there are, by name and ability ID. Files with other names are left out."""
        found = []
        for path in self.folder.glob(f"*{_SUFFIX}"):
            ability_id, _, name = path.name.removesuffix(_SUFFIX).rpartition(".")
            is_ability = ability_id.isprintable() and ability_id[:1] not in ("", ".")
            if is_ability and is_name(name) and path.is_file() and not path.is_symlink():
                found.append(SavedRequest(name, ability_id))
        return sorted(found)

    def find(self, name: str, ability_id: str = "") -> SavedRequest:
        """Return the saved request of a name.

        Args:
            name: Its name.
            ability_id: Its ability; empty when only one ability has a saved request of this name.

        Raises:
            ConfigurationError: There is none, or several abilities have one.
        """
        saved = self.all()
        named = [each for each in saved if each.name == name]
        found = [each for each in named if ability_id in ("", each.ability_id)]
        if len(found) == 1:
            return found[0]
        abilities = " and ".join(each.ability_id for each in named)
        if found:
            raise ConfigurationError(f"{name} is saved for {abilities}: put the ability before @{name}")
        if named:
            raise ConfigurationError(f"{name} is saved for {abilities}, not for {ability_id}")
        known = {each.name for each in saved if ability_id in ("", each.ability_id)}
        wanted = f"{ability_id or '<ability ID>'}.{name}{_SUFFIX}"
        hint = did_you_mean(name, known, f"saved are {', '.join(sorted(known)[:10])}" if known else "nothing is saved")
        raise ConfigurationError(f"there is no saved request {name}, no file {self.folder / wanted}; {hint}")

    def text(self, saved: SavedRequest) -> str:
        """Return the JSON text of a saved request.

        Raises:
            ConfigurationError: It can't be read, is too large, or is not JSON; one line that names the file.
        """
        path = self.folder / saved.file
        if path.is_symlink():
            raise ConfigurationError(f"{path}: is a link; copy the file that it leads to")
        try:
            text = read_file(path, kind="JSON file").decode("utf-8-sig")
        except UnicodeDecodeError:
            raise ConfigurationError(f"{path}: is not text in UTF-8") from None
        _check(text, str(path))
        return text


def is_name(text: str) -> bool:
    """Return whether a text can be the name of a saved request."""
    return _NAME.fullmatch(text) is not None


def _check(text: str, name: str) -> None:
    try:
        decode_json(text)
    except JsonError as error:
        reason = str(error)
    else:
        return
    try:
        json.loads(text)  # it says the line; it also takes NaN, so it does not decide
    except json.JSONDecodeError as error:
        reason = f"line {error.lineno}, column {error.colno}: {error.msg}"
    except RecursionError:
        pass
    raise ConfigurationError(f"{name}: is not JSON: {reason}")
