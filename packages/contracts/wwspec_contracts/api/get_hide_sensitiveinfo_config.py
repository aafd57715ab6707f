"""Read a member's masking (获取成员会话组件敏感信息隐藏配置) [100055, 100054, 100139].

Masking is what the chat component hides from a member. Documented as an HTTP API of the app's side; the
vendor's Java SDK lists it among its APIs, with the same body as far as is known.
"""

from wwspec_contracts.base import UNSET, ApiRequest, Contract, Output, UnsetType


class Masking(Contract):
    """What is hidden."""

    hide_mobile: bool = False
    """Mobile numbers."""
    hide_idcard: bool = False
    """ID card numbers."""
    hide_bankno: bool = False
    """Bank card numbers."""


class Response(Output):
    """The member's setting."""

    config: Masking | UnsetType = UNSET
    """What is hidden from the member."""


class Request(ApiRequest[Response]):
    """For whom."""

    userid: str
    """The encrypted userid."""
