"""Keyword rules of a corp, and the messages that hit one [99829, 99830].

A rule covers only messages that are newer than the rule. `rule_matching` compares a message with a rule. Plain state:
the caller holds the emulator's lock.
"""

import random
from bisect import bisect_left
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from wwspec_devtools.emulator.answers import Asked, RefusedError
from wwspec_devtools.emulator.bounded import MIB, BoundedDict
from wwspec_devtools.emulator.state.conversations import Message

MAX_RULES = 500
MAX_BYTES = 16 * MIB
"""The most bytes of the JSON of all rules; rules with usual ids and words need less."""
KEPT_HIT_BYTES = 32 * MIB
"""The most bytes of all hits; the oldest are dropped."""
_HIT_BYTES, _HIT_RULE_BYTES = 128, 96
_ID_START, _ID_LENGTH = "rule_", 24

MAX_WORD = 32
_Word = Annotated[str, Meta(min_length=1, max_length=MAX_WORD)]
_Words = Annotated[list[_Word], Meta(max_length=20)]
_Hundred = Meta(max_length=100)
_Flag = Annotated[int, Meta(ge=0, le=1)]
_OneOrTwo = Annotated[int, Meta(ge=1, le=2)]


class Keyword(Asked):
    """The words of a rule."""

    word_list: _Words | UnsetType = UNSET
    is_case_sensitive: _Flag | UnsetType = UNSET
    match_rule: _Flag | UnsetType = UNSET
    is_trim_msg: _Flag | UnsetType = UNSET


class Semantics(Asked):
    """The key behaviours of a rule."""

    semantics_list: list[int] | UnsetType = UNSET


class Kinds(Asked):
    """Kinds of sender or chat."""

    type_list: list[_OneOrTwo] | UnsetType = UNSET


class Departments(Asked):
    """Departments, by id."""

    id_list: Annotated[list[int], _Hundred] | UnsetType = UNSET


class Employees(Asked):
    """Employees, by id."""

    id_list: Annotated[list[str], Meta(max_length=1000)] | UnsetType = UNSET


class Customers(Asked):
    """Customers, by id."""

    id_list: Annotated[list[str], _Hundred] | UnsetType = UNSET


class Groups(Asked):
    """Groups, by chatid."""

    id_list: list[str] | UnsetType = UNSET


class Mobiles(Asked):
    """Mobile numbers that do not count as a hit."""

    mobile_list: Annotated[list[str], _Hundred] | UnsetType = UNSET


class BankCards(Asked):
    """Bank card numbers that do not count as a hit."""

    bank_card_list: Annotated[list[str], _Hundred] | UnsetType = UNSET


class Emails(Asked):
    """E-mail addresses that do not count as a hit."""

    email_list: Annotated[list[str], _Hundred] | UnsetType = UNSET


class SessionTypes(Asked):
    """Kinds of session: 1 internal, 2 external."""

    session_type_list: list[int] | UnsetType = UNSET


class ExcludedWords(Asked):
    """Words that undo a hit."""

    word_list: _Words | UnsetType = UNSET


class VoiceTypes(Asked):
    """Kinds whose speech is compared: 6 voice, 21 audio archive."""

    type_list: list[int] | UnsetType = UNSET


class ApplicableRange(Asked):
    """Where a rule applies."""

    target_type: Kinds | UnsetType = UNSET
    chat_type: Kinds | UnsetType = UNSET
    department: Departments | UnsetType = UNSET
    user: Employees | UnsetType = UNSET
    external_contact: Customers | UnsetType = UNSET
    chat: Groups | UnsetType = UNSET
    msg_scope: Annotated[int, Meta(ge=1, le=3)] | UnsetType = UNSET
    exclude_mobile: Mobiles | UnsetType = UNSET
    exclude_bank_card: BankCards | UnsetType = UNSET
    exclude_email: Emails | UnsetType = UNSET
    session_type: SessionTypes | UnsetType = UNSET
    exclude_keyword: ExcludedWords | UnsetType = UNSET
    voice_match_msgtype: VoiceTypes | UnsetType = UNSET


class RuleBody(Asked):
    """The words and behaviours that a rule looks for, and where."""

    name: Annotated[str, Meta(min_length=1, max_length=20)]
    keyword: Keyword | UnsetType = UNSET
    semantics: Semantics | UnsetType = UNSET
    applicable_range: ApplicableRange | UnsetType = UNSET


class Rule(msgspec.Struct, kw_only=True):
    """One rule."""

    rule_id: str
    serial: int
    """A number that grows from rule to rule, so cursors stay valid after deletions."""
    create_time: int
    body: RuleBody
    size: int
    """The bytes of the body's JSON."""

    @property
    def words(self) -> list[str]:
        """What it looks for in a text."""
        keyword = self.body.keyword
        return [] if keyword is UNSET or keyword.word_list is UNSET else keyword.word_list


class HitRule(msgspec.Struct, frozen=True, gc=False):
    """A rule that a message hit, and by what."""

    rule_id: str
    has_hit_keyword: bool
    semantics_list: tuple[int, ...]


class Hit(msgspec.Struct, frozen=True):
    """A message that hit rules."""

    message: Message
    rules: tuple[HitRule, ...]


Compare = Callable[[RuleBody, Message], tuple[bool, tuple[int, ...]] | None]
"""Returns how a message hit a rule: whether by a word, and by which behaviours; None for no hit."""


class RuleBook:
    """The rules of one corp.

    Args:
        rng: Makes the ids.
        compare: Compares a message with a rule.
        announce: Called with a message that hit.
    """

    def __init__(self, rng: random.Random, compare: Compare, announce: Callable[[Message], None]) -> None:
        self._rng = rng
        self._compare = compare
        self._announce = announce
        self._rules: dict[str, Rule] = {}
        self._serial = 0
        self.hits = BoundedDict[int, Hit](KEPT_HIT_BYTES)
        """The hits by position, in order of time."""
        self.end = 0
        """The position of the next hit."""

    def add(self, body: RuleBody, now: int) -> Rule:
        """Make a rule.

        Raises:
            RefusedError: 710619.
        """
        if len(self._rules) >= MAX_RULES:
            raise RefusedError(710619, f"{MAX_RULES} rules")
        size = self._check_size(body)
        self._serial += 1
        rule_id = f"{_ID_START}{self._rng.getrandbits(_ID_LENGTH * 4):0{_ID_LENGTH}x}"
        rule = self._rules[rule_id] = Rule(rule_id=rule_id, serial=self._serial, create_time=now, body=body, size=size)
        return rule

    def get(self, rule_id: str) -> Rule:
        """Return a rule.

        Raises:
            RefusedError: 710612 when there is none, 710620 when the id can't be one.
        """
        rule = self._rules.get(rule_id)
        if rule is None:
            sound = rule_id.startswith(_ID_START) and len(rule_id) == len(_ID_START) + _ID_LENGTH
            raise RefusedError(710612 if sound else 710620, "rule_id")
        return rule

    def change(self, rule_id: str, body: RuleBody) -> None:
        """Replace the body of a rule.

        Raises:
            RefusedError: As `get`, and 710619.
        """
        rule = self.get(rule_id)
        rule.size = self._check_size(body, instead_of=rule)
        rule.body = body

    def delete(self, rule_id: str) -> None:
        """Delete a rule; its hits stay.

        Raises:
            RefusedError: As `get`.
        """
        del self._rules[self.get(rule_id).rule_id]

    def after(self, serial: int) -> list[Rule]:
        """Return the rules with a higher serial, oldest first."""
        return [rule for rule in self._rules.values() if rule.serial > serial]

    def on_message(self, message: Message) -> None:
        """Compare a new message with every rule."""
        if hits := self._find_hits(message):
            self._keep(message, hits)
            self._announce(message)

    def hit(self, message: Message, rule: Rule) -> None:
        """Let a new message hit a rule, beside those that it hits by itself, and announce nothing."""
        semantics = rule.body.semantics
        shown = (
            () if rule.words or semantics is UNSET or semantics.semantics_list is UNSET else semantics.semantics_list
        )
        others = [each for each in self._find_hits(message) if each.rule_id != rule.rule_id]
        self._keep(message, [HitRule(rule.rule_id, bool(rule.words), tuple(shown)), *others])

    def _find_hits(self, message: Message) -> list[HitRule]:
        compared = ((rule.rule_id, self._compare(rule.body, message)) for rule in self._rules.values())
        return [HitRule(rule_id, *found) for rule_id, found in compared if found is not None]

    def _keep(self, message: Message, hits: list[HitRule]) -> None:
        self.hits.put(self.end, Hit(message, tuple(hits)), _HIT_BYTES + _HIT_RULE_BYTES * len(hits))
        self.end += 1

    def between(self, start: int, end: int) -> list[Hit]:
        """Return the hits at these positions that are still kept."""
        positions = range(max(start, self._first), min(end, self.end))
        return [hit for position in positions if (hit := self.hits.get(position)) is not None]

    def first_since(self, moment: float) -> int:
        """Return the position of the first hit of a message that was sent at `moment` or later."""
        hits = self.between(self._first, self.end)
        return self._first + bisect_left(hits, moment, key=lambda hit: hit.message.send_time)

    @property
    def _first(self) -> int:
        oldest = self.hits.oldest()
        return self.end if oldest is None else oldest[0]

    def _check_size(self, body: RuleBody, instead_of: Rule | None = None) -> int:
        size = len(msgspec.json.encode(body))
        if size + sum(rule.size for rule in self._rules.values() if rule is not instead_of) > MAX_BYTES:
            raise RefusedError(710619, f"the emulator keeps {MAX_BYTES // MIB} MiB of them")
        return size


def rule_of_word(text: str) -> RuleBody:
    """Return a rule that every message with a text hits, with WeCom's defaults."""
    keyword = Keyword(word_list=[text[:MAX_WORD]], is_case_sensitive=1, match_rule=0, is_trim_msg=0)
    return RuleBody(name="fire hit_keyword", keyword=keyword, applicable_range=ApplicableRange(msg_scope=3))


def merged(old: RuleBody, changes: dict[str, Any]) -> dict[str, Any]:
    """Return a rule's JSON with changes. A field that is left out stays; an empty list clears its setting."""
    body: dict[str, Any] = msgspec.to_builtins(old)
    for part, change in changes.items():
        body[part] = {**body.get(part, {}), **change} if isinstance(change, dict) else change
    settings = body.get("applicable_range", {})
    body["applicable_range"] = {name: value for name, value in settings.items() if not _cleared(value)}
    return body


def _cleared(setting: Any) -> bool:
    return isinstance(setting, dict) and not any(setting.values())
