"""What the console does with abilities: registers them, compares them with the admin console's, and calls them.

Its methods return values and do not know HTTP.
"""

from typing import Annotated, Any, Literal

import msgspec

from wwspec_contracts.files import ConsoleContract, DescribedContract
from wwspec_devtools.console_contracts.comparing import compare
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
