"""Read the summary (获取摘要提取结果) [99832, 99980]."""

from wwspec_contracts.base import ApiRequest
from wwspec_contracts.tasks import TaskResult


class Response(TaskResult):
    """The summary, once the task finished."""

    response_data: str = ""
    """The summary."""


class Request(ApiRequest[Response]):
    """Which task."""

    jobid: str
    """From create_summary_task."""
