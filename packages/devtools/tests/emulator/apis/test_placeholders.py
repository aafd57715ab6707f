"""What fills each placeholder, by page of WeCom: a test for each cell of the table of placeholders.

Page 99875 is the general model of self-built apps, 101373 that of providers' apps, 99985 the own model and 99988 the
own program.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.emulator.apis.conftest import SECOND_PROGRAM, EmulatedZone, Json
from wwspec_contracts.files import ConsoleContract
from wwspec_devtools.emulator.state.tasks import TASK_SECONDS

PDF, XLSX = 2, 4
LEVELS = [("high", "高"), ("middle", "中"), ("low", "低")]
INTENTS = [{"tag_id": f"et_emulator_intent_{level}", "tag_name": name} for level, name in LEVELS]
TAGS = {"tag_group": [{"group_id": "et_emulator_intent", "group_name": "购买意向", "tag_list": INTENTS}]}

Filled = Callable[..., str]
"""Returns a text as the model or program gets it; takes it with placeholders, who says what, and further fields."""


def prompted(zone: EmulatedZone, request: Json) -> str:
    jobid = zone.ok("create_ww_model_task", request)["jobid"]
    zone.advance(TASK_SECONDS)
    answer = zone.ok("get_ww_model_result", jobid=jobid)["response_data"]
    assert answer.startswith("[hunyuan-quick] ")
    return str(answer.removeprefix("[hunyuan-quick] "))


def of_self_built(text: str, said: Callable[[EmulatedZone], list[Json]], **request: Any) -> str:
    zone = EmulatedZone(model_prompt=text)
    if params := request.get("doc_retrieval_params"):
        request["doc_retrieval_params"] = {**params, "user_doc_ticket": zone.doc_ticket(params["oper_userid"])}
    return prompted(zone, {"msg_list": said(zone), **with_base(zone, request)})


def of_provider(text: str, said: Callable[[EmulatedZone], list[Json]], **request: Any) -> str:
    return of_self_built(text, said, ability_id="ability", **request)


def of_model(text: str, said: Callable[[EmulatedZone], list[Json]], **request: Any) -> str:
    return called("create_model_task", "model_id", text, said, request)


def of_program(text: str, said: Callable[[EmulatedZone], list[Json]], **request: Any) -> str:
    return called("create_program_task", "program_id", text, said, request)


def called(api: str, name: str, text: str, said: Callable[[EmulatedZone], list[Json]], request: Json) -> str:
    """Return the text as it reaches a linked program; its contract has it inside of another string, in a list."""
    zone = EmulatedZone()
    zone.link({"ability": ConsoleContract(input={"a": {"prompts": [f"<{text}>"]}, "max": 200}, output={})})
    ids = {name: SECOND_PROGRAM, "ability_id": "ability", "msg_list": said(zone), "escape_type": 1}
    zone.ok(api, {**ids, **with_base(zone, request)})
    data = json.loads(zone.program.calls[-1].data)
    assert data["max"] == 200
    return str(data["a"]["prompts"][0][1:-1])


def with_base(zone: EmulatedZone, request: Json) -> Json:
    """Put the id of a learnt knowledge base in place of its contents."""
    if "kb" not in request:
        return request
    names = request.pop("kb")
    files = [{"doc_name": name, "type": kind, "file_media_id": zone.upload(name)} for name, kind in names]
    kb_id = zone.ok("knowledge_base_create", kb_name="手册", doc_list=files)["kb_id"]
    zone.advance(60)
    return {**request, "kb_id": kb_id}


def weather(zone: EmulatedZone) -> list[Json]:
    """Return the two messages of WeCom's example: of an employee, and of a customer."""
    first = zone.say("今天天气真不错！", parties=zone.employee_first)
    second = zone.say("确实呀！", parties=zone.customer_first)
    return [zone.key_of(first), zone.key_of(second)]


WITH_ROLES, WITHOUT = "A(员工)说：今天天气真不错！\nB(客户)说：确实呀！", "A说：今天天气真不错！\nB说：确实呀！"


@pytest.mark.parametrize(
    ("filled", "expected"),
    [(of_self_built, WITH_ROLES), (of_provider, WITH_ROLES), (of_model, WITHOUT), (of_program, WITHOUT)],
)
def test_99875_101373_99985_99988_chat_has_a_line_for_each_message(filled: Filled, expected: str) -> None:
    assert filled("{chat}", weather) == expected


@pytest.mark.parametrize("filled", [of_self_built, of_provider, of_model, of_program])
def test_99875_101373_99985_99988_chatcontent_has_the_words_only(filled: Filled) -> None:
    assert filled("{chatcontent}", weather) == "今天天气真不错！\n确实呀！"


PLAIN = [("退货说明.pdf", PDF), ("天气说明.pdf", PDF)]
ASKED = [("天气问答.xlsx", XLSX)]


@pytest.mark.parametrize("filled", [of_self_built, of_provider, of_model])
def test_99875_101373_99985_knowledge_has_a_line_for_each_fragment_the_nearest_first(filled: Filled) -> None:
    assert filled("{knowledge}", weather, kb=PLAIN) == "文档1：天气说明.pdf\n文档2：退货说明.pdf"


@pytest.mark.parametrize(
    ("filled", "expected"),
    [
        (of_self_built, "文档1：问题：天气问答, 回答：见天气问答.xlsx"),
        (of_provider, "文档1：问题：天气问答, 回答：见天气问答.xlsx"),
        (of_model, "文档1：天气问答：见天气问答.xlsx"),
    ],
)
def test_99875_101373_99985_a_question_and_its_answer_are_written_by_page(filled: Filled, expected: str) -> None:
    assert filled("{knowledge}", weather, kb=ASKED) == expected


@pytest.mark.parametrize("filled", [of_provider, of_model])
def test_101373_99985_tagjson_has_the_groups_with_their_tags(filled: Filled) -> None:
    groups = [{"group_id": "et_emulator_intent"}, {"group_id": "made-up"}]
    assert json.loads(filled("{tagjson}", weather, tag_group_list=groups)) == TAGS


def test_101373_a_variable_has_dollar_signs() -> None:
    variables = [{"name": "语气", "value": "礼貌"}, {"name": "x", "value": "{chat}"}]
    assert of_provider("{$语气$}，{$x$}，{$y$}", weather, var_args=variables) == "礼貌，{chat}，{$y$}"


def test_99875_doc_fragments_name_the_source_of_each() -> None:
    params = {
        "oper_userid": "lina",
        "docid_list": ["doc_emulator_weekly"],
        "retrieved_knowledge_list": [{"fragment": "自有知识", "ref_id": "REF1"}],
    }
    assert of_self_built("{doc_fragments}", weather, doc_retrieval_params=params) == (
        "资料1[ref:REF1]\n自有知识\n"
        "资料2[ref:https://doc.weixin.qq.com/doc/doc_emulator_weekly]\n"
        "本周完成十家客户回访，两家决定续签，一家投诉交货太慢。"
    )


@pytest.mark.parametrize(
    ("filled", "placeholder"),
    [
        (of_self_built, "{tagjson}"),
        (of_self_built, "{$name$}"),
        (of_model, "{$name$}"),
        (of_model, "{doc_fragments}"),
        (of_program, "{knowledge}"),
        (of_program, "{tagjson}"),
        (of_program, "{$name$}"),
        (of_program, "{doc_fragments}"),
    ],
)
def test_99875_99985_99988_a_placeholder_that_the_api_does_not_have_stays(filled: Filled, placeholder: str) -> None:
    assert filled(placeholder, weather) == placeholder


@pytest.mark.parametrize("filled", [of_model, of_program])
@pytest.mark.parametrize("char", ['"', "\\", "/", "\b", "\f", "\n", "\r", "\t"])
def test_99985_99988_escape_type_0_makes_a_blank_and_1_keeps_the_character(filled: Filled, char: str) -> None:
    def said(zone: EmulatedZone) -> list[Json]:
        return zone.talk(f"一{char}二")

    assert filled("{chatcontent}", said, escape_type=0) == "一 二"
    assert filled("{chatcontent}", said, escape_type=1) == f"一{char}二"


@pytest.mark.parametrize("filled", [of_model, of_program])
def test_99985_99988_by_default_line_breaks_arrive_as_blanks(filled: Filled) -> None:
    assert filled("{chat}", weather, escape_type=None) == WITHOUT.replace("\n", " ")


def test_speakers_go_on_after_z_and_can_have_their_names() -> None:
    zone = EmulatedZone()
    people = [*zone.chats.customers, zone.chats.robots[0]]

    def said(zone: EmulatedZone) -> list[Json]:
        parties = [*zone.chats.customers, zone.chats.robots[0]]
        return [zone.key_of(zone.say("在", parties=(each, zone.chats.employees[0]))) for each in parties]

    lines = of_self_built("{chat}", said).split("\n")
    assert [line.partition("(")[0] for line in lines[:1] + lines[25:28]] == ["A", "Z", "AA", "AB"]
    assert len(set(lines)) == len(people)
    assert lines[-1] == "AE(机器人)说：在"
    named = EmulatedZone(model_prompt="{chat}", speakers="names")
    assert prompted(named, {"msg_list": weather(named)}) == (
        f"张伟(员工)说：今天天气真不错！\n{named.chats.people.name_of(named.customer_first[0])}(客户)说：确实呀！"
    )


def test_no_more_fragments_of_knowledge_are_taken_than_the_setting_says() -> None:
    zone = EmulatedZone(model_prompt="{knowledge}", knowledge_fragments=1)
    assert prompted(zone, {"msg_list": weather(zone), **with_base(zone, {"kb": PLAIN})}) == "文档1：天气说明.pdf"


def test_without_a_prompt_the_model_answers_with_each_placeholder_that_is_filled(zone: EmulatedZone) -> None:
    assert prompted(zone, {"msg_list": weather(zone)}) == WITH_ROLES
    request: Json = {"ability_id": "a", "msg_list": weather(zone), "var_args": [{"name": "x", "value": "值"}]}
    assert prompted(zone, request) == f"{WITH_ROLES}\n值"


DEBUG = {"chat": "A说：调试", "chat_content": "调试"}


def debugged(zone: EmulatedZone, api: str, **request: Any) -> Json:
    """Run a task in the debug mode of both programs, and return what the linked one gets."""
    debug(zone, zone.settings.program_id)
    debug(zone, SECOND_PROGRAM)
    zone.ok(api, request_of(zone, api, **request))
    data: Json = json.loads(zone.program.calls[-1].data)
    return data


def debug(zone: EmulatedZone, program_id: str) -> None:
    """Open debug mode on both sides, as WeCom asks for."""
    query = zone.access_token()
    assert zone.platform.open_debug_mode(zone.settings.debug_token, query["access_token"])
    request = {"program_id": program_id, "debug_token": zone.settings.debug_token}
    assert zone.platform.app_call("chatdata/open_debug_mode", query, json.dumps(request).encode())["errcode"] == 0


def request_of(zone: EmulatedZone, api: str, **request: Any) -> Json:
    name = "program_id" if api == "create_program_task" else "model_id"
    return {name: SECOND_PROGRAM, "ability_id": "ability", "msg_list": weather(zone), **request}


APIS = pytest.mark.parametrize("api", ["create_program_task", "create_model_task"])


@APIS
def test_99985_99988_100086_debug_info_is_taken_in_debug_mode_only_messages_never(zone: EmulatedZone, api: str) -> None:
    zone.link()
    zone.ok(api, request_of(zone, api, debug_info=DEBUG, escape_type=1))
    assert json.loads(zone.program.calls[-1].data)["chat"] == WITHOUT
    zone.link()
    more = {"knowledge": "文档1：调试", "tagjson": "{}"} if api == "create_model_task" else {}
    data = debugged(zone, api, debug_info={**DEBUG, **more}, escape_type=1)
    assert data == {"chat": "A说：调试", "chatcontent": "调试", **more}
    zone.link()
    assert set(debugged(zone, api).values()) == {""}
    unreadable = [{"msgid": "made-up", "encrypt_info": {"secret_key": "x"}}]
    assert debugged(zone, api, msg_list=unreadable, debug_info=DEBUG)["chat"] == "A说：调试"
    assert zone.refused(api, request_of(zone, api, msg_list=[])) == 40063, "it is needed, though it is ignored"


@APIS
def test_100086_a_task_needs_the_debug_mode_of_both_programs_or_of_none(zone: EmulatedZone, api: str) -> None:
    zone.link()
    debug(zone, SECOND_PROGRAM)
    assert zone.refused(api, request_of(zone, api, debug_info=DEBUG)) == 710673
    assert zone.program.calls == []
