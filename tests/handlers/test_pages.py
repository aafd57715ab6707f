"""`ctx.pages`: one page after another, until the platform says that it was the last."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from tests.support.kernel import Kernel, app_call, reference_table
from tests.support.sdk import MemorySdk, network_failure
from wwspec_contracts import get_rule_list, search_msg, sync_msg
from wwspec_contracts.base import PagedRequest
from wwspec_contracts.errors import ApiError, CallError
from wwspec_router import AsyncContext, Context, Contract, Output, ability
from wwspec_router.envelope import Deadline
from wwspec_router.handlers.base import Resources
from wwspec_router.kernel.intake import AppNotifications
from wwspec_router.registry.loader import Application
from wwspec_router.stores import open_store

KernelWith = Callable[..., Kernel]
ContextOver = Callable[[MemorySdk], Context]
OF_EVENT = "t"


class Ask(Contract):
    cursor: str = ""
    limit: int = 0


class Pulled(Output):
    msgids: list[str] = []
    cursors: list[str] = []


def pulled(pages: list[sync_msg.Response]) -> Pulled:
    return Pulled(
        msgids=[each.msgid for page in pages for each in page.msg_list], cursors=[page.next_cursor for page in pages]
    )


@ability
def pull(request: Ask, ctx: Context) -> Pulled:
    asked = sync_msg.Request(cursor=request.cursor, limit=request.limit, token=OF_EVENT)
    return pulled(list(ctx.pages(asked)))


@ability
async def pull_on_the_loop(request: Ask, ctx: AsyncContext) -> Pulled:
    asked = sync_msg.Request(cursor=request.cursor, limit=request.limit, token=OF_EVENT)
    return pulled([page async for page in ctx.pages(asked)])


HANDLERS = [pull, pull_on_the_loop]


@pytest.fixture(scope="session")
def context() -> Iterator[ContextOver]:
    """Returns the context of a handler that is called just now."""

    def over(sdk: MemorySdk) -> Context:
        notifications = AppNotifications(sdk, store, 60.0, None, {})
        new_client = partial(sdk.client, "corp", 7, "test", "")
        resources = Resources(apis=reference_table().apis, notify=notifications.send, store=store)
        return Context(app_call("test"), new_client, Deadline(), resources)

    with closing(open_store("memory:")) as store:
        yield over


class Messages:
    """A platform that holds messages; how many it puts on each page, it decides itself."""

    def __init__(self, sizes: list[int]) -> None:
        self.asked: list[dict[str, Any]] = []
        self._pages: list[list[str]] = []
        for size in sizes:
            first = sum(map(len, self._pages))
            self._pages.append([f"m{number}" for number in range(first, first + size)])
        self.msgids = [msgid for page in self._pages for msgid in page]

    def __call__(self, request: str) -> str:
        asked = json.loads(request)
        self.asked.append(asked)
        number = int(asked["cursor"].removeprefix("c")) if asked.get("cursor") else 0
        return json.dumps(
            {
                "msg_list": [{"msgid": each} for each in self._pages[number]],
                "has_more": int(number + 1 < len(self._pages)),
                "next_cursor": f"c{number + 1}",
            }
        )


@pytest.mark.parametrize("handler", HANDLERS)
def test_pages_follow_one_another_to_the_last_one_also_from_a_cursor_that_was_kept(
    kernel_with: KernelWith, handler: Callable[..., Any]
) -> None:
    kernel = kernel_with(handler)
    platform = kernel.sdk.replies["sync_msg"] = Messages([2, 0, 1])  # short and empty pages are no end
    answer = kernel.call(handler.__name__, '{"limit":2}')
    assert answer["msgids"] == ["m0", "m1", "m2"]
    assert answer["cursors"] == ["c1", "c2", "c3"]
    assert platform.asked == [
        {"cursor": "", "token": "t", "limit": 2},
        {"cursor": "c1", "token": "t", "limit": 2},
        {"cursor": "c2", "token": "t", "limit": 2},
    ]
    assert kernel.call(handler.__name__, '{"cursor":"c2"}')["msgids"] == ["m2"]


@given(sizes=st.lists(st.integers(0, 3), min_size=1, max_size=12))
def test_every_message_comes_once_however_the_platform_cuts_the_pages(context: ContextOver, sizes: list[int]) -> None:
    platform = Messages(sizes)
    ctx = context(MemorySdk({"sync_msg": platform}))
    pages = list(ctx.pages(sync_msg.Request()))
    assert [each.msgid for page in pages for each in page.msg_list] == platform.msgids
    assert len(pages) == len(sizes)


@pytest.mark.parametrize("cursor", ["", "c1"])
def test_a_next_cursor_that_leads_nowhere_is_an_error_and_no_endless_loop(context: ContextOver, cursor: str) -> None:
    reply = json.dumps({"has_more": 1, "next_cursor": cursor})
    pages = context(MemorySdk({"sync_msg": reply})).pages(sync_msg.Request(cursor="c1"))
    next(pages)
    with pytest.raises(CallError, match="sync_msg: the platform's next_cursor leads nowhere"):
        next(pages)


def test_what_the_platform_refuses_ends_the_pages(context: ContextOver) -> None:
    refused = MemorySdk({"sync_msg": '{"errcode":710611,"errmsg":"invalid cursor"}'})
    with pytest.raises(ApiError, check=lambda error: error.errcode == 710611):
        next(context(refused).pages(sync_msg.Request(cursor="x")))
    with pytest.raises(CallError):
        next(context(MemorySdk({"sync_msg": network_failure("sync_msg")})).pages(sync_msg.Request()))


def test_an_api_whose_has_more_is_a_boolean_has_pages_too(context: ContextOver) -> None:
    replies = iter(['{"has_more":true,"next_cursor":"a"}', '{"has_more":false,"rule_list":[{"rule_id":"r"}]}'])
    pages = list(context(MemorySdk({"get_rule_list": lambda _: next(replies)})).pages(get_rule_list.Request()))
    assert [len(page.rule_list) for page in pages] == [0, 1]


def test_the_request_that_is_given_is_not_changed(context: ContextOver) -> None:
    request = search_msg.Request(query_word="报价")
    replies = iter(['{"has_more":1,"next_cursor":"a"}', "{}"])
    assert len(list(context(MemorySdk({"search_msg": lambda _: next(replies)})).pages(request))) == 2
    assert request == search_msg.Request(query_word="报价")


def test_every_api_with_a_cursor_has_pages(tmp_path: Path) -> None:
    contracts = Application(tmp_path).api_contracts().values()
    paged = {each.name for each in contracts if "cursor" in each.request.__struct_fields__}
    assert paged == {each.name for each in contracts if issubclass(each.request, PagedRequest)}
    for each in contracts:
        if each.name in paged:
            assert {"has_more", "next_cursor"} <= set(each.response.__struct_fields__)
    assert len(paged) == 6
