"""The HTTP APIs that the enterprise app calls, without HTTP: `chatdata/*` and `docdata/*` [99811, 99845, 99850].

Each function takes the state, the calling app and the request's JSON, and raises `RefusedError`.
"""

import msgspec

from wwspec_contracts.call_type import CallType
from wwspec_devtools.emulator.answers import OR_EARLIER_LIFE, Answer, RefusedError, accepted, read, require
from wwspec_devtools.emulator.matching import check_request, check_result, registered
from wwspec_devtools.emulator.program.programs import ask_program, call_async
from wwspec_devtools.emulator.standin.wwspec_standin.seal import CallContent
from wwspec_devtools.emulator.state.accounts import App
from wwspec_devtools.emulator.state.traffic.record import note_contract
from wwspec_devtools.emulator.state.world import World


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


class AsyncCall(msgspec.Struct, kw_only=True, frozen=True):
    """Request of `async_program_task`."""

    program_id: str = ""
    ability_id: str = ""
    request_data: str = ""


class AsyncResult(msgspec.Struct, kw_only=True, frozen=True):
    """Request of `async_program_result`."""

    jobid: str = ""


def set_public_key(world: World, app: App, body: bytes) -> Answer:
    """Store the public key that encrypts the keys of messages."""
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
        app.receiver = app.linked(request.program_id)
    return accepted()


def sync_call_program(world: World, app: App, body: bytes) -> Answer:
    """Call the program and return its reply. Request and reply are checked against the ability's console contracts."""
    request = read(SyncCall, body)
    require(program_id=request.program_id, ability_id=request.ability_id, request_data=request.request_data)
    with world.lock:
        program = app.linked(request.program_id)
    program.start.wait()
    with world.lock:
        contract = registered(program, request.ability_id)
        _check_notify_id(world, app, request.notify_id)
    note_contract(contract)
    check_request(contract, request.request_data)
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
    check_result(contract, text)
    return accepted(response_data=text)


def async_program_task(world: World, app: App, body: bytes) -> Answer:
    """Call the program, and return a jobid once the program has accepted the call [99812]."""
    request = read(AsyncCall, body)
    require(program_id=request.program_id, ability_id=request.ability_id, request_data=request.request_data)
    with world.lock:
        program = app.linked(request.program_id)
    jobid = call_async(world, program, request.ability_id, request.request_data, app.agentid, None, corpid=app.corpid)
    return accepted(jobid=jobid)


def async_program_result(world: World, app: App, body: bytes) -> Answer:
    """Return what the program reported by `program_async_job_call_back`; 710642 before that."""
    request = read(AsyncResult, body)
    require(jobid=request.jobid)
    with world.lock:
        job = world.jobs.of_app(request.jobid, app.corpid, app.agentid)
        if not job.reported:
            raise RefusedError(710642)
        return accepted(response_errcode=job.errcode, response_data=job.result)


def _check_notify_id(world: World, app: App, notify_id: str) -> None:
    if notify_id and not world.notify_ids.valid(app.corpid, app.agentid, notify_id, world.clock.now()):
        raise RefusedError(710646, f"unknown or expired (valid 10 minutes), {OR_EARLIER_LIFE}")


APIS = {
    "chatdata/set_public_key": set_public_key,
    "chatdata/set_receive_callback": set_receive_callback,
    "chatdata/sync_call_program": sync_call_program,
    "chatdata/async_program_task": async_program_task,
    "chatdata/async_program_result": async_program_result,
}
