"""SDK APIs about chat exports: `create_chatdata_export_job`, `get_chatdata_export_job_status` [99838].

How a template is filled, and with what, is in `wwspec_devtools.emulator.state.exports`.
"""

from collections.abc import Callable
from functools import partial

from wwspec_devtools.emulator.answers import Answer, Asked, RefusedError, accepted, errmsg
from wwspec_devtools.emulator.state import exports
from wwspec_devtools.emulator.state.accounts import App
from wwspec_devtools.emulator.state.conversations import EMPLOYEE, Conversations
from wwspec_devtools.emulator.state.people import DEPARTMENTS
from wwspec_devtools.emulator.state.world import World


class CreateExport(Asked):
    """Request of `create_chatdata_export_job`."""

    code: str
    media_id: str


class AskedExport(Asked):
    """Request of `get_chatdata_export_job_status`."""

    jobid: str


def create_chatdata_export_job(world: World, app: App, request: CreateExport) -> Answer:
    """Fill a template; the file can be read once the job has finished."""
    corp, now = world.corp(app), world.clock.now()
    template = corp.media.get(app.agentid, request.media_id, now)
    if template is None:
        raise RefusedError(40145, "media_id")
    name = template.name.lower()
    if not name.endswith(exports.SUFFIXES):
        raise RefusedError(40058, f"media_id: the template's name must end with {', '.join(exports.SUFFIXES)}")
    corp.exports.use_code(request.code)
    corp.daily_exports.admit("create_chatdata_export_job", now)
    content, errcode = None, 0
    try:
        content = exports.filled(name, template.content, _filler(corp.chats, app))
    except RefusedError as error:
        errcode = error.errcode
    jobid, job = corp.exports.add(app.agentid, content, errcode, now)
    world.timers.schedule(
        job.finished - now, lambda: world.raise_event(app, "chat_archive_export_finished", {"jobid": jobid})
    )
    return accepted(jobid=jobid)


def get_chatdata_export_job_status(world: World, app: App, request: AskedExport) -> Answer:
    """Return how far a job has come, and its outcome once it finished."""
    now = world.clock.now()
    job = world.corp(app).exports.get(request.jobid, app.agentid, now)
    status = job.status(now)
    if status != exports.FINISHED:
        return accepted(status=status)
    outcome = {"result_errcode": job.errcode, "result_errmsg": errmsg(job.errcode)}
    return accepted(status=status, **outcome, **({"result_id": job.result_id} if job.result_id else {}))


def _filler(chats: Conversations, app: App) -> exports.Fill:
    """Return the function that fills the marks of a template."""

    def employee(field: str) -> Callable[[str], str | None]:
        def name(userid: str) -> str | None:
            person = chats.people.find(userid, EMPLOYEE)
            return None if person is None else str(getattr(person, field)) or None

        return name

    def alias_or_name(userid: str) -> str | None:
        return employee("alias")(userid) or employee("name")(userid)

    def chat(chatid: str) -> str | None:
        group = chats.groups.get(chatid)
        return None if group is None else exports.name_of_group(group)

    def message(value: str) -> str:
        msgid, _, secret_key = value.partition("/")
        found = chats.find(msgid)
        if found is None:
            return exports.EXPIRED
        return exports.content_of(found) if app.keys.secret_key(msgid) == secret_key else exports.WRONG_KEY

    def department(value: str) -> str | None:
        return DEPARTMENTS.get(int(value)) if value.isdecimal() else None

    fillers: dict[str, Callable[[str], str | None]] = {
        "departmentName": department,
        "userName": employee("name"),
        "userAlias": employee("alias"),
        "userAliasOrName": alias_or_name,
        "chatName": chat,
        "msgContent": message,
        "externalUserName": partial(exports.name_of_customer, chats),
    }
    return lambda name, value: fillers[name](value)
