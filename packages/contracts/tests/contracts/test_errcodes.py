"""The table of errcodes has each one that the code or a page names, and says of each what to do."""

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from scripts.rooms import ROOMS
from scripts.website.pages import DOCS
from tests.support.apps import ROOT
from wwspec_contracts.errcodes import CONTRACT_CODES, DOWN, ERRCODES, TOKEN_CODES, WAITING, advice, hint
from wwspec_contracts.errors import DEFAULT_ERRCODE, ONCE_ERRCODE
from wwspec_devtools.emulator.answers import RefusedError
from wwspec_router.jobs.reports import REFUSALS

CODE_OF = [ROOT / package for package, _ in ROOMS.values()]
CODE = re.compile(r"(?<![\w.,#/-])(?:4\d{4}|50100|60\d{3}|301\d{3}|71\d{4}|79\d{4}|80000\d)(?!\w|[.,]\d)", re.ASCII)
"""What looks like an errcode; no document of WeCom has such a number."""
NO_ERRCODES = {710000}
"""The first number of the zone's codes."""


def errcodes(text: str, suffix: str) -> Iterator[int]:
    """Yield the errcodes that a file names: in Python as numbers, and anywhere in text."""
    if suffix == ".py":
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Constant) and isinstance(node.value, int | str):
                yield from errcodes(str(node.value), "")
        return
    yield from (code for code in map(int, CODE.findall(text)) if code not in NO_ERRCODES)


def named(folders: Sequence[Path], pattern: str) -> set[tuple[int, str]]:
    """Return the errcodes that the files of folders name, with the file."""
    files = [each for folder in folders for each in folder.rglob(pattern) if each.name != "errcodes.md"]
    assert len(files) > 20
    return {(code, each.name) for each in files for code in errcodes(each.read_text("utf-8"), each.suffix)}


OF_POSTGRES = 42703
"""The SQLSTATE of a column that is not there."""


@pytest.mark.parametrize(("folders", "pattern"), [(CODE_OF, "*.py"), (CODE_OF, "*.js"), ([DOCS], "*.md")])
def test_every_errcode_that_the_code_or_a_page_names_is_in_the_table(folders: Sequence[Path], pattern: str) -> None:
    found = named(folders, pattern)
    assert DOWN in {code for code, _ in found}
    assert sorted(each for each in found if each[0] not in {*ERRCODES, OF_POSTGRES}) == []


def test_a_row_has_cause_and_fix_in_both_languages_and_the_rows_are_in_order() -> None:
    assert list(ERRCODES) == sorted(ERRCODES)
    for code, row in ERRCODES.items():
        assert row.fix.endswith("."), code
        assert row.fix[0].isupper() or row.fix[0] == "`", code
        assert row.chinese_fix.endswith("。"), code
        assert all(re.search("[\u4e00-\u9fff]", each) for each in (row.chinese_cause, row.chinese_fix)), code
        assert row.cause.isascii(), code
        assert row.cause[-1] not in ".,;", code


OF_CALLERS = """
710600..710603 710605..710629 710632..710660 710671..710677 710722..710726 710728..710734 710736..710738
790010..790017 790020..790029 790032..790034 790040..790041 800000..800003 -1 6000 40001 40029 40077 40078 40084 40086
40091 40093 40136 40137 40138 40139 40140 40141 40165 40166 40167 40168 41001 41021 41022 41023 41024 41025 42003
42006 42007 42012 42013 42022 43012 43016 43017 45009 45035 48003 48004 48005 48006 48010 50001 50003 60011 60020
60021 60031 84014 85005 92002 301052 701101 701105 701107 701108 701139 701140 701141 701142 701143 701146 701149
701151 701152 701153 701154 701158 701159 701163 701164 701165 701166 701167 701200 701230 701231 701314 701450 710682
710700 710803 842005 846000"""


def test_90313_the_table_has_each_errcode_that_callers_of_the_zone_can_meet() -> None:
    blocks = [each.split("..") for each in OF_CALLERS.split()]
    codes = {code for block in blocks for code in range(int(block[0]), int(block[-1]) + 1)}
    assert sorted(codes - set(ERRCODES)) == []


def test_who_meets_an_errcode_is_said_of_those_that_only_one_side_can_meet() -> None:
    def met_by(*sides: str) -> set[int]:
        return {code for code, row in ERRCODES.items() if row.met_by in sides}

    assert set(REFUSALS) <= met_by("program", "both")
    assert {*CONTRACT_CODES, *TOKEN_CODES, WAITING, DEFAULT_ERRCODE, ONCE_ERRCODE} <= met_by("app", "both")
    assert {code for code in ERRCODES if code < -1} <= met_by("program")


def test_the_emulator_the_client_and_the_page_say_what_the_table_says() -> None:
    assert RefusedError(710646).answer("1")["errmsg"] == "invalid notify_id, hint: [1]"
    assert RefusedError(719999).answer("1")["errmsg"] == "refused, hint: [1]"  # of a fault: any number is allowed
    assert hint(710646) == "a notify_id is valid for 10 minutes, and for the app that was given it"
    assert hint(40058) == "the errmsg names the parameter: compare it with its limits on SDK APIs"
    assert advice(790015) == ("A request is JSON in UTF-8.", "请求须为 UTF-8 编码的 JSON。")
    assert (hint(719999), advice(719999)) == ("", None)
