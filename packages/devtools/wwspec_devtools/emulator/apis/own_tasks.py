"""SDK APIs that run another program or a model of the developer's own on messages [99835, 99873].

The platform fills the placeholders of the ability's input contract, calls the program asynchronously, and keeps its
report by `program_async_job_call_back`. A model is a program that is linked with the app under its model_id.
`wwspec_devtools.emulator.program.programs` makes the call.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from wwspec_devtools.emulator.answers import Answer, Asked, RefusedError, accepted
from wwspec_devtools.emulator.apis.analyses import DAILY_LIMITED, TOO_LONG, AskedTagGroup, result_of, tag_groups
from wwspec_devtools.emulator.program.programs import MODEL_SECONDS, call_async
from wwspec_devtools.emulator.state import placeholders
from wwspec_devtools.emulator.state.accounts import App
from wwspec_devtools.emulator.state.programs import LinkedProgram
from wwspec_devtools.emulator.state.tasks import MAX_CHARACTERS, AnalysisTask, ChosenMessages, MessageKey, select
from wwspec_devtools.emulator.state.world import World

NOTHING_READ = 790041
NO_DEBUG_MODE = 710673
PENDING = 710642

_UNREAD = ChosenMessages([], [], [])
"""The messages of a task of debug mode: they are ignored."""
_AS_BLANKS = str.maketrans(dict.fromkeys('"\\/\b\f\n\r\t', " "))


class DebugInfo(Asked):
    """Fills the placeholders instead of the messages."""

    chat: str
    chat_content: str


class ModelDebugInfo(DebugInfo):
    """The same, with what a model may read besides."""

    knowledge: str = ""
    tagjson: str = ""


class ProgramTask(Asked):
    """Request of `create_program_task`."""

    program_id: str
    ability_id: str
    msg_list: list[MessageKey]
    debug_info: DebugInfo | None = None
    escape_type: Annotated[int, Meta(ge=0, le=1)] = 0


class ModelTask(Asked):
    """Request of `create_model_task`."""

    model_id: str
    ability_id: str
    msg_list: list[MessageKey]
    kb_id: str = ""
    service_kb_id: str = ""
    tag_group_list: list[AskedTagGroup] = []
    debug_info: ModelDebugInfo | None = None
    escape_type: Annotated[int, Meta(ge=0, le=1)] = 0


def create_program_task(world: World, app: App, request: ProgramTask) -> Answer:
    """Run another program that is linked with the app."""
    with world.lock:
        program = app.programs.get(request.program_id)
        if program is None:
            raise RefusedError(790020, "program_id")
        chosen = select(world.corp(app).chats, app.keys, request.msg_list)
        if _debugs(world, app, program):
            chosen, values = _UNREAD, _debug_values(request.debug_info)
        else:
            values = _messages(world, app, chosen)
        data = _request_data(program, request.ability_id, values, as_json=bool(request.escape_type))
    answer = _run(world, app, program, "create_program_task", chosen, request.ability_id, data)
    return {**answer, "fail_tag_group_id_list": []}


def create_model_task(world: World, app: App, request: ModelTask) -> Answer:
    """Run an own model, which must answer the platform's call within 5 seconds."""
    groups, unknown = tag_groups(request.tag_group_list)
    with world.lock:
        program = app.programs.get(request.model_id)
        if program is None:
            raise RefusedError(800001, "model_id")
        chosen = select(world.corp(app).chats, app.keys, request.msg_list)
        if _debugs(world, app, program):
            debug = request.debug_info
            chosen, values = _UNREAD, _debug_values(debug)
            values |= {"knowledge": debug.knowledge if debug else "", "tagjson": debug.tagjson if debug else ""}
        else:
            values = _messages(world, app, chosen)
            values["knowledge"] = _knowledge(world, app, request.kb_id or request.service_kb_id, chosen)
            values["tagjson"] = placeholders.tag_json(groups)
        data = _request_data(program, request.ability_id, values, as_json=bool(request.escape_type))
    answer = _run(world, app, program, "create_model_task", chosen, request.ability_id, data, MODEL_SECONDS)
    return {**answer, "fail_tag_group_id_list": unknown}


def _debugs(world: World, app: App, program: LinkedProgram) -> bool:
    """Return whether the task is one of debug mode: both programs are in it [100086].

    Raises:
        RefusedError: 710673, when only one is. That WeCom answers this is inferred.
    """
    modes = {app.operation(each).app_debugs for each in (world.settings.program_id, program.program_id)}
    if len(modes) > 1:
        raise RefusedError(
            NO_DEBUG_MODE, "debug mode is needed of the program that calls and of the one that is called"
        )
    return modes == {True}


def _debug_values(debug: DebugInfo | None) -> dict[str, str]:
    """Return what fills `{chat}` and `{chatcontent}` in debug mode; never real messages, even without a debug_info."""
    return {"chat": debug.chat if debug else "", "chatcontent": debug.chat_content if debug else ""}


def _messages(world: World, app: App, chosen: ChosenMessages) -> dict[str, str]:
    """Return what fills `{chat}` (who said what) and `{chatcontent}` (what was said)."""
    if not chosen.readable:
        raise RefusedError(NOTHING_READ, f"msg_list: {chosen.unreadable[0][1]} for the first message")
    chats = world.corp(app).chats
    return {
        "chat": placeholders.chat(chats, chosen.readable, world.settings.speakers, roles=False),
        "chatcontent": placeholders.chat_content(chosen.readable),
    }


def _knowledge(world: World, app: App, kb_id: str, chosen: ChosenMessages) -> str:
    contents = world.corp(app).knowledge.usable(kb_id).learnt(world.clock.now()) if kb_id else []
    return placeholders.knowledge(contents, chosen.readable, world.settings.knowledge_fragments, general=False)


def _request_data(program: LinkedProgram, ability_id: str, values: dict[str, str], *, as_json: bool) -> str:
    """Return the ability's input contract with its placeholders filled, as JSON text."""
    if program.contracts is None:
        example: Any = {name: f"{{{name}}}" for name in values}
    elif ability_id in program.contracts:
        example = program.contracts[ability_id].input
    else:
        raise RefusedError(710636, "ability_id: no contract is registered for it")
    texts = values if as_json else {name: value.translate(_AS_BLANKS) for name, value in values.items()}
    data = msgspec.json.encode(_filled(example, texts)).decode()
    if len(data) > MAX_CHARACTERS:
        raise RefusedError(TOO_LONG, f"{MAX_CHARACTERS} characters")
    return data


def _filled(example: Any, values: dict[str, str]) -> Any:
    if isinstance(example, dict):
        return {key: _filled(value, values) for key, value in example.items()}
    if isinstance(example, list):
        return [_filled(value, values) for value in example]
    if isinstance(example, str):
        return placeholders.fill(example, values)
    return example


def _run(
    world: World,
    app: App,
    program: LinkedProgram,
    kind: str,
    chosen: ChosenMessages,
    ability_id: str,
    data: str,
    limit: float | None = None,
) -> Answer:
    """Call the program and return the jobid of its later report."""
    with world.lock:
        corp = world.corp(app)
        if kind in DAILY_LIMITED:
            corp.daily_tasks.admit(kind, world.clock.now())
        jobid = corp.tasks.add(kind, app.agentid, None, {"fail_list": chosen.fail_list})

    def record(errcode: int, result: str) -> None:
        with world.lock:
            outcome = {"response_errcode": errcode, "response_data": result}
            corp.tasks.finish(jobid, world.clock.now(), outcome)

    try:
        call_async(world, program, ability_id, data, app.agentid, record, corpid=app.corpid, limit=limit)
    except RefusedError:
        with world.lock:
            corp.tasks.forget(jobid)
        raise
    return accepted(jobid=jobid, fail_list=chosen.repeated_list)


def _reported(task: AnalysisTask, _: float) -> Answer:
    if task.ready is None:
        raise RefusedError(PENDING, "the program has not called program_async_job_call_back")
    return accepted(**task.fields)


get_program_task_result = result_of("create_program_task", _reported)
get_model_task_result = result_of("create_model_task", _reported)
