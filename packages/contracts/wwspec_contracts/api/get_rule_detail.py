"""Read one keyword rule (获取关键词规则详情) [99829].

The shapes here are those of `wwspec_contracts.rules` without their checks: all numbers are plain, all lists
default to empty, and no limit is enforced. The reply does not repeat the rule_id.
"""

from wwspec_contracts.base import UNSET, ApiRequest, Contract, Output, UnsetType


class Keyword(Contract):
    """The words of the rule."""

    word_list: list[str] = []
    is_case_sensitive: int = 0
    """0 or 1."""
    match_rule: int = 0
    """A `wwspec_contracts.rules.MatchRule`."""
    is_trim_msg: int = 0
    """0 or 1."""


class Semantics(Contract):
    """The behaviours of the rule."""

    semantics_list: list[int] = []
    """Each a `wwspec_contracts.rules.Behaviour`."""


class Types(Contract):
    """Some kinds of sender, chat or message."""

    type_list: list[int] = []


class Departments(Contract):
    """Departments, by id."""

    id_list: list[int] = []


class Ids(Contract):
    """Employees, customers or groups, by id."""

    id_list: list[str] = []


class Mobiles(Contract):
    """Mobile numbers with their country code."""

    mobile_list: list[str] = []


class BankCards(Contract):
    """Bank card numbers."""

    bank_card_list: list[str] = []


class Emails(Contract):
    """E-mail addresses."""

    email_list: list[str] = []


class SessionTypes(Contract):
    """Kinds of session."""

    session_type_list: list[int] = []
    """Each a `wwspec_contracts.rules.SessionType`."""


class Words(Contract):
    """Words that undo a hit."""

    word_list: list[str] = []


class ApplicableRange(Contract):
    """Where the rule applies; `wwspec_contracts.rules.ApplicableRange` says how the parts work together."""

    target_type: Types | UnsetType = UNSET
    """Each a `wwspec_contracts.rules.SenderType`."""
    chat_type: Types | UnsetType = UNSET
    """Each a `wwspec_contracts.messages.ChatType`."""
    department: Departments | UnsetType = UNSET
    user: Ids | UnsetType = UNSET
    """open_userids."""
    external_contact: Ids | UnsetType = UNSET
    """external_userids."""
    chat: Ids | UnsetType = UNSET
    """chatids."""
    msg_scope: int = 0
    """A `wwspec_contracts.rules.MsgScope`; 0 when WeCom left it out."""
    exclude_mobile: Mobiles | UnsetType = UNSET
    """These numbers are no hit."""
    exclude_bank_card: BankCards | UnsetType = UNSET
    """These cards are no hit."""
    exclude_email: Emails | UnsetType = UNSET
    """These addresses are no hit."""
    session_type: SessionTypes | UnsetType = UNSET
    exclude_keyword: Words | UnsetType = UNSET
    """A message with one of these words is no hit."""
    voice_match_msgtype: Types | UnsetType = UNSET
    """Each a `wwspec_contracts.rules.VoiceType`."""


class Response(Output):
    """The rule."""

    name: str = ""
    keyword: Keyword | UnsetType = UNSET
    """The words of the rule."""
    semantics: Semantics | UnsetType = UNSET
    """The behaviours of the rule."""
    applicable_range: ApplicableRange | UnsetType = UNSET
    """Where the rule applies."""


class Request(ApiRequest[Response]):
    """Which rule."""

    rule_id: str
    """From get_rule_list."""
