"""Keyword rules as they are written: what create_rule and update_rule take [99829].

For update_rule, an empty list inside the range clears that setting, while a list left out keeps it.
"""

from enum import IntEnum
from typing import Annotated

from msgspec import Meta

from wwspec_contracts.base import UNSET, Contract, Flag, UnsetType
from wwspec_contracts.messages import ChatType, MsgType

RuleName = Annotated[str, Meta(min_length=1, max_length=20)]
"""Name of a rule: 1 to 20 characters."""

Word = Annotated[str, Meta(min_length=1, max_length=32)]
"""A keyword: 1 to 32 characters."""


class MatchRule(IntEnum):
    """How a message is compared with a word."""

    CONTAINS = 0
    EXACT = 1


class Behaviour(IntEnum):
    """Something that a rule can look for besides words."""

    RED_PACKET = 1
    MOBILE_NUMBER = 2
    EMAIL_ADDRESS = 3
    WECHAT_CARD = 4
    QR_CODE = 5
    """An image with a QR code."""
    RECALLED = 6
    """A message was taken back."""
    BANK_CARD = 7
    ID_CARD = 8
    FILE = 9
    """Not files of the drive."""
    LINK = 10
    MINI_PROGRAM = 11
    WELCOME_MESSAGE = 12


class SenderType(IntEnum):
    """Whose messages are checked."""

    EMPLOYEE = 1
    CUSTOMER = 2


class MsgScope(IntEnum):
    """Which direction is checked, as seen by those whom the rule names."""

    SENT = 1
    RECEIVED = 2
    BOTH = 3


class SessionType(IntEnum):
    """Whether outsiders take part."""

    INTERNAL = 1
    EXTERNAL = 2


class VoiceType(IntEnum):
    """Messages whose speech can be compared with the words."""

    VOICE = MsgType.VOICE
    AUDIO_ARCHIVE = MsgType.AUDIO_ARCHIVE


class Keyword(Contract):
    """The words of a rule."""

    word_list: Annotated[list[Word], Meta(max_length=20)] | UnsetType = UNSET
    """One of them is enough for a hit."""
    is_case_sensitive: Flag | UnsetType = UNSET
    """WeCom takes 1 when create_rule leaves it out."""
    match_rule: MatchRule | UnsetType = UNSET
    """WeCom takes `MatchRule.CONTAINS` when left out."""
    is_trim_msg: Flag | UnsetType = UNSET
    """1 = compare without blanks, tabs and line breaks; `MatchRule.EXACT` only. 0 when left out."""


class Semantics(Contract):
    """The behaviours of a rule."""

    semantics_list: list[Behaviour] | UnsetType = UNSET
    """One of them is enough for a hit."""


class SenderTypes(Contract):
    """Kinds of sender."""

    type_list: list[SenderType] | UnsetType = UNSET


class ChatTypes(Contract):
    """Kinds of chat."""

    type_list: list[ChatType] | UnsetType = UNSET


class Departments(Contract):
    """Departments, by id."""

    id_list: Annotated[list[int], Meta(max_length=100)] | UnsetType = UNSET
    """Ids of departments."""


class Employees(Contract):
    """Employees, by open_userid."""

    id_list: Annotated[list[str], Meta(max_length=1000)] | UnsetType = UNSET
    """open_userids."""


class Customers(Contract):
    """Customers, by external_userid."""

    id_list: Annotated[list[str], Meta(max_length=100)] | UnsetType = UNSET
    """external_userids."""


class Groups(Contract):
    """Group chats, by chatid."""

    id_list: Annotated[list[str], Meta(max_length=2000)] | UnsetType = UNSET
    """chatids."""


class Mobiles(Contract):
    """Mobile numbers with their country code, such as +8613800000000."""

    mobile_list: Annotated[list[str], Meta(max_length=100)] | UnsetType = UNSET
    """With the country code."""


class BankCards(Contract):
    """Bank card numbers."""

    bank_card_list: Annotated[list[str], Meta(max_length=100)] | UnsetType = UNSET


class Emails(Contract):
    """E-mail addresses."""

    email_list: Annotated[list[str], Meta(max_length=100)] | UnsetType = UNSET


class SessionTypes(Contract):
    """Kinds of session."""

    session_type_list: list[SessionType] | UnsetType = UNSET


class Words(Contract):
    """Words that undo a hit."""

    word_list: Annotated[list[Word], Meta(max_length=20)] | UnsetType = UNSET


class VoiceTypes(Contract):
    """Kinds of message with speech."""

    type_list: list[VoiceType] | UnsetType = UNSET


class ApplicableRange(Contract):
    """Where a rule applies."""

    target_type: SenderTypes | UnsetType = UNSET
    """Kinds of sender; both when left out."""
    chat_type: ChatTypes | UnsetType = UNSET
    """Kinds of chat; both when left out."""
    department: Departments | UnsetType = UNSET
    """Together with `user`. Without target_type all customers are checked as well."""
    user: Employees | UnsetType = UNSET
    """Together with `department`. Without target_type all customers are checked as well."""
    external_contact: Customers | UnsetType = UNSET
    """Without target_type all employees are checked as well."""
    chat: Groups | UnsetType = UNSET
    """Without chat_type all one-to-one chats are checked as well. Has no effect on audio archive."""
    msg_scope: MsgScope | UnsetType = UNSET
    """WeCom takes `MsgScope.SENT` when left out."""
    exclude_mobile: Mobiles | UnsetType = UNSET
    """These numbers are no hit."""
    exclude_bank_card: BankCards | UnsetType = UNSET
    """These cards are no hit."""
    exclude_email: Emails | UnsetType = UNSET
    """These addresses are no hit."""
    session_type: SessionTypes | UnsetType = UNSET
    """Whether outsiders take part in the chat."""
    exclude_keyword: Words | UnsetType = UNSET
    """A message with one of these words is no hit."""
    voice_match_msgtype: VoiceTypes | UnsetType = UNSET
    """Compare the words with what was said in these kinds of message."""
