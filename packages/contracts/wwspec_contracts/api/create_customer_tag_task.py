"""Find the tags that fit a customer, from messages (创建标签匹配任务) [99833, 100032, 101375].

The messages should be of one customer, and the tags of a group should exclude one another; the groups may
hold about 30000 characters. 10000 calls a day for one corp; a task for which resources stay short is
retried for 24 hours.
"""

from wwspec_contracts.api import get_customer_tag_result
from wwspec_contracts.base import UNSET, TaskRequest, UnsetType
from wwspec_contracts.tasks import MessageKeys, TagGroup, TaskCreated


class Response(TaskCreated):
    """The new task."""


class Request(TaskRequest[Response, get_customer_tag_result.Response]):
    """The conversation, and the tags to choose from."""

    result = get_customer_tag_result.Request

    tag_group_list: list[TagGroup]
    """The tag groups to choose from."""
    msg_list: MessageKeys
    """The messages to analyse, at most 1000."""
    model_id: str | UnsetType = UNSET
    """WeCom takes its own language model when left out."""
