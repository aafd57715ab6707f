"""What the console does with abilities: registers and compares them, calls them, and saves requests for them.

Its methods return values and do not know HTTP.
"""

import threading
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

import msgspec

from wwspec_contracts.errors import ConfigurationError
from wwspec_contracts.files import ConsoleContract, DescribedContract
from wwspec_devtools.console_contracts.comparing import compare
from wwspec_devtools.console_contracts.saved_requests import SavedRequest, SavedRequests
from wwspec_devtools.emulator.answers import Answer, RefusedError, accepted, read
from wwspec_devtools.emulator.platform import Platform


class AppCall(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """An ability to call, and its request."""

    ability_id: Annotated[str, msgspec.Meta(min_length=1)]
    request: Any = msgspec.UNSET
    """JSON value; an empty object when neither this nor `data` is given."""
    data: str | None = None
    """The request's text, which need not be JSON."""
    notify_id: str = ""
    asynchronous: bool = False

    def body(self, program_id: str) -> bytes:
        """Return the request of `sync_call_program` or `async_program_task`.

        Raises:
            RefusedError: 40058: both `request` and `data`, or a notify_id in an asynchronous call.
        """
        if self.asynchronous and self.notify_id:
            raise RefusedError(40058, "notify_id: an asynchronous call carries none")
        data = request_text(self.request, self.data)
        called = {
            "program_id": program_id,
            "ability_id": self.ability_id,
            "request_data": "{}" if data is None else data,
        }
        return msgspec.json.encode({**called, "notify_id": self.notify_id} if self.notify_id else called)


class Comparison(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What to compare."""

    own: ConsoleContract
    """The examples of the program."""
    registered: dict[Literal["input", "output"], Any]
    """The examples in the admin console; one may be missing."""


class Abilities:
    """The abilities of one platform's program.

    Args:
        platform: The platform.
    """

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def register(self, body: bytes) -> Answer:
        """Register the abilities of the program anew, given as JSON: ability ID -> a `DescribedContract`."""
        return self._platform.world.answered(
            lambda: self._platform.register({**read(dict[str, DescribedContract], body)})
        )

    def contracts(self) -> Answer:
        """Return the `contracts` that are registered, by ability ID; null in the open mode."""
        world = self._platform.world
        with world.lock:
            contracts = world.app.programs[world.settings.program_id].contracts
        return accepted(contracts=None if contracts is None else msgspec.to_builtins(dict(contracts)))

    def compare(self, body: bytes) -> Answer:
        """Return the `differences` between the examples of program and admin console, given as a `Comparison`."""

        def differences() -> Answer:
            both = read(Comparison, body)
            found = [{**msgspec.to_builtins(each), "text": str(each)} for each in compare(both.own, both.registered)]
            return accepted(differences=found)

        return self._platform.world.answered(differences)

    def call(self, body: bytes, corp: str = "") -> Answer:
        """Call the program as the app does, given as the JSON of an `AppCall`.

        Args:
            body: The call.
            corp: At which corp; empty for the first one.

        Returns the `number` of the app's entry, and the platform's `answer` to the app: null when a fault cut the
        connection.
        """
        platform = self._platform

        def make() -> Answer:
            call = read(AppCall, body)
            api = "chatdata/async_program_task" if call.asynchronous else "chatdata/sync_call_program"
            answer, number = platform.call_as_app(
                api, call.body(platform.settings.program_id), platform.world.app_of(corp)
            )
            return accepted(number=number, answer=answer)

        return platform.world.answered(make)


def request_text(request: Any, data: str | None) -> str | None:
    """Return the text of a request that is given as a JSON value or as text; None without both.

    Raises:
        RefusedError: 40058: both.
    """
    if request is msgspec.UNSET:
        return data
    if data is not None:
        raise RefusedError(40058, "give the request as a JSON value (request) or as text (data), not both")
    return msgspec.json.encode(request).decode()


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
