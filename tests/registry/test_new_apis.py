"""SDK APIs that WeCom adds today: a row with both examples is the contract, in the program and in the emulator."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.apps import write_files
from tests.support.command import wwspec
from tests.support.tables import for_each
from tests.support.zones import serve_zone
from wwspec_contracts.errors import RegistryError
from wwspec_devtools.app_module import client_module
from wwspec_devtools.console_contracts.described import ConsoleContracts, described_contracts
from wwspec_devtools.testing.zone import Zone
from wwspec_router.registry.table import AbilityTable, build_table

INPUT: dict[str, Any] = {"docid": "DOCID", "limit": 10}
OUTPUT: dict[str, Any] = {"errcode": 0, "errmsg": "ok", "blocks": [{"type": 1, "text": "Prices"}]}
FILES = 'input = "console/doc.input.json"\noutput = "console/doc.output.json"\n'
ROW = f'[abilities.get_doc_content]\napi = "get_doc_content"\n{FILES}'
PREFIXES = '[passthrough]\nprefix = "invoke_"\n[func]\nprefix = "input_"\n'


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Without folders of Python modules, so that it fits into the process of other applications."""
    return write_files(
        tmp_path_factory.mktemp("app"),
        {
            "registry.toml": PREFIXES + ROW,
            "console/doc.input.json": json.dumps(INPUT),
            "console/doc.output.json": json.dumps(OUTPUT),
            "console/small.json": '{"errcode": 0, "errmsg": "ok"}',
            "console/wide.json": '{"errcode": 0, "errmsg": "ok", "owner": "A"}',
            "reply.json": json.dumps(OUTPUT),
        },
    )


def table(app: Path, text: str) -> AbilityTable:
    registry = app / "other.toml"
    registry.write_text(text)
    return build_table(app, registry)


def faults(app: Path, text: str) -> list[str]:
    with pytest.raises(RegistryError) as caught:
        table(app, text)
    return list(caught.value.faults)


@pytest.fixture(scope="module")
def served(app: Path) -> Iterator[Zone]:
    with serve_zone(app, app / "registry.toml") as zone:
        yield zone


@pytest.fixture(scope="module")
def in_process(app: Path) -> Iterator[Zone]:
    with Zone.in_process(app, app / "registry.toml") as zone:
        yield zone


@pytest.fixture(params=["in_process", "served"])
def zone(request: pytest.FixtureRequest) -> Zone:
    zone: Zone = request.getfixturevalue(request.param)
    zone.client.reset()
    return zone


def test_each_name_of_the_api_answers_what_is_set_by_hand(zone: Zone) -> None:
    zone.answer("get_doc_content", OUTPUT)
    for ability_id in ("get_doc_content", "invoke_get_doc_content"):
        assert zone.call(ability_id, {"docid": "D1"}).reply == OUTPUT
    wrapped = {"input": {"func": "get_doc_content", "func_req": {"docid": "D1"}}}
    assert zone.call("input_get_doc_content", wrapped).reply == OUTPUT
    calls = zone.client.traffic(kind="sdk")
    assert [(each["name"], each["verdict"]) for each in calls] == [("get_doc_content", "ok")] * 3


def test_it_is_checked_by_its_examples_alone(zone: Zone) -> None:
    zone.answer("get_doc_content", {**OUTPUT, "blocks": [{"type": "one"}]}, times=1)
    zone.answer("get_doc_content", {**OUTPUT, "added_since": "x"}, times=1)
    refused = zone.call("invoke_get_doc_content", {"docid": 1})
    assert (refused.refused_by, refused.errcode) == ("platform", 790016)
    wrong = zone.call("invoke_get_doc_content", {"docid": "D1"})
    assert (wrong.refused_by, "$.blocks[0].type" in wrong.errmsg) == ("program", True)
    assert zone.call("invoke_get_doc_content", {"docid": "D1"}).reply == OUTPUT


def test_without_an_answer_by_hand_the_emulator_lacks_it(zone: Zone) -> None:
    assert "-10006" in zone.call("invoke_get_doc_content", {"docid": "D1"}).errmsg


def test_check_and_abilities_name_it(app: Path) -> None:
    note, summary = wwspec(app, "check", "--registry", "registry.toml").stdout.splitlines()
    row = f"{app}/registry.toml:5 [abilities.get_doc_content]"
    said = "note: the examples of this row are the contract of SDK API get_doc_content"
    assert note == f"{row}: {said}: this release does not know it"
    assert summary.endswith("(1 of these contracts of its own): no fault")
    files = "console/doc.input.json and console/doc.output.json"
    assert (
        f"\n{files} add the contract of SDK API get_doc_content\n"
        in wwspec(app, "abilities", "--registry", "registry.toml").stdout
    )


def test_check_asks_whether_a_similar_name_is_meant(app: Path) -> None:
    (app / "other.toml").write_text(ROW.replace('api = "get_doc_content"', 'api = "sync_mgs"'))
    said = wwspec(app, "check", "--registry", "other.toml").stdout
    assert "the contract of SDK API sync_mgs: did you mean sync_msg?" in said


def test_console_and_client_module_have_it(app: Path) -> None:
    built = table(app, PREFIXES + ROW)
    contract = ConsoleContracts(built)["invoke_get_doc_content"]
    assert (contract.input, contract.output) == (INPUT, OUTPUT)
    assert described_contracts(built, app)["invoke_get_doc_content"].doc == ""
    source = client_module(built)
    assert "class InvokeGetDocContent(AbilityRequest[InvokeGetDocContentResponse]" in source


def test_the_row_may_be_the_ability_of_the_prefix(app: Path) -> None:
    row = ROW.replace("[abilities.get_doc_content]", "[abilities.invoke_get_doc_content]\ntimeout = 3.0")
    built = table(app, PREFIXES + row)
    assert built.abilities["invoke_get_doc_content"].timeout == 3.0
    assert "input_get_doc_content" in built.abilities


def test_another_row_of_the_api_may_narrow_or_share_it_and_has_no_more_than_the_first(app: Path) -> None:
    narrow = '[abilities.is_there]\napi = "get_doc_content"\noutput = "console/small.json"\n'
    built = table(app, f'{narrow}[abilities.doc]\napi = "get_doc_content"\n{ROW}')
    contracts = ConsoleContracts(built)
    assert (contracts["is_there"].input, contracts["is_there"].output) == (INPUT, {"errcode": 0, "errmsg": "ok"})
    assert (contracts["doc"].input, contracts["doc"].output) == (INPUT, OUTPUT)
    [fault] = faults(app, f'{ROW}[abilities.wide]\napi = "get_doc_content"\noutput = "console/wide.json"\n')
    assert fault.endswith(
        ":5 [abilities.wide]: output $.owner: this key is not in the contract (SDK API get_doc_content)"
    )


@for_each(
    [
        (ROW.replace('output = "console/doc.output.json"', ""), "SDK API get_doc_content has no contract; correct the"),
        (ROW.replace(FILES, ""), "or add its contract: the files of its examples as input and output of a row"),
        (ROW.replace("doc.output", "none"), "console/none.json: there is no such file"),
        (ROW.replace("console/doc.output", "a\\u0000b"), "a\\x00b.json': no file has such a name: take the NUL out"),
        (ROW.replace("console/doc.output.json", "/dev/zero"), "/dev/zero: is a device or a pipe; name a JSON file"),
        (ROW.replace('api = "get_doc_content"', 'api = "__class__"'), "api: the name of an SDK API has small letters"),
        (ROW.replace('api = "get_doc_content"', 'api = "sync_msg"'), "input $.docid: this key is not in the contract"),
    ]
)
def test_a_row_that_is_no_contract_is_named_with_the_fix(row: str, said: str, app: Path) -> None:
    found = faults(app, row)
    assert said in found[0]
    assert len(found) == (2 if "sync_msg" in row else 1)


def test_a_name_without_a_row_is_refused(app: Path) -> None:
    named = '[passthrough]\nprefix = "invoke_"\napis = ["get_doc_content", "get_doc_title"]\n'
    [fault] = faults(app, named + ROW)
    assert "[passthrough]: SDK API get_doc_title has no contract" in fault
    assert "invoke_get_doc_title" not in table(app, PREFIXES + ROW).abilities
