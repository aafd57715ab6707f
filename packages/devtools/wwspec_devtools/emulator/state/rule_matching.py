"""Whether a message hits a keyword rule, and by what [99829].

Pure functions of a rule, a message and the people of the corp. Not modelled: recalled messages and welcome messages
(behaviours 6 and 12), since the index of messages does not have them.
"""

import re
from collections.abc import Iterator
from typing import Any

from msgspec import UNSET, UnsetType

from wwspec_devtools.emulator.state import texts
from wwspec_devtools.emulator.state.conversations import CUSTOMER, EMPLOYEE, Message, Party
from wwspec_devtools.emulator.state.people import People
from wwspec_devtools.emulator.state.rules import ApplicableRange, Keyword, RuleBody

SENT, RECEIVED = 1, 2
_EXACT = 1
_SINGLE, _GROUP = 1, 2
_INTERNAL, _EXTERNAL = 1, 2

_CAN_HIT = (
    *(texts.TEXT, texts.IMAGE, texts.LINK, texts.MINI_PROGRAM, texts.VOICE),
    *(texts.FILE, texts.CARD, texts.RED_PACKET, texts.MIXED, texts.AUDIO_ARCHIVE),
)
_BY_KIND = {texts.RED_PACKET: 1, texts.CARD: 4, texts.FILE: 9, texts.LINK: 10, texts.MINI_PROGRAM: 11}
MOBILE = re.compile(r"(?<![\d+])(?:\+?86)?(1[3-9]\d{9})(?!\d)", re.ASCII)
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", re.ASCII)
BANK_CARD = re.compile(r"(?<!\d)\d{16,19}(?![\dXx])", re.ASCII)
ID_CARD = re.compile(r"(?<!\d)\d{17}[\dXx](?!\d)", re.ASCII)
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def compare(people: People, rule: RuleBody, message: Message) -> tuple[bool, tuple[int, ...]] | None:
    """Return whether the message hit a word of the rule, and which behaviours it hit; None without a hit."""
    where = ApplicableRange() if rule.applicable_range is UNSET else rule.applicable_range
    if message.msgtype not in _CAN_HIT or not _applies(people, where, message):
        return None
    if where.exclude_keyword is not UNSET and any(
        word in message.text for word in _given(where.exclude_keyword.word_list)
    ):
        return None
    by_word = rule.keyword is not UNSET and _words_hit(rule.keyword, where, message)
    wanted = [] if rule.semantics is UNSET else _given(rule.semantics.semantics_list)
    found = set(_behaviours(where, message)) & set(wanted)
    return (by_word, tuple(sorted(found))) if by_word or found else None


def _given(listed: list[str] | list[int] | UnsetType) -> list[Any]:
    return [] if listed is UNSET else [*listed]


def _applies(people: People, where: ApplicableRange, message: Message) -> bool:
    in_group = message.chatid is not UNSET
    external = any(party.type == CUSTOMER for party in message.parties)
    if where.chat_type is not UNSET and not _allows(where.chat_type.type_list, _GROUP if in_group else _SINGLE):
        return False
    if where.session_type is not UNSET and not _allows(
        where.session_type.session_type_list, _EXTERNAL if external else _INTERNAL
    ):
        return False
    if in_group and where.chat is not UNSET and message.msgtype != texts.AUDIO_ARCHIVE:
        if not _allows(where.chat.id_list, message.chatid):
            return False
    return any(_covers(people, where, party) for party in _seen(where, message))


def _allows(listed: list[int] | list[str] | UnsetType, value: object) -> bool:
    """Return whether a setting accepts a value. An empty list accepts every value."""
    return listed is UNSET or not listed or value in listed


def _seen(where: ApplicableRange, message: Message) -> Iterator[Party]:
    """Yield the people whose messages the rule covers: the sender, the receivers, or both."""
    scope = SENT if where.msg_scope is UNSET else where.msg_scope
    if scope != RECEIVED:
        yield message.sender
    if scope != SENT:
        yield from message.receiver_list


def _covers(people: People, where: ApplicableRange, party: Party) -> bool:
    if party.type not in (EMPLOYEE, CUSTOMER):
        return False
    if where.target_type is not UNSET and not _allows(where.target_type.type_list, party.type):
        return False
    if party.type == CUSTOMER:
        return where.external_contact is UNSET or _allows(where.external_contact.id_list, party.id)
    users = [] if where.user is UNSET else _given(where.user.id_list)
    departments = [] if where.department is UNSET else _given(where.department.id_list)
    if not users and not departments:
        return True
    person = people.find(party.id, EMPLOYEE)
    department = 0 if person is None else person.department
    return party.id in users or department in departments or 1 in departments


def _words_hit(keyword: Keyword, where: ApplicableRange, message: Message) -> bool:
    if message.msgtype in texts.SPOKEN:
        spoken = [] if where.voice_match_msgtype is UNSET else _given(where.voice_match_msgtype.type_list)
        if message.msgtype not in spoken:
            return False
    text, words = message.text, _given(keyword.word_list)
    if keyword.is_trim_msg == 1:
        text = re.sub(r"[ \t\r\n]", "", text)
    if keyword.is_case_sensitive == 0:
        text, words = text.casefold(), [word.casefold() for word in words]
    if keyword.match_rule == _EXACT:
        return text in words
    return any(word in text for word in words)


def _behaviours(where: ApplicableRange, message: Message) -> Iterator[int]:
    """Yield every behaviour that a message shows, except the excluded numbers and addresses."""
    if message.msgtype in _BY_KIND:
        yield _BY_KIND[message.msgtype]
    if message.msgtype == texts.IMAGE and message.text == texts.QR_CODE:
        yield 5
    if message.msgtype not in (texts.TEXT, texts.MIXED):
        return
    mobiles = [] if where.exclude_mobile is UNSET else _given(where.exclude_mobile.mobile_list)
    emails = [] if where.exclude_email is UNSET else _given(where.exclude_email.email_list)
    cards = [] if where.exclude_bank_card is UNSET else _given(where.exclude_bank_card.bank_card_list)
    if any(f"+86{number}" not in mobiles for number in MOBILE.findall(message.text)):
        yield 2
    if any(address not in emails for address in _EMAIL.findall(message.text)):
        yield 3
    if any(_is_bank_card(card) and card not in cards for card in BANK_CARD.findall(message.text)):
        yield 7
    if any(_is_id_card(number) for number in ID_CARD.findall(message.text)):
        yield 8


def _is_bank_card(digits: str) -> bool:
    """Return whether the Luhn sum is right."""
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(number - 9 if number > 9 else number for number in doubled) % 10 == 0


def _is_id_card(number: str) -> bool:
    """Return whether the check character of a resident identity number is right."""
    total = sum(int(digit) * weight for digit, weight in zip(number, _ID_WEIGHTS, strict=False))
    return "10X98765432"[total % 11] == number[-1].upper()
