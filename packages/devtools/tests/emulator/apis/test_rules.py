from typing import Any

import pytest

from tests.emulator.apis.conftest import START, EmulatedZone, Json

WORDS = {"name": "规则", "keyword": {"word_list": ["退款"]}}


def hits(zone: EmulatedZone, **more: Any) -> list[Json]:
    found: list[Json] = zone.ok("get_hit_msg_list", token=zone.event_token(), **more)["msg_list"]
    return found


def hit_by(zone: EmulatedZone, rule: Json, text: str, **more: Any) -> bool:
    """Make a rule, say something, and tell whether it hit."""
    rule_id = zone.ok("create_rule", rule)["rule_id"]
    before = len(hits(zone))
    zone.say(text, **{"parties": zone.employee_first, **more})
    zone.ok("delete_rule", rule_id=rule_id)
    return len(hits(zone)) > before


def test_a_new_message_that_holds_a_word_is_announced_and_listed(zone: EmulatedZone) -> None:
    zone.say("我要退款", parties=zone.employee_first)
    rule_id = zone.ok("create_rule", WORDS)["rule_id"]
    assert hits(zone) == [], "a rule looks at new messages only"
    message = zone.say("我要退款", parties=zone.employee_first)
    zone.say("没事", parties=zone.employee_first)
    [event] = zone.events("hit_keyword")
    [hit] = zone.ok("get_hit_msg_list", token=event["token"])["msg_list"]
    by = {"rule_id": rule_id, "has_hit_keyword": True, "semantics_list": []}
    assert hit == {"msgid": message.msgid, "hit_rule_list": [by]}


def test_the_detail_of_a_hit_is_that_of_sync_msg(zone: EmulatedZone) -> None:
    zone.ok("create_rule", WORDS)
    zone.say("退款！", parties=zone.employee_first)
    [hit] = hits(zone, need_detail=1)
    pulled = zone.ok("sync_msg", limit=1000)["msg_list"][-1]
    assert pulled.pop("msgid") == hit["msgid"]
    assert hit["msg_detail"] == pulled
    assert "msg_detail" not in hits(zone)[0]


def test_a_message_names_every_rule_that_it_hit_and_by_what(zone: EmulatedZone) -> None:
    one = zone.ok("create_rule", WORDS)["rule_id"]
    two = zone.ok("create_rule", name="号码", semantics={"semantics_list": [3, 2, 7]})["rule_id"]
    zone.say("退款到 a@example.com，电话 13800138000", parties=zone.employee_first)
    [hit] = hits(zone)
    assert hit["hit_rule_list"] == [
        {"rule_id": one, "has_hit_keyword": True, "semantics_list": []},
        {"rule_id": two, "has_hit_keyword": False, "semantics_list": [2, 3]},
    ]


@pytest.mark.parametrize(
    ("keyword", "text", "hit"),
    [
        ({"word_list": ["one", "two"]}, "it takes two", True),
        ({"word_list": ["Two"]}, "it takes two", False),
        ({"word_list": ["Two"], "is_case_sensitive": 0}, "it takes two", True),
        ({"word_list": ["two"], "match_rule": 1}, "it takes two", False),
        ({"word_list": ["two"], "match_rule": 1}, "two", True),
        ({"word_list": ["two"], "match_rule": 1}, " t wo\n", False),
        ({"word_list": ["two"], "match_rule": 1, "is_trim_msg": 1}, " t wo\n", True),
    ],
)
def test_words_are_compared_as_the_rule_says(zone: EmulatedZone, keyword: Json, text: str, hit: bool) -> None:
    assert hit_by(zone, {"name": "规则", "keyword": keyword}, text) is hit


@pytest.mark.parametrize(
    ("behaviour", "text", "msgtype", "hit"),
    [
        (1, "", 13, True),
        (2, "打 13800138000", 1, True),
        (2, "打 +8613800138000", 1, True),
        (2, "单号 138001380001", 1, False),
        (3, "写 a.b@example.com 给我", 1, True),
        (3, "a@b", 1, False),
        (4, "", 9, True),
        (5, "[二维码]", 2, True),
        (5, "", 2, False),
        (7, "卡 6222020200112233446", 1, True),
        (7, "卡 6222020200112233447", 1, False),
        (8, "证 32118119491231115X", 1, True),
        (8, "证 321181194912311151", 1, False),
        (9, "a.pdf", 8, True),
        (9, "a.pdf", 23, False),
        (10, "标题", 4, True),
        (11, "标题", 5, True),
        (6, "撤回", 1, False),
    ],
)
def test_behaviours_are_seen(zone: EmulatedZone, behaviour: int, text: str, msgtype: int, hit: bool) -> None:
    rule = {"name": "行为", "semantics": {"semantics_list": [behaviour]}}
    assert hit_by(zone, rule, text, msgtype=msgtype) is hit


@pytest.mark.parametrize(
    ("where", "hit"),
    [
        ({}, True),
        ({"target_type": {"type_list": [1]}}, True),
        ({"target_type": {"type_list": [2]}}, False),
        ({"target_type": {"type_list": [2]}, "msg_scope": 2}, True),
        ({"target_type": {"type_list": [2]}, "msg_scope": 3}, True),
        ({"chat_type": {"type_list": [1]}}, True),
        ({"chat_type": {"type_list": [2]}}, False),
        ({"user": {"id_list": ["zhangwei"]}}, True),
        ({"user": {"id_list": ["lina"]}}, False),
        ({"user": {"id_list": ["lina"]}, "department": {"id_list": [2]}}, True),
        ({"department": {"id_list": [3]}}, False),
        ({"department": {"id_list": [1]}}, True),
        ({"user": {"id_list": ["lina"]}, "msg_scope": 2}, True),
        ({"external_contact": {"id_list": ["wm-other"]}}, True),
        ({"external_contact": {"id_list": ["wm-other"]}, "msg_scope": 2}, False),
        ({"session_type": {"session_type_list": [2]}}, True),
        ({"session_type": {"session_type_list": [1]}}, False),
        ({"exclude_keyword": {"word_list": ["不要"]}}, True),
        ({"exclude_keyword": {"word_list": ["我要"]}}, False),
    ],
)
def test_a_rule_applies_where_it_says(zone: EmulatedZone, where: Json, hit: bool) -> None:
    assert hit_by(zone, WORDS | {"applicable_range": where}, "我要退款") is hit


def test_a_rule_can_be_kept_to_groups_but_holds_for_single_chats(zone: EmulatedZone) -> None:
    one, other = list(zone.chats.groups.values())[:2]
    rule = WORDS | {"applicable_range": {"chat": {"id_list": [one.chatid]}}}
    assert hit_by(zone, rule, "退款", parties=one.members, chatid=one.chatid)
    assert not hit_by(zone, rule, "退款", parties=other.members, chatid=other.chatid)
    assert hit_by(zone, rule, "退款")


def test_what_a_robot_says_is_not_checked(zone: EmulatedZone) -> None:
    robot, employee = zone.chats.robots[0], zone.chats.employees[0]
    assert not hit_by(zone, WORDS, "退款", parties=(robot, employee))
    assert hit_by(zone, WORDS, "退款", parties=(employee, robot))


@pytest.mark.parametrize(
    ("excluded", "behaviour", "text"),
    [
        ({"exclude_mobile": {"mobile_list": ["+8613800138000"]}}, 2, "13800138000"),
        ({"exclude_email": {"email_list": ["a@example.com"]}}, 3, "a@example.com"),
        ({"exclude_bank_card": {"bank_card_list": ["6222020200112233446"]}}, 7, "6222020200112233446"),
    ],
)
def test_excluded_numbers_are_no_hit(zone: EmulatedZone, excluded: Json, behaviour: int, text: str) -> None:
    rule = {"name": "行为", "semantics": {"semantics_list": [behaviour]}, "applicable_range": excluded}
    assert not hit_by(zone, rule, text)
    del rule["applicable_range"]
    assert hit_by(zone, rule, text)


def test_speech_is_compared_only_if_the_rule_asks_for_it(zone: EmulatedZone) -> None:
    assert not hit_by(zone, WORDS, "我要退款", msgtype=6)
    rule = WORDS | {"applicable_range": {"voice_match_msgtype": {"type_list": [6]}}}
    assert hit_by(zone, rule, "我要退款", msgtype=6)
    assert not hit_by(zone, rule, "我要退款", msgtype=21)


def test_hits_are_paged_and_reach_back_five_days(zone: EmulatedZone) -> None:
    zone.ok("create_rule", WORDS)
    said = [zone.say(f"退款 {number}", parties=zone.employee_first).msgid for number in range(5)]
    pages = zone.pages("get_hit_msg_list", "msg_list", {"limit": 2})
    assert [[hit["msgid"] for hit in page] for page in pages] == [said[:2], said[2:4], said[4:]]
    zone.advance(5 * 86400)
    late = zone.say("退款", parties=zone.employee_first)
    zone.advance(1)
    assert [hit["msgid"] for hit in hits(zone)] == [late.msgid]
    assert hits(zone, begin_time=START + 5 * 86400 + 1) == []


def test_pulls_of_hits_need_a_token_or_patience(zone: EmulatedZone) -> None:
    assert zone.refused("get_hit_msg_list", {"token": "made-up"}) == 40058
    allowed = zone.settings.tokenless_pulls
    assert [zone("get_hit_msg_list")["errcode"] for _ in range(allowed + 1)] == [0] * allowed + [45009]
    assert zone.refused("get_hit_msg_list", cursor="made-up", token=zone.event_token()) == 710611
    cursor = zone.ok("sync_msg", token=zone.event_token())["next_cursor"]
    assert zone.refused("get_hit_msg_list", cursor=cursor, token=zone.event_token()) == 710611


def test_rules_are_listed_page_by_page_and_a_cursor_outlives_deletions(zone: EmulatedZone) -> None:
    ids = [zone.ok("create_rule", WORDS, name=f"规则{number}")["rule_id"] for number in range(5)]
    first = zone.ok("get_rule_list", limit=2)
    assert [rule["rule_id"] for rule in first["rule_list"]] == ids[:2]
    assert first["has_more"] is True
    assert first["rule_list"][0] == {"rule_id": ids[0], "name": "规则0", "create_time": START}
    zone.ok("delete_rule", rule_id=ids[0])
    rest = zone.ok("get_rule_list", cursor=first["next_cursor"])
    assert [rule["rule_id"] for rule in rest["rule_list"]] == ids[2:]
    assert rest["has_more"] is False
    assert zone.refused("get_rule_list", cursor="made-up") == 50100


def test_the_detail_tells_what_is_in_force(zone: EmulatedZone) -> None:
    rule = WORDS | {"applicable_range": {"user": {"id_list": ["lina"]}}, "semantics": {"semantics_list": [1]}}
    rule_id = zone.ok("create_rule", rule)["rule_id"]
    assert zone.ok("get_rule_detail", rule_id=rule_id) == {
        "errcode": 0,
        "errmsg": "ok",
        "name": "规则",
        "keyword": {"word_list": ["退款"], "is_case_sensitive": 1, "match_rule": 0, "is_trim_msg": 0},
        "semantics": {"semantics_list": [1]},
        "applicable_range": {"user": {"id_list": ["lina"]}, "msg_scope": 1},
    }


def test_an_update_changes_what_it_names_and_an_empty_list_clears(zone: EmulatedZone) -> None:
    where = {"user": {"id_list": ["lina"]}, "chat_type": {"type_list": [1]}, "msg_scope": 3}
    rule_id = zone.ok("create_rule", WORDS | {"applicable_range": where})["rule_id"]
    zone.ok("update_rule", rule_id=rule_id, name="新名", applicable_range={"user": {"id_list": []}})
    detail = zone.ok("get_rule_detail", rule_id=rule_id)
    assert detail["name"] == "新名"
    assert detail["keyword"]["word_list"] == ["退款"]
    assert detail["applicable_range"] == {"chat_type": {"type_list": [1]}, "msg_scope": 3}
    zone.ok("update_rule", rule_id=rule_id, keyword={"word_list": ["投诉"]})
    zone.say("我要投诉", parties=zone.employee_first)
    zone.say("我要退款", parties=zone.employee_first)
    assert len(hits(zone)) == 1
    assert zone.refused("update_rule", rule_id=rule_id, keyword={"word_list": []}) == 710610
    zone.ok("update_rule", rule_id=rule_id, keyword={"word_list": []}, semantics={"semantics_list": [2]})
    assert "keyword" not in zone.ok("get_rule_detail", rule_id=rule_id)


def test_a_deleted_rule_is_gone_but_its_hits_stay(zone: EmulatedZone) -> None:
    rule_id = zone.ok("create_rule", WORDS)["rule_id"]
    zone.say("退款", parties=zone.employee_first)
    zone.ok("delete_rule", rule_id=rule_id)
    assert len(hits(zone)) == 1
    for api in ("delete_rule", "get_rule_detail", "update_rule"):
        assert zone.refused(api, rule_id=rule_id) == 710612
        assert zone.refused(api, rule_id="made-up") == 710620


def test_a_corp_has_500_rules_at_most(zone: EmulatedZone) -> None:
    ids = [zone.ok("create_rule", WORDS)["rule_id"] for _ in range(500)]
    assert len(set(ids)) == 500
    assert zone.refused("create_rule", WORDS) == 710619
    zone.ok("delete_rule", rule_id=ids[7])
    zone.ok("create_rule", WORDS)


@pytest.mark.parametrize(
    ("change", "errcode"),
    [
        ({"keyword": {"word_list": []}}, 710610),
        ({"keyword": {"is_case_sensitive": 1}}, 710650),
        ({"keyword": {"word_list": ["x"], "is_trim_msg": 1}}, 40058),
        ({"semantics": {"semantics_list": [13]}}, 710648),
        ({"applicable_range": {"exclude_mobile": {"mobile_list": ["138"]}}}, 710621),
        ({"applicable_range": {"exclude_bank_card": {"bank_card_list": ["12x"]}}}, 710622),
        ({"applicable_range": {"exclude_email": {"email_list": ["none"]}}}, 40058),
        ({"applicable_range": {"chat": {"id_list": ["x"] * 2001}}}, 710649),
        ({"applicable_range": {"chat": {"id_list": ["wr-none"]}}}, 710606),
        ({"applicable_range": {"department": {"id_list": [9]}}}, 710607),
        ({"applicable_range": {"user": {"id_list": ["nobody"]}}}, 710608),
        ({"applicable_range": {"session_type": {"session_type_list": [3]}}}, 710615),
        ({"applicable_range": {"voice_match_msgtype": {"type_list": [1]}}}, 40058),
        ({"applicable_range": {"unknown": {}}}, 40058),
        ({"access_token": "x"}, 40058),
    ],
)
def test_illegal_rules_are_refused_and_change_nothing(zone: EmulatedZone, change: Json, errcode: int) -> None:
    assert zone.refused("create_rule", WORDS | change) == errcode
    assert zone.ok("get_rule_list")["rule_list"] == []
    rule_id = zone.ok("create_rule", WORDS)["rule_id"]
    before = zone.ok("get_rule_detail", rule_id=rule_id)
    if errcode != 710650:  # an update keeps the words that it leaves out
        assert zone.refused("update_rule", change, rule_id=rule_id) == errcode
        assert zone.ok("get_rule_detail", rule_id=rule_id) == before
