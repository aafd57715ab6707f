"""Make a keyword rule (新增关键词规则) [99829].

At most 500 rules for one corp. A rule needs a word or a behaviour to look for.
"""

from wwspec_contracts.base import UNSET, ApiRequest, Output, UnsetType
from wwspec_contracts.rules import ApplicableRange, Keyword, RuleName, Semantics


class Response(Output):
    """The new rule."""

    rule_id: str = ""
    """For get_rule_detail, update_rule and delete_rule."""


class Request(ApiRequest[Response]):
    """What to look for, and where."""

    name: RuleName
    """Name of the rule."""
    keyword: Keyword | UnsetType = UNSET
    """Needed without `semantics`."""
    semantics: Semantics | UnsetType = UNSET
    """Needed without `keyword`."""
    applicable_range: ApplicableRange | UnsetType = UNSET
    """Where the rule applies."""
