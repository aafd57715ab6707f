"""Read what another own program reported (获取自有分析程序结果) [99873, 100038, 101381]."""

from wwspec_contracts.base import ApiRequest
from wwspec_contracts.tasks import ReportedResult


class Response(ReportedResult):
    """The program's report."""


class Request(ApiRequest[Response]):
    """Which task."""

    jobid: str
    """From create_program_task."""
