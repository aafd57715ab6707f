"""SDK APIs of WeCom's general language models: `create_ww_model_task`, `get_ww_model_result` [99875, 101373].

The prompt is in the admin console, and the emulator does not have it. Its answer names everything that would fill the
prompt's placeholders.
"""

from typing import Annotated, Any

from msgspec import Meta

from wwspec_router.emulator.answers import Answer, Asked, RefusedError, asked, errmsg
from wwspec_router.emulator.apis.analyses import TOO_LONG, AskedTagGroup, result_of, start_task, tag_groups
from wwspec_router.emulator.state import analyses
from wwspec_router.emulator.state.conversations import EMPLOYEE
from wwspec_router.emulator.state.corps import Corp
from wwspec_router.emulator.state.documents import DOCUMENTS, Document
from wwspec_router.emulator.state.tasks import MAX_CHARACTERS, MessageKey, lines, select
from wwspec_router.emulator.state.world import Caller, World

MAX_KEYWORD_CHARACTERS = 300
_DOC_TYPES = (8, 9, 19, 20, 21)


class Variable(Asked):
    """A variable of the app's own."""

    name: str
    value: str


class Fragment(Asked):
    """A piece of text that the app found."""

    fragment: Annotated[str, Meta(max_length=10000)]
    ref_id: str


class DocRetrieval(Asked):
    """Documents to read."""

    oper_userid: str = ""
    user_doc_ticket: str = ""
    keywords: Annotated[list[str], Meta(max_length=20)] | None = None
    create_time_start: Annotated[int, Meta(ge=0)] = 0
    create_time_end: Annotated[int, Meta(ge=0)] | None = None
    creator_userid_list: Annotated[list[str], Meta(max_length=20)] = []
    docid_list: Annotated[list[str], Meta(max_length=1000)] = []
    wedrive_fileid_list: Annotated[list[str], Meta(max_length=1000)] = []
    doc_type: int = 0
    retrieved_knowledge_list: Annotated[list[Fragment], Meta(max_length=100)] = []


class ModelTask(Asked):
    """Request of `create_ww_model_task`."""

    ability_id: str = ""
    kb_id: str = ""
    kb_retrieval_words: str = ""
    tag_group_list: list[AskedTagGroup] = []
    msg_list: list[MessageKey] | None = None
    model_id: str = analyses.GENERAL_MODELS[0]
    need_think_result: bool = False
    var_args: Annotated[list[Variable], Meta(max_length=50)] = []
    doc_retrieval_params: DocRetrieval | None = None


def create_ww_model_task(world: World, caller: Caller, body: bytes) -> Answer:
    """Ask a general model."""
    request = asked(ModelTask, body)
    if request.model_id not in analyses.GENERAL_MODELS:
        raise RefusedError(800001, f"the emulator has {', '.join(analyses.GENERAL_MODELS)}")
    if not request.ability_id and request.msg_list is None and request.doc_retrieval_params is None:
        raise RefusedError(40063, "msg_list or doc_retrieval_params")
    groups, unknown_groups = tag_groups(request.tag_group_list)
    with world.lock:
        app = world.caller_app(caller)
        corp = world.corp(app)
        knowledge = corp.knowledge.usable(request.kb_id).learnt(world.clock.now()) if request.kb_id else []
        chosen = None if request.msg_list is None else select(corp.chats, app.keys, request.msg_list)
        messages = [] if chosen is None else chosen.readable
        documents, refused, fragments = _retrieved(
            corp, request.doc_retrieval_params, archived=world.clock.now() <= world.trial_ends
        )
        if (reader := request.doc_retrieval_params) is not None:
            world.logins.check_doc_ticket(app, reader.oper_userid, reader.user_doc_ticket, world.clock.now())
        variables = {variable.name: variable.value for variable in request.var_args}
        variables |= {"tagjson": ",".join(group.name for group in groups)} if groups else {}
        text = analyses.answer(
            request.model_id,
            messages,
            variables=variables,
            knowledge=knowledge,
            documents=documents,
            fragments=fragments,
            think=request.need_think_result,
        )
        filled = [lines(corp.chats, messages), *variables.values(), *fragments, *(found.text for found in documents)]
        errcode = TOO_LONG if sum(map(len, filled)) > MAX_CHARACTERS else 0
        outcome = {"response_data": text, "filtered_content_list": refused}
        answer = start_task(world, app, "create_ww_model_task", chosen, errcode, **outcome)
    return {**answer, "fail_tag_group_id_list": unknown_groups}


def _retrieved(
    corp: Corp, params: DocRetrieval | None, *, archived: bool
) -> tuple[list[Document], list[dict[str, Any]], list[str]]:
    """Return the documents to read, those that can't be read and why, and the app's own fragments."""
    if params is None:
        return [], [], []
    _check(corp, params)
    named = [(docid, "docid") for docid in params.docid_list]
    named += [(fileid, "wedrive_fileid") for fileid in params.wedrive_fileid_list]
    if not named and params.keywords:
        found = [document for document in DOCUMENTS.values() if not _unfit(document, params)]
        named = [(document.docid, "docid" if document.doc_type else "wedrive_fileid") for document in found]
    documents, refused = [], []
    for document_id, field in named:
        document = DOCUMENTS.get(document_id)
        known = document is not None and bool(document.doc_type) == (field == "docid")
        errcode = _unfit(document, params) if document is not None and known else 710729
        errcode = errcode if archived else 710728
        if errcode:
            refused.append({"errcode": errcode, "errmsg": errmsg(errcode), field: document_id})
        elif document is not None and _mentions(document, params.keywords or []):
            documents.append(document)
    return documents, refused, [found.fragment for found in params.retrieved_knowledge_list]


def _check(corp: Corp, params: DocRetrieval) -> None:
    sources = (params.keywords, params.docid_list, params.wedrive_fileid_list, params.retrieved_knowledge_list)
    if not params.oper_userid:
        raise RefusedError(710722, "doc_retrieval_params.oper_userid")
    for userid in (params.oper_userid, *params.creator_userid_list):
        if corp.chats.people.find(userid, EMPLOYEE) is None:
            raise RefusedError(710724, "doc_retrieval_params")
    if params.keywords is not None and not all(params.keywords or [""]):
        raise RefusedError(710723, "doc_retrieval_params.keywords")
    if not any(sources):
        raise RefusedError(40063, "doc_retrieval_params: keywords, ids or fragments are needed")
    if sum(map(len, params.keywords or [])) > MAX_KEYWORD_CHARACTERS:
        raise RefusedError(710737, f"{MAX_KEYWORD_CHARACTERS} characters")
    if params.create_time_end is not None and params.create_time_end < params.create_time_start:
        raise RefusedError(710725, "doc_retrieval_params.create_time_end")
    if params.doc_type and params.doc_type not in _DOC_TYPES:
        raise RefusedError(40058, f"doc_retrieval_params.doc_type: {', '.join(map(str, _DOC_TYPES))}")


def _unfit(document: Document, params: DocRetrieval) -> int:
    """Return the errcode of a document that can't be read; 0 for one that can."""
    end = params.create_time_end
    if document.create_time < params.create_time_start or (end is not None and document.create_time > end):
        return 710731
    if params.creator_userid_list and document.creator not in params.creator_userid_list:
        return 710738
    if params.doc_type and document.doc_type and document.doc_type != params.doc_type:
        return 710732
    return 0


def _mentions(document: Document, keywords: list[str]) -> bool:
    return not keywords or any(keyword in document.name + document.text for keyword in keywords)


APIS = {
    "create_ww_model_task": create_ww_model_task,
    "get_ww_model_result": result_of("create_ww_model_task"),
}
