"""Delete a keyword rule (删除关键词规则) [99829]."""

from wwspec_contracts.base import ApiRequest, Output


class Response(Output):
    """Whether it was deleted."""


class Request(ApiRequest[Response]):
    """Which rule."""

    rule_id: str
    """From get_rule_list."""
