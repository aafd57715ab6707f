"""Report the result of an asynchronous task (上报异步任务结果) [99847, 100039].

Ends the jobs of async_program_task, create_program_task and create_model_task. The SDK client must be made
with the job_info of the call that started the job.
"""

from wwspec_contracts.base import UNSET, ApiRequest, Output, UnsetType


class Response(Output):
    """Whether the report was taken."""


class Request(ApiRequest[Response]):
    """How the job ended."""

    errcode: int
    """0 = the job succeeded; the app sees it as response_errcode."""
    result: str | UnsetType = UNSET
    """JSON text that fits the ability's output contract; the app sees it as response_data."""
