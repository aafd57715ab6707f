"""Ask which customers agreed to archiving in a group chat (获取群聊会话同意情况) [99826, 100024].

At least one employee in the group must be in scope.
"""

from wwspec_contracts.base import ApiRequest, Contract, Output


class Agreement(Contract):
    """A customer's answer in the group."""

    status_change_time: int = 0
    """When the answer last changed, Unix time in seconds."""
    external_userid: str = ""
    """The customer."""
    agree_status: str = ""
    """A `wwspec_contracts.consent.AgreeStatus`."""


class Response(Output):
    """The answers."""

    agreeinfo: list[Agreement] = []
    """One for each external contact in the group."""


class Request(ApiRequest[Response]):
    """Which group."""

    chatid: str
    """The group, from a message of sync_msg."""
