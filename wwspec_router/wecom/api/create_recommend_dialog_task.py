"""Suggest what to answer, from a knowledge base (创建话术推荐任务) [99834, 100031].

The messages may hold about 30000 characters. 10000 calls a day for one corp; a task for which resources
stay short is retried for 24 hours.
"""

from wwspec_router.contracts import TaskRequest
from wwspec_router.wecom.api import get_recommend_dialog_result
from wwspec_router.wecom.tasks import MessageKeys, TagTaskCreated


class Response(TagTaskCreated):
    """The new task. The page lists tag groups here although the request has none."""


class Request(TaskRequest[Response, get_recommend_dialog_result.Response]):
    """The conversation, and where to find answers."""

    result = get_recommend_dialog_result.Request

    kb_id: str
    """The knowledge base that has the answers."""
    msg_list: MessageKeys
    """The messages to analyse, at most 1000."""
