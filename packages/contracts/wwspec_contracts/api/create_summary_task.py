"""Summarise messages (创建摘要提取任务) [99832, 99980].

Text beyond 30000 characters is not read. 10000 calls a day for one corp; a task for which resources stay
short is retried for 24 hours.
"""

from wwspec_contracts.api import get_summary_result
from wwspec_contracts.base import TaskRequest
from wwspec_contracts.tasks import MessageKeys, TaskCreated


class Response(TaskCreated):
    """The new task."""


class Request(TaskRequest[Response, get_summary_result.Response]):
    """What to summarise."""

    result = get_summary_result.Request

    msg_list: MessageKeys
    """The messages to analyse, at most 1000."""
