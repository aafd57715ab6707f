"""The steps of `wwspec app check`: each comes after the steps that it needs."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from wwspec_contracts.errors import ConfigurationError, WWSpecError
from wwspec_devtools.cli.sealing import SYNC_MSG, SealedMessages, pull_messages
from wwspec_devtools.cli.wecom import WeCom
from wwspec_router.config import variable
from wwspec_router.findings import Finding, State

if TYPE_CHECKING:
    from wwspec_client import ZoneClient
    from wwspec_client.key_folder import KeyFolder
    from wwspec_client.models import AuthEdition

EDITIONS = {1: "internal chats", 2: "internal and external chats", 3: "internal and external chats, and voice calls"}
STATUSES = {1: "on trial", 2: "trial over", 3: "paid", 4: "paid time over", 5: "free", 6: "free time over"}
_OVER = (2, 4, 6)
_NOT_YET = 7
_NOT_FOR_THIS_APP = (48001, 48002, 710640)
_NO_PUBLIC_KEY = 710659
_MEMBERS = 1000
_LEVELS = {1: "ERR", 2: "INFO", 3: "DBG"}


@dataclass(frozen=True)
class Trial:
    """What `wwspec app check` tries besides the platform's own APIs."""

    prefix: str
    """What comes before an SDK API's name in the program's ability IDs."""
    ability_id: str
    """Another ability to call; empty for that of `sync_msg`."""
    request: str
    """The request, as JSON."""
    passphrase: str | None
    """Passphrase of the private keys."""


def walk(client: "ZoneClient", wecom: WeCom, keys: "KeyFolder", trial: Trial) -> Iterator[Finding]:
    """Walk a rollout; a step that needs one which has failed is skipped.

    Args:
        client: Of the app.
        wecom: What the client was made of.
        keys: The app's private keys.
        trial: What is tried.
    """
    token = _token(client, wecom)
    yield token
    if token.state is not State.OK:
        yield _skip("the rest", "needs an access token")
        return
    yield from (_scope(client), _members(client))
    program = _program(client, wecom)
    yield program
    if program.state is State.OK:
        yield _debug(client)
        yield from _abilities(client, keys, trial)
    else:
        yield from (_skip(topic, "needs a program of the app") for topic in ("debug", "ability", "keys"))
    yield _callback()


def _skip(topic: str, why: str) -> Finding:
    return Finding(State.SKIP, topic, why)


def _fix(topic: str, error: WWSpecError, todo: str = "") -> Finding:
    """Return the finding for an error. `todo` adds what to do about it."""
    return Finding(State.FIX, topic, f"{error}; {todo}" if todo else str(error), getattr(error, "errcode", 0))


def _token(client: "ZoneClient", wecom: WeCom) -> Finding:
    try:
        client.access_token()
    except WWSpecError as error:
        if getattr(error, "errcode", 0):
            return _fix("token", error, f"check {variable('corpid')} and the app's secrets")
        return _fix("token", error, f"check {variable('base_url')}, the network and the proxy")
    return Finding(State.OK, "token", f"{wecom.url} gives the app of corp {wecom.corpid} an access token")


def _scope(client: "ZoneClient") -> Finding:
    from wwspec_client import ZoneClientError

    try:
        editions = client.get_corp_auth_info().auth_edition_list
    except ZoneClientError as error:
        errcode = getattr(error, "errcode", 0)
        if errcode not in _NOT_FOR_THIS_APP:
            return _fix("scope", error)
        text = (
            f"WeCom does not tell it to this app ({errcode}), such as a corp's own one (document 100237): "
            "the admin console shows what chat archive has been authorised"
        )
        return Finding(State.UNKNOWN, "scope", text, errcode)
    if not editions:
        return Finding(State.FIX, "scope", "the corp has authorised no chat archive: let its administrator do so")
    return _editions(editions)


def _editions(editions: "list[AuthEdition]") -> Finding:
    text = "; ".join(map(_edition, editions))
    if all(each.status in _OVER for each in editions):
        return Finding(State.FIX, "scope", f"{text}: let the corp's administrator renew it")
    if all(each.status in (*_OVER, _NOT_YET) for each in editions):
        return Finding(State.UNKNOWN, "scope", f"{text}: nothing is archived before that")
    return Finding(State.OK, "scope", text)


def _edition(edition: "AuthEdition") -> str:
    what = EDITIONS.get(edition.edition, f"edition {edition.edition}")
    if edition.status == _NOT_YET:
        return f"{what}, from {_day(edition.begin_time)}"
    status = STATUSES.get(edition.status, f"status {edition.status}")
    until = f" until {_day(edition.end_time)}" if edition.end_time else ""
    return f"{what}, {status}{until}"


def _day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")


def _members(client: "ZoneClient") -> Finding:
    try:
        page = client.get_auth_user_list(limit=_MEMBERS)
    except WWSpecError as error:
        return _fix("members", error)
    if not page.auth_user_list:
        return Finding(State.FIX, "members", "no member's chats are archived: choose members in the admin console")
    several = f"{len(page.auth_user_list)}{' or more' if page.has_more else ''}"
    return Finding(State.OK, "members", f"the chats of {several} are archived")


def _program(client: "ZoneClient", wecom: WeCom) -> Finding:
    if not wecom.program_id:
        text = f"no program is named: set {variable('program_id')} to the ID that the admin console shows"
        return Finding(State.FIX, "program", text)
    try:
        level = client.get_log_level()
    except WWSpecError as error:
        return _fix("program", error)
    text = f"{wecom.program_id} is linked with the app; of its log WeCom keeps up to {_LEVELS[level]}"
    return Finding(State.OK, "program", text)


def _debug(client: "ZoneClient") -> Finding:
    try:
        is_open = client.check_debug_mode()
    except WWSpecError as error:
        return _fix("debug", error)
    if not is_open:
        return Finding(State.OK, "debug", "debug mode is closed: calls and events go to the zone")
    text = "debug mode is open: calls and events go to the debug URL; `close_debug_mode` of the client ends it"
    return Finding(State.PRODUCTION, "debug", text)


def _abilities(client: "ZoneClient", keys: "KeyFolder", trial: Trial) -> Iterator[Finding]:
    """Call the program: an ability of the user's, and the one that pulls messages."""
    own, pulls = trial.ability_id, f"{trial.prefix}{SYNC_MSG}"
    if own:
        reply = _reply(lambda: client.call(own, trial.request, reply=msgspec.Raw))
        yield _fix("ability", reply) if isinstance(reply, WWSpecError) else _answers(own)
    pulled = _reply(lambda: pull_messages(client, trial.prefix))
    if not own:
        hint = f"--prefix or --ability names another than {pulls}"
        yield _fix("ability", pulled, hint) if isinstance(pulled, WWSpecError) else _answers(pulls)
    yield from _keys(pulled, keys, trial.passphrase)


def _reply(ask: Callable[[], Any]) -> Any:
    """Return the reply, or the error."""
    try:
        return ask()
    except WWSpecError as error:
        return error


def _answers(ability_id: str) -> Finding:
    return Finding(State.OK, "ability", f"the program answers {ability_id}")


def _keys(pulled: SealedMessages | WWSpecError, folder: "KeyFolder", passphrase: str | None) -> Iterator[Finding]:
    """Compare the keys of the folder with those that seal the messages."""
    try:
        ring = {each.version: each.ring(passphrase) for each in folder.keys}
    except ConfigurationError as error:
        yield _fix("keys", error, f"set {variable('key_passphrase')} if the keys have one")
        return
    for file in folder.keys:
        if file.is_open:
            text = f"{file.path} can be read by others (mode {file.mode:04o}): chmod 600 {file.path}"
            yield Finding(State.FIX, "keys", text)
    if (latest := folder.latest) is not None and not latest.is_registered:
        text = f"version {latest.version} in {folder.path} is not registered: `wwspec keys new` or `rotate` goes on"
        yield Finding(State.FIX, "keys", text)
    yield _compare_keys(pulled, folder, ring)


def _compare_keys(pulled: SealedMessages | WWSpecError, folder: "KeyFolder", ring: dict[int, Any]) -> Finding:
    held = f"{folder.path} has {', '.join(f'version {version}' for version in ring) or 'no key'}"
    if isinstance(pulled, WWSpecError):
        if getattr(pulled, "errcode", 0) == _NO_PUBLIC_KEY:
            return _fix("keys", pulled, "set one: `wwspec keys new`")
        return _skip("keys", f"needs {SYNC_MSG}, since only messages show which key WeCom has; {held}")
    if not pulled.samples:
        text = (
            f"no message of the last 5 days shows which key WeCom has, and no API does; {held}. "
            "WeCom archives nothing before it has one: `wwspec keys new`, then write a message"
        )
        return Finding(State.UNKNOWN, "keys", text)
    if not ring:
        text = f"{pulled.text}; {held}: name the folder with --keys, or make the next key with `wwspec keys new`"
        return Finding(State.UNKNOWN, "keys", text)
    for version, sealed in pulled.samples.items():
        if version not in ring:
            return Finding(State.FIX, "keys", f"{pulled.text}; {held}: put key-{version}.pem there")
        try:
            ring[version].open(msgspec.to_builtins(sealed))
        except WWSpecError as error:
            return _fix("keys", error, f"put the right key-{version}.pem into {folder.path}, or register a new key")
    return Finding(State.OK, "keys", f"{pulled.text}; {folder.path} opens them")


def _callback() -> Finding:
    text = (
        "no API tells where events and notifications go: `set_receive_callback` of the client chooses the program "
        "(again does no harm), the admin console has the app's callback URL, and `wwspec app tail` shows what comes"
    )
    return Finding(State.UNKNOWN, "callback", text)
