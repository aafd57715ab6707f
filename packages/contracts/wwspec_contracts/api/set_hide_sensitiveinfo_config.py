"""Set a member's masking (设置成员会话组件敏感信息隐藏配置) [100055, 100054, 100139].

Masking is what the chat component hides from a member. Documented as an HTTP API of the app's side; the
vendor's Java SDK lists it among its APIs, with the same body as far as is known.
"""

from wwspec_contracts.base import UNSET, ApiRequest, Contract, Output, UnsetType


class Masking(Contract):
    """What is hidden; WeCom takes false for what is left out."""

    hide_mobile: bool | UnsetType = UNSET
    """Mobile numbers."""
    hide_idcard: bool | UnsetType = UNSET
    """ID card numbers."""
    hide_bankno: bool | UnsetType = UNSET
    """Bank card numbers."""


class Response(Output):
    """Whether it was set."""


class Request(ApiRequest[Response]):
    """For whom, and what."""

    userid: str
    """The member."""
    config: Masking
    """What to hide."""
