"""Deliberate mistakes, each made for real: docs/mistakes.md has the exit code and the message of each."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.cli.conftest import Run
from tests.support.apps import ROOT, write_files

HEAD = "from wwspec_router import AsyncContext, Contract, Output, ability\n\n\n@ability\n"
SHOP = f"{HEAD}def buy(request: Contract) -> Output:\n    return Output()\n\n\ndef sell():\n    pass\n"
ROW = "[abilities.buy]\nhandler = 'abilities.shop:buy'\n"


class Mistake(NamedTuple):
    """Files that are put into a small application, and what is run in its folder."""

    files: Mapping[str, str | bytes] = {}
    command: str = "check"


def registry(text: str | bytes) -> Mapping[str, str | bytes]:
    return {"abilities/registry.toml": text}


def shop(text: str) -> Mapping[str, str | bytes]:
    return {"abilities/shop.py": text}


MISTAKES = {
    "an empty registry file": Mistake(registry("")),
    "a byte order mark": Mistake(registry(b"\xef\xbb\xbf" + ROW.encode())),
    "a registry file in UTF-16": Mistake(registry(ROW.encode("utf-16"))),
    "a registry file in GBK": Mistake(registry("[program]\nname = '商店'\n".encode("gbk"))),
    "a quotation mark that is not closed": Mistake(registry("[program]\nname = 'shop\n")),
    "a list that is not closed": Mistake(registry("[passthrough]\napis = ['sync_msg',\n")),
    "one ability ID twice": Mistake(registry(ROW + ROW)),
    "a misspelled table": Mistake(registry("[abilitys.buy]\n" + ROW)),
    "a misspelled key": Mistake(registry(ROW + "tiemout = 5\n")),
    "a misspelled kind": Mistake(registry("[abilities.buy]\nkind = 'calback_data'\n")),
    "a number in quotation marks": Mistake(registry(ROW + "timeout = '5'\n")),
    "a timeout below zero": Mistake(registry(ROW + "timeout = -1\n")),
    "an empty prefix": Mistake(registry("[passthrough]\nprefix = ''\n")),
    "a prefix that is missing": Mistake(registry("[passthrough]\napis = '*'\n")),
    "one API in place of a list": Mistake(registry("[passthrough]\nprefix = 'invoke_'\napis = 'sync_msg'\n")),
    "a misspelled API": Mistake(registry("[abilities.buy]\napi = 'sync_mgs'\n")),
    "a misspelled event": Mistake(registry(ROW + "[notify_scenes]\nhit_keywords = 1\n")),
    "an ability with handler and api": Mistake(registry(ROW + "api = 'sync_msg'\n")),
    "an ability that nothing answers": Mistake(registry("[abilities.buy]\ntimeout = 5\n")),
    "an ability ID that ends with a space": Mistake(registry(ROW.replace("buy]", "'buy ']"))),
    "an ability ID that a prefix makes, too": Mistake(
        registry("[passthrough]\nprefix = 'i_'\napis = ['sync_msg']\n[abilities.i_sync_msg]\napi = 'sync_msg'\n")
    ),
    "a misspelled module": Mistake(registry(ROW.replace("shop", "shp"))),
    "a misspelled handler": Mistake(registry(ROW.replace(":buy", ":bye"))),
    "a handler's file in place of its module": Mistake(registry(ROW.replace("abilities.shop", "abilities/shop.py"))),
    "a point in place of the colon": Mistake(registry(ROW.replace(":buy", ".buy"))),
    "a handler without its package": Mistake(registry(ROW.replace("abilities.shop", "shop"))),
    "a function without the mark": Mistake(registry(ROW.replace(":buy", ":sell"))),
    "a syntax error": Mistake(shop(SHOP + "def:\n")),
    "an error while a module is imported": Mistake(shop(SHOP + "1 / 0\n")),
    "a dependency that is not installed": Mistake(shop("import a_shop_library\n" + SHOP)),
    "a parameter that is no Contract": Mistake(shop(SHOP.replace("request: Contract", "request: dict"))),
    "a return annotation that is missing": Mistake(shop(SHOP.replace(" -> Output", ""))),
    "the context of async def in a def": Mistake(
        shop(SHOP.replace("request: Contract", "request: Contract, ctx: AsyncContext"))
    ),
    "a contract file that is missing": Mistake(registry("[abilities.buy]\napi = 'sync_msg'\ninput = 'buy.json'\n")),
    "a contract file that is no JSON": Mistake(
        {**registry("[abilities.buy]\napi = 'sync_msg'\ninput = 'buy.json'\n"), "buy.json": "limit: number"}
    ),
    "a contract that an API does not fit": Mistake(
        {**registry("[abilities.buy]\napi = 'sync_msg'\ninput = 'buy.json'\n"), "buy.json": '{"limit": "1"}'}
    ),
    "a schema without Request": Mistake({"schemas/api/greet.py": "from wwspec_router import Output as Response\n"}),
    "another folder than the application's": Mistake(command="check --app nowhere"),
    "a misspelled ability ID": Mistake(command="contracts byu"),
    "a call without an emulator": Mistake(command="call buy --url http://127.0.0.1:1"),
    "an emulator's address that is no URL": Mistake(command="call buy --url 127.0.0.1:8090"),
    "an emulated program for other machines": Mistake(command="serve --sdk emulator --port 0 --host 0.0.0.0"),
    "no SDK": Mistake(command="serve --port 0 --store memory:"),
    "a store that is not reached": Mistake(command="serve --sdk emulator --port 0 --store redis://127.0.0.1:1"),
}


def documented() -> dict[str, tuple[int, str]]:
    """Exit code and message of each mistake in docs/mistakes.md."""
    text = (ROOT / "docs" / "mistakes.md").read_text("utf-8")
    rows = re.findall(r"^\| (.+?) \| (\d) \| (?:`` (.+) ``|`(.+)`) \|$", text, re.MULTILINE)
    return {mistake: (int(code), quoted or plain) for mistake, code, quoted, plain in rows}


def made(run: Run, folder: Path, mistake: Mistake) -> tuple[int, list[str]]:
    """Make a mistake; return the exit code, and the lines of the message with APP for the application's folder."""
    app = write_files(folder / "app", {"abilities/registry.toml": ROW, "abilities/shop.py": SHOP})
    for name, content in mistake.files.items():
        (app / name).parent.mkdir(parents=True, exist_ok=True)
        (app / name).write_bytes(content.encode() if isinstance(content, str) else content)
    done = run(*mistake.command.split(), cwd=app)
    lines = done.stderr.replace(str(app), "APP").splitlines()
    return done.returncode, [line for line in lines if " INFO " not in line]


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_answered_with_one_line_that_names_the_fix(run: Run, tmp_path: Path, name: str) -> None:
    code, [line] = made(run, tmp_path, MISTAKES[name])
    assert (code, line.removeprefix("Error: ")) == documented()[name]


def test_the_page_has_each_of_these_mistakes_and_no_other() -> None:
    assert list(documented()) == list(MISTAKES)
    assert len(MISTAKES) >= 40
