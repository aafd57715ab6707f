import base64
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import Any

import pytest
from Crypto.Cipher import PKCS1_v1_5

from tests.emulator.conftest import StartEmulator
from tests.support.emulator import Emulator, Json
from tests.support.rsa_keys import new_rsa_key
from tests.support.tables import for_each

MODES = [0, 1, 2]


def pull(emulator: Emulator, **request: Any) -> Json:
    answer = emulator.sdk("sync_msg", {"token": emulator.event_token(), **request})
    assert answer["errcode"] == 0, answer
    return answer


def pull_all(emulator: Emulator, mode: int, limit: int, cursor: str = "") -> tuple[list[Json], str]:
    """Page to the end as a program does, through page ids where they are given."""
    messages: list[Json] = []
    more = 1
    while more:
        answer = pull(emulator, cursor=cursor, mode=mode, limit=limit)
        pages = answer.get("page_id_list", [])
        assert len(pages) <= 10
        assert len(answer.get("msg_list", [])) <= limit
        for page_id in pages:
            page = emulator.sdk("get_msg_list_by_page_id", {"page_id": page_id})
            assert page["errcode"] == 0
            assert 1 <= len(page["msg_list"]) <= limit
            messages += page["msg_list"]
        messages += answer.get("msg_list", [])
        more, cursor = answer["has_more"], answer["next_cursor"]
    return messages, cursor


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("limit", [1, 7, 41, 60, 1000])
def test_paging_to_the_end_gives_each_message_once_in_order_of_time(emulator: Emulator, mode: int, limit: int) -> None:
    messages, _ = pull_all(emulator, mode, limit)
    assert len({message["msgid"] for message in messages}) == len(messages) == 60
    times = [message["send_time"] for message in messages]
    assert times == sorted(times)


@pytest.mark.parametrize("mode", MODES)
def test_a_cursor_goes_on_where_the_last_pull_ended(emulator: Emulator, mode: int) -> None:
    _, cursor = pull_all(emulator, mode, 50)
    assert pull_all(emulator, mode, 50, cursor) == ([], cursor)
    world = emulator.platform.world
    with world.lock:
        new = world.conversations[emulator.settings.corpid].say(world.clock.seconds())
    [message], _ = pull_all(emulator, mode, 50, cursor)
    assert message["msgid"] == new.msgid


def test_a_pull_has_messages_or_page_ids_which_are_no_cursors(emulator: Emulator) -> None:
    assert "page_id_list" not in pull(emulator, mode=0, limit=50)
    assert "msg_list" not in pull(emulator, mode=1)
    assert len(pull(emulator, mode=1)["page_id_list"]) == 1
    assert len(pull(emulator, mode=2, limit=60)["msg_list"]) == 60
    assert len(pull(emulator, mode=2, limit=59)["page_id_list"]) == 2
    answer = pull(emulator, mode=1)
    [page_id], cursor = answer["page_id_list"], answer["next_cursor"]
    swapped = {"cursor": page_id, "token": emulator.event_token()}
    assert emulator.sdk("sync_msg", swapped)["errcode"] == 710611
    assert emulator.sdk("get_msg_list_by_page_id", {"page_id": cursor})["errcode"] == 40058
    assert emulator.sdk("get_msg_list_by_page_id", {"page_id": ""})["errcode"] == 40063


def test_the_page_size_is_200_by_default_and_a_corp_may_have_no_messages(start: StartEmulator) -> None:
    answer = pull(start(messages=201))
    assert (len(answer["msg_list"]), answer["has_more"]) == (200, 1)
    emulator = start(messages=0)
    for mode in MODES:
        assert pull_all(emulator, mode, 200)[0] == []


def test_every_message_has_the_documented_fields(emulator: Emulator) -> None:
    messages, _ = pull_all(emulator, 0, 1000)
    now = emulator.platform.clock.seconds()
    for message in messages:
        optional = {"chatid": str, "extra_info": dict}
        assert {name: type(value) for name, value in message.items()} == {
            "msgid": str,
            "sender": dict,
            "receiver_list": list,
            "send_time": int,
            "msgtype": int,
            "service_encrypt_info": dict,
            **{name: kind for name, kind in optional.items() if name in message},
        }
        assert ("extra_info" in message) == (message["msgtype"] in (21, 22))
        if "extra_info" in message:
            assert message["extra_info"]["call_duration"] > 0
        parties = [message["sender"], *message["receiver_list"]]
        assert any(party["type"] == 1 for party in parties), "an employee in scope takes part"
        assert all(set(party) == {"type", "id"} and party["type"] in (1, 2, 3) for party in parties)
        assert message["sender"] not in message["receiver_list"]
        assert now - 5 * 86400 < message["send_time"] <= now
        info = message["service_encrypt_info"]
        assert len(base64.b64decode(info["encrypted_secret_key"])) == 256
        assert info["public_key_ver"] == 1
        if message["msgtype"] in (24, 25):
            assert message["sender"]["type"] == 2, "a customer agrees to the archive, or refuses it"
    assert {message["msgtype"] for message in messages} == set(range(29))
    assert {message["sender"]["type"] for message in messages} == {1, 2, 3}
    assert {"chatid" in message for message in messages} == {True, False}


def test_only_the_last_five_days_can_be_pulled(emulator: Emulator) -> None:
    messages, _ = pull_all(emulator, 0, 1000)
    oldest, [page_id] = pull(emulator, limit=1)["next_cursor"], pull(emulator, mode=1)["page_id_list"]
    middle = messages[30]["send_time"]
    emulator.advance(middle + 5 * 86400 - emulator.platform.clock.now())
    young = [message for message in messages if message["send_time"] > middle]
    for request in ({}, {"cursor": oldest}, {"begin_time": 1}):
        assert pull(emulator, **request)["msg_list"][-1] == messages[-1]
        assert pull(emulator, **request)["msg_list"][-len(young) :] == young
        assert len(pull(emulator, **request)["msg_list"]) <= len(young) + 3
    page = emulator.sdk("get_msg_list_by_page_id", {"page_id": page_id})["msg_list"]
    assert page == pull(emulator)["msg_list"]
    emulator.advance(5 * 86400)
    assert pull(emulator) == pull(emulator, cursor=oldest)
    assert pull(emulator)["msg_list"] == []


def test_begin_time_is_where_a_pull_without_a_cursor_starts(emulator: Emulator) -> None:
    messages, _ = pull_all(emulator, 0, 1000)
    first = messages[40]["send_time"]
    expected = [message for message in messages if message["send_time"] >= first]
    assert pull(emulator, begin_time=first)["msg_list"] == expected
    cursor = pull(emulator, limit=10)["next_cursor"]
    assert pull(emulator, begin_time=first, cursor=cursor, limit=1)["msg_list"] == messages[10:11]


TOKENS: list[Json] = [{"cursor": "x" * 129}, {"token": "made-up"}, {"token": "x" * 129}]
NUMBERS: list[Json] = [{"limit": -1}, {"limit": 1001}, {"limit": 1.5}, {"mode": 3}, {"mode": True}, {"begin_time": -1}]
CURSORS = [{"cursor": "made-up"}, {"cursor": "s0.0000000000000000"}, {"cursor": "中"}]


@for_each([*product(TOKENS + NUMBERS, [40058]), *product(CURSORS, [710611])])
def test_illegal_parameters_of_sync_msg_are_refused(request_json: Json, errcode: int, emulator: Emulator) -> None:
    answer = emulator.sdk("sync_msg", {"token": emulator.event_token(), **request_json})
    assert answer["errcode"] == errcode
    assert set(answer) == {"errcode", "errmsg"}


def test_an_event_token_is_valid_ten_minutes(emulator: Emulator) -> None:
    token = emulator.event_token()
    emulator.advance(590)
    assert emulator.sdk("sync_msg", {"token": token})["errcode"] == 0
    emulator.advance(10)
    answer = emulator.sdk("sync_msg", {"token": token})
    assert answer["errcode"] == 40058
    assert "expired" in answer["errmsg"]


def test_without_a_token_pulls_are_limited_by_the_minute(start: StartEmulator) -> None:
    emulator = start(tokenless_pulls=3)
    assert [emulator.sdk("sync_msg", {"token": ""})["errcode"] for _ in range(4)] == [0, 0, 0, 45009]
    assert pull(emulator)["errcode"] == 0
    emulator.advance(60)
    assert emulator.sdk("sync_msg", {})["errcode"] == 0


def test_an_app_decrypts_the_keys_of_messages_with_its_private_key(emulator: Emulator) -> None:
    private = new_rsa_key()
    pem = private.public_key().export_key().decode()
    assert emulator.app_call("set_public_key", {"public_key": pem, "public_key_ver": 3})["errcode"] == 0
    messages = pull(emulator, limit=3)["msg_list"]
    assert messages == pull(emulator, limit=3)["msg_list"]
    keys = emulator.platform.world.app.keys
    for message in messages:
        info = message["service_encrypt_info"]
        assert info["public_key_ver"] == 3
        sealed = base64.b64decode(info["encrypted_secret_key"])
        secret_key = PKCS1_v1_5.new(private).decrypt(sealed, b"", expected_pt_len=32)
        assert secret_key.decode() == keys.secret_key(message["msgid"])


def test_a_public_key_that_is_none_is_refused(emulator: Emulator) -> None:
    small = new_rsa_key(1024)  # the platform refuses it
    for pem in ("x", small.public_key().export_key().decode(), new_rsa_key().export_key().decode()):
        body = {"public_key": pem, "public_key_ver": 1}
        assert emulator.app_call("set_public_key", body)["errcode"] == 40211
    assert emulator.app_call("set_public_key", {})["errcode"] == 40063
    assert emulator.app_call("set_public_key", {"public_key": "x"})["errcode"] == 40063
    assert emulator.app_call("set_public_key", {"public_key": "x", "public_key_ver": "1"})["errcode"] == 40058


def test_get_group_chat_answers_internal_groups(emulator: Emulator) -> None:
    messages, _ = pull_all(emulator, 0, 1000)
    answers = {
        chatid: emulator.sdk("get_group_chat", {"chatid": chatid})
        for chatid in {message["chatid"] for message in messages if "chatid" in message}
    }
    assert {answer["errcode"] for answer in answers.values()} == {0, 710624}
    assert emulator.sdk("get_group_chat", {"chatid": "wr-none"})["errcode"] == 710624
    for message in messages:
        group = answers.get(message.get("chatid", ""), {"errcode": 710624})
        if group["errcode"] == 0:
            assert set(group) == {"errcode", "errmsg", "creator", "room_create_time", "members"}
            assert message["sender"]["id"] in [member["memberid"] for member in group["members"]]
            first = {"memberid": group["creator"], "jointime": group["room_create_time"], "type": 1}
            assert group["members"][0] == first
            joined = [member["jointime"] for member in group["members"]]
            assert joined == sorted(joined)


def test_many_threads_page_at_once_and_each_gets_everything(emulator: Emulator) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda _: len(pull_all(emulator, 2, 20)[0]), range(8))) == [60] * 8
