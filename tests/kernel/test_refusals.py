"""Each failure of the program has the errcode that the registry file gives it."""

import json
import re
from collections.abc import Callable
from inspect import getsourcelines
from typing import Any

import pytest
from msgspec.structs import replace

from tests.support.kernel import Kernel, app_call, reference_table, with_handler
from tests.support.once import BY_ID, Order, Receipt
from tests.support.sdk import MemorySdk
from tests.support.tables import for_each
from wwspec_contracts.errors import AbilityError, HandlerTimeoutError
from wwspec_router.handlers.ability import ability
from wwspec_router.kernel.dispatch import Dispatcher
from wwspec_router.registry.file import OnceRow, Program
from wwspec_router.registry.table import AbilityTable
from wwspec_router.stores import Store

APART = Program(
    errcode=9000,
    input_errcode=9001,
    timeout_errcode=9002,
    crash_errcode=9003,
    unknown_errcode=9004,
    overload_errcode=9005,
    once_errcode=9006,
)


def apart(table: AbilityTable, program: Program = APART) -> AbilityTable:
    return replace(table, registry=replace(table.registry, program=program))


def func(name: str) -> str:
    return json.dumps({"input": {"func": name, "func_req": {"limit": 0}}})


@for_each(
    [
        ("invoke_sync_msg", '{"limit":5000}', 9001),
        ("invoke_sync_msg", "{", 9001),
        ("python_demo", "{}", 9001),
        ("python_demo", func("get_group_chat"), 9001),
        ("python_demo", func("no_such_function"), 9004),
        ("no_such_ability", "{}", 9004),
        ("get_callback_data", "{}", 9000),
    ]
)
def test_a_refused_call_has_the_errcode_of_its_failure(ability_id: str, data: str, errcode: int, store: Store) -> None:
    assert Kernel(apart(reference_table()), store).call(ability_id, data)["errcode"] == errcode
    assert Kernel(reference_table(), store).call(ability_id, data)["errcode"] == 710660


def place_order(outcome: Any) -> Callable[[Order], Receipt]:
    @ability
    def place_order(request: Order) -> Receipt:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome  # type: ignore[no-any-return]

    return place_order


@pytest.mark.parametrize(
    ("outcome", "errcode"),
    [
        (KeyError("article"), 9003),
        (Receipt(number="many"), 9003),  # type: ignore[arg-type]
        (object(), 9003),
        (HandlerTimeoutError(), 9002),
        (AbilityError("no"), 9000),
        (AbilityError("no", errcode=7), 7),
    ],
)
def test_a_failure_has_its_errcode_also_when_it_is_kept(store: Store, outcome: Any, errcode: int) -> None:
    keeping = OnceRow(key="order.id", keep_errors=True)
    for once, calls in ((None, 1), (BY_ID, 2), (keeping, 2)):
        table = with_handler(apart(reference_table()), place_order(outcome), once=once)
        for _ in range(calls):
            assert Kernel(table, store).call("place_order", '{"order":{"id":"a"}}')["errcode"] == errcode


def test_a_reply_that_does_not_fit_is_logged_with_path_and_line(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    handler = place_order(Receipt(number="a name that no log may show"))  # type: ignore[arg-type]
    Kernel(with_handler(reference_table(), handler), store).call("place_order")
    line = getsourcelines(handler)[1] + 1  # below the decorator
    assert caplog.messages == [
        "ability place_order refused, OutputError: output contract: expected int, got str at $.number "
        f"(test_refusals.py:{line} place_order)"
    ]


def test_an_ability_that_is_too_late_before_it_begins_has_the_errcode_of_a_timeout(store: Store) -> None:
    kernel = Kernel(with_handler(apart(reference_table()), place_order(Receipt()), timeout=1e-9), store)
    assert kernel.call("place_order")["errcode"] == 9002


def test_a_number_that_is_not_set_apart_is_that_of_errcode(store: Store) -> None:
    kernel = Kernel(apart(reference_table(), Program(errcode=9000, crash_errcode=9003)), store)
    assert kernel.dispatch(app_call("nothing")).errcode == 9000
    assert kernel.dispatch(app_call("invoke_sync_msg", '{"limit":5000}')).errcode == 9000
    assert kernel.event("[]")["errcode"] == 9000


def test_in_development_a_refusal_has_its_place_and_cause(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    caused = AbilityError("no", errcode=7)
    caused.__cause__ = KeyError("article")
    for refusal, has_cause in ((AbilityError("no", errcode=7), False), (caused, True)):
        table = with_handler(reference_table(), place_order(refusal))
        Dispatcher(table, MemorySdk(), store, with_text=True).dispatch(app_call("place_order"))
        line = r"ability place_order refused, AbilityError: no \(7\) at \S*test_refusals.py:\d+"
        assert re.match(line, caplog.messages[-1])
        assert (caplog.records[-1].exc_info is not None) is has_cause
