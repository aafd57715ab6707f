"""Apps in TypeScript, Java and Go: types from the program's contracts, a call, a notification; and their page."""

import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from scripts.website.pages import DOCS
from tests.client.notify.stand import AES_KEY, TOKEN
from tests.clients.test_published_clients import HERE, running
from tests.support.apps import ROOT
from tests.support.command import wwspec
from tests.support.processes import finished
from tests.support.tools import node_package, tool
from tests.support.zones import app_of, serve_zone
from wwspec_contracts.callbacks import CallbackCrypto, write_xml
from wwspec_devtools.testing.zone import Zone

EXAMPLE = ROOT / "examples" / "other_languages"
PAGE = (DOCS / "en" / "app" / "other-languages.md").read_text("utf-8")


def lines_of_code(text: str) -> int:
    """Count the lines of a file in TypeScript, Java or Go, without imports, comments and blanks."""
    text = re.sub(r"^import \(.*?^\)$", "", text, flags=re.MULTILINE | re.DOTALL)
    return len(re.findall(r"^(?!import |package | *//| */\*).*\S", text, re.MULTILINE))


def test_the_page_shows_files_of_the_example_and_these_are_as_short_as_it_says() -> None:
    shown = re.findall(r"^`(\w+\.\w+)`\n\n```\w+\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert len(shown) == 4
    for name, text in shown:
        [file] = EXAMPLE.glob(f"*/{name}")
        assert file.read_text("utf-8") == text, name
    limits = {"call": 15, "callback": 40}
    counted = {
        file.name: lines_of_code(file.read_text("utf-8")) for file in EXAMPLE.glob("*/*") if file.stem.lower() in limits
    }
    assert len(counted) == 6
    assert {name: lines for name, lines in counted.items() if lines > limits[Path(name).stem.lower()]} == {}


def quicktype(language: str) -> list[str]:
    """Return the page's command, with the options of a language."""
    [command] = re.findall(r"^npx (.*) program/contracts/\*\.json$", PAGE, re.MULTILINE)
    [common, first] = re.fullmatch(r"(.*) (--lang .*)", command).groups()  # type: ignore[union-attr]  # it fits
    [options] = [
        each for each in (first, *re.findall(r"`(--lang \w+ --package .*?)`", PAGE)) if f" {language} " in each
    ]
    return f"{common} {options}".split()


def test_the_page_names_the_version_that_is_tested() -> None:
    dependencies = json.loads((HERE / "package.json").read_text("utf-8"))["dependencies"]
    assert quicktype("go")[0] == f"quicktype@{dependencies['quicktype']}"


def in_typescript(app: Path) -> list[str]:
    compiler = node_package(HERE, "typescript") / "bin" / "tsc"
    options = ["--strict", "--target", "es2022", "--module", "commonjs", "--types", "node", "--skipLibCheck"]
    passes(app, tool("node"), compiler, *options, "--outDir", "built", "main.ts")
    return [tool("node"), str(app / "built" / "main.js")]


def in_java(app: Path) -> list[str]:
    (app / "program" / "Converter.java").unlink()  # Debian's Jackson declares one error more than it catches
    library = Path(tool("jackson-databind.jar"))
    jars = [library.with_name(f"jackson-{each}.jar") for each in ("databind", "core", "annotations")]
    path = os.pathsep.join(map(str, [app / "built", *jars]))
    sources = [*app.glob("*.java"), *app.glob("program/*.java")]
    passes(app, tool("javac"), "--release", "11", "-Xlint:-options", "-cp", path, "-d", "built", *sources)
    return [str(Path(tool("javac")).with_name("java")), "-cp", path, "Main"]


def in_go(app: Path) -> list[str]:
    passes(app, tool("go"), "build", "-o", "built", ".", GOCACHE=str(app / "cache"), GOPROXY="off", GOTOOLCHAIN="local")
    return [str(app / "built")]


def passes(app: Path, *command: str | Path, **variables: str) -> None:
    done = finished(*command, cwd=app, env={**os.environ, **variables})
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def zone() -> Iterator[Zone]:
    with serve_zone(ROOT) as zone:
        yield zone


@pytest.mark.nightly  # a generator, a compiler and an app for each language
@pytest.mark.parametrize(("language", "build"), [("typescript", in_typescript), ("java", in_java), ("go", in_go)])
def test_an_app_calls_with_its_types_and_fetches_the_event_of_a_notification(
    language: str, build: Callable[[Path], list[str]], zone: Zone, tmp_path: Path
) -> None:
    node_package(HERE, "quicktype")
    app = shutil.copytree(EXAMPLE / language, tmp_path / "app")
    (app / "node_modules").symlink_to(HERE / "node_modules")
    [command] = re.findall(r"^wwspec (contracts .*)$", PAGE, re.MULTILINE)
    done = wwspec(app, *command.replace("../shop", str(ROOT)).split())
    assert done.returncode == 0, done.stderr
    contracts = sorted((app / "program" / "contracts").iterdir())
    passes(app, Path(tool("npm")).with_name("npx"), *quicktype(language), *contracts, npm_config_offline="true")
    own = {"CALLBACK_TOKEN": TOKEN, "CALLBACK_KEY": AES_KEY}
    with running(build(app), **app_of(zone), **own) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "100\n"
        url = f"http://127.0.0.1:{int(process.stdout.readline())}/callback"
        zone.client.set_callback(url, TOKEN, AES_KEY)
        assert zone.client.verify_callback() == url
        corpid = zone.client.info()["corpid"]
        for crypto in (CallbackCrypto("another", AES_KEY, corpid), CallbackCrypto(TOKEN, AES_KEY, "another")):
            sealed = crypto.encrypt("text")
            query, body = crypto.query(int(time.time()), sealed), write_xml({"Encrypt": sealed})
            assert httpx.post(url, params=query, content=body).status_code == 403
        zone.fire("hit_keyword")
        assert process.stdout.readline() == "hit_keyword\n"
