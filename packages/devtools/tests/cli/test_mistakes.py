"""Deliberate mistakes, each made for real: docs/en/reference/mistakes.md has the exit code and the message of each."""

import re
import shlex
import socket
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.cli.conftest import Run
from tests.support.apps import ROOT, write_files
from tests.support.emulator import serving
from wwspec_devtools.emulator.http.app import create_app
from wwspec_devtools.emulator.settings import EmulatorSettings
from wwspec_devtools.testing.zone import Zone

HEAD = "from wwspec_router import AsyncContext, Contract, Output, ability\n\n\n@ability\n"
SHOP = f"{HEAD}def buy(request: Contract) -> Output:\n    return Output()\n\n\ndef sell():\n    pass\n"
ROW = "[abilities.buy]\nhandler = 'abilities.shop:buy'\n"
APP = {"WWSPEC_CORPID": "wwemulator00000001", "WWSPEC_CORPSECRET": "another", "WWSPEC_PROGRAM_ID": "emulator-program"}
CLICK = ["Usage: wwspec ", "Try 'wwspec ", ""]
"""How the three lines begin that click puts before the message of a wrong command line."""


class Mistake(NamedTuple):
    """Files that are put into a small application, and what is run in its folder.

    PORT in the command is a port on which something listens, EMULATOR the URL of an emulator with a program, and DOWN
    that of one whose program does not run.
    """

    files: Mapping[str, str | bytes] = {}
    command: str = "check"
    environment: Mapping[str, str] = {}


def registry(text: str | bytes) -> Mapping[str, str | bytes]:
    return {"abilities/registry.toml": text}


def shop(text: str) -> Mapping[str, str | bytes]:
    return {"abilities/shop.py": text}


def settings(text: str) -> Mapping[str, str | bytes]:
    return {"wwspec.toml": text}


OWN = {
    **registry("[program]\nsettings = 'abilities.own:Settings'\n" + ROW),
    "abilities/own.py": "import msgspec\n\nfrom wwspec_router import Secret\n\n\n"
    "class Settings(msgspec.Struct):\n    key: Secret\n    url: str = ''\n",
    "shop.key": "s3cret",
}

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
    "a missing prefix": Mistake(registry("[passthrough]\napis = '*'\n")),
    "one API in place of a list": Mistake(registry("[passthrough]\nprefix = 'invoke_'\napis = 'sync_msg'\n")),
    "a misspelled API": Mistake(registry("[abilities.buy]\napi = 'sync_mgs'\n")),
    "a misspelled event": Mistake(registry(ROW + "[notify_scenes]\nhit_keywords = 1\n")),
    "an ability with handler and api": Mistake(registry(ROW + "api = 'sync_msg'\n")),
    "an ability that nothing answers": Mistake(registry("[abilities.buy]\ntimeout = 5\n")),
    "an ability ID that ends with a space": Mistake(registry(ROW.replace("buy]", "'buy ']"))),
    "an ability ID that a prefix makes as well": Mistake(
        registry("[passthrough]\nprefix = 'i_'\napis = ['sync_msg']\n[abilities.i_sync_msg]\napi = 'sync_msg'\n")
    ),
    "a misspelled module": Mistake(registry(ROW.replace("shop", "shp"))),
    "a misspelled handler": Mistake(registry(ROW.replace(":buy", ":bye"))),
    "a handler's file in place of its module": Mistake(registry(ROW.replace("abilities.shop", "abilities/shop.py"))),
    "a dot in place of the colon": Mistake(registry(ROW.replace(":buy", ".buy"))),
    "a handler without its package": Mistake(registry(ROW.replace("abilities.shop", "shop"))),
    "a function without the mark": Mistake(registry(ROW.replace(":buy", ":sell"))),
    "a syntax error": Mistake(shop(SHOP + "def:\n")),
    "an error while a module is imported": Mistake(shop(SHOP + "1 / 0\n")),
    "a dependency that is not installed": Mistake(shop("import a_shop_library\n" + SHOP)),
    "a parameter that is not a Contract": Mistake(shop(SHOP.replace("request: Contract", "request: dict"))),
    "a missing return annotation": Mistake(shop(SHOP.replace(" -> Output", ""))),
    "an AsyncContext in a def handler": Mistake(
        shop(SHOP.replace("request: Contract", "request: Contract, ctx: AsyncContext"))
    ),
    "a state that no lifespan yields": Mistake(
        shop(SHOP.replace("def buy(request: Contract", "async def buy(request: Contract, ctx: AsyncContext[dict]"))
    ),
    "a function around handlers that does not yield": Mistake(
        registry("[program]\naround = 'abilities.shop:sell'\n" + ROW)
    ),
    "a missing contract file": Mistake(registry("[abilities.buy]\napi = 'sync_msg'\ninput = 'buy.json'\n")),
    "a contract file that is not JSON": Mistake(
        {**registry("[abilities.buy]\napi = 'sync_msg'\ninput = 'buy.json'\n"), "buy.json": "limit: number"}
    ),
    "a contract that an API does not fit": Mistake(
        {**registry("[abilities.buy]\napi = 'sync_msg'\ninput = 'buy.json'\n"), "buy.json": '{"limit": "1"}'}
    ),
    "a schema without Request": Mistake({"schemas/api/greet.py": "from wwspec_router import Output as Response\n"}),
    "a misspelled verb": Mistake(command="serv"),
    "a misspelled command of zone": Mistake(command="zone replai"),
    "a misspelled option": Mistake(command="serve --prot 8081"),
    "an option before the verb": Mistake(command="--url http://127.0.0.1:8090 call buy"),
    "the language behind the verb": Mistake(command="check --lang zh"),
    "an option before the command of zone": Mistake(command="zone --url http://127.0.0.1:8090 info"),
    "a port that is not a number": Mistake(command="serve --port http"),
    "a port that does not exist": Mistake(command="serve --port 80800"),
    "a secret on the command line": Mistake(command="serve --store redis://:s3cret@127.0.0.1/0"),
    "an extra that is not installed": Mistake(
        {"hide/sitecustomize.py": "import sys\n\nsys.modules['prometheus_client'] = None\n"},
        "metrics",
        {"PYTHONPATH": "hide"},
    ),
    "a verb of wwspec-devtools, which is not installed": Mistake(
        {"hide/sitecustomize.py": "import sys\n\nimport wwspec_router.cli.main\n\nsys.path[:] = sys.path[:1]\n"},
        "dev",
        {"PYTHONPATH": "hide"},
    ),
    "an application folder that does not exist": Mistake(command="check --app nowhere"),
    "a misspelled ability ID": Mistake(command="contracts byu"),
    "an unknown key in wwspec.toml": Mistake(settings("[serve]\nprot = 8081\n"), "config"),
    "a key of wwspec.toml without its table": Mistake(settings("port = 8081\n"), "config"),
    "a wrong value in wwspec.toml": Mistake(settings("[serve]\nport = '8081'\n"), "config"),
    "a secret in wwspec.toml": Mistake(settings("[serve]\ndebug-token = 's3cret'\n"), "config"),
    "an own setting that is missing": Mistake({**OWN, **settings("[app]\nurl = 'x'\n")}),
    "a misspelled own setting": Mistake({**OWN, **settings("[app]\nulr = 'x'\nkey-file = 'shop.key'\n")}),
    "a wrong value in the environment": Mistake(command="config", environment={"WWSPEC_THREADS": "many"}),
    "a port in use": Mistake(command="serve --sdk emulator --store memory: --port PORT"),
    "dev on the port of another program": Mistake(command="dev --port PORT --emulator-port 65535"),
    "an emulator on the port of another program": Mistake(command="emulate --port PORT"),
    "dev in a folder that does not exist": Mistake(command="dev --app nowhere"),
    "an emulated program for other machines": Mistake(command="serve --sdk emulator --port 0 --host 0.0.0.0"),
    "no SDK": Mistake(command="serve --port 0 --store memory:"),
    "a store that can't be reached": Mistake(command="serve --sdk emulator --port 0 --store redis://127.0.0.1:1"),
    "a store with a misspelled scheme": Mistake(command="serve --sdk emulator --port 0 --store sqlit:notify.db"),
    "a store that worker processes don't share": Mistake(
        command="serve --sdk emulator --port 0 --store memory: --workers 2"
    ),
    "a store whose folder is a file": Mistake(
        command="serve --sdk emulator --port 0 --store sqlite:abilities/shop.py/n.db"
    ),
    "a call without an emulator": Mistake(command="call buy --url http://127.0.0.1:1"),
    "an emulator's address that is not a URL": Mistake(command="call buy --url 127.0.0.1:8090"),
    "a call while the program is down": Mistake(command="call buy --url DOWN"),
    "an event while the program is down": Mistake(command="fire hit_keyword --url DOWN"),
    "a call of a misspelled ability": Mistake(command="call chat_digset --url EMULATOR"),
    "a request that is not JSON": Mistake(command="call chat_digest '{limit: 1}' --url EMULATOR"),
    "a request of another type": Mistake(command='call chat_digest \'{"limit": "1"}\' --url EMULATOR'),
    "a request in a missing file": Mistake(command="call chat_digest @request.json --url EMULATOR"),
    "an unknown jobid": Mistake(command="task jobid_0 --url EMULATOR"),
    "an event with a misspelled name": Mistake(command="fire hit_keywrd --url EMULATOR"),
    "an event with an unknown field": Mistake(
        command="fire auth_knowledge_base --set knowlege_base_name=Prices --url EMULATOR"
    ),
    "an answer by hand that is no object": Mistake(
        {"reply.json": "[1]"}, "zone answer sync_msg reply.json --url EMULATOR"
    ),
    "an app without credentials": Mistake(command="app check"),
    "a base URL that is not a URL": Mistake(command="app check --base-url 127.0.0.1:8090", environment=APP),
    "a secret of another app": Mistake(command="call buy --base-url EMULATOR", environment=APP),
    "credentials for an emulator": Mistake(command="call buy --corpid ww1234567890abcdef"),
    "WeCom and an emulator at once": Mistake(command="call buy --url EMULATOR --base-url EMULATOR"),
    "firing an event at WeCom": Mistake(command="fire hit_keyword --base-url https://qyapi.weixin.qq.com"),
    "the app's secret on the command line": Mistake(command="keys new --corpsecret s3cret"),
    "a first key although there is one": Mistake({"keys/key-1.pem": ""}, "keys new"),
    "a rotation without a key": Mistake(command="keys rotate"),
    "a key file without a private key": Mistake(
        {"keys/key-1.pem": "", "keys/key-1.unregistered": ""}, "keys new --registered"
    ),
    "a new program in a folder that exists": Mistake(command="new abilities"),
    "a new program whose name no image can have": Mistake(command="new MyShop"),
    "a missing folder of examples": Mistake(command="new bakery --from console"),
    "an image without a Dockerfile": Mistake(command="image"),
    "a module that stays out of the image": Mistake({".dockerignore": "*\n!abilities/registry.toml\n"}),
    "a package that the image lacks": Mistake(
        {
            "requirements.txt": "wwspec-router[zone]\n",
            **shop(SHOP.replace("    return", "    import a_shop_library\n\n    return")),
        }
    ),
    "a tar of `docker save`": Mistake(
        {"shop.tar": tarfile.TarInfo("manifest.json").tobuf() + bytes(1024)}, "image --check shop.tar"
    ),
}


def documented(language: str = "en") -> dict[str, tuple[int, str]]:
    """Exit code and message of each mistake in reference/mistakes.md of a language."""
    text = (ROOT / "docs" / language / "reference" / "mistakes.md").read_text("utf-8")
    rows = re.findall(r"^\| (.+?) \| (\d) \| (?:`` (.+) ``|`(.+)`) \|$", text, re.MULTILINE)
    return {mistake: (int(code), quoted or plain) for mistake, code, quoted, plain in rows}


@pytest.fixture(scope="module")
def down() -> Iterator[str]:
    """The URL of an emulator whose program does not run."""
    with serving(create_app(EmulatorSettings(program_url="http://127.0.0.1:1"))) as url:
        yield url


@pytest.fixture(scope="module")
def port() -> Iterator[str]:
    """A port on which something listens that says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        yield str(silent.getsockname()[1])


@pytest.fixture
def places(request: pytest.FixtureRequest) -> Mapping[str, str]:
    """What the words PORT, EMULATOR and DOWN of a command mean; only what it names is started."""
    command = MISTAKES[request.getfixturevalue("name")].command
    found = {word: request.getfixturevalue(word.lower()) for word in ("PORT", "DOWN") if word in command}
    if "EMULATOR" in command:
        zone: Zone = request.getfixturevalue("zone")
        found["EMULATOR"] = zone.client.url
    return found


def made(run: Run, folder: Path, mistake: Mistake, places: Mapping[str, str]) -> tuple[int, list[str]]:
    """Make a mistake; return the exit code, and the lines of the message without what differs each time."""
    app = write_files(folder / "app", {"abilities/registry.toml": ROW, "abilities/shop.py": SHOP})
    for name, content in mistake.files.items():
        (app / name).parent.mkdir(parents=True, exist_ok=True)
        (app / name).write_bytes(content.encode() if isinstance(content, str) else content)
    command = mistake.command
    for word, place in places.items():
        command = command.replace(word, place)
    done = run(*shlex.split(command), cwd=app, environment=mistake.environment)
    found = [line for line in done.stdout.splitlines() if line.startswith("fault ")]  # of `image --check`
    text = done.stderr.replace(str(app), "APP").replace("python -m wwspec_router", "wwspec")
    for word, place in places.items():
        text = text.replace(place, word)
    text = re.sub(r"process \d+ in .* \(.*\); (.*) \d+$", r"process PID in FOLDER (COMMAND); \1 NUMBER", text)
    text = re.sub(r"hint: \[\d+_\d+\]", "hint: [...]", text)
    lines = [line for line in text.splitlines() if " INFO " not in line and not line.startswith("wwspec image: ")]
    return done.returncode, lines + found


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_answered_with_one_line_that_names_the_fix(
    run: Run, tmp_path: Path, name: str, places: Mapping[str, str]
) -> None:
    code, [*before, line] = made(run, tmp_path, MISTAKES[name], places)
    assert (code, line.removeprefix("Error: ")) == documented()[name]
    if before:
        assert code == 2
        assert all(each.startswith(begin) for each, begin in zip(before, CLICK, strict=True)), before


def test_both_pages_have_these_mistakes_in_this_order_and_no_other() -> None:
    assert list(documented()) == list(MISTAKES)
    assert len(MISTAKES) >= 40
    assert list(documented("zh").values()) == list(documented().values())
