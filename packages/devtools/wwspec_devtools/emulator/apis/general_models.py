"""SDK APIs of WeCom's general language models: `create_ww_model_task`, `get_ww_model_result` [99875, 101373].

The prompt is in the admin console: the setting `model_prompt` is the emulator's. With an ability_id a request is that
of a provider's app, which has tags and variables too.
"""

from typing import Annotated

from msgspec import Meta

from wwspec_devtools.emulator.answers import Answer, Asked, RefusedError
from wwspec_devtools.emulator.apis.analyses import TOO_LONG, AskedTagGroup, result_of, start_task, tag_groups
from wwspec_devtools.emulator.apis.doc_retrieval import DocRetrieval, retrieve
from wwspec_devtools.emulator.state import analyses, placeholders
from wwspec_devtools.emulator.state.accounts import App
from wwspec_devtools.emulator.state.tasks import MAX_CHARACTERS, MessageKey, select
from wwspec_devtools.emulator.state.world import World


class Variable(Asked):
    """A variable of the app's own."""

    name: str
    value: str


class ModelTask(Asked):
    """Request of `create_ww_model_task`."""

    ability_id: str = ""
    kb_id: str = ""
    kb_retrieval_words: str = ""
    tag_group_list: list[AskedTagGroup] = []
    msg_list: list[MessageKey] = []
    model_id: str = ""
    need_think_result: bool = False
    var_args: Annotated[list[Variable], Meta(max_length=50)] = []
    doc_retrieval_params: DocRetrieval | None = None


def create_ww_model_task(world: World, app: App, request: ModelTask) -> Answer:
    """Ask a general model. It answers with its prompt, as it is once the placeholders are filled."""
    model_id = request.model_id or analyses.GENERAL_MODELS[0]
    if model_id not in analyses.GENERAL_MODELS:
        raise RefusedError(800001, f"the emulator has {', '.join(analyses.GENERAL_MODELS)}")
    params = request.doc_retrieval_params
    if not request.ability_id and not request.msg_list and params is None:
        raise RefusedError(40063, "msg_list or doc_retrieval_params")
    groups, unknown_groups = tag_groups(request.tag_group_list)
    corp = world.corp(app)
    knowledge = corp.knowledge.usable(request.kb_id).learnt(world.clock.now()) if request.kb_id else []
    chosen = select(corp.chats, app.keys, request.msg_list) if request.msg_list else None
    messages = [] if chosen is None else chosen.readable
    archived = world.clock.now() <= world.trial_ends
    excerpts, filtered = ([], []) if params is None else retrieve(corp, params, archived=archived)
    if params is not None:
        world.logins.check_doc_ticket(app, params.oper_userid, params.user_doc_ticket, world.clock.now())
    values = {
        "chat": placeholders.chat(corp.chats, messages, world.settings.speakers, roles=True),
        "chatcontent": placeholders.chat_content(messages),
        "knowledge": placeholders.knowledge(knowledge, messages, world.settings.knowledge_fragments, general=True),
        "doc_fragments": placeholders.doc_fragments(excerpts),
    }
    if request.ability_id:
        values["tagjson"] = placeholders.tag_json(groups)
        values |= {f"${variable.name}$": variable.value for variable in request.var_args}
    prompt = placeholders.fill(world.settings.model_prompt or _prompt(values, request), values)
    text = analyses.answer(model_id, prompt, think=request.need_think_result)
    errcode = TOO_LONG if len(prompt) > MAX_CHARACTERS else 0
    outcome = {"response_data": text, "filtered_content_list": filtered}
    answer = start_task(world, app, "create_ww_model_task", chosen, errcode, **outcome)
    return {**answer, "fail_tag_group_id_list": unknown_groups}


def _prompt(values: dict[str, str], request: ModelTask) -> str:
    """Return a prompt with each placeholder that the request fills. `{chatcontent}` would only repeat `{chat}`."""
    given = {"chatcontent": False, "tagjson": bool(request.tag_group_list)}
    return "\n".join(f"{{{name}}}" for name, value in values.items() if given.get(name, bool(value)))


get_ww_model_result = result_of("create_ww_model_task")
