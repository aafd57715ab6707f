"""Change a keyword rule (修改关键词规则) [99829].

What is left out stays as it is; an empty list inside applicable_range clears that setting.
"""

from wwspec_contracts.base import UNSET, ApiRequest, Output, UnsetType
from wwspec_contracts.rules import ApplicableRange, Keyword, RuleName, Semantics


class Response(Output):
    """Whether it was changed."""


class Request(ApiRequest[Response]):
    """Which rule, and what is new."""

    rule_id: str
    """From get_rule_list."""
    name: RuleName | UnsetType = UNSET
    """Its new name."""
    keyword: Keyword | UnsetType = UNSET
    """The new words."""
    semantics: Semantics | UnsetType = UNSET
    """The new behaviours."""
    applicable_range: ApplicableRange | UnsetType = UNSET
    """Where it applies from now on."""
