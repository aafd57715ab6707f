"""Suggest what to answer, from a knowledge base (创建话术推荐任务) [99834, 100031].

The messages may hold about 30000 characters. 10000 calls a day for one corp; a task for which resources
stay short is retried for 24 hours.
"""

from wwspec_contracts.api import get_recommend_dialog_result
from wwspec_contracts.base import TaskRequest
from wwspec_contracts.tasks import MessageKeys, TagTaskCreated


class Response(TagTaskCreated):
    """The new task. The page lists tag groups here although the request has none."""


class Request(TaskRequest[Response, get_recommend_dialog_result.Response]):
    """The conversation, and where to find answers."""

    result = get_recommend_dialog_result.Request

    kb_id: str
    """The knowledge base that has the answers."""
    msg_list: MessageKeys
    """The messages to analyse, at most 1000."""
