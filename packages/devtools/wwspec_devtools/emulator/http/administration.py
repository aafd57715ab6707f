"""What a test or a person does to authorisations, and the page of an install link. It plays the admin of a corp.

Its methods return values and do not know HTTP, other than the page's.
"""

import html
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit

from wwspec_devtools.emulator import administration
from wwspec_devtools.emulator.answers import Answer, RefusedError, accepted, refusing
from wwspec_devtools.emulator.callbacks.delivery import COMMANDS
from wwspec_devtools.emulator.platform import PlatformPart
from wwspec_devtools.emulator.settings import CallbackSpec, check_url
from wwspec_devtools.emulator.state.accounts import App
from wwspec_devtools.emulator.state.suites import AUTH_CODE_SECONDS
from wwspec_devtools.emulator.state.tickets import Command


class Administration(PlatformPart):
    """Plays the admins of the corps of one platform."""

    def authorize(self, permissions: Sequence[str] | None, state: str, with_callback: bool, corp: str) -> Answer:
        """Install the app; the answer has the `auth_code` that create_auth brings, or else a redirect."""
        return self._done(corp, administration.authorize, permissions, state, with_callback=with_callback)

    def cancel(self, corp: str) -> Answer:
        """Take the authorisation back."""
        return self._done(corp, administration.cancel)

    def renew(self, permissions: Sequence[str] | None, corp: str) -> Answer:
        """Grant data permissions; None for all."""
        return self._done(corp, administration.renew, permissions)

    def expire(self, permissions: Sequence[str] | None, corp: str) -> Answer:
        """End data permissions now; None for all."""
        return self._done(corp, administration.expire, permissions)

    def change_authorisation(self, corp: str) -> Answer:
        """Send the provider change_auth."""
        return self._done(corp, administration.change)

    def reset_permanent_code(self, corp: str) -> Answer:
        """Give a custom-developed app another secret; the answer has the `auth_code` for it."""
        return self._done(corp, administration.reset_permanent_code)

    def push_ticket(self) -> Answer:
        """Send the provider the latest suite_ticket."""
        return self._done("", lambda world, app: administration.push_ticket(world))

    def send_order(self, info_type: str, edition: int, corp: str) -> Answer:
        """Send the provider a callback about seats."""
        return self._done(corp, administration.order, info_type, edition)

    def _done(self, corp: str, act: Callable[..., str | None], *arguments: Any, **named: Any) -> Answer:
        """Do what an admin does at a corp, and return the `authorisation` afterwards, and the `auth_code`, if any."""
        world = self._platform.world
        app = world.app_of(corp)
        code = act(world, app, *arguments, **named)
        self._platform.changes.wake_all()
        return accepted(authorisation=self._shown(app), **({"auth_code": code} if code else {}))

    def authorisations(self) -> Answer:
        """Return the `authorisations` of all corps."""
        return accepted(authorisations=[self._shown(app) for app in self._platform.world.apps])

    def commands(self) -> Answer:
        """Return the latest `commands`, oldest first, with their content and what became of them."""
        found, _ = self._platform.world.commands.after(0, 0)
        return accepted(commands=[_command(each) for each in found])

    def set_public_key(self, public_key: str, version: int, corp: str) -> Answer:
        """Set the public key of an app, as in the admin console."""
        world = self._platform.world
        with world.lock:
            world.app_of(corp).keys.set_public_key(public_key, version)
        return accepted()

    def set_command_callback(self, url: str, token: str, encoding_aes_key: str) -> Answer:
        """Send commands to another command URL, and return its `url`."""
        return self._platform.set_callback_url(COMMANDS, CallbackSpec(url, token, encoding_aes_key))

    def restore_command_callback(self) -> Answer:
        """Send commands to the command URL of the start again, if there was one; return its `url`."""
        spec = self._platform.settings.command_callback
        return self._platform.set_callback_url(COMMANDS, spec if spec.url else None)

    def install_page(self, query: Mapping[str, str]) -> tuple[int, str]:
        """Return status and HTML of the page of an install link: the admin of a corp agrees there."""
        try:
            self._check_link(query)
        except RefusedError as error:
            return 400, _page(f"<p>{html.escape(str(error))}</p>")
        world = self._platform.world
        with world.lock:
            free = [app for app in world.apps if not app.authorisation.is_installed]
        buttons = "".join(
            f'<p><button name="corp" value="{html.escape(app.corpid)}">{html.escape(app.corp_name)} '
            f"{html.escape(app.corpid)}</button></p>"
            for app in free
        )
        action = html.escape(f"?{urlencode(query)}")
        form = f'<form method="post" action="{action}">{buttons}</form>'
        return 200, _page(form if free else "<p>每个企业都已授权 / every corp has authorised the app</p>")

    def install(self, query: Mapping[str, str], corp: str) -> tuple[int, str]:
        """Install the suite at a corp; return the status, and where the browser goes or what is wrong."""
        world = self._platform.world
        try:
            self._check_link(query)
            state, target = query.get("state", ""), query["redirect_uri"]
            code = administration.authorize(world, world.app_of(corp), state=state, with_callback=False)
        except RefusedError as error:
            return 400, _page(f"<p>{html.escape(str(error))}</p>")
        self._platform.changes.wake_all()
        answer = {"auth_code": code, "expires_in": AUTH_CODE_SECONDS, "state": state}
        return 303, f"{target}{'&' if urlsplit(target).query else '?'}{urlencode(answer)}"

    def _check_link(self, query: Mapping[str, str]) -> None:
        world = self._platform.world
        with world.lock:
            if query.get("suite_id") != world.suite.suite_id:
                raise RefusedError(40083)
            world.suite.check_pre_auth_code(query.get("pre_auth_code", ""), world.clock.now())
        with refusing():
            check_url("redirect_uri", query.get("redirect_uri", ""))

    def _shown(self, app: App) -> dict[str, Any]:
        """Return an authorisation as it is shown; null stands for a permission without an end."""
        world = self._platform.world
        with world.lock:
            granted, now = app.authorisation, world.clock.now()
            return {
                "corpid": app.corpid,
                "corp_name": app.corp_name,
                "agentid": app.agentid,
                "is_installed": app.authorised and granted.is_installed,
                "permissions": {
                    name: {
                        "is_granted": granted.has(name, now),
                        "ends": None if math.isinf(grant.ends) else int(grant.ends),
                    }
                    for name, grant in granted.grants.items()
                },
                "receives_events": app.receiver is not None,
            }


def _command(command: Command) -> dict[str, Any]:
    return {"content": command.fields, "state": command.state, "attempts": command.attempts}


def _page(content: str) -> str:
    title = "授权应用 / authorise the app"
    return f'<!doctype html><meta charset="utf-8"><title>{title}</title><h1>{title}</h1>{content}'
