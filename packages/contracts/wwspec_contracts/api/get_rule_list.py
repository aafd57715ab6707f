"""List the keyword rules (获取关键词列表) [99829]."""

from typing import Annotated

from wwspec_contracts.base import UNSET, Contract, Output, PagedRequest, UnsetType
from wwspec_contracts.paging import BooleanFlag, page_limit


class Rule(Contract):
    """A rule without its details."""

    rule_id: str = ""
    """For get_rule_detail, update_rule and delete_rule."""
    name: str = ""
    create_time: int = 0
    """Unix time in seconds."""


class Response(Output):
    """One page of the rules."""

    rule_list: list[Rule] = []
    has_more: BooleanFlag = False
    """A boolean here, where the other APIs have 0 and 1."""
    next_cursor: str = ""
    """Opaque; the `cursor` of the next call."""


class Request(PagedRequest[Response]):
    """Where to go on, and how much to return."""

    cursor: str | UnsetType = UNSET
    """next_cursor of the previous call."""
    limit: Annotated[int, page_limit()] | UnsetType = UNSET
    """Rules a page; WeCom takes 100 when left out and states no maximum."""
