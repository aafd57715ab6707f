import base64
import json

from Crypto.Cipher import PKCS1_v1_5

from tests.emulator.apis.conftest import EmulatedZone
from tests.support.rsa_keys import new_rsa_key
from wwspec_devtools.emulator.state.tasks import TASK_SECONDS


def test_an_app_that_opens_the_key_of_a_message_can_have_it_analysed(zone: EmulatedZone) -> None:
    private = new_rsa_key()
    key = {"public_key": private.public_key().export_key().decode(), "public_key_ver": 2}
    answer = zone.platform.app_call("chatdata/set_public_key", zone.access_token(), json.dumps(key).encode())
    assert answer["errcode"] == 0
    zone.say("非常好，谢谢", parties=zone.employee_first)
    message = zone.ok("sync_msg", limit=1000)["msg_list"][-1]
    info = message["service_encrypt_info"]
    assert info["public_key_ver"] == 2
    opened = PKCS1_v1_5.new(private).decrypt(base64.b64decode(info["encrypted_secret_key"]), b"")
    keys = [{"msgid": message["msgid"], "encrypt_info": {"secret_key": opened.decode()}}]
    jobid = zone.ok("create_sentiment_task", msg_list=keys)["jobid"]
    zone.advance(TASK_SECONDS)
    [result] = zone.ok("get_sentiment_result", jobid=jobid)["analyze_result_list"]
    assert (result["msgid"], result["errcode"], result["sentiment_result"]) == (message["msgid"], 0, 1)


def test_99968_a_pull_returns_ten_page_ids_at_most_each_of_limit_messages_at_most(zone: EmulatedZone) -> None:
    for mode in (1, 2):
        answer = zone.ok("sync_msg", mode=mode, limit=15)
        assert (len(answer["page_id_list"]), answer["has_more"]) == (10, 1)
        pages = [zone.ok("get_msg_list_by_page_id", page_id=each)["msg_list"] for each in answer["page_id_list"]]
        assert [len(page) for page in pages] == [15] * 10
        rest = zone.ok("sync_msg", mode=mode, limit=50, cursor=answer["next_cursor"])
        assert len(rest.get("msg_list") or rest["page_id_list"]) == {1: 1, 2: 50}[mode]


def test_99968_pages_are_read_ten_at_a_time(zone: EmulatedZone) -> None:
    [page_id] = zone.ok("sync_msg", mode=1, limit=1000)["page_id_list"]
    assert len(zone.ok("get_msg_list_by_page_id", page_id=page_id)["msg_list"]) == 200
    running = zone.corp.page_calls
    with zone.world.lock:
        for _ in range(9):
            running.enter()
    zone.ok("get_msg_list_by_page_id", page_id=page_id)
    with zone.world.lock:
        running.enter()
    assert zone.refused("get_msg_list_by_page_id", page_id=page_id) == 45033
    with zone.world.lock:
        running.leave()
    assert zone.refused("get_msg_list_by_page_id", page_id="made-up") == 40058
    zone.ok("get_msg_list_by_page_id", page_id=page_id)


def test_a_message_that_is_said_is_pulled_with_its_parties(zone: EmulatedZone) -> None:
    cursor = zone.ok("sync_msg", limit=1000)["next_cursor"]
    group = next(iter(zone.chats.groups.values()))
    said = zone.say("大家好", parties=group.members, chatid=group.chatid)
    [message] = zone.ok("sync_msg", cursor=cursor)["msg_list"]
    assert (message["msgid"], message["chatid"], message["msgtype"]) == (said.msgid, group.chatid, 1)
    parties = [message["sender"], *message["receiver_list"]]
    assert [party["id"] for party in parties] == [member.id for member in group.members]
    assert "text" not in message, "the platform gives no content"


def test_a_notify_id_is_the_programs_own_or_made(zone: EmulatedZone) -> None:
    assert zone.ok("spec_notify_app", notify_id="own")["notify_id"] == "own"
    made = zone.ok("spec_notify_app", notify_scene=3)["notify_id"]
    shown = list(zone.platform.world.notifications.latest)
    assert [(each.notify_id, each.notify_scene) for each in shown] == [("own", 0), (made, 3)]
    assert zone.refused("spec_notify_app", notify_id="x" * 65) == 710646


def test_a_group_is_shown_with_its_members(zone: EmulatedZone) -> None:
    group = next(group for group in zone.chats.groups.values() if group.internal)
    answer = zone.ok("get_group_chat", chatid=group.chatid)
    assert [member["memberid"] for member in answer["members"]] == [member.id for member in group.members]
    assert answer["creator"] == group.creator
    outside = next(group for group in zone.chats.groups.values() if not group.internal)
    assert zone.refused("get_group_chat", chatid=outside.chatid) == 710624


def test_a_group_is_not_shown_once_the_paid_year_is_over(zone: EmulatedZone) -> None:
    group = next(group for group in zone.chats.groups.values() if group.internal)
    zone.advance(336 * 86400)
    assert zone.refused("get_group_chat", chatid=group.chatid) == 301052
