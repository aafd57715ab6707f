"""Read the answer of WeCom's language model (获取企微通用模型结果) [99875, 101373, 100289, 100386]."""

from typing import Annotated

from msgspec import Meta

from wwspec_contracts.base import ApiRequest, Contract
from wwspec_contracts.tasks import TaskResult


class FilteredContent(Contract):
    """A document or file that was not read, and why."""

    docid: str = ""
    """Empty for a file of the drive."""
    wedrive_fileid: str = ""
    """Empty for an online document."""
    errcode: int = 0
    """Such as 710728, no licence, or 710729, not found."""
    errmsg: str = ""
    """The text of the errcode."""


FilteredContents = Annotated[list[FilteredContent], Meta(extra={"aliases": ["filtered_doc_list"]})]


class Response(TaskResult):
    """The answer, once the task finished."""

    response_data: str = ""
    """The model's text, after what it thought inside `<think>` and `</think>`, if the task asked for that."""
    filtered_content_list: FilteredContents = []
    """What the task named but could not read. The page's example spells it filtered_doc_list."""


class Request(ApiRequest[Response]):
    """Which task."""

    jobid: str
    """From create_ww_model_task."""
