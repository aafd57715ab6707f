"""Judge the mood of each message (创建情感分析任务) [99831, 99983, 100034].

100000 messages a day for one corp: a task of 1000 messages counts 1000.
"""

from wwspec_contracts.api import get_sentiment_result
from wwspec_contracts.base import TaskRequest
from wwspec_contracts.tasks import MessageKeys, TaskCreated


class Response(TaskCreated):
    """The new task."""


class Request(TaskRequest[Response, get_sentiment_result.Response]):
    """What to judge."""

    result = get_sentiment_result.Request

    msg_list: MessageKeys
    """The messages to analyse, at most 1000."""
