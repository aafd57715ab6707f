"""SDK APIs about keyword rules: `create_`, `update_`, `delete_rule`, `get_rule_list`, `get_rule_detail` [99829].

`wwspec_devtools.emulator.state.rules` applies them to messages.
"""

import re
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from wwspec_contracts.decoding import convert
from wwspec_devtools.emulator.answers import Answer, Asked, RefusedError, accepted
from wwspec_devtools.emulator.apis.paging import Paging
from wwspec_devtools.emulator.state.accounts import App
from wwspec_devtools.emulator.state.conversations import EMPLOYEE, Conversations
from wwspec_devtools.emulator.state.people import DEPARTMENTS
from wwspec_devtools.emulator.state.rules import ApplicableRange, Keyword, RuleBody, Semantics, merged
from wwspec_devtools.emulator.state.texts import SPOKEN
from wwspec_devtools.emulator.state.world import World

MAX_CHATS = 2000
DEFAULT_LIMIT = 100

_PAGES = Paging("r")
_BEHAVIOURS = range(1, 13)
_MOBILE = re.compile(r"\+\d{6,15}", re.ASCII)
_BANK_CARD = re.compile(r"\d{12,19}", re.ASCII)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


class CreateRule(RuleBody):
    """Request of `create_rule`."""


class UpdateRule(Asked):
    """Request of `update_rule`."""

    rule_id: str
    name: Annotated[str, Meta(min_length=1, max_length=20)] | UnsetType = UNSET
    keyword: Keyword | UnsetType = UNSET
    semantics: Semantics | UnsetType = UNSET
    applicable_range: ApplicableRange | UnsetType = UNSET


class RuleId(Asked):
    """Request of `get_rule_detail` and `delete_rule`."""

    rule_id: str


class RuleList(Asked):
    """Request of `get_rule_list`."""

    cursor: str = ""
    limit: Annotated[int, Meta(ge=0)] = 0


def create_rule(world: World, app: App, request: CreateRule) -> Answer:
    """Make a rule."""
    corp = world.corp(app)
    rule = corp.rules.add(_check_rule(corp.chats, msgspec.to_builtins(request)), world.clock.seconds())
    return accepted(rule_id=rule.rule_id)


def get_rule_list(world: World, app: App, request: RuleList) -> Answer:
    """Return the rules, oldest first."""
    start = _PAGES.read(world, app, request.cursor) or 0
    rules = world.corp(app).rules.after(start)
    page = rules[: request.limit or DEFAULT_LIMIT]
    cursor = _PAGES.write(world, app, page[-1].serial if page else start)
    listed = [{"rule_id": rule.rule_id, "name": rule.body.name, "create_time": rule.create_time} for rule in page]
    return accepted(rule_list=listed, has_more=len(page) < len(rules), next_cursor=cursor)


def get_rule_detail(world: World, app: App, request: RuleId) -> Answer:
    """Return one rule with WeCom's defaults for what was left out."""
    rule = world.corp(app).rules.get(request.rule_id)
    return accepted(**msgspec.to_builtins(rule.body))


def update_rule(world: World, app: App, request: UpdateRule) -> Answer:
    """Change a rule. Earlier hits stay."""
    changes = msgspec.to_builtins(request)
    del changes["rule_id"]
    corp = world.corp(app)
    rule = corp.rules.get(request.rule_id)
    corp.rules.change(rule.rule_id, _check_rule(corp.chats, merged(rule.body, changes)))
    return accepted()


def delete_rule(world: World, app: App, request: RuleId) -> Answer:
    """Delete a rule."""
    world.corp(app).rules.delete(request.rule_id)
    return accepted()


def _check_rule(chats: Conversations, body: dict[str, Any]) -> RuleBody:
    """Check what types can't express, and add WeCom's defaults for what was left out."""
    keyword, where = body.get("keyword", {}), body.setdefault("applicable_range", {})
    behaviours = body.get("semantics", {}).get("semantics_list", [])
    words = keyword.get("word_list", [])
    if keyword and "word_list" not in keyword:
        raise RefusedError(710650, "keyword.word_list")
    if not words and not behaviours:
        raise RefusedError(710610, "keyword.word_list or semantics.semantics_list is needed")
    if any(behaviour not in _BEHAVIOURS for behaviour in behaviours):
        raise RefusedError(710648, "semantics.semantics_list: 1 to 12")
    if words:
        body["keyword"] = {"is_case_sensitive": 1, "match_rule": 0, "is_trim_msg": 0, **keyword}
        if body["keyword"]["is_trim_msg"] and not body["keyword"]["match_rule"]:
            raise RefusedError(40058, "keyword.is_trim_msg: only with match_rule 1")
    else:
        body.pop("keyword", None)
    where.setdefault("msg_scope", 1)
    _check_values(where)
    _check_known(chats, where)
    return convert(body, RuleBody)


def _check_values(where: dict[str, Any]) -> None:
    formats = (
        ("exclude_mobile", "mobile_list", _MOBILE, 710621),
        ("exclude_bank_card", "bank_card_list", _BANK_CARD, 710622),
        ("exclude_email", "email_list", _EMAIL, 40058),
    )
    for part, field, pattern, errcode in formats:
        if not all(map(pattern.fullmatch, _listed(where, part, field))):
            raise RefusedError(errcode, f"applicable_range.{part}.{field}")
    if not set(_listed(where, "session_type", "session_type_list")) <= {1, 2}:
        raise RefusedError(710615, "applicable_range.session_type.session_type_list: 1 or 2")
    if not set(_listed(where, "voice_match_msgtype", "type_list")) <= set(SPOKEN):
        raise RefusedError(40058, "applicable_range.voice_match_msgtype.type_list: 6 or 21")


def _check_known(chats: Conversations, where: dict[str, Any]) -> None:
    chatids = _listed(where, "chat", "id_list")
    if len(chatids) > MAX_CHATS:
        raise RefusedError(710649, f"applicable_range.chat.id_list: {MAX_CHATS} groups")
    if not set(chatids) <= set(chats.groups):
        raise RefusedError(710606, "applicable_range.chat.id_list")
    if not set(_listed(where, "department", "id_list")) <= set(DEPARTMENTS):
        raise RefusedError(710607, f"applicable_range.department.id_list: {', '.join(map(str, DEPARTMENTS))}")
    if any(chats.people.find(userid, EMPLOYEE) is None for userid in _listed(where, "user", "id_list")):
        raise RefusedError(710608, "applicable_range.user.id_list")


def _listed(where: dict[str, Any], part: str, field: str) -> list[Any]:
    found: list[Any] = where.get(part, {}).get(field, [])
    return found
