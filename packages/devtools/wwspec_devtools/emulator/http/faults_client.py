"""What `EmulatorClient` has for faults and for answers by hand."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from wwspec_devtools.emulator.http.control_rows import control


class FaultsClient:
    """Sets, lists and removes faults and answers by hand."""

    def _asked(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        raise NotImplementedError

    def add_fault(self, on: str, effect: str, api: str = "", value: float = 0, count: int | None = None) -> str:
        """Set a fault and return its id.

        Args:
            on: `app`, `sdk`, `program` or `callback`.
            effect: `errcode`, `return_code`, `latency`, `timeout`, `drop`, `late`, `twice` or `never`.
            api: One API, ability ID or event type; empty for all.
            value: The code, or seconds.
            count: How often; None until it is cleared.

        Raises:
            EmulatorError: The combination makes no sense.
        """
        fault = {"on": on, "effect": effect, "api": api, "value": value, "count": count}
        return str(self._asked("POST", "/emulator/faults", fault)["id"])

    def answer(
        self, api: str, reply: Mapping[str, Any] | None = None, *, times: int | None = None, url: str = ""
    ) -> dict[str, Any]:
        """Answer an SDK API by hand, in place of what the emulator would reply.

        The emulator does nothing else for such a call, and its record says that it was answered by hand. Answers with
        `times` come first, in their order; one without replaces the one without that was set before.

        Args:
            api: The API's name. It may be one that the emulator lacks: the program can call it while an answer is set.
            reply: A JSON object, which the program gets as it is.
            times: How often; None until it is cleared.
            url: Instead of a reply: a server of this machine that gets each request by POST and replies.

        Returns:
            `id`, and `note`, a text when the name is almost that of an API that the emulator has.

        Raises:
            EmulatorError: The reply is no JSON object, or the name can't be that of an API.
        """
        fault = {"on": "sdk", "effect": "answer", "api": api, "count": times, "reply": reply, "url": url}
        return self._asked("POST", "/emulator/faults", fault)

    def clear_answers(self, api: str = "") -> int:
        """Remove the answers by hand of one SDK API, or all, and return how many there were."""
        return int(self._asked("DELETE", f"/emulator/faults?{urlencode({'effect': 'answer', 'api': api})}")["cleared"])

    @control("GET", "/emulator/faults", "faults")
    def faults(self) -> list[dict[str, Any]]:
        """Return the faults and answers that are still set; `taken` counts how often each one worked."""

    def clear_faults(self, fault_id: str = "") -> int:
        """Remove one fault, or all, and return how many there were."""
        return int(self._asked("DELETE", f"/emulator/faults?{urlencode({'id': fault_id})}")["cleared"])
