"""Own functions of the protocol that the vendor's Python demo has."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.kernel import Kernel
from wwspec_contracts.errors import RegistryError
from wwspec_devtools.console_contracts.described import ConsoleContracts, json_schemas

REGISTRY = """
[func]
prefix = "input_"
apis = ["sync_msg"]
[func.functions]
keyword_count = "tests.support.words:count"
vowels = "tests.support.words:vowels"
[abilities.demo]
kind = "func"
apis = ["sync_msg"]
"""


ZoneOf = Callable[[str], Kernel]


@pytest.fixture
def kernel(kernel_of: ZoneOf) -> Kernel:
    return kernel_of(REGISTRY)


def call(kernel: Kernel, ability_id: str, func: str, request: Any) -> Any:
    return kernel.call(ability_id, json.dumps({"input": {"func": func, "func_req": request}}))


def test_a_function_answers_what_the_demo_s_protocol_asks(kernel: Kernel) -> None:
    request = {"word": "ab", "texts": ["abab", "b", "ab"]}
    assert call(kernel, "input_keyword_count", "keyword_count", request) == {"errcode": 0, "errmsg": "ok", "count": 3}


def test_an_async_function_answers_beside_others_and_apis(kernel: Kernel) -> None:
    assert call(kernel, "input_vowels", "vowels", {"word": "kernel"})["count"] == 2
    for ability_id in ("input_sync_msg", "demo"):
        assert call(kernel, ability_id, "sync_msg", {"limit": 3})["errcode"] == 0
    assert kernel.sdk.requests == [("sync_msg", {"limit": 3})] * 2


def test_a_request_that_does_not_fit_is_refused_with_its_whole_path(kernel: Kernel) -> None:
    requests: list[Any] = [{}, {"word": "a", "texts": [1]}]
    assert [call(kernel, "input_keyword_count", "keyword_count", each)["errmsg"] for each in requests] == [
        "input contract: missing key at $.input.func_req.word",
        "input contract: expected str, got int at $.input.func_req.texts[0]",
    ]


def test_an_ability_answers_its_own_functions_only(kernel: Kernel) -> None:
    assert call(kernel, "input_keyword_count", "vowels", {"word": "a"})["errmsg"] == "unknown input.func vowels"
    assert call(kernel, "demo", "keyword_count", {})["errmsg"] == "unknown input.func keyword_count"


def test_the_console_examples_show_own_functions(kernel: Kernel) -> None:
    contracts = ConsoleContracts(kernel.table)
    own = contracts["input_keyword_count"]
    assert own.input == {"input": {"func": "keyword_count", "func_req": {"word": "text", "texts": ["text"]}}}
    assert own.output == {"errcode": 0, "errmsg": "ok", "count": 1}
    assert json_schemas(kernel.table.abilities["input_vowels"])["input"]["$defs"]


def test_a_function_without_a_contract_is_a_fault(kernel_of: ZoneOf) -> None:
    functions = "loose='tests.support.words:untyped'\nrequest='tests.support.words:Request'"
    with pytest.raises(RegistryError) as caught:
        kernel_of(f"[func]\nprefix='f_'\n[func.functions]\n{functions}")
    assert [fault.partition("[func]: ")[2] for fault in caught.value.faults] == [
        "functions: loose: tests.support.words:untyped takes or returns a dict; annotate it with a Contract and an "
        "Output",
        "functions: request: tests.support.words:Request is no handler; mark a function with @wwspec_router.ability",
    ]
