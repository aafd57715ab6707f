from tests.emulator.apis.conftest import EmulatedZone


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
    for _ in range(9):
        running.acquire()
    zone.ok("get_msg_list_by_page_id", page_id=page_id)
    running.acquire()
    assert zone.refused("get_msg_list_by_page_id", page_id=page_id) == 45033
    running.release()
    assert zone.refused("get_msg_list_by_page_id", page_id="made-up") == 40058
    zone.ok("get_msg_list_by_page_id", page_id=page_id)


def test_a_group_that_is_not_shown_is_refused_with_the_reason(zone: EmulatedZone) -> None:
    with_customers = zone.group(internal=False)
    for chatid, reason in (("made-up", "no such group"), (with_customers.chatid, "a group with customers")):
        answer = zone("get_group_chat", chatid=chatid)
        assert answer["errcode"] == 710624
        assert reason in answer["errmsg"]
    group = zone.group(internal=True)
    zone.advance(336 * 86400)
    assert zone.refused("get_group_chat", chatid=group.chatid) == 301052
