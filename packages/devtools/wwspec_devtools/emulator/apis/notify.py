"""SDK APIs by which a program reports: `spec_notify_app` [99849] and `program_async_job_call_back` [99847].

The latter ends the jobs of `async_program_task`, `create_program_task` and `create_model_task`.
"""

from wwspec_devtools.emulator.answers import Answer, Asked, RefusedError, accepted, asked
from wwspec_devtools.emulator.program.programs import report_job
from wwspec_devtools.emulator.state.tickets import Notification
from wwspec_devtools.emulator.state.world import Caller, World

MAX_NOTIFY_ID_BYTES = 64
MAX_SCENE = 255

program_async_job_call_back = report_job


class NotifyApp(Asked):
    """Request of `spec_notify_app`."""

    notify_id: str = ""
    notify_scene: int = 0


def spec_notify_app(world: World, caller: Caller, body: bytes) -> Answer:
    """Make a notify_id valid and send it to the app."""
    request = asked(NotifyApp, body)
    with world.lock:
        app = world.caller_app(caller)
        notify_id = request.notify_id or f"emulator_{world.ids.getrandbits(128):032x}"
    if len(notify_id.encode()) > MAX_NOTIFY_ID_BYTES:
        raise RefusedError(710646, f"longer than {MAX_NOTIFY_ID_BYTES} bytes")
    if caller.machine:
        app.programs[world.settings.program_id].machines.note_made(notify_id, caller.machine)
    scene = request.notify_scene if 0 <= request.notify_scene <= MAX_SCENE else 0
    world.notify(
        Notification(
            corpid=app.corpid,
            agentid=app.agentid,
            notify_id=notify_id,
            notify_scene=scene,
            create_time=world.clock.seconds(),
        )
    )
    return accepted(notify_id=notify_id)
