"""Contracts that are read from files with console examples."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from tests.contracts.test_matching import alike, subsets, values
from tests.support.apps import write_files
from tests.support.kernel import Kernel, app_call
from tests.support.tables import for_each
from wwspec_contracts.errors import InputError, LoaderError, RegistryError
from wwspec_contracts.examples import console_example
from wwspec_contracts.matching import matches, mismatches
from wwspec_router import Context, ability
from wwspec_router.codecs.codec import InputCodec
from wwspec_router.codecs.from_example import contract_of_example, contract_of_file

keys = st.text(st.characters(min_codepoint=0x20, exclude_characters='"\\', exclude_categories=["Cs"]), max_size=4)
examples = st.dictionaries(keys, values, max_size=4).filter(alike)


@given(examples, st.data())
def test_what_fits_an_example_is_what_its_contract_accepts(example: dict[str, Any], data: st.DataObject) -> None:
    codec = InputCodec(contract_of_example("Made", example))
    fitting = data.draw(subsets(example))
    assert codec.decode_plain(json.dumps(fitting)) == fitting
    other = data.draw(st.dictionaries(st.sampled_from([*example, "x"]), values, max_size=3))
    text = json.dumps(other)
    # a whole number is a fraction, too: WeCom writes some either way, and the platform has judged the request already
    if any(why != "expected a number with a fraction, got an integer" for _, why in mismatches(example, other)):
        with pytest.raises(InputError):
            codec.decode_plain(text)


@given(examples)
def test_a_contract_shows_the_example_that_it_was_made_of(example: dict[str, Any]) -> None:
    shown = console_example(contract_of_example("Made", example))
    assert matches(example, shown)
    assert list(shown) == list(example)


LARGE = json.dumps({f"k{number}": 1 for number in range(200_000)}).encode()


@for_each(
    [
        (None, "there is no such file"),
        (b"{", "is not JSON: "),
        (b"\xff", "is not JSON: "),
        (b"[" * 100_000, "is not JSON: "),
        (b'{"a":' * 900 + b"1" + b"}" * 900, "nested deeper than 64 levels"),
        (b'{"a":[1,"b"]}', "the example does not fit itself at $.a[1]: expected an integer, got a string"),
        (b'{"a\\n":1}', "Renamed field names must not contain"),
        (b"[]", "a contract is a JSON object"),
        (LARGE, "the example has more than 10,000 values; an array needs one element, which has all keys"),
        (b'{"a":{"b":[1' + b"0" * 400 + b"]}}", "hello.a.b: an integer of a contract has 64 bits at most"),
    ]
)
def test_a_file_without_a_console_example_is_told(content: bytes | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / "hello.input.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(LoaderError) as caught:
        contract_of_file(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)


FILES = {
    "in.json": '{"a": 1, "b-c": ["x"]}',
    "out.json": '{"errcode": 0, "errmsg": "ok", "again": {"a": 1, "b-c": ["x"]}}',
}


@ability
def plain(request: dict[str, Any], ctx: Context) -> dict[str, Any]:
    return {"errcode": 0, "again": request} if "a" in request else {"other": 1}


@for_each(
    [
        ('{"a":5,"b-c":["y"]}', '{"errcode":0,"again":{"a":5,"b-c":["y"]}}'),
        ('{"a":"5"}', '{"errcode":710660,"errmsg":"input contract: expected int, got str at $.a"}'),
        ('{"z":5}', '{"errcode":710660,"errmsg":"input contract: unknown key at $.z"}'),
        ("{}", '{"errcode":710660,"errmsg":"output contract: unknown key at $.other"}'),
        ("[]", '{"errcode":710660,"errmsg":"output contract: unknown key at $.other"}'),
        ("[1]", '{"errcode":710660,"errmsg":"input contract: expected object, got array at $"}'),
    ]
)
def test_a_handler_of_dicts_is_held_to_the_contracts_of_its_row(
    data: str, reply: str, kernel_of: Callable[..., Kernel], tmp_path: Path
) -> None:
    write_files(tmp_path, FILES)
    kernel = kernel_of(
        f"[abilities.plain]\nhandler = '{__name__}:plain'\ninput = '{tmp_path}/in.json'\noutput = '{tmp_path}/out.json'"
    )
    assert kernel.dispatch(app_call("plain", data)).text == reply


@for_each(
    [
        (f"handler='{__name__}:plain'\ninput='in.json'", 'the handler takes a dict, so give output = "<file'),
        (f"handler='{__name__}:plain'\ninput='no.json'\noutput='out.json'", "no.json: there is no such file"),
        ("handler='tests.support.words:count'\ninput='in.json'", "the handler's annotation is a contract already"),
        ("api='sync_msg'\ninput='in.json'", "input $.a: this key is not in the contract (SDK API sync_msg)"),
        ("api='sync_msg'\noutput='in.json'", "output $.a: this key is not in the contract (SDK API sync_msg)"),
        ("kind='func'\ninput='in.json'", "input goes with api or handler only"),
    ]
)
def test_a_row_with_wrong_files_is_told(
    row: str, message: str, kernel_of: Callable[..., Kernel], tmp_path: Path
) -> None:
    write_files(tmp_path, FILES)
    with pytest.raises(RegistryError) as caught:
        kernel_of("[abilities.a]\n" + row.replace("put='", f"put='{tmp_path}/"))
    assert caught.value.faults[0].startswith(f"{tmp_path}/registry.toml:1 [abilities.a]: ")
    assert message in "\n".join(caught.value.faults)


def test_an_api_may_be_narrowed_to_a_part_of_its_contract(kernel_of: Callable[..., Kernel], tmp_path: Path) -> None:
    folder = write_files(tmp_path, {"in.json": '{"limit":1}', "out.json": '{"errcode":0,"errmsg":"","next_cursor":""}'})
    kernel = kernel_of(f"[abilities.a]\napi='sync_msg'\ninput='{folder}/in.json'\noutput='{folder}/out.json'\n")
    kernel.sdk.replies["sync_msg"] = '{"errcode":0,"next_cursor":"c","has_more":1}'
    assert kernel.call("a", '{"limit":2}') == {"errcode": 0, "next_cursor": "c"}
    assert kernel.call("a", '{"cursor":"x"}')["errmsg"] == "input contract: unknown key at $.cursor"
    assert kernel.sdk.requests == [("sync_msg", {"limit": 2})]
