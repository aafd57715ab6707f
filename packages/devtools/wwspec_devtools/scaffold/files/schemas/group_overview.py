"""The contract of the ability `group_overview`."""

from wwspec_router import Contract, Output


class Request(Contract):
    """Which group."""

    chatid: str
    """From a message of sync_msg."""


class Response(Output):
    """Who is in the group, in numbers."""

    creator: str = ""
    employees: int = 0
    customers: int = 0
    robots: int = 0
