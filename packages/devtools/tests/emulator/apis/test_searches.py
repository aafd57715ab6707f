from typing import Any

import pytest

from tests.emulator.apis.conftest import START, EmulatedZone, Json

DAY = 86400


def test_groups_are_found_by_name_page_by_page(zone: EmulatedZone) -> None:
    with zone.world.lock:
        names = {group.name: group.chatid for group in zone.chats.groups.values()}
    found = zone.ok("search_chat", query_word="客户服务")["chat_list"]
    assert found == [{"chatid": names["客户服务一群"]}]
    assert zone.ok("search_chat", query_word="没有的群")["chat_list"] == []
    pages = zone.pages("search_chat", "chat_list", {"query_word": "客户", "limit": 1})
    everything = zone.ok("search_chat", query_word="客户")["chat_list"]
    assert len(everything) == 2
    assert [len(page) for page in pages] == [1, 1]
    assert sum(pages, []) == everything


def test_people_are_found_by_name_alias_and_pinyin_page_by_page(zone: EmulatedZone) -> None:
    zhangwei = {"type": 1, "id": "zhangwei"}
    for word in ("张伟", "david", "ZhangWei"):
        assert zhangwei in zone.ok("search_contact_or_customer", query_word=word)["user_list"]
    customers = zone.ok("search_contact_or_customer", query_word="重点客户", query_user_type=2)["user_list"]
    assert {user["type"] for user in customers} == {2}
    assert zone.ok("search_contact_or_customer", query_word="重点客户", query_user_type=1)["user_list"] == []
    request = {"query_word": "chen", "limit": 2}
    pages = zone.pages("search_contact_or_customer", "user_list", request)
    everything = zone.ok("search_contact_or_customer", query_word="chen")["user_list"]
    assert {user["type"] for user in everything} == {1, 2}
    assert all(len(page) <= 2 for page in pages)
    assert sum(pages, []) == everything


def test_message_search_gives_each_message_once_whatever_comes_in_between(zone: EmulatedZone) -> None:
    said = [zone.say(f"报告 number {number}").msgid for number in range(7)]
    request = {"query_word": "NUMBER", "limit": 3}
    first = zone.ok("search_msg", request)
    zone.say("number in between")
    second = zone.ok("search_msg", request, cursor=first["next_cursor"])
    third = zone.ok("search_msg", request, cursor=second["next_cursor"])
    assert [first["has_more"], second["has_more"], third["has_more"]] == [1, 1, 0]
    found = [message["msgid"] for page in (first, second, third) for message in page["msg_list"]]
    assert found == said[::-1]


def test_every_word_of_the_query_counts_but_stop_words_can_be_skipped(zone: EmulatedZone) -> None:
    zone.say("Blue parcel arrived")
    assert len(zone.ok("search_msg", query_word="parcel blue")["msg_list"]) == 1
    assert zone.ok("search_msg", query_word="the blue parcel")["msg_list"] == []
    assert len(zone.ok("search_msg", query_word="the blue parcel", skip_stop_words=True)["msg_list"]) == 1
    zone.say("of the")
    assert len(zone.ok("search_msg", query_word="of the", skip_stop_words=True)["msg_list"]) == 1


def test_only_kinds_with_words_are_searched_and_can_be_chosen(zone: EmulatedZone) -> None:
    kinds = {zone.say("唯一线索", msgtype=msgtype).msgid: msgtype for msgtype in range(29)}

    def found(**more: Any) -> set[int]:
        return {kinds[message["msgid"]] for message in zone.ok("search_msg", query_word="唯一线索", **more)["msg_list"]}

    assert found() == {1, 4, 5, 8, 18, 20, 23}
    assert found(chat_info={"msg_type_list": [4, 8]}) == {4, 8}
    assert zone.refused("search_msg", query_word="唯一线索", chat_info={"msg_type_list": [2]}) == 40058


def test_a_search_can_be_kept_to_a_chat_and_to_senders(zone: EmulatedZone) -> None:
    customer, employee = zone.customer_first
    group = next(iter(zone.chats.groups.values()))
    asked = zone.say("范围测试", parties=(customer, employee))
    shared_one = zone.say("范围测试", parties=(employee, customer))
    shared = zone.say("范围测试", parties=group.members, chatid=group.chatid)

    def found(**chat_info: Any) -> list[str]:
        answer = zone.ok("search_msg", query_word="范围测试", chat_info=chat_info)
        return [message["msgid"] for message in answer["msg_list"]]

    single = {"chat_type": 1, "id_list": [{"open_userid": employee.id}, {"external_userid": customer.id}]}
    assert found(**single) == [shared_one.msgid, asked.msgid]
    assert found(chat_type=2, chat_id=group.chatid) == [shared.msgid]
    assert found(**single, sender={"open_userid": employee.id}) == [shared_one.msgid]
    assert found(sender_list=[{"open_userid": group.members[0].id}], sender={"open_userid": employee.id}) == [
        message.msgid for message in (shared, shared_one) if message.sender.id == group.members[0].id
    ]


def test_a_search_can_be_kept_to_a_time(zone: EmulatedZone) -> None:
    early = zone.say("时间测试")
    zone.advance(100)
    zone.say("时间测试")
    request = {"query_word": "时间测试", "start_time": START - 10, "end_time": START + 50}
    assert zone.ok("search_msg", request)["msg_list"] == [{"msgid": early.msgid}]
    zone.advance(31 * DAY)
    assert zone.ok("search_msg", query_word="时间测试")["msg_list"] != [{"msgid": early.msgid}]
    assert zone.ok("search_msg", request)["msg_list"] == [{"msgid": early.msgid}]


@pytest.mark.parametrize(
    ("api", "request_json", "other"),
    [
        ("search_chat", {"query_word": "客户"}, {"query_word": "销售"}),
        ("search_contact_or_customer", {"query_word": "chen"}, {"query_word": "chen", "query_user_type": 1}),
        ("search_msg", {"query_word": "产品"}, {"query_word": "产品", "skip_stop_words": True}),
    ],
)
def test_a_cursor_belongs_to_one_search_of_one_api(
    zone: EmulatedZone, api: str, request_json: Json, other: Json
) -> None:
    cursor = zone.ok(api, request_json, limit=1)["next_cursor"]
    assert zone.refused(api, other, cursor=cursor) == 50100
    assert zone.refused(api, request_json, cursor="made-up") == 50100
    assert zone.refused(api, request_json, cursor=zone.ok("get_rule_list")["next_cursor"]) == 50100
    assert zone.refused("sync_msg", cursor=cursor) == 710611
