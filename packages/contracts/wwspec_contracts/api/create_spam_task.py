"""Check each message for forbidden content (会话反垃圾-创建分析任务) [100036, 99986].

100000 messages a day for one corp: a task of 1000 messages counts 1000.
"""

from wwspec_contracts.api import get_spam_result
from wwspec_contracts.base import TaskRequest
from wwspec_contracts.tasks import MessageKeys, TaskCreated


class Response(TaskCreated):
    """The new task."""


class Request(TaskRequest[Response, get_spam_result.Response]):
    """What to check."""

    result = get_spam_result.Request

    msg_list: MessageKeys
    """The messages to analyse, at most 1000."""
