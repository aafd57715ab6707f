"""Run a model of the developer's own on messages (创建自定义模型任务) [99835, 99985, 100035].

The placeholders of the model's input contract are filled from the request. The model must answer WeCom's
call within 5 seconds and reports its result later with program_async_job_call_back. 10000 calls a day for
one corp. Debug mode works only when both this program and the model are in it.
"""

from wwspec_contracts.api import get_model_task_result
from wwspec_contracts.base import UNSET, TaskRequest, UnsetType
from wwspec_contracts.tasks import DebugInfo, EscapeType, MessageKeys, TagGroup, TagTaskCreated


class ModelDebugInfo(DebugInfo):
    """The same, with what a model may get besides messages."""

    knowledge: str | UnsetType = UNSET
    """Fills `{knowledge}`."""
    tagjson: str | UnsetType = UNSET
    """Fills `{tagjson}`."""


class Response(TagTaskCreated):
    """The new task."""


class Request(TaskRequest[Response, get_model_task_result.Response]):
    """Which model, and what it reads."""

    result = get_model_task_result.Request

    model_id: str
    """The developer's own model, from the admin console."""
    ability_id: str
    """The model's ability."""
    msg_list: MessageKeys
    """Fills `{chat}` and `{chatcontent}`. Needed in debug mode too."""
    kb_id: str | UnsetType = UNSET
    """The corp's knowledge base that fills `{knowledge}`."""
    service_kb_id: str | UnsetType = UNSET
    """The provider's own knowledge base; ignored when there is a kb_id."""
    tag_group_list: list[TagGroup] | UnsetType = UNSET
    """Fills `{tagjson}`."""
    debug_info: ModelDebugInfo | UnsetType = UNSET
    """Fills the placeholders in debug mode, in place of messages, knowledge and tags; ignored outside of it."""
    escape_type: EscapeType | UnsetType = UNSET
    """WeCom takes `EscapeType.BLANK` when left out."""
