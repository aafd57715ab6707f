import json

import pytest

from tests.support.emulator import Emulator, Json, SealedProgram
from wwspec_devtools.emulator.events.types import EVENT_TYPES
from wwspec_devtools.emulator.http.client import EmulatorClient, EmulatorError

CONSENT = "chat_archive_audit_approved"
BASE = {"knowledge_base_id": str, "knowledge_base_name": str}
EVENTS = {
    "chat_archive_audit_approved_single": (CONSENT, {"userid": str, "external_userid": str}),
    "chat_archive_audit_approved_room": (CONSENT, {"external_userid": str, "chatid": str}),
    "conversation_new_message": ("conversation_new_message", {"token": str}),
    "hit_keyword": ("hit_keyword", {"token": str}),
    "auth_knowledge_base": ("auth_knowledge_base", BASE),
    "unauth_knowledge_base": ("unauth_knowledge_base", BASE),
    "delete_knowledge_base": ("delete_knowledge_base", BASE),
    "knowledge_base_learn_done": ("knowledge_base_learn_done", BASE | {"doc_id": int, "learn_status": int}),
    "chat_archive_export_finished": ("chat_archive_export_finished", {"jobid": str}),
}


@pytest.fixture
def emulator(zone: tuple[Emulator, SealedProgram]) -> Emulator:
    emulator, program = zone
    program.reply = lambda call: '{"errcode": 0}'
    emulator.receive_events()
    return emulator


@pytest.mark.parametrize("event_type", sorted({*EVENTS, *EVENT_TYPES}))
def test_an_event_reaches_the_program_in_its_documented_form(
    emulator: Emulator, program: SealedProgram, event_type: str
) -> None:
    answer = emulator.fire(event_type)
    [call] = program.calls
    event = json.loads(call.data)
    object_key, fields = EVENTS[event_type]
    given = {"event": event, "reply": '{"errcode": 0}', "notified": []}
    assert answer == {"errcode": 0, "errmsg": "ok", "number": emulator.platform.world.traffic.bounds.last, **given}
    assert (call.call_type, call.ability_id, call.notify_id) == (2, "", "")
    assert set(event) == {"event_type", "timestamp", object_key}
    assert event["event_type"] == event_type
    assert {name: type(value) for name, value in event[object_key].items()} == fields
    assert all(event[object_key][name] for name, kind in fields.items() if kind is str)


def test_overrides_set_the_fields_of_an_event_that_there_is(emulator: Emulator) -> None:
    overrides = {"learn_status": 1, "new_field": [1], "timestamp": 7}
    event = emulator.fire("knowledge_base_learn_done", overrides)["event"]
    assert event["timestamp"] == 7
    assert event["knowledge_base_learn_done"]["learn_status"] == 1
    assert event["knowledge_base_learn_done"]["new_field"] == [1]
    answer = emulator.fire("no_such_event")
    assert answer["errcode"] == 40058
    assert "hit_keyword" in answer["errmsg"]
    assert emulator.http.post("/emulator/fire/hit_keyword", content=b"[]").json()["errcode"] == 40058
    assert emulator.http.post("/emulator/fire/hit_keyword").json()["errcode"] == 0


def test_conversation_new_message_comes_with_a_new_message(emulator: Emulator) -> None:
    cursor = emulator.sdk("sync_msg", {"limit": 1000})["next_cursor"]
    token = emulator.fire("conversation_new_message")["event"]["conversation_new_message"]["token"]
    answer = emulator.sdk("sync_msg", {"cursor": cursor, "token": token})
    assert [message["msgtype"] for message in answer["msg_list"]] == [1]


def test_hit_keyword_comes_with_a_new_message_that_hits_a_rule(emulator: Emulator, program: SealedProgram) -> None:
    assert hits_of(emulator, {}) == [("关键词", [("fire hit_keyword", True, [])])]
    assert hits_of(emulator, {}) == [("关键词", [("fire hit_keyword", True, [])])], "the rule is made once"
    own = emulator.sdk("create_rule", {"name": "own", "keyword": {"word_list": ["合同", "报价"]}})["rule_id"]
    assert hits_of(emulator, {}) == [("合同", [("own", True, [])])]
    assert hits_of(emulator, {"text": "请报价"}) == [("请报价", [("own", True, [])])]
    assert hits_of(emulator, {"text": "关键词和合同", "rule_id": own}) == [
        ("关键词和合同", [("own", True, []), ("fire hit_keyword", True, [])])
    ]
    assert hits_of(emulator, {"text": "投诉"}) == [("投诉", [("fire hit_keyword", True, [])])]
    assert {json.loads(call.data)["event_type"] for call in program.calls} == {"hit_keyword"}
    assert len(program.calls) == 6, "no event is sent for the message"


def test_a_rule_of_behaviours_is_hit_by_these(emulator: Emulator) -> None:
    rule = emulator.sdk("create_rule", {"name": "numbers", "semantics": {"semantics_list": [2, 7]}})["rule_id"]
    [(_, [hit])] = hits_of(emulator, {"rule_id": rule})
    assert hit == ("numbers", False, [2, 7])


def hits_of(emulator: Emulator, given: Json) -> list[tuple[str, list[tuple[str, bool, list[int]]]]]:
    """Fire the event; return the new hits: what was said, and name, word and behaviours of each rule."""
    before = emulator.sdk("get_hit_msg_list", {"token": emulator.event_token()})["next_cursor"]
    event = emulator.fire("hit_keyword", given)["event"]["hit_keyword"]
    assert event.keys() == {"token"}
    found = emulator.sdk("get_hit_msg_list", {"cursor": before, "token": event["token"]})["msg_list"]
    rules = emulator.sdk("get_rule_list", {})["rule_list"]
    names = {rule["rule_id"]: rule["name"] for rule in rules}
    with EmulatorClient(emulator.url) as client:
        said = {each["msgid"]: each["text"] for each in client.messages()["messages"]}

    def rule_of(hit: Json) -> tuple[str, bool, list[int]]:
        return names[hit["rule_id"]], hit["has_hit_keyword"], hit["semantics_list"]

    return [(said[hit["msgid"]], [rule_of(each) for each in hit["hit_rule_list"]]) for hit in found]


def test_the_receiver_of_events_is_a_linked_program_that_was_chosen(zone: tuple[Emulator, SealedProgram]) -> None:
    emulator, program = zone
    assert emulator.http.get("/emulator/info").json()["receives_events"] is False
    answer = emulator.fire("hit_keyword")
    assert answer["errcode"] == 710645
    assert "set_receive_callback" in answer["errmsg"]
    assert program.calls == []
    assert emulator.app_call("set_receive_callback", {"program_id": "another"})["errcode"] == 790020
    assert emulator.app_call("set_receive_callback", {})["errcode"] == 40063
    emulator.receive_events()
    assert emulator.http.get("/emulator/info").json()["receives_events"] is True


def test_a_program_that_fails_on_an_event_is_reported(emulator: Emulator, program: SealedProgram) -> None:
    program.reply = lambda call: (500, {}, b"")
    answer = emulator.fire("hit_keyword")
    assert answer["errcode"] == 710676
    assert answer["reply"] == ""
    assert answer["event"]["event_type"] == "hit_keyword"


def test_a_knowledge_base_is_as_the_event_says(emulator: Emulator) -> None:
    event = emulator.fire("unauth_knowledge_base")["event"]["unauth_knowledge_base"]
    detail = {"kb_id": event["knowledge_base_id"]}
    assert emulator.sdk("knowledge_base_list", {})["kb_info_list"] == []
    emulator.fire("auth_knowledge_base")
    [listed] = emulator.sdk("knowledge_base_list", {})["kb_info_list"]
    assert listed["kb_id"] == detail["kb_id"]
    emulator.fire("delete_knowledge_base")
    assert emulator.sdk("knowledge_base_detail", detail)["errcode"] == 790034
    unknown = {"knowledge_base_id": "kb_nowhere"}
    assert emulator.fire("delete_knowledge_base", unknown)["errcode"] == 0, "overrides may say anything"


@pytest.mark.parametrize("chat", ["userid", "chatid"])
def test_a_customer_has_agreed_once_the_event_says_so(emulator: Emulator, chat: str) -> None:
    event_type = f"chat_archive_audit_approved_{'single' if chat == 'userid' else 'room'}"
    event = emulator.fire(event_type)["event"]["chat_archive_audit_approved"]
    world = emulator.platform.world
    with world.lock:
        consent = world.corp(world.app).consents.of(event[chat], event["external_userid"])
    assert consent is not None
    assert consent.agreed


def test_what_is_said_reaches_the_program_and_its_keyword_rules(
    client: EmulatorClient, emulator: Emulator, program: SealedProgram
) -> None:
    rule = {"name": "contracts", "keyword": {"word_list": ["合同"]}}
    assert emulator.sdk("create_rule", rule)["errcode"] == 0
    msgid = client.say("lina", "请把合同发给我", to=["mahui"])
    client.advance(0)
    events = [json.loads(call.data) for call in program.calls]
    assert [event["event_type"] for event in events] == ["hit_keyword", "conversation_new_message"]
    [hit] = emulator.sdk("get_hit_msg_list", {"token": events[0]["hit_keyword"]["token"]})["msg_list"]
    assert hit["msgid"] == msgid
    token = events[1]["conversation_new_message"]["token"]
    message = emulator.sdk("sync_msg", {"token": token, "limit": 1000})["msg_list"][-1]
    assert (message["msgid"], message["sender"]["id"]) == (msgid, "lina")
    group = next(iter(emulator.platform.world.corp(emulator.platform.world.app).chats.groups.values()))
    assert client.say(group.creator, "大家好", group=group.chatid, msgtype=27) != msgid
    for wrong in ({}, {"to": ["nobody"]}, {"group": "nowhere"}, {"to": ["lina"], "group": "x"}):
        with pytest.raises(EmulatorError, match="40058"):
            client.say("mahui", "x", **wrong)
