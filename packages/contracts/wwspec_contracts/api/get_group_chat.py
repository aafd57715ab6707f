"""Read an internal group's creator and members (获取内部群信息) [99825].

Internal groups and groups between corps only; at least one employee of the group must be in scope.
"""

from wwspec_contracts.base import ApiRequest, Contract, Output


class Member(Contract):
    """One member of the group."""

    memberid: str = ""
    """userid of an employee, external_userid of a customer, or id of a robot."""
    jointime: int = 0
    """Unix time in seconds."""
    type: int = 0
    """A `wwspec_contracts.messages.PartyType`."""


class Response(Output):
    """The group."""

    creator: str = ""
    """userid of who created the group."""
    room_create_time: int = 0
    """Unix time in seconds."""
    members: list[Member] = []
    """Employees, customers and robots."""


class Request(ApiRequest[Response]):
    """Which group."""

    chatid: str
    """From a message of sync_msg."""
