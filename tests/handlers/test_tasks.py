"""`ctx.finish`: an analysis task, from its request to its result."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from tests.handlers.contracts import Ask, Said
from tests.support.kernel import Kernel
from tests.support.tables import for_each
from wwspec_contracts import create_chatdata_export_job, create_summary_task, get_summary_result
from wwspec_contracts.base import ApiRequest, PolledOutput, TaskRequest
from wwspec_contracts.errors import ApiError
from wwspec_contracts.tasks import EncryptInfo, MessageKey, halves
from wwspec_router import AsyncContext, Context, ability
from wwspec_router.handlers.tasks import TaskRunner, finish_split
from wwspec_router.registry.loader import Application

KernelWith = Callable[..., Kernel]
Replies = dict[str, list[Any]]
KEY = "k"


def keys(number: int) -> list[MessageKey]:
    return [MessageKey(msgid=f"m{each}", encrypt_info=EncryptInfo(secret_key=KEY)) for each in range(number)]


@ability
def summarise(request: Ask, ctx: Context) -> Said:
    return Said(said=ctx.finish(REQUEST).response_data)


@ability
async def summarise_on_the_loop(request: Ask, ctx: AsyncContext) -> Said:
    return Said(said=(await ctx.finish(REQUEST)).response_data)


class Platform:
    """A platform that gives the replies of a list, and the time that is waited between them."""

    def __init__(self, replies: Replies) -> None:
        self.replies = {api: list(each) for api, each in replies.items()}
        self.asked: list[tuple[str, Any]] = []
        self.waited: list[float] = []

    def invoke(self, request: ApiRequest[Any]) -> Any:
        api = type(request).__module__.rpartition(".")[2]
        self.asked.append((api, request))
        reply = self.replies[api].pop(0)
        if isinstance(reply, ApiError):
            raise reply
        return reply

    def finish(self, request: TaskRequest[Any, Any]) -> Any:
        runner = TaskRunner(self.invoke, self.waited.append, lambda each: each.__module__.rpartition(".")[2])
        return runner.finish(request)


REQUEST = create_summary_task.Request(msg_list=keys(1))
CREATED: Any = create_summary_task.Response(jobid="j")
RUNNING: Any = get_summary_result.Response(status=0)


def summarising(*results: Any) -> Platform:
    return Platform({"create_summary_task": [CREATED], "get_summary_result": [*results]})


def done(text: str = "done") -> Any:
    return get_summary_result.Response(status=1, response_data=text)


@pytest.mark.parametrize("handler", [summarise, summarise_on_the_loop])
def test_a_handler_gets_the_result_of_its_task_which_each_synchronous_call_creates(
    kernel_with: KernelWith, handler: Callable[..., Any]
) -> None:
    kernel = kernel_with(handler)
    results = iter(['{"status":0}', '{"status":1,"response_data":"a deal"}'] * 2)
    kernel.sdk.replies["create_summary_task"] = '{"jobid":"job-1"}'
    kernel.sdk.replies["get_summary_result"] = lambda request: next(results)
    assert [kernel.call(handler.__name__)["said"] for _ in range(2)] == ["a deal"] * 2
    assert [api for api, _ in kernel.sdk.requests] == ["create_summary_task", *["get_summary_result"] * 2] * 2
    assert kernel.sdk.requests[-1][1] == {"jobid": "job-1"}


def test_a_task_that_runs_on_when_the_time_of_the_call_is_over_is_a_time_out(kernel_with: KernelWith) -> None:
    kernel = kernel_with(summarise, timeout=0.1)
    kernel.sdk.replies["create_summary_task"] = '{"jobid":"job-1"}'
    kernel.sdk.replies["get_summary_result"] = '{"status":0}'
    assert kernel.call("summarise")["errmsg"] == "the ability took longer than its timeout"


def test_the_pauses_grow_up_to_ten_seconds() -> None:
    platform = summarising(*[RUNNING] * 20, done())
    assert platform.finish(REQUEST).response_data == "done"
    assert len(platform.waited) == 20
    assert 0.15 < platform.waited[0] <= 0.25
    assert all(7.5 <= each <= 10 for each in platform.waited[10:])


@for_each([-1, 45009, 45033, 710642, 790023])
def test_a_platform_that_is_busy_or_waits_itself_is_asked_again(errcode: int) -> None:
    busy = ApiError("get_summary_result", errcode, "later")
    platform = summarising(busy, busy, done())
    assert platform.finish(REQUEST).response_data == "done"
    assert len(platform.waited) == 2


def test_a_task_that_was_not_created_is_not_asked_for() -> None:
    platform = Platform({"create_summary_task": [ApiError("create_summary_task", 45009, "too often")]})
    with pytest.raises(ApiError, check=lambda error: error.errcode == 45009):
        platform.finish(REQUEST)
    assert len(platform.asked) == 1


def test_a_task_that_failed_is_an_error_of_the_api_that_says_so() -> None:
    with pytest.raises(ApiError, match="get_summary_result", check=lambda error: error.errcode == 710633):
        summarising(get_summary_result.Response(status=2)).finish(REQUEST)


def test_an_export_is_running_until_its_file_is_made_and_failed_without_one() -> None:
    status = create_chatdata_export_job.Request.result.__module__.rpartition(".")[2]
    response = next(each for each in PolledOutput.__subclasses__() if each.__module__.endswith(status))
    request = create_chatdata_export_job.Request(code="c", media_id="m")
    begun = create_chatdata_export_job.Response(jobid="j")
    waiting = [response(status=1), response(status=2)]  # type: ignore[call-arg]
    made = response(status=3, result_id="r")  # type: ignore[call-arg]
    platform = Platform({"create_chatdata_export_job": [begun], status: [*waiting, made]})
    assert platform.finish(request).result_id == "r"
    refused = response(status=3, result_errcode=710730, result_errmsg="no right")  # type: ignore[call-arg]
    platform = Platform({"create_chatdata_export_job": [begun], status: [refused]})
    with pytest.raises(ApiError, check=lambda error: error.errcode == 710730):
        platform.finish(request)


@given(number=st.integers(1, 40), fits=st.integers(1, 40))
def test_messages_that_are_too_many_for_the_model_are_split_until_they_fit(number: int, fits: int) -> None:
    def run(request: Any) -> Any:
        if len(request.msg_list) > fits:
            raise ApiError("get_summary_result", 790040, "too long")
        return done(" ".join(each.msgid for each in request.msg_list))

    results = finish_split(create_summary_task.Request(msg_list=keys(number)), halves, run)
    assert " ".join(each.response_data for each in results).split() == [f"m{each}" for each in range(number)]


@pytest.mark.parametrize("errcode", [790040, 45009])
def test_one_message_that_is_too_long_is_an_error_and_other_errors_are_not_answered_by_splitting(errcode: int) -> None:
    tried: list[int] = []

    def run(request: Any) -> Any:
        tried.append(len(request.msg_list))
        raise ApiError("get_summary_result", errcode, "no")

    with pytest.raises(ApiError, check=lambda error: error.errcode == errcode):
        finish_split(create_summary_task.Request(msg_list=keys(3)), halves, run)
    assert tried == ([3, 1] if errcode == 790040 else [3])


def test_every_api_that_creates_a_task_names_the_api_of_its_result(tmp_path: Path) -> None:
    contracts = {each.name: each for each in Application(tmp_path).api_contracts().values()}
    creating = {name for name in contracts if name.startswith("create_") and name != "create_rule"}
    assert creating == {name for name, each in contracts.items() if issubclass(each.request, TaskRequest)}
    results = {each.request: name for name, each in contracts.items()}
    for name in creating:
        request = contracts[name].request
        assert "jobid" in contracts[name].response.__struct_fields__
        assert "jobid" in request.result.__struct_fields__  # type: ignore[attr-defined]
        assert issubclass(contracts[results[request.result]].response, PolledOutput)  # type: ignore[attr-defined]
    assert len({contracts[name].request.result for name in creating}) == len(creating)  # type: ignore[attr-defined]
