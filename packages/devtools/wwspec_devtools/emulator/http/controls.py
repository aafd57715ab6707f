"""What the client of an emulator controls besides the emulator itself: machines, authorisations, faults."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

import msgspec

from wwspec_devtools.emulator.http.control_rows import control

_WAIT_MS = 1000
"""Milliseconds that one request waits for the end of an order; an emulator that ends waits for the request."""


class MachineControls:
    """The machines of the program: `zone.client.machines` in a test.

    A machine that is stopped gets no calls and no events: the others do. Each method returns when it is done.

    Args:
        asked: Asks the emulator.
    """

    def __init__(self, asked: Callable[..., dict[str, Any]]) -> None:
        self._asked = asked

    @control("GET", "/emulator/machines", "machines")
    def states(self) -> list[dict[str, Any]]:
        """Return all machines: `number`, `url`, `state` (`up`, `down`, `unknown`, `stopped`), `pids` and others."""

    def stop(self, number: int) -> None:
        """Stop a machine. It keeps its disk.

        Args:
            number: Of the machine, from 1 on.

        Raises:
            EmulatorError: There is no such machine, or it could not be done.
        """
        self._order(number, "stop")

    def start(self, number: int) -> None:
        """Start a machine that was stopped. Takes and raises what `stop` does."""
        self._order(number, "start")

    def wipe(self, number: int) -> None:
        """Deploy the program anew on a machine: its store and its files are gone. Takes and raises what `stop` does.

        Only who started the program can do this: `wwspec dev --machines` and `Zone.serve(machines=)`.
        """
        self._order(number, "wipe")

    def deploy(self) -> None:
        """Deploy the program anew on each machine, one after the other. Raises what `stop` does."""
        for each in self.states():
            self.wipe(each["number"])

    @control("POST", "/emulator/machines/follow")
    def follow(self) -> None:
        """Say that who calls this has started the machines, and does what is ordered."""

    @control("POST", "/emulator/machines/report", number="machine")
    def report(self, number: int, fault: str = "") -> None:
        """Say that an order is done, or why it failed."""

    @control("POST", "/emulator/machines", number="machine")
    def _give(self, number: Annotated[int, msgspec.Meta(ge=1)], order: Literal["stop", "start", "wipe"]) -> None:
        """Give an order; `_order` waits until it is done."""

    def _order(self, number: int, order: Literal["stop", "start", "wipe"]) -> None:
        self._give(number, order)
        query = urlencode({"wait_ms": _WAIT_MS})
        while not self._asked("GET", f"/emulator/machines/{number}?{query}")["done"]:
            pass


class AdministrationClient:
    """What `EmulatorClient` does to authorisations; each method is for the corp that the client was made for."""

    def _asked(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        raise NotImplementedError

    @control("GET", "/emulator/authorisations", "authorisations")
    def authorisations(self) -> list[dict[str, Any]]:
        """Return what each corp has authorised the app for, and until when."""

    @control("POST", "/emulator/authorisation/authorize", of_corp=True)
    def authorize(
        self, permissions: Sequence[str] | None = None, *, state: str = "", with_callback: bool = True
    ) -> dict[str, Any]:
        """Install the app at the corp, and grant data permissions.

        Args:
            permissions: `chat`, `knowledge` and `document`; None for all.
            state: Of the install link.
            with_callback: Whether create_auth is sent, as after an installation from WeCom's market; otherwise the
                answer's `auth_code` is for the redirect to the provider's site.

        Returns:
            The `authorisation`, and the `auth_code`.

        Raises:
            EmulatorError: The corp has authorised the app already.
        """

    @control("POST", "/emulator/authorisation/cancel", verb="cancel", of_corp=True)
    def cancel(self) -> dict[str, Any]:
        """Let the corp take the authorisation back: cancel_auth. Calls for it are refused from now on.

        Returns:
            The authorisation.
        """

    @control("POST", "/emulator/authorisation/expire", verb="expire", of_corp=True)
    def expire(self, permissions: Sequence[str] | None = None) -> dict[str, Any]:
        """End data permissions now, as 90 days after they were granted. The clock does not move.

        Args:
            permissions: Which data permissions; None for all.

        Returns:
            The authorisation.
        """

    @control("POST", "/emulator/authorisation/renew", verb="renew", of_corp=True)
    def renew(self, permissions: Sequence[str] | None = None) -> dict[str, Any]:
        """Let the corp grant data permissions for 90 days from now on: auth_data_permission.

        Args:
            permissions: Which data permissions; None for all.

        Returns:
            The authorisation.
        """

    @control("POST", "/emulator/authorisation/change", verb="change", of_corp=True)
    def change_authorisation(self) -> dict[str, Any]:
        """Send the provider change_auth, as when a corp changes what the app may use.

        Returns:
            The authorisation.
        """

    @control("POST", "/emulator/authorisation/reset-code", verb="reset-code", of_corp=True)
    def reset_permanent_code(self) -> dict[str, Any]:
        """Give a custom-developed app another secret: reset_permanent_code.

        Returns:
            The authorisation, with the auth_code for it.
        """

    @control("POST", "/emulator/authorisation/ticket")
    def push_ticket(self) -> None:
        """Send the provider the latest suite_ticket now."""

    @control("POST", "/emulator/authorisation/order", verb="order", of_corp=True)
    def send_order(self, info_type: str, edition: Annotated[int, msgspec.Meta(ge=2, le=3)] = 3) -> None:
        """Send the provider a callback about seats.

        It only brings the callback; the emulator models no orders.

        Args:
            info_type: advanced_api_insufficient or advanced_api_trial_expired.
            edition: Which has too few seats.
        """

    @control("GET", "/emulator/commands", "commands")
    def commands(self) -> list[dict[str, Any]]:
        """Return the latest callbacks to the command URL: `content`, with its secrets, `state` and `attempts`."""

    @control("POST", "/emulator/public-key", of_corp=True, version="public_key_ver")
    def set_public_key(self, public_key: str, version: int) -> None:
        """Set the app's public key as the admin of a self-built app does in the admin console.

        Args:
            public_key: In PEM.
            version: Larger than that of the key before.
        """

    @control("POST", "/emulator/command-callback")
    def set_command_callback(self, url: str, token: str, encoding_aes_key: str) -> None:
        """Let the emulator send commands to another command URL, until it ends or `restore_command_callback`.

        Args:
            url: Of the provider.
            token: The callback's Token.
            encoding_aes_key: The callback's EncodingAESKey.

        Raises:
            EmulatorError: The URL or the key is malformed.
        """

    @control("DELETE", "/emulator/command-callback")
    def restore_command_callback(self) -> None:
        """Let the emulator send commands to the command URL of its start, if it had one."""


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
