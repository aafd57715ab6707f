"""What a general model reads of documents: `doc_retrieval_params` of `create_ww_model_task` [99875].

With keywords the documents are searched, without them those that are named are read whole. Filters are for online
documents, not for files of the drive.
"""

from typing import Annotated, Any

from msgspec import Meta

from wwspec_devtools.emulator.answers import Asked, RefusedError, errmsg
from wwspec_devtools.emulator.state.corps import Corp
from wwspec_devtools.emulator.state.documents import DOCUMENTS, READABLE_TYPES, Document, Excerpt
from wwspec_devtools.emulator.state.people import EMPLOYEE

MAX_KEYWORD_CHARACTERS = 300


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
    create_time_end: Annotated[int, Meta(ge=0)] = 0
    creator_userid_list: Annotated[list[str], Meta(max_length=20)] = []
    docid_list: Annotated[list[str], Meta(max_length=1000)] = []
    wedrive_fileid_list: Annotated[list[str], Meta(max_length=1000)] = []
    doc_type: int = 0
    retrieved_knowledge_list: Annotated[list[Fragment], Meta(max_length=100)] = []


def retrieve(corp: Corp, params: DocRetrieval, *, archived: bool) -> tuple[list[Excerpt], list[dict[str, Any]]]:
    """Return what a model reads, the app's own fragments first, and the `filtered_content_list`.

    The list has only what the request names. How WeCom ranks fragments is not known: they stay in order.

    Args:
        corp: Whose documents.
        params: The request's.
        archived: Whether the corp has a licence or a trial of the document archive.
    """
    _check(corp, params)
    found, filtered = [], []
    named = [(docid, "docid") for docid in params.docid_list]
    named += [(fileid, "wedrive_fileid") for fileid in params.wedrive_fileid_list]
    for document_id, field in dict.fromkeys(named):
        document = DOCUMENTS.get(document_id)
        if document is None or bool(document.doc_type) != (field == "docid"):
            errcode = 710729 if archived else 710728
        else:
            errcode = _errcode(document, params, archived=archived)
        if errcode:
            filtered.append({field: document_id, "errcode": errcode, "errmsg": errmsg(errcode)})
        elif document is not None:
            found.append(document)
    if params.keywords is not None:
        found += [each for each in _unlisted(params) if not _errcode(each, params, archived=archived)]
        found = [each for each in found if any(word in each.name + each.text for word in params.keywords)]
    own = [Excerpt(each.ref_id, each.fragment) for each in params.retrieved_knowledge_list]
    return own + [Excerpt(each.url, each.text) for each in found], filtered


def _unlisted(params: DocRetrieval) -> list[Document]:
    """Return what a search reads besides the lists: a kind of document for which there is no list, whole."""
    lists = {True: params.docid_list, False: params.wedrive_fileid_list}
    return [each for each in DOCUMENTS.values() if not lists[bool(each.doc_type)]]


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
    if params.create_time_end and params.create_time_end < params.create_time_start:
        raise RefusedError(710725, "doc_retrieval_params.create_time_end")
    if params.doc_type and params.doc_type not in READABLE_TYPES:
        raise RefusedError(40058, f"doc_retrieval_params.doc_type: {', '.join(map(str, READABLE_TYPES))}")


def _errcode(document: Document, params: DocRetrieval, *, archived: bool) -> int:
    """Return why a document is left out; 0 for one that is read."""
    is_online = bool(document.doc_type)
    created, end = document.create_time, params.create_time_end
    reasons = {
        710728: not archived,
        710733: not document.is_readable,
        710736: not document.is_shared,
        710730: not document.has_reader(params.oper_userid),
        710731: is_online and (created < params.create_time_start or (end > 0 and created > end)),
        710738: is_online and bool(params.creator_userid_list) and document.creator not in params.creator_userid_list,
        710732: is_online and params.doc_type not in (0, document.doc_type),
    }
    return next((errcode for errcode, holds in reasons.items() if holds), 0)
