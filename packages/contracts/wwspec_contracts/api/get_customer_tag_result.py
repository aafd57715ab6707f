"""Read the tags that fit a customer (获取标签任务结果) [99833, 100032, 101375]."""

from wwspec_contracts.base import ApiRequest, Contract
from wwspec_contracts.tasks import TaskResult


class TagResult(Contract):
    """The tag that fits, out of one group."""

    group_id: str = ""
    """The tag group, as the task named it."""
    tag_id: str = ""
    """The tag of this group that fits."""


class Response(TaskResult):
    """The tags, once the task finished."""

    tag_result_list: list[TagResult] = []
    """Without the groups of which no tag fits."""


class Request(ApiRequest[Response]):
    """Which task."""

    jobid: str
    """From create_customer_tag_task."""
