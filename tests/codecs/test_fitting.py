"""The compiled check is certain of a text only when msgspec and the platform agree, and changes no result of a codec.

Each build is made from the C file here, so that these tests try this source, whatever is installed.
"""

import json
import os
import subprocess
import sys
import tracemalloc
from contextlib import suppress
from itertools import product
from pathlib import Path
from random import Random
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given, strategies as st
from msgspec import Meta

from tests.support.apps import ROOT
from tests.support.tables import for_each
from tests.support.tools import tool
from torture.native_builds import compiled
from torture.native_feed import load
from torture.native_judge import Judge, NewFitter
from torture.native_texts import Mutator, Values, written
from torture.native_types import Case, contracts, random_types
from wwspec_contracts.base import UNSET, Contract, Flag, Output, UnsetType, Unsigned, max_bytes
from wwspec_contracts.shape import shape_of
from wwspec_router.codecs import fitting

LONG = "x" * 200


class Part(Contract):
    kind: Literal["text", "image"] = "text"
    level: Literal[0, 2, -7] = 0
    tags: Annotated[list[str], Meta(max_length=3)] = []


class Sample(Contract):
    """Has each kind that the check knows, and two that it does not."""

    name: str
    count: int = 0
    size: Annotated[int, Meta(ge=-5, le=50)] = 0
    number: Unsigned = 0
    flag: Flag = 0
    is_open: bool = False
    title: Annotated[str, Meta(min_length=2, max_length=4)] = "  "
    bytes: Annotated[str, max_bytes(6)] = ""
    part: Part | UnsetType = UNSET
    parts: list[Part] = []
    grid: list[list[int]] = []
    maybe: int | None = None
    ratio: float = 0.5
    digits: Annotated[str, Meta(pattern="^[0-9]+$")] = "0"


@pytest.fixture(scope="session")
def modules(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Both ways of walking, compiled."""
    tool("gcc")
    tool("Python.h")
    folder = tmp_path_factory.mktemp("native")
    found = {name: compiled(name, folder) for name in ("gcc", "gcc, portable")}
    return {name: path for name, path in found.items() if path is not None}


@pytest.fixture(scope="session")
def builds(modules: dict[str, Path]) -> list[NewFitter]:
    return [load(str(path), number).Fitter for number, path in enumerate(modules.values())]


@pytest.fixture(scope="session")
def request_of(builds: list[NewFitter]) -> Judge:
    return Judge(Case("sample", Sample, is_request=True), builds)


@pytest.fixture(scope="session")
def own(builds: list[NewFitter]) -> list[Judge]:
    return [Judge(case, builds) for case in contracts()]


CERTAIN = [
    '{"name":"a"}',
    ' \t\r\n{ "name" : "a" } \t\r\n',
    '{"count":1,"name":"the order of keys is free"}',
    f'{{"name":"{LONG}"}}',
    '{"name":"数据, é and 😀"}',
    r'{"name":"\"\\\/\b\f\n\r\t"}',
    '{"name":"a","count":999999999999999999}',
    '{"name":"a","count":-999999999999999999}',
    '{"name":"a","size":-5}',
    '{"name":"a","size":50}',
    '{"name":"a","flag":1,"is_open":true,"number":0}',
    '{"name":"a","title":"数据"}',
    r'{"name":"a","title":"\n\n\n\n"}',
    '{"name":"a","bytes":"数据"}',
    '{"name":"a","part":{"kind":"image","level":-7,"tags":["a","b",""]}}',
    '{"name":"a","parts":[{},{"level":2}],"grid":[[],[1,2]]}',
    '{"name":"a","parts":[ ],"part":{ }}',
    '{"name":"a","maybe":5}',
]

LEFT_TO_MSGSPEC = [
    *("", "   ", "[]", '"name"', "null", '{name:"a"}', '{"name" "a"}', '{"name":"a"]', '{,"name":"a"}'),
    # before, behind and between
    *('\ufeff{"name":"a"}', '{"name":\x0b"a"}', '{"name":\u00a0"a"}', '{"name":"a"}\x00', '{"name":"a"} x'),
    *('{"name":"a"}{}', '{"name":"a",}', '{"name":"a" "count":1}', '{"name":"a","grid":[[1],]}'),
    # a key that comes twice, has an escape, is missing, not listed, listed elsewhere, or only begins like one
    *('{"name":"a","name":"b"}', '{"name":"a","name":1}', r'{"n\u0061me":"a"}', '{"count":1}'),
    *('{"name":"a","other":1}', '{"name":"a","kind":"text"}', '{"nam":"a"}', '{"name1":"a"}'),
    # strings with \u, half of a surrogate pair, what is no escape, a control character, a NUL
    *(f'{{"name":"{text}"}}' for text in (r"\u0061", "\ud800", r"\q", "\x1f", "\x00")),
    # 19 digits, beyond 64 bits, zeros before, minus zero, a fraction, an exponent, a sign alone, null
    *(f'{{"name":"a","count":{number}}}' for number in (10**18, 99999999999999999999, "01", "-0", "1.0", "1e2", "-")),
    *('{"name":"a","count":null}', '{"name":"a","number":18446744073709551615}', '{"name":"a","maybe":null}'),
    # beyond bounds, other types; an escape counts as one character
    *('{"name":"a","size":-6}', '{"name":"a","size":51}', '{"name":"a","flag":true}', '{"name":"a","is_open":1}'),
    *(f'{{"name":"a","title":"{text}"}}' for text in ("数", "12345", r"\n")),
    *('{"name":"a","bytes":"数据1"}', '{"name":"a","grid":[[1],["1"]]}'),
    # values that are not listed, begin like a listed one, or have an escape; too many elements
    *(f'{{"name":"a","part":{{"kind":"{kind}"}}}}' for kind in ("video", "tex", r"\text")),
    *('{"name":"a","part":{"level":1}}', '{"name":"a","part":{"tags":["","","",""]}}'),
    # of types that the check leaves alone
    *('{"name":"a","ratio":0.5}', '{"name":"a","ratio":1}', '{"name":"a","digits":"12"}'),
]


@for_each(CERTAIN)
def test_plain_texts_that_fit_are_certain(text: str, request_of: Judge) -> None:
    assert request_of.says(text)
    request_of.judge(text)


@for_each(LEFT_TO_MSGSPEC)
def test_what_is_unusual_or_wrong_is_left_to_msgspec(text: str, request_of: Judge) -> None:
    assert not request_of.says(text)


@for_each(CERTAIN)
def test_no_part_of_a_text_is_certain(text: str, request_of: Judge) -> None:
    stripped = text.rstrip()
    assert request_of.says(stripped)
    assert not any(request_of.says(stripped[:end]) for end in range(len(stripped)))


@for_each(product(['"', "\\", "\x1f", "\\q", "\x00"], [*range(14, 19), *range(30, 35), 63, 64, 65]))
def test_what_ends_a_string_is_seen_at_every_place(last: str, length: int, request_of: Judge) -> None:
    for at in range(length):
        text = f'{{"name":"{"x" * at}{last}{"x" * (length - at)}"}}'
        assert not request_of.says(text)
        assert request_of.says(text.replace(last, r"\n" if last == "\\q" else "y", 1)) or last == '"'


def test_a_reply_has_no_limit_in_bytes(builds: list[NewFitter]) -> None:
    class Reply(Output):
        text: Annotated[str, max_bytes(6)] = ""

    reply, request = (Judge(Case("reply", Reply, is_request=each), builds) for each in (False, True))
    assert (reply.says('{"text":"数据数据"}'), request.says('{"text":"数据数据"}')) == (True, False)
    assert reply.is_right('{"text":"数据数据"}')


def test_an_object_of_64_keys_is_certain_and_one_of_65_is_not(builds: list[NewFitter]) -> None:
    for count, is_certain in ((64, True), (65, False)):
        fields: list[Any] = [(f"k{number}", int) for number in range(count)]
        judge = Judge(Case("wide", msgspec.defstruct("Wide", fields, bases=(Contract,)), is_request=True), builds)
        value = {f"k{number}": number for number in range(count)}
        assert judge.says(json.dumps(value)) is is_certain
        assert judge.is_right(json.dumps(value))
        del value["k63"]
        assert not judge.says(json.dumps(value))


def test_lists_are_certain_to_64_levels(builds: list[NewFitter]) -> None:
    type_: Any = int
    for depth in range(1, 71):
        type_ = list[type_]
        if depth > 60:
            text = "[" * depth + "1" + "]" * depth
            judge = Judge(Case("deep", type_, is_request=False), builds)
            assert judge.says(text) is (depth < 64)
            if judge.says(text):
                judge.judge(text)


def test_a_type_that_contains_itself_is_left_to_msgspec_where_it_does(builds: list[NewFitter]) -> None:
    judge = Judge(Case("tree", Tree, is_request=True), builds)
    assert judge.says('{"name":"a","inner":[]}')
    assert not judge.says('{"name":"a","inner":[{"name":"b"}]}')
    assert judge.is_right('{"name":"a","inner":[{"name":"b"}]}')


class Tree(Contract):
    name: str
    inner: "list[Tree]" = []


@pytest.mark.parametrize(
    "plan",
    [
        *(1, (), ("no such kind",), ("text", 0, 9), ("text", "0", 9, 9), ("integer", 0), ("integer", 0, 2**64)),
        *(("texts", ["a"]), ("texts", ("a", 1)), ("texts", ("\ud800",)), ("integers", (2, 1)), ("integers", ("1",))),
        *(("list", ("boolean",), 0), ("list", ("no",), 0, 1), ("object", (1,)), ("object", (("a", None),))),
        *(("object", ((1, None, True),)), ("object", (('a"', None, True),)), ("object", (("\n", None, True),))),
        ("object", tuple((f"k{number}", None, False) for number in range(65))),
    ],
)
def test_a_plan_that_is_none_is_refused(plan: object, builds: list[NewFitter]) -> None:
    for build in builds:
        with pytest.raises((ValueError, TypeError, OverflowError, SystemError)):
            build(plan)


def test_a_plan_of_too_many_levels_or_nodes_is_refused(builds: list[NewFitter]) -> None:
    deep: tuple[object, ...] = ("boolean",)
    for _ in range(64):
        deep = ("list", deep, 0, 1)
    wide: tuple[object, ...] = ("boolean",)
    for _ in range(3):
        wide = ("object", tuple((f"k{number}", wide, False) for number in range(64)))
    for plan in (deep, wide):
        with pytest.raises(ValueError, match="too deep or too large"):
            builds[0](plan)


def test_dropped_fitters_and_refused_plans_keep_no_memory(builds: list[NewFitter]) -> None:
    def make_and_drop(build: NewFitter, times: int) -> None:
        for number in range(times):
            assert build(("object", ((f"k{number}", ("texts", ("a", "b")), True),))).fits("[]") is False
            with suppress(ValueError):
                build(("object", ((f"k{number}", ("list", ("no such kind",), 0, 1), True),)))

    for build in builds:
        tracemalloc.start()
        try:
            make_and_drop(build, 10)  # what is made once, such as names
            before, _ = tracemalloc.get_traced_memory()
            make_and_drop(build, 500)
            grown = tracemalloc.get_traced_memory()[0] - before
        finally:
            tracemalloc.stop()
        assert grown < 500 * 20, "less than 20 bytes for each"


@for_each([b'{"name":"a"}', None, 1, ["a"]])
def test_only_a_str_is_asked_about(given_: Any, request_of: Judge) -> None:
    for fitter in request_of.fitters:
        with pytest.raises(TypeError, match="takes a str"):
            fitter.fits(given_)


class Text(str):
    __slots__ = ()


def test_a_subclass_of_str_is_left_to_msgspec_which_refuses_it(request_of: Judge) -> None:
    with pytest.raises(TypeError):
        msgspec.json.decode(Text(CERTAIN[0]))
    assert request_of.says(CERTAIN[0])
    for fitter in request_of.fitters:
        assert fitter.fits(Text(CERTAIN[0])) is False


def test_the_size_that_gives_up_the_gil_changes_nothing(request_of: Judge) -> None:
    for size in (524_000, 524_288, 524_300, 1_000_000):
        assert request_of.says(f'{{"name":"{"x" * size}"}}')
        assert not request_of.says(f'{{"name":"{"x" * size}\x01"}}')
        assert not request_of.says(f'{{"name":"{"x" * size}')


@given(random=st.randoms(use_true_random=False), number=st.integers(0))
def test_a_changed_text_of_a_contract_is_certain_only_if_it_fits(own: list[Judge], random: Random, number: int) -> None:
    judge = own[number % len(own)]
    _try(judge, random)


@given(seed=st.integers(0, 2**32), random=st.randoms(use_true_random=False))
def test_a_changed_text_of_any_type_is_certain_only_if_it_fits(
    builds: list[NewFitter], seed: int, random: Random
) -> None:
    types = random_types(Random(seed), 1)  # noqa: S311 - not for secrets
    _try(Judge(types[0], builds), random)


def _try(judge: Judge, random: Random) -> None:
    text = written(Values(random).of(msgspec.inspect.type_info(judge.case.type)), random)
    mutator = Mutator(random)
    for each in (text, mutator.changed(text), mutator.changed(text)):
        if judge.says(each):
            judge.judge(each)


def test_a_plain_text_of_each_contract_is_certain(own: list[Judge]) -> None:
    missing = {judge.case.name for judge in own} - {judge.case.name for judge in own if _is_certain_of_one(judge)}
    assert not missing


def _is_certain_of_one(judge: Judge) -> bool:
    random = Random(1)  # noqa: S311 - not for secrets
    info = msgspec.inspect.type_info(judge.case.type)
    return any(map(judge.says, (written(Values(random).of(info), random) for _ in range(40))))


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])  # as the first, with other texts
def test_codecs_give_the_same_results_and_errors_without_it(modules: dict[str, Path], seed: int) -> None:
    def results(pure: str) -> tuple[str, str]:
        """Return which engine codecs have, and what they make of the same texts."""
        done = subprocess.run(
            [sys.executable, "-m", "tests.support.codec_results", str(modules["gcc"]), str(seed)],
            cwd=ROOT,
            env={**os.environ, "WWSPEC_PURE": pure},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stderr, done.stdout

    (with_engine, with_it), (without_engine, without_it) = results("0"), results("1")
    assert "compiled code" in with_engine
    assert "WWSPEC_PURE is set" in without_engine
    assert with_it.count("\n") > 1000
    assert "InputError" in with_it
    assert with_it == without_it


def test_there_is_no_check_without_the_compiled_part_or_for_what_is_never_certain() -> None:
    assert fitting.make_fitter(shape_of(float), is_request=True) is None
    assert fitting.plan_of(shape_of(dict[str, int]), is_request=False) is None
    is_compiled = fitting.ENGINE == "compiled code and msgspec"
    assert (fitting.make_fitter(shape_of(Sample), is_request=True) is not None) is is_compiled
