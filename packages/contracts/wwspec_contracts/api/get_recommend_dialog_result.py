"""Read the suggested answer (获取话术推荐结果) [99834, 100031]."""

from wwspec_contracts.base import ApiRequest
from wwspec_contracts.tasks import TaskResult


class Response(TaskResult):
    """The suggestion, once the task finished."""

    response_data: str = ""
    """What to answer."""


class Request(ApiRequest[Response]):
    """Which task."""

    jobid: str
    """From create_recommend_dialog_task."""
