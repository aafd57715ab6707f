"""The part of `EmulatorClient` that plays the admins of corps: authorisations, and the provider's command URL."""

from collections.abc import Sequence
from typing import Any


class AdministrationClient:
    """What `EmulatorClient` does to authorisations; each method is for the corp that the client was made for."""

    def _asked(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        raise NotImplementedError

    def authorisations(self) -> list[dict[str, Any]]:
        """Return what each corp has authorised the app for, and until when."""
        found: list[dict[str, Any]] = self._asked("GET", "/emulator/authorisations")["authorisations"]
        return found

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
        return self._act("authorize", permissions, state=state, with_callback=with_callback)

    def cancel(self) -> dict[str, Any]:
        """Take the authorisation back; the provider gets cancel_auth."""
        return self._act("cancel")

    def expire(self, permissions: Sequence[str] | None = None) -> dict[str, Any]:
        """End data permissions now, as after their 90 days; None for all."""
        return self._act("expire", permissions)

    def renew(self, permissions: Sequence[str] | None = None) -> dict[str, Any]:
        """Grant data permissions for 90 days from now on; None for all."""
        return self._act("renew", permissions)

    def change_authorisation(self) -> dict[str, Any]:
        """Send the provider change_auth."""
        return self._act("change")

    def reset_permanent_code(self) -> dict[str, Any]:
        """Give a custom-developed app another secret; the provider gets reset_permanent_code with an auth_code."""
        return self._act("reset-code")

    def push_ticket(self) -> None:
        """Send the provider the latest suite_ticket now."""
        self._act("ticket")

    def send_order(self, info_type: str, edition: int = 3) -> None:
        """Send the provider `advanced_api_insufficient` or `advanced_api_trial_expired`.

        Args:
            info_type: Which of the two.
            edition: Of which there are too few seats: 2 or 3.
        """
        self._act("order", info_type=info_type, edition=edition)

    def commands(self) -> list[dict[str, Any]]:
        """Return the latest callbacks to the command URL: `content`, with its secrets, `state` and `attempts`."""
        found: list[dict[str, Any]] = self._asked("GET", "/emulator/commands")["commands"]
        return found

    def set_public_key(self, public_key: str, version: int) -> None:
        """Set the app's public key as the admin of a self-built app does in the admin console.

        Args:
            public_key: In PEM.
            version: Larger than that of the key before.
        """
        self._asked("POST", "/emulator/public-key", {"public_key": public_key, "public_key_ver": version})

    def set_command_callback(self, url: str, token: str, encoding_aes_key: str) -> None:
        """Let the emulator send commands to another command URL, until it ends or `restore_command_callback`.

        Args:
            url: Of the provider.
            token: The callback's Token.
            encoding_aes_key: The callback's EncodingAESKey.

        Raises:
            EmulatorError: The URL or the key is malformed.
        """
        body = {"url": url, "token": token, "encoding_aes_key": encoding_aes_key}
        self._asked("POST", "/emulator/command-callback", body)

    def restore_command_callback(self) -> None:
        """Let the emulator send commands to the command URL of its start, if it had one."""
        self._asked("DELETE", "/emulator/command-callback")

    def _act(self, name: str, permissions: Sequence[str] | None = None, **more: Any) -> dict[str, Any]:
        chosen = {} if permissions is None else {"permissions": [*permissions]}
        return self._asked("POST", f"/emulator/authorisation/{name}", chosen | more)
