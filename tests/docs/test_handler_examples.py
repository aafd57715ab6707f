"""The examples in the docstrings of `wwspec_router` are true, and their handlers answer calls and events of a zone."""

import ast
import doctest
from collections.abc import Iterator

import pytest

import wwspec_router
from tests.support.docstrings import examples_of
from tests.support.waiting import wait_until
from wwspec_contracts.tasks import halves
from wwspec_devtools.testing.zone import Zone

FROM_MSGSPEC = {"UNSET", "UnsetType"}
OBJECTS = {name: getattr(wwspec_router, name) for name in {*wwspec_router.__all__} - FROM_MSGSPEC} | {"halves": halves}
SAID_BY_OTHERS = {"CallError"}
"""A handler raises `AbilityError`, whose example is enough."""

CALLER = """\
from docstring_examples import apierror, asynccontext_pages, context_finish, context_invoke, context_pages, sdkcallerror
from wwspec_router import AsyncContext, Context, Contract, Output, ability
from wwspec_contracts.tasks import EncryptInfo, MessageKey

class Request(Contract):
    chatid: str
    token: str

class Reply(Output):
    creator: str = ""
    members: list[int] = []
    senders: list[str] = []

@ability
def caller(request: Request, ctx: Context) -> Reply:
    return Reply(
        creator=context_invoke.creator(request.chatid, ctx),
        members=[each.members(request.chatid, ctx) for each in (apierror, sdkcallerror)],
        senders=sorted(context_pages.senders(request.token, ctx)),
    )

class MoodReply(Output):
    moods: list[int] = []

@ability
def mood_caller(request: Request, ctx: Context) -> MoodReply:
    unknown = MessageKey(msgid="unknown", encrypt_info=EncryptInfo(secret_key="x"))
    return MoodReply(moods=context_finish.moods([unknown], ctx))

class CountReply(Output):
    messages: int = 0

@ability
async def async_caller(request: Request, ctx: AsyncContext) -> CountReply:
    return CountReply(messages=await asynccontext_pages.count(request.token, ctx))
"""
"""Calls the functions of examples that are no handlers."""

REGISTRY = """\
[passthrough]
prefix = "invoke_"
[abilities.get_callback_data]
kind = "callback_data"
[events.hit_keyword]
handler = "docstring_examples.eventcontext:on_hit"
notify = "after"
[events.conversation_new_message]
handler = "docstring_examples.asynceventcontext:on_new_message"
[notifications.finished]
contract = "docstring_examples.context_notify:Finished"
"""


EXAMPLES = examples_of(OBJECTS)


def source(test: doctest.DocTest) -> str:
    """Return the definitions of an example, as the file of a program has them."""
    parts = [each.source for each in test.examples]
    return "\n".join(each for each in parts if not isinstance(ast.parse(each).body[0], ast.Expr))


def handlers(text: str) -> Iterator[str]:
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and "ability" in map(
            ast.unparse, node.decorator_list
        ):
            yield node.name


@pytest.fixture(scope="module")
def zone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zone]:
    folder = tmp_path_factory.mktemp("examples") / "docstring_examples"  # this process may import other `abilities`
    folder.mkdir()
    registry = [REGISTRY]
    for name, text in {**{name: source(test) for name, test in EXAMPLES.items()}, "caller": CALLER}.items():
        module = name.lower().replace(".", "_")
        (folder / f"{module}.py").write_text(text)
        registry += [f'[abilities.{each}]\nhandler = "docstring_examples.{module}:{each}"\n' for each in handlers(text)]
    (folder / "registry.toml").write_text("\n".join(registry))
    with Zone.in_process(folder.parent, folder / "registry.toml") as zone:
        yield zone


@pytest.fixture(scope="module")
def token(zone: Zone) -> str:
    token: str = zone.fire("conversation_new_message")["event"]["conversation_new_message"]["token"]
    return token


@pytest.fixture(scope="module")
def chatid(zone: Zone, token: str) -> str:
    messages = zone.call("invoke_sync_msg", {"limit": 1000, "token": token}).reply["msg_list"]
    chatids: dict[str, None] = dict.fromkeys(each["chatid"] for each in messages if each.get("chatid"))
    return next(each for each in chatids if zone.call("invoke_get_group_chat", {"chatid": each}).errcode == 0)


def test_every_public_name_has_an_example() -> None:
    assert {name.partition(".")[0] for name in EXAMPLES} == OBJECTS.keys() - SAID_BY_OTHERS


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_every_example_is_true(name: str) -> None:
    output: list[str] = []
    result = doctest.DocTestRunner().run(EXAMPLES[name], out=output.append, clear_globs=False)
    assert result.failed == 0, "".join(output)


def test_the_handlers_of_examples_answer(zone: Zone, token: str, chatid: str) -> None:
    members = len(zone.call("invoke_get_group_chat", {"chatid": chatid}).reply["members"])
    assert zone.call("group_size", {"chatid": chatid}).reply["members"] == members > 0
    assert zone.call("group_sizes", {"chatids": [chatid, chatid]}).reply["members"] == [members, members]
    assert zone.call("count", {"token": token}).reply["messages"] == zone.client.info()["messages"]
    assert zone.call("refund", {"cents": 200_00}).errcode == 1001
    assert zone.call("refund", {"cents": 50_00}).errcode == 0


def test_the_functions_of_examples_use_the_context(zone: Zone, token: str, chatid: str) -> None:
    group = zone.call("invoke_get_group_chat", {"chatid": chatid}).reply
    reply = zone.call("caller", {"token": token, "chatid": chatid}).reply
    assert reply["creator"] == group["creator"]
    assert reply["members"] == [len(group["members"])] * 2
    assert len(reply["senders"]) > 5
    refused = zone.call("mood_caller", {"token": token, "chatid": chatid})
    assert (refused.errcode, refused.refused_by) == (710637, "program")  # the task had no message that it could read
    counted = zone.call("async_caller", {"token": token, "chatid": chatid}).reply["messages"]
    assert counted == zone.client.info()["messages"]


def test_the_notification_of_an_example_reaches_the_app(zone: Zone) -> None:
    notify_id = zone.call("report", {"chatids": ["a", "b"]}).reply["notify_id"]
    assert zone.call("get_callback_data", notify_id=notify_id).reply["finished"] == {"groups": 2}


def test_the_code_of_an_example_runs_on_its_event(zone: Zone, chatid: str) -> None:
    zone.call("invoke_create_rule", {"name": "tea", "keyword": {"word_list": ["tea"]}})
    zone.client.say(zone.call("invoke_get_group_chat", {"chatid": chatid}).reply["creator"], "tea?", group=chatid)
    token = zone.fire("hit_keyword")["event"]["hit_keyword"]["token"]

    def delivered() -> list[int]:
        ids = [each["notify_id"] for each in zone.client.notifications()]
        replies = [zone.call("get_callback_data", notify_id=each).reply for each in ids]
        mine = [each for each in replies if each.get("hit_keyword", {}).get("token") == token]
        return [each["hit_keyword_result"]["messages"] for each in mine]

    wait_until(delivered)
    assert delivered()[0] > 0
