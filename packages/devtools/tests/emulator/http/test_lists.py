"""What the console reads and calls: messages, rules, what is registered, and the program as the app calls it."""

from typing import Any

from tests.support.emulator import Emulator, Json, SealedProgram
from wwspec_contracts.files import ConsoleContract


def get(emulator: Emulator, path: str, **query: Any) -> Json:
    answer: Json = emulator.http.get(f"/emulator/{path}", params=query).json()
    return answer


def post(emulator: Emulator, path: str, body: Any) -> Json:
    answer: Json = emulator.http.post(f"/emulator/{path}", json=body).json()
    return answer


def test_messages_come_newest_first_and_rules_oldest_first_page_by_page(emulator: Emulator) -> None:
    post(emulator, "say", {"from": "lina", "to": ["mahui"], "text": "Offer 42"})
    page = get(emulator, "messages", limit=30)
    newest = page["messages"][0]
    assert (newest["from"], newest["name"], newest["to"], newest["text"]) == ("lina", "李娜", ["mahui"], "Offer 42")
    pages = [page]
    while pages[-1]["next"] is not None:
        pages.append(get(emulator, "messages", limit=30, before=pages[-1]["next"]))
    assert [len(each["messages"]) for each in pages] == [30, 30, 1]
    assert {each["count"] for each in pages} == {61}
    assert len({each["msgid"] for page in pages for each in page["messages"]}) == 61
    assert [each["msgid"] for each in get(emulator, "messages", text="oFFer")["messages"]] == [newest["msgid"]]
    for _ in range(2):
        post(emulator, "say", {"from": "lina", "to": ["mahui"], "text": "Another offer"})
    found = get(emulator, "messages", text="OFFER", limit=1)
    assert (len(found["messages"]), found["count"]) == (1, 3), "all are counted"
    for name in ("one", "two", "three"):
        emulator.sdk("create_rule", {"name": name, "keyword": {"word_list": [name]}})
    first = get(emulator, "rules", limit=2)
    assert [each["name"] for each in first["rules"]] == ["one", "two"]
    assert first["rules"][0]["keyword"]["word_list"] == ["one"]
    rest = get(emulator, "rules", limit=2, after=first["next"])
    assert ([each["name"] for each in rest["rules"]], rest["next"]) == (["three"], None)


def test_an_event_and_a_message_name_the_entry_of_the_event(emulator: Emulator) -> None:
    assert post(emulator, "say", {"from": "lina", "to": ["mahui"], "text": "hi"})["number"] is None
    assert post(emulator, "fire/hit_keyword", {})["number"] is None
    chosen = post(emulator, "receive-events", {})
    assert chosen["errcode"] == 0
    for path, body in (("say", {"from": "lina", "to": ["mahui"], "text": "hi"}), ("fire/hit_keyword", {})):
        entry = get(emulator, f"traffic/{post(emulator, path, body)['number']}")["entry"]
        assert entry["kind"] == "event"


def test_what_is_registered_is_given_back_with_all_that_is_known(emulator: Emulator) -> None:
    assert get(emulator, "contracts")["contracts"] is None
    full: Json = {"input": {"a": 1}, "output": {}, "target": "handler x", "schemas": {"input": {"type": "object"}}}
    bare: Json = {"input": {}, "output": {}}
    assert post(emulator, "contracts", {"full": full, "bare": bare})["errcode"] == 0
    assert get(emulator, "contracts")["contracts"] == {"full": full, "bare": bare}
    assert post(emulator, "contracts", {"full": {"input": {}}})["errcode"] == 40058


def test_the_differences_of_program_and_admin_console_name_side_path_and_consequence(emulator: Emulator) -> None:
    own = {"input": {"limit": 1}, "output": {"total": 1}}
    answer = post(emulator, "compare", {"own": own, "registered": {"input": {"limit": "1", "more": 1}, "output": {}}})
    found = [(each["side"], each["path"], each["errcode"]) for each in answer["differences"]]
    assert found == [("input", "$.limit", 790016), ("input", "$.more", 0), ("output", "$.total", 790014)]
    refused, passed, reply = (each["text"] for each in answer["differences"])
    assert refused.startswith("input $.limit: a call that uses it is refused by the platform (790016): ")
    assert passed.startswith("input $.more: the console lets it pass, the program refuses it: ")
    assert reply.startswith("output $.total: a reply that holds it is refused by the platform (790014): ")
    assert post(emulator, "compare", {"own": own, "registered": {}})["differences"] == []
    assert post(emulator, "compare", {"own": own, "registered": {"inputs": {}}})["errcode"] == 40058


def call(emulator: Emulator, **body: Any) -> Json:
    return post(emulator, "call", body)


def test_a_call_is_made_as_the_app_makes_it_and_its_entry_is_named(emulator: Emulator, program: SealedProgram) -> None:
    answer = call(emulator, ability_id="echo", request={"limit": 2})
    assert answer["answer"]["response_data"] == '{"limit":2}'
    entry = emulator.http.get(f"/emulator/traffic/{answer['number']}").json()["entry"]
    assert (entry["kind"], entry["name"], entry["ability"]) == ("app", "sync_call_program", "echo")
    assert entry["http"]["path"] == "/cgi-bin/chatdata/sync_call_program?access_token=***"
    assert len(entry["children"]) == 1
    assert call(emulator, ability_id="echo")["answer"]["response_data"] == "{}"
    assert call(emulator, ability_id="echo", data='{"big": 9007199254740993}')["answer"]["errcode"] == 0
    assert program.calls[-1].data == '{"big": 9007199254740993}'
    assert call(emulator, ability_id="e", request={}, asynchronous=True)["answer"]["jobid"]
    assert program.calls[-1].is_async


def test_what_the_platform_refuses_is_an_answer_and_a_cut_is_none(emulator: Emulator) -> None:
    emulator.platform.register({"echo": ConsoleContract({"limit": 1}, {})})
    refused = call(emulator, ability_id="echo", request={"limit": "2"})
    assert (refused["errcode"], refused["answer"]["errcode"]) == (0, 790016)
    assert "$.limit: expected an integer, got a string" in refused["answer"]["errmsg"]
    assert call(emulator, ability_id="ech", request={})["answer"]["errcode"] == 800003
    assert call(emulator, ability_id="echo", data="{")["answer"]["errcode"] == 790015
    emulator.http.post("/emulator/faults", json={"on": "app", "effect": "drop", "count": 1})
    cut = call(emulator, ability_id="echo", request={})
    assert (cut["errcode"], cut["answer"]) == (0, None)
    assert emulator.http.get(f"/emulator/traffic/{cut['number']}").json()["entry"]["outcome"] == "cut"
