"""Suggest what to answer, from a knowledge base (创建话术推荐任务) [99834, 100031].

The messages may hold about 30000 characters. 10000 calls a day for one corp; a task for which resources
stay short is retried for 24 hours.
"""

from wwspec_router.contracts import ApiRequest
from wwspec_router.wecom.tasks import MessageKeys, TagTaskCreated


class Response(TagTaskCreated):
    """The new task. The page lists tag groups here although the request has none."""


class Request(ApiRequest[Response]):
    """The conversation, and where to find answers."""

    kb_id: str
    msg_list: MessageKeys
