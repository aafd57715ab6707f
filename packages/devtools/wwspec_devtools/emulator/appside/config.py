"""What an app sets for its members and programs: masking, log level, debug mode [100055, 100106, 100082].

Each function takes the state, the calling app and the request, and raises `RefusedError`. The log level is only
stored: the stand-in prints every line.
"""

from typing import Annotated

from msgspec import Meta

from wwspec_devtools.emulator.answers import Answer, Parameters, RefusedError, accepted
from wwspec_devtools.emulator.state.accounts import App
from wwspec_devtools.emulator.state.corps import Masking
from wwspec_devtools.emulator.state.world import World

DEBUG_TOKEN_SECONDS = 3 * 86400
"""Validity of a debug credential [100082]."""

_CLOSED, _OPEN = 1, 2


class GetMasking(Parameters):
    """Request of `get_hide_sensitiveinfo_config`."""

    userid: str


class SetMasking(GetMasking):
    """Request of `set_hide_sensitiveinfo_config`."""

    config: Masking


class OfProgram(Parameters):
    """Request of the APIs that name only a program."""

    program_id: str


class SetLogLevel(OfProgram):
    """Request of `set_log_level`."""

    log_level: Annotated[int, Meta(ge=1, le=3)]


class OpenDebugMode(OfProgram):
    """Request of `open_debug_mode`."""

    debug_token: str


def set_hide_sensitiveinfo_config(world: World, app: App, request: SetMasking) -> Answer:
    """Replace what the chat component hides from a member."""
    world.corp(app).set_masking(request.userid, request.config)
    return accepted()


def get_hide_sensitiveinfo_config(world: World, app: App, request: GetMasking) -> Answer:
    """Return what the chat component hides from a member; nothing before it was set."""
    return accepted(config=world.corp(app).masking_of(request.userid))


def set_log_level(world: World, app: App, request: SetLogLevel) -> Answer:
    """Store a program's log level for the app."""
    app.operation(request.program_id).log_level = request.log_level
    return accepted()


def get_log_level(world: World, app: App, request: OfProgram) -> Answer:
    """Return a program's log level; INFO before it was set."""
    return accepted(log_level=app.operation(request.program_id).log_level)


def open_debug_mode(world: World, app: App, request: OpenDebugMode) -> Answer:
    """Send calls and events to the debug URL, once the program has called the SDK's `spec_open_debug_mode`, too."""
    operation = app.operation(request.program_id)
    if not valid_debug_token(world, request.debug_token):
        raise RefusedError(710671, "the debug_token is unknown or expired (valid 3 days)")
    if not operation.sdk_debugs:
        raise RefusedError(710673, "the program has not called spec_open_debug_mode with a token of the app")
    operation.app_debugs = True
    return accepted()


def close_debug_mode(world: World, app: App, request: OfProgram) -> Answer:
    """Send calls and events to the zone again."""
    app.operation(request.program_id).app_debugs = False
    return accepted()


def check_debug_mode(world: World, app: App, request: OfProgram) -> Answer:
    """Return 1 for closed, 2 for open."""
    opened = app.operation(request.program_id).app_debugs
    return accepted(debug_mode_status=_OPEN if opened else _CLOSED)


def valid_debug_token(world: World, debug_token: str) -> bool:
    """Return whether this is the debug credential, and still valid: for three days from the emulator's start."""
    settings = world.settings
    return debug_token == settings.debug_token and world.clock.now() < world.started + DEBUG_TOKEN_SECONDS


APIS = {
    "chatdata/set_hide_sensitiveinfo_config": set_hide_sensitiveinfo_config,
    "chatdata/get_hide_sensitiveinfo_config": get_hide_sensitiveinfo_config,
    "chatdata/set_log_level": set_log_level,
    "chatdata/get_log_level": get_log_level,
    "chatdata/open_debug_mode": open_debug_mode,
    "chatdata/close_debug_mode": close_debug_mode,
    "chatdata/check_debug_mode": check_debug_mode,
}
