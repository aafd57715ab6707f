"""Run one of WeCom's language models (创建企微通用模型任务) [99875, 101373, 100289, 100386].

The prompt is the app's own, written in the admin console; its placeholders are filled from the request.
Filled in, it may hold about 30000 characters. Two pages describe two variants: self-built apps give
msg_list (text only) or doc_retrieval_params, third-party and custom-developed apps give ability_id and may
give tag groups, own variables, and voice messages. 10000 calls a day for one corp; a task for which
resources stay short is retried for 24 hours.
"""

from enum import IntEnum
from typing import Annotated

from msgspec import Meta

from wwspec_contracts.api import get_ww_model_result
from wwspec_contracts.base import UNSET, Contract, TaskRequest, UnsetType
from wwspec_contracts.tasks import MessageKeys, TagGroup, TagTaskCreated


class OnlineDocType(IntEnum):
    """Kind of online document."""

    DOCUMENT = 8
    SHEET = 9
    SMART_SHEET = 19
    MIND_MAP = 20
    SMART_DOCUMENT = 21


class Variable(Contract):
    """A variable of the app's own."""

    name: str
    """Without marks: `name` fills `{$name$}`."""
    value: str
    """What replaces it."""


class Fragment(Contract):
    """A piece of text that the app itself found."""

    fragment: Annotated[str, Meta(max_length=10000)]
    """At most 10000 characters."""
    ref_id: str
    """The app's own mark for the source."""


class DocRetrieval(Contract):
    """Documents to read. At least one of keywords, the two id lists and retrieved_knowledge_list is needed.

    With keywords the documents are searched, without them they are read whole.
    """

    oper_userid: str
    """With whose rights the documents are read."""
    user_doc_ticket: str
    """oper_userid's ticket from the OAuth user-info API, usable for 30 days."""
    keywords: Annotated[list[str], Meta(max_length=20)] | UnsetType = UNSET
    """One of them is enough; at most 300 characters in all."""
    create_time_start: int | UnsetType = UNSET
    """Only documents created from this time on; the page states no unit, elsewhere it is Unix seconds."""
    create_time_end: int | UnsetType = UNSET
    """Only documents created up to this time, in the same unit."""
    creator_userid_list: Annotated[list[str], Meta(max_length=20)] | UnsetType = UNSET
    """Only documents by these creators."""
    docid_list: Annotated[list[str], Meta(max_length=1000)] | UnsetType = UNSET
    """Online documents."""
    wedrive_fileid_list: Annotated[list[str], Meta(max_length=1000)] | UnsetType = UNSET
    """Files of the drive."""
    doc_type: OnlineDocType | UnsetType = UNSET
    """Only online documents of this kind."""
    retrieved_knowledge_list: Annotated[list[Fragment], Meta(max_length=100)] | UnsetType = UNSET
    """Text that the app found itself."""


class Response(TagTaskCreated):
    """The new task."""


class Request(TaskRequest[Response, get_ww_model_result.Response]):
    """Which model, and what it reads."""

    result = get_ww_model_result.Request

    ability_id: str | UnsetType = UNSET
    """The model's ability; third-party and custom-developed apps only, who must give it."""
    kb_id: str | UnsetType = UNSET
    """Knowledge base that fills `{knowledge}`."""
    kb_retrieval_words: str | UnsetType = UNSET
    """What to look up in the knowledge base; third-party and custom-developed apps only."""
    tag_group_list: list[TagGroup] | UnsetType = UNSET
    """Fills `{tagjson}`; third-party and custom-developed apps only."""
    msg_list: MessageKeys | UnsetType = UNSET
    """Fills `{chat}` and `{chatcontent}`."""
    model_id: str | UnsetType = UNSET
    """A general model's id, from the admin console; WeCom takes Hunyuan's quick answer when left out."""
    need_think_result: bool | UnsetType = UNSET
    """Return what a deep-thinking model thought as well. WeCom takes false when left out."""
    var_args: Annotated[list[Variable], Meta(max_length=50)] | UnsetType = UNSET
    """Third-party and custom-developed apps only."""
    doc_retrieval_params: DocRetrieval | UnsetType = UNSET
    """Fills `{doc_fragments}`; self-built apps only, and not released to all of them."""
