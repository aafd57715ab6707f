"""What a file of shapes holds: keys, types, lengths and errcodes of answers, and nothing that they say."""

import re
from collections.abc import Iterator
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import msgspec
import pytest
from hypothesis import given, strategies as st

from tests.shapes.clients import Scripted
from wwspec_contracts.errors import ConfigurationError, SdkCallError
from wwspec_contracts.read_only import CASES, UNKNOWN
from wwspec_contracts.shape import ListShape, ObjectShape, Shape
from wwspec_devtools.shapes.comparing import WORDS
from wwspec_devtools.shapes.recording import Answers, Recording, contract_of, fields_of, read, record, write
from wwspec_router.config import SdkSource

OK = {"errcode": 0, "errmsg": "ok"}
GROUP = {**OK, "creator": "lina", "room_create_time": 1_767_225_600, "members": [{"memberid": "lina", "type": 1}]}


CHATS = [{"sender": {"type": 2, "id": "wm"}, "chatid": f"wr{number}"} for number in range(3)]


def recorded(*answers: dict[str, Any], api: str = "get_group_chat", case: str = "found") -> Answers:
    """Return what is recorded of the first answers of an API, of which `get_group_chat` is asked for three groups."""
    given = {"sync_msg": iter([{**OK, "msg_list": CHATS}]), api: iter(answers)}
    client = Scripted(lambda asked, _: next(given.get(asked, iter(())), OK))
    return record(client, SdkSource.VENDOR, WORDS).apis[api][case]


def shapes(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the accepted paths of one answer with the types there."""
    return {path: list(node.types) for path, node in recorded(answer).accepted.items()}


def test_paths_types_lengths_and_errcodes_are_kept() -> None:
    refused = {"errcode": 710606, "errmsg": "not in scope, hint: [123]"}
    answers = recorded(GROUP, {**GROUP, "creator": "王芳", "members": []}, refused)
    assert answers.errcodes == {"0": 2, "710606": 1}
    assert answers.accepted["$.creator"] == msgspec.convert(
        {"types": {"string": 2}, "lengths": [4, 6]}, type(answers.accepted["$"])
    )
    assert answers.accepted["$.members"].lengths == (0, 1)
    assert answers.accepted["$.members[].type"].types == {"integer": 1}
    assert list(answers.refused) == ["$", "$.errcode", "$.errmsg"]


def test_a_key_that_wecom_has_added_is_kept_and_what_is_in_it_has_no_names() -> None:
    added = {"new_key": 1, "new_list": [{"lina": 1}], "new_map": {"lina": {"wangfang": 1.5}}}
    assert {path: types for path, types in shapes({**GROUP, **added}).items() if "new" in path} == {
        "$.new_key": ["integer"],
        "$.new_list": ["array"],
        "$.new_list[]": ["object"],
        "$.new_list[].*": ["integer"],
        "$.new_map": ["object"],
        "$.new_map.*": ["object"],
        "$.new_map.*.*": ["number with a fraction"],
    }


@pytest.mark.parametrize(
    "members",
    [
        {"lina": {"type": 1}},
        [{"lina": 1, "wangfang": 2}],
        [{"memberid": "a", "Lina": 1, "王芳": 2, "wm-1": 3, "1a": 4, "x" * 41: 5}],
        [{"memberid": "a", **{f"user_{number}": 1 for number in "abcdefghi"}}],
        "lina",
    ],
    ids=["a map for a list", "a map for an object", "no names of fields", "too many", "a string"],
)
def test_a_key_that_may_be_data_is_not_kept(members: object) -> None:
    found = shapes({**GROUP, "members": members})
    assert [path for path in found if re.search("(?i)lina|wang|王|wm|1a|xx|user", path)] == []


def keys_of_messages(*keys: str) -> dict[str, int]:
    """Return the recorded keys of messages of which each has one that the contract does not list."""
    messages = [{"msgid": "lina", key: [1]} for key in keys]
    accepted = recorded({**OK, "msg_list": messages}, api="sync_msg", case="messages").accepted
    return {
        path.removeprefix("$.msg_list[]."): node.types["array"]
        for path, node in accepted.items()
        if path.startswith("$.msg_list[].") and "array" in node.types
    }


def test_keys_that_differ_or_are_values_are_data_however_few_there_are() -> None:
    userids = [f"{first}{last}" for first in ascii_lowercase for last in ascii_lowercase[:20]]
    assert keys_of_messages(*userids) == {"*": 520}
    assert keys_of_messages("read_list", "lina", "zhang3", "read_list") == {"read_list": 2, "*": 2}


def test_other_spellings_that_the_contract_knows_are_kept() -> None:
    answers = recorded({**OK, "filtered_doc_list": [{"docid": "D1"}]}, api="get_ww_model_result", case="unknown")
    assert "$.filtered_doc_list[].docid" in answers.accepted


@pytest.mark.parametrize("code", ["0", True, 10_000_000, -100_000, None, 1.5, "lina", {}])
def test_an_errcode_that_is_none_is_not_kept(code: object) -> None:
    answers = recorded(*[{"errcode": code}] * 3)
    assert answers.errcodes == {"other": 3}
    assert answers.accepted == {}


def names_of(shape: Shape, above: tuple[int, ...] = ()) -> Iterator[str]:
    """Yield all keys that a contract lists."""
    if isinstance(shape, ListShape):
        yield from names_of(shape.item, above)
    if isinstance(shape, ObjectShape) and id(shape) not in above:
        for name, each in fields_of(shape).items():
            yield name
            yield from names_of(each, (*above, id(shape)))


OF_THE_FORMAT = set(
    "format package sdk vendor emulator apis calls errcodes return_codes not_json accepted refused types lengths "
    "object array string integer number with a fraction boolean null other".split()
)
CONTRACTS = {case.api: contract_of(case.api) for case in CASES}
VOCABULARY = {
    *OF_THE_FORMAT,
    *(case.name for case in CASES),
    *CONTRACTS,
    *(name for shape in CONTRACTS.values() for name in names_of(shape)),
}
"""All words that a file may have."""

names = st.from_regex(r"zq[a-z0-9]{4,12}(_[a-z0-9]{1,5})?", fullmatch=True)
"""Data that looks like the name of a field, such as a userid."""
strange = st.from_regex(r"[A-Z0-9一-龥][A-Za-z0-9一-龥_@.-]{3,60}", fullmatch=True)
scalars = (
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers(10**7, 2**63) | names | strange | st.text()
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names | strange | st.text(), inner, max_size=4),
    max_leaves=12,
)
many = st.dictionaries(names, scalars, min_size=9, max_size=12)


@st.composite
def answers_of(draw: st.DrawFn, shape: Shape) -> Any:
    """Return what has the shape of a contract, with keys that are data, and anything else in the place of any part."""
    if not draw(st.integers(0, 3)):
        return draw(values)
    if isinstance(shape, ListShape):
        return [draw(answers_of(shape.item)) for _ in range(draw(st.integers(0, 2)))]
    if not isinstance(shape, ObjectShape):
        return draw(scalars)
    listed = {name: draw(answers_of(each)) for name, each in fields_of(shape).items() if draw(st.booleans())}
    return {**listed, **draw(st.dictionaries(strange, values, max_size=2) | many)}


@given(st.data())
def test_no_value_of_any_answer_is_in_the_file(data: st.DataObject) -> None:
    """Several APIs answer in each example, since to ask all takes as long for one."""
    apis = data.draw(st.sets(st.sampled_from(sorted(CONTRACTS)), min_size=4, max_size=5))
    answers = {api: data.draw(answers_of(CONTRACTS[api])) for api in sorted(apis)}
    client = Scripted(lambda asked, _: answers.get(asked, OK))
    text = msgspec.json.encode(record(client, SdkSource.VENDOR, WORDS)).decode()
    words = set(re.findall(r"[^\W\d]\w*", re.sub(r'"package":"[^"]*"', "", text)))
    assert words <= VOCABULARY, words - VOCABULARY
    assert not re.search(r"\d{8}", text)


def test_ids_of_an_answer_are_asked_for_next_three_of_a_kind_at_most() -> None:
    chats = [{"sender": {"type": 2, "id": "wm"}, "chatid": f"wr{number}"} for number in (1, 1, 2, 3, 4)]
    client = Scripted(lambda api, _: {**OK, "msg_list": chats} if api == "sync_msg" else OK)
    recording = record(client, SdkSource.VENDOR, {"word": "Angebot", "name": "li"})
    asked = [request["chatid"] for api, request in client.asked if api == "get_group_chat"]
    assert asked == ["wr1", "wr2", "wr3", UNKNOWN]
    assert [request["query_word"] for api, request in client.asked if api.startswith("search")] == ["Angebot"] * 2 + [
        "li"
    ]
    assert recording.apis["get_group_chat"]["found"].calls == 3
    assert "found" not in recording.apis["get_rule_detail"]


def test_calls_without_an_answer_are_counted() -> None:
    answers = iter([SdkCallError("sync_msg", -10002), "[1]", SdkCallError("x", None), "nonsense"])
    recording = record(Scripted(lambda *_: next(answers, OK)), SdkSource.VENDOR, WORDS)
    first, second = recording.apis["sync_msg"].values()
    assert (first.return_codes, second.not_json) == ({"-10002": 1}, 1)
    assert recording.apis["get_msg_list_by_page_id"]["unknown"].outcomes == {"other": 1}


def test_a_file_is_read_as_it_was_written_and_never_overwritten(tmp_path: Path) -> None:
    recording = record(Scripted(lambda *_: GROUP), SdkSource.VENDOR, WORDS)
    write(recording, tmp_path / "a.json")
    assert read(tmp_path / "a.json") == recording
    with pytest.raises(ConfigurationError, match=r"a\.json exists: name a new file"):
        write(recording, tmp_path / "a.json")
    with pytest.raises(ConfigurationError, match=r"can't be written: No such file"):
        write(recording, tmp_path / "none" / "a.json")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("", ""), ""),
        (('"format":1', '"format":2'), "is no file of `wwspec shapes record` of this release: Invalid enum value 2"),
        (("$.creator", "$.Lina"), "is no file of `wwspec shapes record` of this release: Expected `str` matching"),
        (('"calls"', '"note"'), "is no file of `wwspec shapes record` of this release: Object contains unknown field"),
        (('"sync_msg"', '"sync_mgs"'), "this release records no API sync_mgs"),
        (("{", ""), "is no file of `wwspec shapes record` of this release"),
    ],
)
def test_a_file_with_anything_else_is_refused(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    text = msgspec.json.encode(record(Scripted(lambda *_: GROUP), SdkSource.VENDOR, WORDS)).decode()
    (tmp_path / "a.json").write_text(text.replace(*change) if said else text)
    if not said:
        assert isinstance(read(tmp_path / "a.json"), Recording)
        return
    with pytest.raises(ConfigurationError, match=re.escape(said)):
        read(tmp_path / "a.json")
