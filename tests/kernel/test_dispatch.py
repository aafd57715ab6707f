import json
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import get_ident
from time import monotonic
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from msgspec.structs import replace

from tests.stores.suites.rig import ManualClock
from tests.support.crashes import INTERNAL
from tests.support.kernel import Kernel, app_call, reference_table
from tests.support.sdk import OK, MemorySdk, network_failure
from tests.support.tables import for_each
from wwspec_contracts.call_type import CallType
from wwspec_contracts.errors import SdkCallError
from wwspec_contracts.matching import matches
from wwspec_devtools.console_contracts.described import ConsoleContracts
from wwspec_router.envelope import Call, Deadline
from wwspec_router.kernel.dispatch import Dispatcher
from wwspec_router.monitoring.figures import ASYNC, UNKNOWN
from wwspec_router.stores import Store, open_store

ZoneOf = Callable[..., Kernel]


def refused(errmsg: str, errcode: int = 710660) -> dict[str, Any]:
    return {"errcode": errcode, "errmsg": errmsg}


REQUEST = ' { "limit" : 3,\n "cursor":"\\u4e2d" } '
REPLY = '{ "errcode": 0, "errmsg": "ok", "msg_list": [ ], "has_more": 0 }'


@pytest.mark.parametrize("ability_id", ["invoke_sync_msg", "chat_history"])
def test_sdk_api_is_called_in_the_caller_s_name_with_the_request_byte_for_byte(kernel: Kernel, ability_id: str) -> None:
    kernel.sdk.replies["sync_msg"] = REPLY
    reply = kernel.dispatch(app_call(ability_id, REQUEST, corpid="corp-2", agentid=9, job_info="job"))
    assert (reply.text, reply.errcode) == (REPLY, 0)
    [call] = kernel.sdk.calls
    assert (call.api, call.request) == ("sync_msg", REQUEST)
    assert (call.corpid, call.agentid, call.ability_id, call.job_info) == ("corp-2", 9, ability_id, "job")


@pytest.mark.parametrize("refusal", ['{"errcode":710611,"errmsg":"bad"}', '{ "errmsg": "bad", "errcode": 710611 }'])
def test_a_refusal_of_the_platform_is_passed_on_and_counts_as_one(kernel: Kernel, refusal: str) -> None:
    kernel.sdk.replies["sync_msg"] = refusal
    reply = kernel.dispatch(app_call("invoke_sync_msg"))
    assert (reply.text, reply.errcode) == (refusal, 710611)
    wrapped = kernel.dispatch(app_call("python_demo", func("sync_msg", "{}")))
    assert (wrapped.text, wrapped.errcode) == (refusal, 710611)


def test_what_the_platform_adds_is_left_out_and_logged(kernel_of: ZoneOf, caplog: pytest.LogCaptureFixture) -> None:
    kernel = kernel_of("[passthrough]\nprefix='invoke_'\n")
    kernel.sdk.replies["sync_msg"] = '{"errcode":0,"msg_list":[{"msgid":"m","colour":"a-secret"}],"has_more":true}'
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            assert kernel.call("invoke_sync_msg") == {"errcode": 0, "msg_list": [{"msgid": "m"}], "has_more": 1}
    assert [record.getMessage() for record in caplog.records] == [
        "left out of replies, since the contract of sync_msg does not list it: $.msg_list[].colour"
    ]


@for_each(
    [
        ("strict", '{"errcode":0,"new":1}', refused("output contract: unknown key at $.new")),
        ("prune", '{"errcode":0,"new":1}', {"errcode": 0}),
        ("prune", "oops", refused("output contract: not valid JSON at $")),
        ("off", '{"new":1}', {"new": 1}),
    ]
)
def test_a_row_s_output_policy_decides_over_the_platform_s_reply(
    policy: str, reply: str, answer: dict[str, Any], kernel_of: ZoneOf
) -> None:
    kernel = kernel_of(f"[abilities.a]\napi='sync_msg'\noutput_policy='{policy}'\n")
    kernel.sdk.replies["sync_msg"] = reply
    assert json.loads(kernel.dispatch(app_call("a")).text) == answer


PAGE = '{"cursor":"","limit":0,"token":""}'
"""What WeCom's page sends in Java and C++."""


def test_the_request_of_wecom_s_page_in_java_and_cpp_is_passed_on_as_it_is(kernel: Kernel) -> None:
    kernel.sdk.replies["sync_msg"] = REPLY
    assert kernel.dispatch(app_call("invoke_sync_msg", PAGE)).text == REPLY
    assert kernel.dispatch(app_call("python_demo", func("sync_msg", PAGE))).text == REPLY
    assert [(call.api, call.request) for call in kernel.sdk.calls] == [("sync_msg", PAGE)] * 2


@pytest.mark.parametrize("text", ["[]", " [\t\r\n] "])
def test_an_empty_array_is_taken_for_an_empty_object_where_nothing_is_required(kernel: Kernel, text: str) -> None:
    """PHP makes `[]` of an empty array, and a published library sends it."""
    assert kernel.call("invoke_sync_msg", text) == {"errcode": 0, "errmsg": "ok"}
    assert kernel.call("python_demo", func("sync_msg", text))["errcode"] == 0
    assert kernel.sdk.requests == [("sync_msg", {}), ("sync_msg", {})]
    assert kernel.call("chat_digest", text)["errcode"] == 0
    notify_id = store_event(kernel)
    assert kernel.call("get_callback_data", text, notify_id=notify_id) == json.loads(EVENT)
    assert kernel.call("python_demo", func("do_async_job", text), notify_id=notify_id) == json.loads(EVENT)


def test_an_empty_array_is_taken_by_an_ability_that_answers_figures(kernel_of: ZoneOf, store: Store) -> None:
    kernel = kernel_of("[abilities.figures]\nkind='status'\n")
    dispatcher = Dispatcher(kernel.table, kernel.sdk, store, status=lambda: '{"errcode":0}')
    assert dispatcher.dispatch(app_call("figures", "[]")).text == '{"errcode":0}'


def test_an_empty_array_is_refused_as_before_where_something_is_required(kernel: Kernel) -> None:
    message = "input contract: expected object, got array at "
    assert kernel.call("group_overview", "[]") == refused(f"{message}$")
    assert kernel.call("invoke_get_group_chat", "[]") == refused(f"{message}$")
    assert kernel.call("python_demo", "[]") == refused(f"{message}$")
    assert kernel.call("python_demo", func("get_group_chat", "[]")) == refused(f"{message}$.input.func_req")
    for text in ("[{}]", "[null]", '[""]', "[0]"):
        assert kernel.call("invoke_sync_msg", text) == refused(f"{message}$")
    assert kernel.call("invoke_search_msg", '{"query_word":"发货","chat_info":[]}') == refused(f"{message}$.chat_info")
    assert kernel.sdk.calls == []


def test_empty_strings_are_dropped_where_the_registry_says_so(kernel_of: ZoneOf) -> None:
    kernel = kernel_of(
        "[passthrough]\nprefix='p_'\ndrop_empty=true\n[func]\nprefix='f_'\ndrop_empty=true\n"
        "[abilities.a]\napi='sync_msg'\ndrop_empty=true\n[abilities.b]\napi='sync_msg'\n"
        "[abilities.c]\nkind='func'\ndrop_empty=true\n"
    )
    plain, wrapped = '{"cursor":"","limit":5}', '{"input":{"func":"sync_msg","func_req":{"cursor":"","limit":5}}}'
    for ability_id in ("p_sync_msg", "a", "b", "c", "f_sync_msg"):
        kernel.call(ability_id, wrapped if ability_id in ("c", "f_sync_msg") else plain)
    assert [call.request for call in kernel.sdk.calls] == ['{"limit":5}'] * 2 + [plain] + ['{"limit":5}'] * 2


def test_a_request_that_does_not_fit_never_reaches_the_sdk(kernel: Kernel) -> None:
    for data in ("", "[1]", "[[]]", '{"limit":"3"}', '{"limit":3,"x":1}', '{"cursor":"' + "中" * 43 + '"}', "\ud800"):
        assert kernel.call("invoke_sync_msg", data)["errmsg"].startswith("input contract: ")
    refusal = refused("input contract: expected int, got str at $.limit")
    assert kernel.call("invoke_sync_msg", '{"limit":"3"}') == refusal
    assert kernel.sdk.calls == []


@pytest.mark.parametrize(
    ("error", "answer", "logged"),
    [
        (network_failure("sync_msg"), refused("sync_msg: the SDK call failed (-10002)"), "the network is down"),
        (SdkCallError("sync_msg", None, "odd"), refused("sync_msg: the SDK call failed"), "odd"),
        (RuntimeError("a-secret"), INTERNAL, "RuntimeError at sdk.py"),
    ],
)
def test_a_failed_sdk_call_is_answered_with_its_return_code_and_a_bug_without_its_text(
    kernel: Kernel, error: Exception, answer: Any, logged: str, caplog: pytest.LogCaptureFixture
) -> None:
    kernel.sdk.replies["sync_msg"] = error
    assert kernel.call("invoke_sync_msg") == answer
    assert logged in caplog.text
    assert "a-secret" not in caplog.text


@pytest.mark.parametrize(("ability_id", "message"), [("a\nb\x00", "a\\nb\\x00"), ("\ud800", "\\ud800")], ids=ascii)
def test_an_unknown_ability_is_not_found(
    kernel: Kernel, ability_id: str, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert kernel.call(ability_id) == refused(f"unknown ability_id {message}")
    assert caplog.messages == [f"ability {message} refused, AbilityNotFoundError"]


def test_an_api_without_a_contract_never_reaches_the_sdk(kernel: Kernel) -> None:
    names = "invoke_set_public_key", "invoke___class__", "invoke_sync_msg ", "invoke_SYNC_MSG", "input_nope"
    for name in (*names, "Invoke_sync_msg", "invoke_", "sync_msg"):
        assert kernel.call(name)["errmsg"].startswith("unknown ability_id ")
    for func in ("set_public_key", "__class__", "search_msg"):
        request = json.dumps({"input": {"func": func}})
        assert kernel.call("python_demo", request) == refused(f"unknown input.func {func}")
    assert kernel.sdk.calls == []


def test_an_asynchronous_call_is_refused(kernel: Kernel) -> None:
    answer = kernel.call("invoke_sync_msg", is_async=True, job_info="job")
    assert answer == refused("asynchronous calls are not supported by this program")
    assert kernel.sdk.calls == []


def test_deadlines_count_from_the_arrival_and_are_for_calls_of_the_app_only(kernel_of: ZoneOf) -> None:
    kernel = kernel_of(
        "[program]\ntimeout=2\n[passthrough]\nprefix='p_'\napis=['sync_msg']\ntimeout=3\n"
        "[abilities.a]\napi='sync_msg'\n[abilities.b]\napi='sync_msg'\ntimeout=1\n"
    )

    def deadline(call: Call) -> float | None:
        return kernel.dispatcher.route(call).deadline(100.0).at

    names = ("a", "b", "p_sync_msg", "nope")
    assert [deadline(app_call(name)) for name in names] == [102.0, 101.0, 103.0, None]
    assert deadline(Call(corpid="c", agentid=1, call_type=CallType.EVENT, ability_id="a")) is None


def test_a_call_whose_time_is_over_before_it_is_begun_asks_the_sdk_for_nothing(kernel: Kernel) -> None:
    call = app_call("invoke_sync_msg")
    reply = kernel.dispatcher.answer(call, kernel.dispatcher.route(call), Deadline(monotonic() - 1))
    assert json.loads(reply.text) == refused("the ability took longer than its timeout")
    assert kernel.sdk.calls == []


LIMITED = (
    "[program]\noverload_errcode=45009\n[abilities.a]\napi='sync_msg'\nconcurrency=1\n[abilities.b]\napi='sync_msg'\n"
)
FULL = refused("the ability is at its limit of calls, try again later", 45009)


def while_answered(kernel: Kernel, work: Callable[[], Any]) -> Any:
    """Return what another thread finds while a call of `a` is answered: the limit is one of threads."""
    found: list[Any] = []

    def reply(request: str) -> str:
        if not found:
            found.append(None)  # the calls of `work` answer at once
            with ThreadPoolExecutor(1) as other:
                found[:] = [other.submit(work).result()]
        return OK

    kernel.sdk.replies["sync_msg"] = reply
    assert kernel.call("a")["errcode"] == 0
    return found[0]


def test_an_ability_at_its_limit_is_refused_as_overload(kernel_of: ZoneOf, caplog: pytest.LogCaptureFixture) -> None:
    kernel = kernel_of(LIMITED)
    assert while_answered(kernel, lambda: [kernel.call(name) for name in ("a", "b")]) == [FULL, json.loads(OK)]
    assert kernel.call("a")["errcode"] == 0
    assert "a call was refused: 1 calls of a are running" in caplog.text


def test_a_place_under_a_limit_is_given_back_whatever_becomes_of_the_call(kernel_of: ZoneOf) -> None:
    kernel = kernel_of(LIMITED)
    for failure in (network_failure("sync_msg"), ValueError("unknown")):
        kernel.sdk.replies["sync_msg"] = failure
        assert kernel.call("a")["errcode"] == 710660
    kernel.sdk.replies["sync_msg"] = OK
    assert kernel.call("a")["errcode"] == 0


def test_asynchronous_calls_are_counted_apart_from_those_that_their_abilities_answer(kernel: Kernel) -> None:
    call = app_call("chat_history")
    assert kernel.dispatcher.route(call).label == "chat_history"
    assert kernel.dispatcher.route(replace(call, is_async=True)).label == ASYNC
    assert kernel.dispatcher.route(app_call("no such", is_async=True)).label == UNKNOWN


def test_asynchronous_calls_do_not_count_against_a_limit(kernel_of: ZoneOf) -> None:
    kernel = kernel_of(LIMITED)
    job = app_call("a", is_async=True)
    route = kernel.dispatcher.job_route(job.ability_id)
    assert while_answered(kernel, lambda: kernel.dispatcher.answer(job, route, Deadline())).text == OK


def test_an_abandoned_thread_holds_no_place_under_a_limit(kernel_of: ZoneOf) -> None:
    kernel, here = kernel_of(LIMITED), get_ident()

    def call() -> Any:
        kernel.dispatcher.abandon(here)
        return kernel.call("a")

    assert while_answered(kernel, call) == json.loads(OK)


EVENT = ' {"event_type": "hit_keyword", "timestamp": 5, "hit_keyword": {"token": "t"}}'


def store_event(kernel: Kernel, text: str = EVENT, **more: Any) -> str:
    """Send an event and return the notify_id that the app is told."""
    assert kernel.event(text, **more) == {"errcode": 0, "errmsg": "ok"}
    notify_id = kernel.sdk.requests[-1][1]["notify_id"]
    assert isinstance(notify_id, str)
    return notify_id


@for_each(
    [
        ({"corpid": "corp-2"}, "no event waits under this notify_id"),
        ({"agentid": 8}, "no event waits under this notify_id"),
        ({"notify_id": "another"}, "no event waits under this notify_id"),
        ({"notify_id": ""}, "the call carries no notify_id"),
        ({"data": '{"notify_id":"x"}'}, "input contract: unknown key at $.notify_id"),
    ]
)
def test_an_event_is_given_to_its_corp_and_app_alone(other: dict[str, Any], message: str, kernel: Kernel) -> None:
    call = {"notify_id": store_event(kernel), **other}
    assert kernel.call("get_callback_data", **call) == refused(message)


def test_an_expired_event_is_not_found() -> None:
    clock = ManualClock()
    with closing(open_store("memory:", clock=clock)) as store:
        kernel = Kernel(reference_table(), store)
        notify_id = store_event(kernel)
        clock.advance(reference_table().registry.program.notify_ttl - 1)
        assert kernel.call("get_callback_data", notify_id=notify_id)["event_type"] == "hit_keyword"
        clock.advance(2)
        assert kernel.call("get_callback_data", notify_id=notify_id) == refused("no event waits under this notify_id")


def test_a_store_that_fails_is_told_without_its_words(kernel: Kernel, caplog: pytest.LogCaptureFixture) -> None:
    kernel.store.close()
    assert kernel.call("get_callback_data", notify_id="a") == refused("the event could not be read")
    assert "closed" in caplog.text


def func(name: str, request: str | None = None) -> str:
    inner = "" if request is None else f',"func_req":{request}'
    return f'{{"input":{{"func":"{name}"{inner}}}}}'


@pytest.mark.parametrize("ability_id", ["python_demo", "input_sync_msg"])
@pytest.mark.parametrize(
    ("request_text", "sent"), [(REQUEST, REQUEST.strip()), ("{}", "{}"), (None, "{}")], ids=["full", "empty", "absent"]
)
def test_the_demo_s_call_reaches_its_api(kernel: Kernel, ability_id: str, request_text: str | None, sent: str) -> None:
    kernel.sdk.replies["sync_msg"] = REPLY
    assert kernel.dispatch(app_call(ability_id, func("sync_msg", request_text))).text == REPLY
    [call] = kernel.sdk.calls
    assert (call.api, call.request, call.ability_id) == ("sync_msg", sent, ability_id)


@pytest.mark.parametrize("ability_id", ["python_demo", "input_do_async_job"])
def test_the_python_demo_fetches_events_with_do_async_job_and_the_page_s_own_request_is_taken(
    kernel: Kernel, ability_id: str
) -> None:
    notify_id, other = store_event(kernel), store_event(kernel, '{"event_type":"other"}')
    for request in ("{}", None):
        call = app_call(ability_id, func("do_async_job", request), notify_id=notify_id)
        assert kernel.dispatch(call).text == EVENT
    asking = func("do_async_job", f'{{"notify_id":"{notify_id}"}}')
    assert kernel.dispatch(app_call(ability_id, asking)).text == EVENT
    assert kernel.call(ability_id, asking, notify_id=other) == {"event_type": "other"}, "the call's own goes first"
    assert kernel.call(ability_id, asking, corpid="other") == refused("no event waits under this notify_id")
    for empty in ("{}", '{"notify_id":""}'):
        assert kernel.call(ability_id, func("do_async_job", empty)) == refused("the call carries no notify_id")
    for odd in ('{"notify_id":5}', '{"notify_id":"' + "x" * 129 + '"}'):
        errmsg = kernel.call(ability_id, func("do_async_job", odd))["errmsg"]
        assert errmsg.endswith(" at $.input.func_req.notify_id")


def test_the_console_is_told_of_the_page_s_own_request_for_an_event(kernel: Kernel) -> None:
    contracts = ConsoleContracts(kernel.table)
    page = {"input": {"func": "do_async_job", "func_req": {"notify_id": "NOTIFYID"}}}
    assert contracts["input_do_async_job"].input == page
    assert matches(contracts["python_demo"].input, page)
    assert contracts["get_callback_data"].input == {}


@for_each(
    [
        ("", "input contract: not valid JSON at $"),
        ("\ud800", "input contract: not valid JSON at $"),
        ("[" * 100_000, None),
        ("{}", "input contract: missing key at $.input"),
        ("[]", "input contract: expected object, got array at $"),
        ('{"input":3}', "input contract: expected object, got int at $.input"),
        ('{"input":null}', "input contract: expected object, got null at $.input"),
        ('{"input":{}}', "input contract: missing key at $.input.func"),
        ('{"input":{"func":3}}', "input contract: expected str, got int at $.input.func"),
        ('{"input":{"func":"sync_msg"},"x":1}', "input contract: unknown key at $.x"),
        ('{"input":{"func":"sync_msg","x":1}}', "input contract: unknown key at $.input.x"),
        ('{"input":{"func":"nope"}}', "unknown input.func nope"),
        ('{"input":{"func":"no\\npe\\u0000"}}', "unknown input.func no\\npe\\x00"),
        (func("n" * 5000), "unknown input.func " + "n" * 64 + "…"),
        ('{"input":{"func":"sync_msg","func_req":3}}', "input contract: expected object, got int at $.input.func_req"),
        (func("sync_msg", '{"limit":"3"}'), "input contract: expected int, got str at $.input.func_req.limit"),
        (func("sync_msg", '{"x":3}'), "input contract: unknown key at $.input.func_req.x"),
        (func("sync_msg", "{"), "input contract: not valid JSON at $"),
        (func("sync_msg", "null"), "input contract: expected object, got null at $.input.func_req"),
        (func("do_async_job", '{"x":1}'), "input contract: unknown key at $.input.func_req.x"),
        ('{"input":{"' + "k" * 100_000 + '":1}}', "input contract: unknown key at $.input." + "k" * 64),
    ]
)
def test_bad_input_of_the_python_demo_s_protocol_is_refused(data: str, message: str | None, kernel: Kernel) -> None:
    answer = kernel.call("python_demo", data)
    if message is None:
        assert answer["errmsg"].startswith("input contract: ")
    else:
        assert answer == refused(message)
    assert kernel.sdk.calls == []


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text() | st.sampled_from(["input", "func", "func_req", "limit", "event_type"]), inner)
    ),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def consoles() -> ConsoleContracts:
    return ConsoleContracts(reference_table())


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["invoke_sync_msg", "chat_digest", "python_demo", "get_callback_data", "group_overview", ""])
    | st.text(),
    st.text() | json_values.map(json.dumps),
    st.sampled_from([1, 2, 3]),
    st.text(max_size=5),
    st.text() | json_values.map(json.dumps) | st.just(OK),
)
def test_every_reply_fits_what_the_console_has_for_the_ability(
    kernel: Kernel,
    consoles: ConsoleContracts,
    ability_id: str,
    data: str,
    call_type: int,
    notify_id: str,
    platform: str,
) -> None:
    kernel.sdk.replies = dict.fromkeys(["sync_msg", "get_group_chat", "spec_notify_app"], platform)
    call = Call(corpid="corp", agentid=7, call_type=call_type, ability_id=ability_id, data=data, notify_id=notify_id)
    reply = kernel.dispatch(call)
    value = json.loads(reply.text)
    contract = consoles.get(ability_id)
    example = contract.output if contract and call_type == 1 else {"errcode": 0, "errmsg": "ok"}
    assert matches(example, value)
    assert reply.errcode in (0, value.get("errcode", 0))


def test_nothing_of_a_request_or_a_reply_reaches_the_log(kernel: Kernel, caplog: pytest.LogCaptureFixture) -> None:
    kernel.sdk.replies["sync_msg"] = '{"errcode":0,"errmsg":"a-secret","next_cursor":7,"list":"a-secret"}'
    with caplog.at_level(logging.DEBUG):
        kernel.call("invoke_sync_msg", '{"token":"a-secret"}')
        kernel.call("invoke_sync_msg", '{"a-secret":"a-secret"}')
        kernel.call("invoke_sync_msg", '{"limit":"a-secret"}')
        kernel.call("python_demo", '{"input":{"a-secret":"a-secret"}}')
        kernel.call("python_demo", func("sync_msg", '{"a-secret":1}'))
        kernel.event('{"event_type":"hit_keyword","hit_keyword":{"token":"a-secret"}}')
        kernel.event('{"event_type":7,"a-secret":"a-secret"}')
    assert caplog.text.count("InputError") == 3, "each ability's once a second, and the event's"
    assert "a-secret" not in caplog.text


class BrokenSdk(MemorySdk):
    def client(self, corpid: str, agentid: int, ability_id: str, job_info: str) -> Any:
        raise MemoryError


def test_an_sdk_without_clients_is_answered_all_the_same(store: Store) -> None:
    kernel = Kernel(reference_table(), store, sdk=BrokenSdk())
    for ability_id, data in (("invoke_sync_msg", "{}"), ("chat_digest", "{}"), ("group_overview", '{"chatid":"c"}')):
        assert kernel.call(ability_id, data) == INTERNAL
    assert kernel.event(EVENT) == INTERNAL
