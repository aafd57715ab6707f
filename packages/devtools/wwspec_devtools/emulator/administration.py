"""What a corp's admin does to the authorisation of an app, and what the provider is sent of it.

Commands go to the suite's command URL, with the suite as receiver [97172, 90642, 101587]; those about seats to the
provider's system event URL, which here is the same one, with the provider as receiver [100272]. The functions hold no
lock when they are called, and raise `RefusedError`.
"""

import math
from collections.abc import Iterable
from functools import partial

import msgspec

from wwspec_contracts.callbacks import XmlValue
from wwspec_devtools.emulator.answers import RefusedError
from wwspec_devtools.emulator.state.accounts import App
from wwspec_devtools.emulator.state.authorisations import (
    CHAT,
    DOCUMENT,
    KNOWLEDGE,
    ORDERS,
    PERMISSIONS,
    REMINDER_SECONDS,
    Grant,
    granted_at,
)
from wwspec_devtools.emulator.state.keys import MessageKeys
from wwspec_devtools.emulator.state.suites import TICKET_EVERY
from wwspec_devtools.emulator.state.tickets import Command
from wwspec_devtools.emulator.state.world import World

SUITE_TICKET = "suite_ticket"

_CHAT_DATA = 1
"""The AdvanceApiType of chat data."""

_NOT_INSTALLED = "the corp has not authorised the app: wwspec zone authorize"


def begin(world: World) -> None:
    """Let the tickets and the ends of permissions of a new state come by themselves."""
    if world.suite.apps and (world.settings.app_type or world.settings.command_url):
        world.timers.schedule(TICKET_EVERY, partial(_push_by_time, world))
    for app in world.apps:
        for permission in app.authorisation.grants:
            _watch_end(world, app, permission)


def authorize(
    world: World, app: App, permissions: Iterable[str] | None = None, state: str = "", *, with_callback: bool = True
) -> str:
    """Install the app at its corp, and grant data permissions.

    Args:
        world: The emulator's state.
        app: The app at the corp.
        permissions: What the admin grants at once; None for all.
        state: The `state` of the install link.
        with_callback: Whether create_auth brings the auth_code, as after an installation from WeCom's market; else a
            redirect does, as from the provider's site.

    Returns:
        The auth_code; empty for a self-built app.
    """
    kind = world.settings.app_type
    with world.lock:
        authorisation = app.authorisation
        if kind == "self":
            if app.authorised:
                raise RefusedError(40058, "the app has the permission for the zone already")
            app.authorised = True
        elif authorisation.is_installed:
            raise RefusedError(40058, f"{app.corpid} has authorised the app already: wwspec zone cancel ends it")
        corp = world.corp(app)
        authorisation.first_message, authorisation.first_hit = corp.chats.end, corp.rules.end
        authorisation.is_installed = True
        authorisation.grants = {}
        if kind == "self":
            authorisation.grants = dict.fromkeys(PERMISSIONS, granted_at(kind, world.clock.now()))
            return ""
        world.accounts.forget_tokens(app)  # until then they are refused with 48004
        _issue_permanent_code(world, app)
        code = world.suite.issue_auth_code(app, state, world.clock.now(), world.ids)
    if with_callback:
        extra: dict[str, XmlValue] = {"State": state} if state else {}
        _send(world, app, "create_auth", {"AuthCode": code, **extra})
    renew(world, app, permissions)
    return code


def cancel(world: World, app: App) -> None:
    """Take the whole authorisation back; of a self-built app, its permission for the zone."""
    is_self = world.settings.app_type == "self"
    with world.lock:
        _require_installed(app)
        if is_self:
            app.authorised = False
        else:
            app.authorisation.is_installed = False
        app.authorisation.grants = {}
        _forget_setup(world, app)
    if not is_self:
        _send(world, app, "cancel_auth", {"AuthCorpId": app.corpid})


def renew(world: World, app: App, permissions: Iterable[str] | None = None) -> None:
    """Grant data permissions, for 90 days from now on; None for all."""
    for permission in _known(permissions):
        with world.lock:
            _require_installed(app)
            app.authorisation.grants[permission] = granted_at(world.settings.app_type, world.clock.now())
        _watch_end(world, app, permission)
        _send_permission(world, app, "auth_data_permission", permission)


def expire(world: World, app: App, permissions: Iterable[str] | None = None) -> None:
    """End data permissions now, as their 90 days do; None for all."""
    if world.settings.app_type == "self":
        raise RefusedError(40058, "the permission of a self-built app has no end: wwspec zone cancel takes it back")
    for permission in _known(permissions):
        with world.lock:
            _require_installed(app)
            if not app.authorisation.has(permission, world.clock.now()):
                continue
            app.authorisation.grants[permission] = Grant(world.clock.now())
        _end(world, app, permission)


def change(world: World, app: App) -> None:
    """Tell the provider that the corp has changed what the app may use."""
    with world.lock:
        _require_installed(app)
    _send(world, app, "change_auth", {"AuthCorpId": app.corpid})


def reset_permanent_code(world: World, app: App) -> str:
    """Give a custom-developed app another secret, and return the auth_code that the provider exchanges for it."""
    if world.settings.app_type not in ("", "custom"):
        raise RefusedError(40058, "only a custom-developed app has its permanent_code reset [97175]")
    with world.lock:
        _require_installed(app)
        _issue_permanent_code(world, app)
        code = world.suite.issue_auth_code(app, "", world.clock.now(), world.ids)
    _send(world, app, "reset_permanent_code", {"AuthCode": code})
    return code


def push_ticket(world: World) -> None:
    """Send the provider the latest suite_ticket, as the provider's console does by hand."""
    with world.lock:
        ticket = world.suite.ticket(world.clock.now())
    _send(world, None, SUITE_TICKET, {"SuiteTicket": ticket})


def order(world: World, app: App, info_type: str, edition: int) -> None:
    """Send the provider a callback about seats.

    Args:
        world: The emulator's state.
        app: The app at the corp that it is about.
        info_type: One of `ORDERS`.
        edition: Of which edition there are too few seats.
    """
    if info_type not in ORDERS:
        raise RefusedError(40058, f"no such callback about seats: there are {', '.join(ORDERS)}")
    provider = world.settings.provider_corpid
    fields: dict[str, XmlValue] = {"ServiceCorpId": provider, "AuthCorpId": app.corpid, "AdvanceApiType": _CHAT_DATA}
    if info_type == ORDERS[0]:
        fields["ChatArchiveApi"] = {"Edition": edition}
    _deliver(world, app, provider, info_type, fields)


def _push_by_time(world: World) -> None:
    """Push the ticket, and come back in ten minutes. While the clock jumps, only the last ticket is pushed."""
    left = 0.0 if world.timers.until is None else world.timers.until - world.clock.now()
    if left < TICKET_EVERY:
        push_ticket(world)
    world.timers.schedule(max(TICKET_EVERY, left // TICKET_EVERY * TICKET_EVERY), partial(_push_by_time, world))


def _watch_end(world: World, app: App, permission: str) -> None:
    """Remind the provider before a permission's end, and tell it the end, unless it is renewed meanwhile."""
    grant = app.authorisation.grants[permission]
    if math.isinf(grant.ends):
        return

    def is_the_same() -> bool:
        return app.authorisation.grants.get(permission) is grant

    def remind() -> None:
        if is_the_same():
            _send_permission(world, app, "expire_remind_data_permission", permission)

    def end() -> None:
        if is_the_same():
            _end(world, app, permission)

    left = grant.ends - world.clock.now()
    world.timers.schedule(max(0.0, left - REMINDER_SECONDS), remind)
    world.timers.schedule(left, end)


def _end(world: World, app: App, permission: str) -> None:
    if permission == CHAT and not world.settings.expiry_keeps_setup:
        with world.lock:
            _forget_setup(world, app)
    _send_permission(world, app, world.settings.expired_info_type, permission)


def _forget_setup(world: World, app: App) -> None:
    """Forget what the app sets anew after the next authorisation [100142]. The caller holds the lock."""
    app.receiver = None
    app.keys = MessageKeys(app.keys.seed)


def _issue_permanent_code(world: World, app: App) -> None:
    code = f"{world.ids.getrandbits(256):064x}"
    app.authorisation.permanent_code = code
    if world.settings.app_type == "custom":
        app.secret = code


def _require_installed(app: App) -> None:
    if not (app.authorised and app.authorisation.is_installed):
        raise RefusedError(40058, _NOT_INSTALLED)


def _known(permissions: Iterable[str] | None) -> Iterable[str]:
    asked = PERMISSIONS if permissions is None else list(permissions)
    for each in asked:
        if each not in PERMISSIONS:
            raise RefusedError(40058, f"no such data permission: {each!r}; there are {', '.join(PERMISSIONS)}")
    return asked


def _send_permission(world: World, app: App, info_type: str, permission: str) -> None:
    settings = world.settings
    types = {CHAT: "data_zone_chat", KNOWLEDGE: settings.knowledge_auth_type, DOCUMENT: settings.document_auth_type}
    _send(world, app, info_type, {"AuthCorpId": app.corpid, "AuthType": types[permission]})


def _send(world: World, app: App | None, info_type: str, fields: dict[str, XmlValue]) -> None:
    """Send a command of the suite; a self-built app has none."""
    if world.suite.apps:
        suite_id = world.suite.suite_id
        _deliver(world, app, suite_id, info_type, {"SuiteId": suite_id, **fields})


def _deliver(world: World, app: App | None, receiver: str, info_type: str, fields: dict[str, XmlValue]) -> None:
    first, *_ = fields
    content = {first: fields[first], "InfoType": info_type, "TimeStamp": world.clock.seconds(), **fields}
    command = Command(key=world.reference(), receive_id=receiver, fields=content)
    corpid, agentid = ("", None) if app is None else (app.corpid, app.agentid)
    world.commands.send(command, info_type, msgspec.json.encode(content), corpid, agentid)
