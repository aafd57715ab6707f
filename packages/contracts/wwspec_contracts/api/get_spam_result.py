"""Read what was found in each message (会话反垃圾-获取任务结果) [100036]."""

from enum import IntEnum

from wwspec_contracts.base import ApiRequest
from wwspec_contracts.tasks import MessageOutcome, PolledAnalysis


class Spam(IntEnum):
    """What was found."""

    NONE = 0
    POLITICAL = 1
    """Politically sensitive."""
    PORNOGRAPHIC = 2


class Analysis(MessageOutcome):
    """What was found in one message."""

    spam_result: int = 0
    """A `Spam`. Means nothing unless the message's errcode is 0."""


class Response(PolledAnalysis):
    """The findings, once the task finished."""

    analyze_result_list: list[Analysis] = []
    """One for each message."""


class Request(ApiRequest[Response]):
    """Which task."""

    jobid: str
    """From create_spam_task."""
