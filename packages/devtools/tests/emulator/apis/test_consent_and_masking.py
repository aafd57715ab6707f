from tests.emulator.apis.conftest import START, EmulatedZone, Json
from wwspec_devtools.emulator.state.conversations import CUSTOMER

AGREE, REFUSE = 24, 25


def answer_of(zone: EmulatedZone, chat: Json) -> tuple[str, int]:
    [info] = zone.ok("get_agree_status_single", item=[chat])["agreeinfo"]
    assert {name: info[name] for name in chat} == chat
    return info["agree_status"], info["status_change_time"]


def test_an_agreement_of_the_customer_in_a_single_chat_changes_the_status_and_its_time(zone: EmulatedZone) -> None:
    chat = zone.ids_of_pair
    employee, customer = zone.pair
    assert answer_of(zone, chat)[1] < START
    zone.say(msgtype=REFUSE, parties=(customer, employee))
    refused = answer_of(zone, chat)
    zone.advance(60)
    zone.say(msgtype=AGREE, parties=(employee, customer))
    assert answer_of(zone, chat) == refused, "a message of an employee is no consent"
    zone.say(msgtype=AGREE, parties=(customer, employee))
    assert answer_of(zone, chat) == ("Agree", START + 60)
    zone.advance(60)
    zone.say(msgtype=AGREE, parties=(customer, employee))
    assert answer_of(zone, chat) == ("Agree", START + 60), "the status did not change"
    zone.say(msgtype=REFUSE, parties=(customer, employee))
    assert answer_of(zone, chat) == ("Disagree", START + 120)


def test_strangers_are_left_out_and_employees_out_of_scope_are_refused(zone: EmulatedZone) -> None:
    item = [zone.ids_of_pair, {"userid": "lina", "external_userid": "wm-nobody"}]
    assert len(zone.ok("get_agree_status_single", item=item)["agreeinfo"]) == 1
    item.append({"userid": "nobody", "external_userid": item[0]["external_userid"]})
    answer = zone("get_agree_status_single", item=item)
    assert answer["errcode"] == 710608
    assert "item[2].userid" in answer["errmsg"]


def test_each_customer_of_a_group_has_an_answer_if_there_is_one(zone: EmulatedZone) -> None:
    group = zone.group(internal=False)
    customers = [member for member in group.members if member.type == CUSTOMER]
    infos = zone.ok("get_agree_status_room", chatid=group.chatid)["agreeinfo"]
    assert [info["external_userid"] for info in infos] == [customer.id for customer in customers]
    other = REFUSE if infos[0]["agree_status"] == "Agree" else AGREE
    rest = [member for member in group.members if member != customers[0]]
    zone.say(msgtype=other, parties=(customers[0], *rest), chatid=group.chatid)
    changed = zone.ok("get_agree_status_room", chatid=group.chatid)["agreeinfo"]
    assert changed[0]["agree_status"] != infos[0]["agree_status"]
    assert changed[0]["status_change_time"] == START
    assert changed[1:] == infos[1:]
    group = zone.group(internal=True)
    assert zone.ok("get_agree_status_room", chatid=group.chatid)["agreeinfo"] == []
    assert zone.refused("get_agree_status_room", chatid="wr-none") == 710624


def test_masking_is_off_until_it_is_set_and_replaced_as_a_whole(zone: EmulatedZone) -> None:
    off = {"hide_mobile": False, "hide_idcard": False, "hide_bankno": False}
    assert zone.ok("get_hide_sensitiveinfo_config", userid="lina")["config"] == off
    zone.ok("set_hide_sensitiveinfo_config", userid="lina", config={"hide_mobile": True, "hide_idcard": True})
    shown = zone.ok("get_hide_sensitiveinfo_config", userid="lina")["config"]
    assert shown == off | {"hide_mobile": True, "hide_idcard": True}
    zone.ok("set_hide_sensitiveinfo_config", userid="lina", config={"hide_bankno": True})
    assert zone.ok("get_hide_sensitiveinfo_config", userid="lina")["config"] == off | {"hide_bankno": True}
    assert zone.ok("get_hide_sensitiveinfo_config", userid="zhangwei")["config"] == off
    for userid, errcode in (("nobody", 60111), ("", 40063)):
        assert zone.refused("get_hide_sensitiveinfo_config", userid=userid) == errcode
        assert zone.refused("set_hide_sensitiveinfo_config", userid=userid, config={}) == errcode
