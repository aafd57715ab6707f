"""A client of a program that began as the vendor's Python demo: requests are inside of `input.func_req`."""

import json
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tests.client.conftest import QUICK
from tests.client.scripted import Script, answer, client_of, reply, scripted
from tests.support.tables import for_each
from tests.support.waiting import DEADLINE
from wwspec_client import ProgramError, SdkApiError
from wwspec_client.stores import FileCursor
from wwspec_contracts import get_group_chat, sync_msg
from wwspec_contracts.base import AbilityRequest, Output
from wwspec_devtools.testing.zone import Zone


def sent(client: Script) -> list[tuple[str, Any]]:
    """Return ability ID and request of each call."""
    bodies = [json.loads(request.content) for request in client.requests]
    return [(body["ability_id"], json.loads(body["request_data"])) for body in bodies]


def test_all_ways_of_the_client_reach_a_program_of_the_func_form(zone: Zone, tmp_path: Path) -> None:
    with zone.app_client(retries=QUICK, form="func") as client:
        assert len(client.call(sync_msg.Request(limit=7)).msg_list) == 7
        assert len(client.call("input_sync_msg", {"limit": 8})["msg_list"]) == 8
        assert len(client.call("python_demo", sync_msg.Request(limit=9)).msg_list) == 9
        assert [len(page.msg_list) for page in client.pages(sync_msg.Request(limit=25))] == [25, 25, 10]
        assert [len(page) for page in client.messages(FileCursor(tmp_path / "cursor"), limit=50)] == [50, 10]
        pages = client.messages(FileCursor(tmp_path / "other"), ability="python_demo")
        assert [len(page) for page in pages] == [60]
        assert client.submit("input_word_count", {"word": "a", "texts": ["a b"]}).result(timeout=DEADLINE)["count"] == 1


def test_an_error_of_the_sdk_api_behind_a_function_is_told_from_one_of_the_program(zone: Zone) -> None:
    with zone.app_client(retries=QUICK, form="func") as client:
        for ability in ("input_get_group_chat", "python_demo"):
            with pytest.raises(SdkApiError, match="710624"):
                client.call(ability, get_group_chat.Request(chatid="none"))
        with pytest.raises(ProgramError, match="710660"):
            client.call("python_demo", {"input": {"func": "no_such", "func_req": {}}})


@for_each([(None, "input_sync_msg"), ("", "sync_msg"), ("demo_", "demo_sync_msg")])
def test_the_prefix_is_that_of_the_demo_unless_it_is_given(prefix: str | None, ability_id: str) -> None:
    with scripted(reply(), form="func", prefix=prefix) as (client, script):
        client.call(sync_msg.Request(limit=1))
    assert sent(script) == [(ability_id, {"input": {"func": "sync_msg", "func_req": {"limit": 1}}})]


class Count(Output):
    count: int = 0


WRAPPED = {"output": {"count": 2, "extra": [9007199254740993]}}


def test_a_reply_inside_of_output_is_unwrapped_in_all_ways(tmp_path: Path) -> None:
    with client_of(reply(**WRAPPED), form="func") as client:
        assert client.call("input_word_count") == WRAPPED["output"]
        assert client.call("word_count", reply=Count) == Count(count=2)
        assert json.loads(client.call("word_count", raw=True)) == WRAPPED["output"]
        assert client.with_raw_response.call("word_count", reply=Count).parse() == Count(count=2)
    with client_of(reply(output={"msg_list": [{"msgid": "m1"}]}), form="func") as client:
        assert client.call(sync_msg.Request(limit=1)).msg_list[0].msgid == "m1"
        assert [len(each.msg_list) for each in client.pages(sync_msg.Request(limit=1))] == [1]
        assert [len(page) for page in client.messages(FileCursor(tmp_path / "cursor"))] == [1]
    with client_of(reply(output={"errcode": 710624, "errmsg": "none"}), form="func") as client:
        with pytest.raises(SdkApiError, match="710624"):
            client.call(get_group_chat.Request(chatid="none"))


def test_the_result_of_a_task_that_is_inside_of_output_is_unwrapped() -> None:
    with client_of(answer(jobid="j"), *[reply(**WRAPPED)] * 4, reply(output={"errcode": 7}), form="func") as client:
        task = client.submit("word_count", reply=Count)
        assert task.result() == Count(count=2)
        assert task.status() == "succeeded"
        assert client.task("j", reply=Count).result() == Count(count=2), "made again from its jobid"
        assert repr(client.task("j")) == "Task('j')"
        assert client.task("j").result() == WRAPPED["output"]
        assert task.status() == "failed"


@for_each([{"output": {"count": 2}, "errcode": 0}, {"output": [1]}, {"output": "text"}, {"count": 1}, {}])
def test_a_reply_that_only_looks_like_a_wrapped_one_stays(whole: dict[str, Any]) -> None:
    with client_of(reply(**whole), form="func") as client:
        assert client.call("word_count") == whole


def test_a_plain_program_gets_output_as_it_is_and_a_class_of_the_clients_module_is_sent_and_read_as_it_is() -> None:
    class Whole(Output):
        output: dict[str, Any] = {}

    class Own(AbilityRequest[Whole]):
        """A request of a function, as `wwspec contracts --client` writes it: its ability has the form already."""

        ability_id: ClassVar[str] = "input_word_count"
        input: dict[str, str]

    with client_of(reply(**WRAPPED)) as client:
        assert client.call("word_count") == WRAPPED
    with scripted(reply(**WRAPPED), form="func") as (client, script):
        assert client.call(Own(input={"func": "word_count"})).output == WRAPPED["output"]
    assert sent(script) == [("input_word_count", {"input": {"func": "word_count"}})]
