"""Run another program of the developer's own on messages (创建自有分析程序任务) [99873, 99988, 100038, 101381].

The placeholders of the ability's input contract are filled from the request. The program reports its
result with program_async_job_call_back. WeCom publishes no limit of frequency. Debug mode works only when
both programs are in it.
"""

from wwspec_contracts.api import get_program_task_result
from wwspec_contracts.base import UNSET, TaskRequest, UnsetType
from wwspec_contracts.tasks import DebugInfo, EscapeType, MessageKeys, TagTaskCreated


class Response(TagTaskCreated):
    """The new task. The page lists tag groups here although the request has none."""


class Request(TaskRequest[Response, get_program_task_result.Response]):
    """Which program, and what it reads."""

    result = get_program_task_result.Request

    program_id: str
    """A program that is linked with the app."""
    ability_id: str
    """The program's ability."""
    msg_list: MessageKeys
    """Fills `{chat}` and `{chatcontent}`. Needed in debug mode too."""
    debug_info: DebugInfo | UnsetType = UNSET
    """Fills the placeholders in debug mode, in place of msg_list; ignored outside of it."""
    escape_type: EscapeType | UnsetType = UNSET
    """WeCom takes `EscapeType.BLANK` when left out."""
