"""Change a keyword rule (修改关键词规则) [99829].

What is left out stays as it is; an empty list inside applicable_range clears that setting.
"""

from wwspec_router.contracts import UNSET, ApiRequest, Output, UnsetType
from wwspec_router.wecom.rules import ApplicableRange, Keyword, RuleName, Semantics


class Response(Output):
    """Whether it was changed."""


class Request(ApiRequest[Response]):
    """Which rule, and what is new."""

    rule_id: str
    name: RuleName | UnsetType = UNSET
    keyword: Keyword | UnsetType = UNSET
    semantics: Semantics | UnsetType = UNSET
    applicable_range: ApplicableRange | UnsetType = UNSET
