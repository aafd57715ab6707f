"""What an app sets for its members and programs: masking, log level, debug mode [100055, 100106, 100082].

Each function takes the state, the calling app and the request's JSON, and raises `RefusedError`. The log level is only
stored: the stand-in prints every line.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from wwspec_devtools.emulator.answers import Answer, RefusedError, accepted, read, require
from wwspec_devtools.emulator.state.accounts import App
from wwspec_devtools.emulator.state.corps import Corp, Masking
from wwspec_devtools.emulator.state.people import EMPLOYEE
from wwspec_devtools.emulator.state.world import World

DEBUG_TOKEN_SECONDS = 3 * 86400
"""Validity of a debug credential [100082]."""

_INFO = 2
_CLOSED, _OPEN = 1, 2


class SetMasking(msgspec.Struct, kw_only=True, frozen=True):
    """Request of `set_hide_sensitiveinfo_config`."""

    userid: str = ""
    config: Masking | None = None


class GetMasking(msgspec.Struct, kw_only=True, frozen=True):
    """Request of `get_hide_sensitiveinfo_config`."""

    userid: str = ""


class SetLogLevel(msgspec.Struct, kw_only=True, frozen=True):
    """Request of `set_log_level`."""

    program_id: str = ""
    log_level: Annotated[int, Meta(ge=1, le=3)] | None = None


class OfProgram(msgspec.Struct, kw_only=True, frozen=True):
    """Request of the APIs that name only a program."""

    program_id: str = ""


class OpenDebugMode(msgspec.Struct, kw_only=True, frozen=True):
    """Request of `open_debug_mode`."""

    program_id: str = ""
    debug_token: str = ""


def set_hide_sensitiveinfo_config(world: World, app: App, body: bytes) -> Answer:
    """Replace what the chat component hides from a member."""
    request = read(SetMasking, body)
    require(userid=request.userid, config=request.config)
    with world.lock:
        _corp_of(world, app, request.userid).masking[request.userid] = request.config or Masking()
    return accepted()


def get_hide_sensitiveinfo_config(world: World, app: App, body: bytes) -> Answer:
    """Return what the chat component hides from a member; nothing before it was set."""
    request = read(GetMasking, body)
    require(userid=request.userid)
    with world.lock:
        config = _corp_of(world, app, request.userid).masking.get(request.userid, Masking())
    return accepted(config=config)


def set_log_level(world: World, app: App, body: bytes) -> Answer:
    """Store a program's log level for the app."""
    request = read(SetLogLevel, body)
    require(program_id=request.program_id, log_level=request.log_level)
    with world.lock:
        app.operation(request.program_id).log_level = request.log_level or _INFO
    return accepted()


def get_log_level(world: World, app: App, body: bytes) -> Answer:
    """Return a program's log level; INFO before it was set."""
    request = read(OfProgram, body)
    require(program_id=request.program_id)
    with world.lock:
        return accepted(log_level=app.operation(request.program_id).log_level)


def open_debug_mode(world: World, app: App, body: bytes) -> Answer:
    """Send calls and events to the debug URL, once the program has called the SDK's `spec_open_debug_mode`, too."""
    request = read(OpenDebugMode, body)
    require(program_id=request.program_id, debug_token=request.debug_token)
    with world.lock:
        operation = app.operation(request.program_id)
        if not valid_debug_token(world, request.debug_token):
            raise RefusedError(710671, "the debug_token is unknown or expired (valid 3 days)")
        if not operation.sdk_debugs:
            raise RefusedError(710673, "the program has not called spec_open_debug_mode with a token of the app")
        operation.app_debugs = True
    return accepted()


def close_debug_mode(world: World, app: App, body: bytes) -> Answer:
    """Send calls and events to the zone again."""
    request = read(OfProgram, body)
    require(program_id=request.program_id)
    with world.lock:
        app.operation(request.program_id).app_debugs = False
    return accepted()


def check_debug_mode(world: World, app: App, body: bytes) -> Answer:
    """Return 1 for closed, 2 for open."""
    request = read(OfProgram, body)
    require(program_id=request.program_id)
    with world.lock:
        opened = app.operation(request.program_id).app_debugs
    return accepted(debug_mode_status=_OPEN if opened else _CLOSED)


def valid_debug_token(world: World, debug_token: str) -> bool:
    """Return whether this is the debug credential, and still valid: for three days from the emulator's start."""
    settings = world.settings
    return debug_token == settings.debug_token and world.clock.now() < world.started + DEBUG_TOKEN_SECONDS


def _corp_of(world: World, app: App, userid: str) -> Corp:
    corp = world.corp(app)
    if corp.chats.people.find(userid, EMPLOYEE) is None:
        raise RefusedError(60111, "userid")
    return corp


APIS = {
    "chatdata/set_hide_sensitiveinfo_config": set_hide_sensitiveinfo_config,
    "chatdata/get_hide_sensitiveinfo_config": get_hide_sensitiveinfo_config,
    "chatdata/set_log_level": set_log_level,
    "chatdata/get_log_level": get_log_level,
    "chatdata/open_debug_mode": open_debug_mode,
    "chatdata/close_debug_mode": close_debug_mode,
    "chatdata/check_debug_mode": check_debug_mode,
}
