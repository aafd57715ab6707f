"""The HTTP APIs that the enterprise app calls, without HTTP: `chatdata/*` by name [99811, 99845, 99850].

Each function takes the state, the calling app and the request's JSON, and raises `RefusedError`.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from wwspec_router.contracts.matching import mismatches
from wwspec_router.emulator.accounts import App, Program
from wwspec_router.emulator.answers import Answer, RefusedError, accepted, read, require
from wwspec_router.emulator.programs import ask_program
from wwspec_router.emulator.seal import CallContent
from wwspec_router.emulator.settings import AbilityContract
from wwspec_router.emulator.world import World
from wwspec_router.envelope import CallType


class PublicKey(msgspec.Struct, kw_only=True, frozen=True):
    """Request of `set_public_key`."""

    public_key: str = ""
    public_key_ver: int | None = None


class ReceiveCallback(msgspec.Struct, kw_only=True, frozen=True):
    """Request of `set_receive_callback`."""

    program_id: str = ""


class SyncCall(msgspec.Struct, kw_only=True, frozen=True):
    """Request of `sync_call_program`."""

    program_id: str = ""
    ability_id: str = ""
    notify_id: str = ""
    request_data: str = ""


def set_public_key(world: World, app: App, body: bytes) -> Answer:
    """Take the key that the message keys are encrypted with."""
    request = read(PublicKey, body)
    require(public_key=request.public_key, public_key_ver=request.public_key_ver)
    with world.lock:
        app.keys.set_public_key(request.public_key, request.public_key_ver or 0)
    return accepted()


def set_receive_callback(world: World, app: App, body: bytes) -> Answer:
    """Choose the program that receives the app's events."""
    request = read(ReceiveCallback, body)
    require(program_id=request.program_id)
    with world.lock:
        app.receiver = _linked(app, request.program_id)
    return accepted()


def sync_call_program(world: World, app: App, body: bytes) -> Answer:
    """Call the program and answer its reply, both checked against the ability's console contracts."""
    request = read(SyncCall, body)
    require(program_id=request.program_id, ability_id=request.ability_id, request_data=request.request_data)
    with world.lock:
        program = _linked(app, request.program_id)
        contract = _contract(program, request.ability_id)
        _check_notify_id(world, app, request.notify_id)
    data = _parsed(request.request_data, 790015)
    if contract is not None:
        _check_fit(contract.input, data, 790016)
    text = ask_program(
        world,
        program,
        CallContent(
            corpid=app.corpid,
            agentid=app.agentid,
            call_type=CallType.APP,
            ability_id=request.ability_id,
            data=request.request_data,
            notify_id=request.notify_id,
            request_id=world.reference(),
            timestamp=world.clock.seconds(),
        ),
    )
    reply = _parsed(text, 790013)
    if contract is not None:
        _check_fit(contract.output, reply, 790014)
    return accepted(response_data=text)


def _linked(app: App, program_id: str) -> Program:
    program = app.programs.get(program_id)
    if program is None:
        raise RefusedError(790020, "program_id is not one of the app's")
    return program


def _contract(program: Program, ability_id: str) -> AbilityContract | None:
    if program.contracts is None:
        return None
    contract = program.contracts.get(ability_id)
    if contract is None:
        raise RefusedError(800003, "no contract is registered for it")
    return contract


def _check_notify_id(world: World, app: App, notify_id: str) -> None:
    if notify_id and not world.notify_ids.valid(app.corpid, app.agentid, notify_id, world.clock.now()):
        raise RefusedError(710646, "unknown or expired (valid 10 minutes)")


def _parsed(text: str, errcode: int) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
        raise RefusedError(errcode, str(error)) from None


def _check_fit(example: Any, value: Any, errcode: int) -> None:
    first = next(mismatches(example, value), None)
    if first is not None:
        raise RefusedError(errcode, f"{first[0]}: {first[1]}")


AppFunction = Callable[[World, App, bytes], Answer]

APIS: dict[str, AppFunction] = {
    "set_public_key": set_public_key,
    "set_receive_callback": set_receive_callback,
    "sync_call_program": sync_call_program,
}
