"""What the console does with abilities: registers and compares them, and calls them.

Its methods return values and do not know HTTP.
"""

from typing import Annotated, Any, Literal

import msgspec

from wwspec_contracts.files import ConsoleContract, DescribedContract
from wwspec_devtools.console_contracts.comparing import compare
from wwspec_devtools.emulator.answers import Answer, RefusedError, accepted, read
from wwspec_devtools.emulator.display.reasons import problem_texts
from wwspec_devtools.emulator.platform import PlatformPart


class Abilities(PlatformPart):
    """The abilities of one platform's program."""

    def register(self, body: bytes) -> Answer:
        """Register the abilities of the program anew, given as JSON: ability ID -> a `DescribedContract`."""
        return self._platform.register({**read(dict[str, DescribedContract], body)})

    def contracts(self) -> Answer:
        """Return the `contracts` that are registered, by ability ID; null in the open mode."""
        world = self._platform.world
        with world.lock:
            contracts = world.program.contracts
        return accepted(contracts=None if contracts is None else msgspec.to_builtins(dict(contracts)))

    def compare(self, own: ConsoleContract, registered: dict[Literal["input", "output"], Any]) -> Answer:
        """Return the `differences` between the examples of the program and those in the admin console.

        Args:
            own: The examples of the program.
            registered: The examples in the admin console; one may be missing.
        """
        found = [
            {**msgspec.to_builtins(each), "why": problem_texts(each.why), "text": str(each)}
            for each in compare(own, registered)
        ]
        return accepted(differences=found)

    def call(
        self,
        ability_id: Annotated[str, msgspec.Meta(min_length=1)],
        request: Any = msgspec.UNSET,
        data: str | None = None,
        notify_id: str = "",
        asynchronous: bool = False,
        *,
        corp: str,
    ) -> Answer:
        """Call the program as the app does.

        Args:
            ability_id: The ability to call.
            request: JSON value; an empty object when neither this nor `data` is given.
            data: The request's text, which need not be JSON.
            notify_id: Of a synchronous call.
            asynchronous: Whether to call asynchronously.
            corp: At which corp; empty for the first one.

        Returns the `number` of the app's entry, and the platform's `answer` to the app: null when a fault cut the
        connection.

        Raises:
            RefusedError: 40058: both `request` and `data`, or a notify_id in an asynchronous call.
        """
        if asynchronous and notify_id:
            raise RefusedError(40058, "notify_id: an asynchronous call carries none")
        text = request_text(request, data)
        called = {"ability_id": ability_id, "request_data": "{}" if text is None else text}
        called |= {"program_id": self._platform.settings.program_id, **({"notify_id": notify_id} if notify_id else {})}
        api = "chatdata/async_program_task" if asynchronous else "chatdata/sync_call_program"
        app = self._platform.world.app_of(corp)
        answer, number = self._platform.call_as_app(api, msgspec.json.encode(called), app)
        return accepted(number=number, answer=answer)


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
