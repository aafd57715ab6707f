"""Check each message for forbidden content (会话反垃圾-创建分析任务) [100036]."""

from wwspec_router.contracts import ApiRequest
from wwspec_router.wecom.tasks import MessageKeys, TaskCreated


class Response(TaskCreated):
    """The new task."""


class Request(ApiRequest[Response]):
    """What to check."""

    msg_list: MessageKeys
