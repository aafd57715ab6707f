"""The HTTP APIs that the enterprise app calls, without HTTP: `chatdata/*` and `docdata/*` [99811, 99845, 99850].

Each function takes the state, the calling app and the request, and raises `RefusedError`.
"""

from typing import Any

from wwspec_devtools.emulator.answers import OR_EARLIER_LIFE, Answer, Parameters, RefusedError, accepted
from wwspec_devtools.emulator.matching import check_request, check_result, registered
from wwspec_devtools.emulator.program.programs import ask_program, call_async, new_call
from wwspec_devtools.emulator.state.accounts import App
from wwspec_devtools.emulator.state.traffic.record import note_contract
from wwspec_devtools.emulator.state.world import World


class PublicKey(Parameters):
    """Request of `set_public_key`."""

    public_key: str
    public_key_ver: int


class ReceiveCallback(Parameters):
    """Request of `set_receive_callback`."""

    program_id: str


class AsyncCall(Parameters):
    """Request of `async_program_task`."""

    program_id: str
    ability_id: str
    request_data: str


class SyncCall(AsyncCall):
    """Request of `sync_call_program`."""

    notify_id: str = ""


class AsyncResult(Parameters):
    """Request of `async_program_result`."""

    jobid: str


def set_public_key(world: World, app: App, request: PublicKey) -> Answer:
    """Store the public key that encrypts the keys of messages."""
    app.keys.set_public_key(request.public_key, request.public_key_ver)
    return accepted()


def set_receive_callback(world: World, app: App, request: ReceiveCallback) -> Answer:
    """Choose the program that receives the app's events."""
    app.receiver = app.linked(request.program_id)
    return accepted()


def sync_call_program(world: World, app: App, request: SyncCall) -> Answer:
    """Call the program and return its reply. Request and reply are checked against the ability's console contracts."""
    with world.lock:
        program = app.linked(request.program_id)
    program.start.wait()
    with world.lock:
        contract = registered(program, request.ability_id)
        _check_notify_id(world, app, request.notify_id)
    note_contract(contract)
    check_request(contract, request.request_data)
    named: dict[str, Any] = {"ability_id": request.ability_id, "notify_id": request.notify_id}
    text = ask_program(world, program, new_call(world, app.corpid, app.agentid, request.request_data, **named))
    check_result(contract, text)
    return accepted(response_data=text)


def async_program_task(world: World, app: App, request: AsyncCall) -> Answer:
    """Call the program, and return a jobid once the program has accepted the call [99812]."""
    with world.lock:
        program = app.linked(request.program_id)
    jobid = call_async(world, program, request.ability_id, request.request_data, app.agentid, None, corpid=app.corpid)
    return accepted(jobid=jobid)


def async_program_result(world: World, app: App, request: AsyncResult) -> Answer:
    """Return what the program reported by `program_async_job_call_back`; 710642 before that."""
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
