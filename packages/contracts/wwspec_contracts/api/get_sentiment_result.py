"""Read the mood of each message (获取情感分析结果) [99831, 100034]."""

from enum import IntEnum

from wwspec_contracts.base import ApiRequest
from wwspec_contracts.tasks import MessageOutcome, PolledAnalysis


class Sentiment(IntEnum):
    """A mood."""

    NEUTRAL = 0
    POSITIVE = 1
    NEGATIVE = 2


class Analysis(MessageOutcome):
    """The mood of one message."""

    sentiment_result: int = 0
    """A `Sentiment`. Means nothing unless the message's errcode is 0."""


class Response(PolledAnalysis):
    """The moods, once the task finished."""

    analyze_result_list: list[Analysis] = []
    """One for each message."""


class Request(ApiRequest[Response]):
    """Which task."""

    jobid: str
    """From create_sentiment_task."""
