"""Read what a model of the developer's own reported (获取自定义模型结果) [99835, 100035]."""

from wwspec_contracts.base import ApiRequest
from wwspec_contracts.tasks import ReportedResult


class Response(ReportedResult):
    """The model's report."""


class Request(ApiRequest[Response]):
    """Which task."""

    jobid: str
    """From create_model_task."""
