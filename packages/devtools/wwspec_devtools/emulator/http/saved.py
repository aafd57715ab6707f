"""The saved requests of the application, which the console lists and writes.

Its methods return values and do not know HTTP.
"""

import threading
from collections.abc import Callable, Mapping
from typing import Annotated

import msgspec

from wwspec_contracts.errors import ConfigurationError
from wwspec_devtools.console_contracts.saved_requests import SavedRequest, SavedRequests
from wwspec_devtools.emulator.answers import Answer, RefusedError, accepted, read
from wwspec_devtools.emulator.platform import Platform

UNKNOWN_FOLDER = "the emulator knows no folder of saved requests: start it by `wwspec dev`, or with --requests"


class ToSave(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A request to save."""

    ability_id: Annotated[str, msgspec.Meta(min_length=1)]
    name: str
    data: str
    """JSON text."""
    replace: bool = False


class Saved:
    """The saved requests that one emulator knows.

    Args:
        platform: The platform.
    """

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        folder = platform.settings.requests
        self._saved = None if folder is None else SavedRequests(folder)
        self._writing = threading.Lock()

    def names(self, parameters: Mapping[str, str]) -> Answer:
        """Return the `names` of the saved requests of an `ability_id`; null when the emulator knows no folder."""
        ability_id = parameters.get("ability_id", "")
        if self._saved is None:
            return accepted(names=None)
        return accepted(names=[each.name for each in self._saved.all() if each.ability_id == ability_id])

    def text(self, parameters: Mapping[str, str], name: str) -> Answer:
        """Return the JSON text of a saved request of an `ability_id` as `data`."""
        ability_id = parameters.get("ability_id", "")
        return self._answered(lambda saved: accepted(data=saved.text(saved.find(name, ability_id))))

    def save(self, body: bytes) -> Answer:
        """Save a request, given as the JSON of a `ToSave`; `saved` is false when its file is there already."""

        def save(saved: SavedRequests) -> Answer:
            spec = read(ToSave, body)
            with self._writing:
                written = saved.save(SavedRequest(spec.name, spec.ability_id), spec.data, replace=spec.replace)
            return accepted(saved=written)

        return self._answered(save)

    def _answered(self, work: Callable[[SavedRequests], Answer]) -> Answer:
        saved = self._saved

        def answer() -> Answer:
            if saved is None:
                raise RefusedError(40058, UNKNOWN_FOLDER)
            try:
                return work(saved)
            except ConfigurationError as error:
                raise RefusedError(40058, str(error)) from None

        return self._platform.world.answered(answer)
