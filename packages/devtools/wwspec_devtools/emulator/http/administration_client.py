"""The part of `EmulatorClient` that plays the admins of corps: authorisations, and the provider's command URL."""

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec

from wwspec_devtools.emulator.http.control_rows import control


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
