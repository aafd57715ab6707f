"""What a test or a person does to authorisations, and the page of an install link. It plays the admin of a corp.

Its methods return values and do not know HTTP, other than the page's.
"""

import html
from collections.abc import Callable, Mapping
from typing import Annotated, Any
from urllib.parse import urlencode, urlsplit

import msgspec

from wwspec_router.emulator import administration
from wwspec_router.emulator.answers import Answer, RefusedError, accepted, read
from wwspec_router.emulator.http.control import CallbackSpec, Connect
from wwspec_router.emulator.platform import Platform
from wwspec_router.emulator.settings import check_url
from wwspec_router.emulator.state.accounts import App
from wwspec_router.emulator.state.authorisations import AUTH_CODE_SECONDS, PERMISSIONS
from wwspec_router.emulator.state.tickets import Command
from wwspec_router.errors import ConfigurationError, did_you_mean


class Act(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What an act needs besides the corp."""

    permissions: tuple[str, ...] = PERMISSIONS
    """Data permissions, for those that grant or end them."""
    state: str = ""
    """Of the install link, for `authorize`."""
    with_callback: bool = True
    """Whether `authorize` sends create_auth; else its answer has the auth_code."""
    info_type: str = ""
    """Of a callback about seats."""
    edition: Annotated[int, msgspec.Meta(ge=2, le=3)] = 3
    """Of a callback about seats."""


class PublicKey(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A public key, as the admin of a self-built app enters it in the admin console."""

    public_key: str
    public_key_ver: int


class Administration:
    """Plays the admins of the corps of one platform.

    Args:
        platform: The platform.
        connect: Begins to bring commands to a command URL.
    """

    def __init__(self, platform: Platform, connect: Connect) -> None:
        self._platform = platform
        self._connect = connect
        self._acts: dict[str, Callable[[App, Act], str | None]] = {
            "authorize": self._authorize,
            "cancel": lambda app, act: administration.cancel(self._platform.world, app),
            "renew": lambda app, act: administration.renew(self._platform.world, app, act.permissions),
            "expire": lambda app, act: administration.expire(self._platform.world, app, act.permissions),
            "change": lambda app, act: administration.change(self._platform.world, app),
            "reset-code": lambda app, act: administration.reset_permanent_code(self._platform.world, app),
            "ticket": lambda app, act: administration.push_ticket(self._platform.world),
            "order": lambda app, act: administration.order(self._platform.world, app, act.info_type, act.edition),
        }

    def act(self, name: str, body: bytes, corp: str = "") -> Answer:
        """Do what an admin does, and return the `authorisation` afterwards.

        Args:
            name: `authorize`, `cancel`, `renew`, `expire`, `change`, `reset-code`, `ticket` or `order`.
            body: The JSON of an `Act`, or nothing.
            corp: At which corp; empty for the first one.

        Returns:
            The `authorisation`, and `auth_code` when the act makes one.
        """
        world = self._platform.world

        def do() -> Answer:
            if name not in self._acts:
                raise RefusedError(40058, f"no such act; {did_you_mean(name, self._acts, ', '.join(self._acts))}")
            app, act = world.app_of(corp), read(Act, body or b"{}")
            code = self._acts[name](app, act)
            self._platform.changes.wake_all()
            return accepted(authorisation=self._shown(app), **({"auth_code": code} if code else {}))

        return world.answered(do)

    def authorisations(self) -> Answer:
        """Return the `authorisations` of all corps."""
        return accepted(authorisations=[self._shown(app) for app in self._platform.world.apps])

    def commands(self) -> Answer:
        """Return the latest `commands`, oldest first, with their content and what became of them."""
        found, _ = self._platform.world.commands.after(0, 0)
        return accepted(commands=[_command(each) for each in found])

    def set_public_key(self, body: bytes, corp: str = "") -> Answer:
        """Set the public key of an app, as in the admin console, given as the JSON of a `PublicKey`."""
        world = self._platform.world

        def set_key() -> Answer:
            given = read(PublicKey, body)
            with world.lock:
                world.app_of(corp).keys.set_public_key(given.public_key, given.public_key_ver)
            return accepted()

        return world.answered(set_key)

    def set_command(self, body: bytes) -> Answer:
        """Send commands to another command URL, given as the JSON of a `CallbackSpec`, and return its `url`."""

        def connect() -> Answer:
            spec = read(CallbackSpec, body)
            try:
                check_url("url", spec.url)
                self._platform.set_commands(self._connect(spec))
            except ConfigurationError as error:
                raise RefusedError(40058, str(error)) from None
            return accepted(url=spec.url)

        return self._platform.world.answered(connect)

    def restore_command(self) -> Answer:
        """Send commands to the command URL of the start again, if there was one; return its `url`."""
        settings = self._platform.settings
        spec = CallbackSpec(settings.command_url, settings.command_token, settings.command_encoding_aes_key)
        self._platform.set_commands(self._connect(spec) if spec.url else None)
        return accepted(url=spec.url)

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
        try:
            check_url("redirect_uri", query.get("redirect_uri", ""))
        except ConfigurationError as error:
            raise RefusedError(40058, str(error)) from None

    def _authorize(self, app: App, act: Act) -> str:
        world = self._platform.world
        return administration.authorize(world, app, act.permissions, act.state, with_callback=act.with_callback)

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
                    name: {"is_granted": granted.has(name, now), "ends": None if ends == float("inf") else int(ends)}
                    for name, ends in granted.ends.items()
                },
                "receives_events": app.receiver is not None,
            }


def _command(command: Command) -> dict[str, Any]:
    return {"content": command.content, "state": command.state, "attempts": command.attempts}


def _page(content: str) -> str:
    title = "授权应用 / authorise the app"
    return f'<!doctype html><meta charset="utf-8"><title>{title}</title><h1>{title}</h1>{content}'
