"""Find employees or customers by name (员工或客户名称搜索) [100235, 101370].

Employees are found by name, alias, or the name's pinyin while they are in the archive scope; customers by
nickname, remark, or the pinyin of these while an employee who looks after them is in scope.
"""

from enum import IntEnum
from typing import Annotated

from msgspec import Meta

from wwspec_contracts.base import UNSET, Contract, PagedRequest, UnsetType
from wwspec_contracts.paging import Page, page_limit


class QueryUserType(IntEnum):
    """Whom to look for."""

    BOTH = 0
    EMPLOYEES = 1
    CUSTOMERS = 2


class User(Contract):
    """Someone who was found."""

    type: int = 0
    """A `wwspec_contracts.messages.PartyType`: employee or customer."""
    id: str = ""
    """Id of the employee or the customer."""


class Response(Page):
    """Those who were found."""

    user_list: list[User] = []


class Request(PagedRequest[Response]):
    """Whom to look for."""

    query_word: Annotated[str, Meta(min_length=2, max_length=31)]
    """2 to 31 characters."""
    query_user_type: QueryUserType | UnsetType = UNSET
    """WeCom takes `QueryUserType.BOTH` when left out."""
    limit: Annotated[int, page_limit(100)] | UnsetType = UNSET
    """People a page; WeCom takes 50 when left out."""
    cursor: str | UnsetType = UNSET
    """next_cursor of the previous call."""
