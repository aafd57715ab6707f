"""A chat export job finished (会话内容导出完成通知) [99867, 99997]."""

from typing import Literal

from wwspec_contracts.base import Contract


class ExportFinished(Contract):
    """Which job."""

    jobid: str
    """The `jobid` of get_chatdata_export_job_status; usable for 24 hours, at most 64 characters."""


class Event(Contract):
    """The event as WeCom sends it."""

    event_type: Literal["chat_archive_export_finished"]
    timestamp: int
    """Unix time in seconds."""
    chat_archive_export_finished: ExportFinished
