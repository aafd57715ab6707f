"""Ask how far a chat export has come (获取会话内容导出任务结果) [99838, 100037]."""

from enum import IntEnum

from wwspec_contracts.base import ApiRequest, PolledOutput


class ExportStatus(IntEnum):
    """How far a job has come."""

    WAITING = 1
    RUNNING = 2
    FINISHED = 3


class Response(PolledOutput):
    """The job's state; the result's fields are there once it finished."""

    status: int = 0
    """An `ExportStatus`."""
    result_id: str = ""
    """Shown with the ww-open-result-link component, valid 14 days; only if result_errcode is 0."""
    result_errcode: int = 0
    """0 = the file was made."""
    result_errmsg: str = ""
    """The text of result_errcode."""

    @property
    def is_running(self) -> bool:
        """Whether the file is not made yet."""
        return self.status != ExportStatus.FINISHED

    @property
    def failure(self) -> tuple[int, str]:
        """Why no file was made; 0 and an empty text when there is one."""
        return self.result_errcode, self.result_errmsg


class Request(ApiRequest[Response]):
    """Which job."""

    jobid: str
    """From create_chatdata_export_job; usable for 24 hours after the chat_archive_export_finished event."""
