"""Judge the mood of each message (创建情感分析任务) [99831, 100034]."""

from wwspec_router.contracts import ApiRequest
from wwspec_router.wecom.tasks import MessageKeys, TaskCreated


class Response(TaskCreated):
    """The new task."""


class Request(ApiRequest[Response]):
    """What to judge."""

    msg_list: MessageKeys
