"""Every public name, option, setting, error, figure and API is on a page of the reference, in both languages."""

import re

import pytest

import wwspec_router
from scripts.reference.cli import commands
from scripts.reference.contracts import apis
from scripts.reference.errcodes import advice, codes
from scripts.reference.errors import errors
from scripts.reference.events import events
from scripts.reference.metrics import families
from scripts.reference.text import Say, chinese_texts
from scripts.website.pages import DOCS, LANGUAGES
from wwspec_router import client
from wwspec_router.config import Secret, settings, variable
from wwspec_router.emulator.apis.table import APIS
from wwspec_router.emulator.appside import calls, uploads
from wwspec_router.emulator.standin.wwspec_standin.names import SDK_APIS
from wwspec_router.emulator.state.faults import EFFECTS
from wwspec_router.monitoring.status import Status

TRANSLATED = ("cli", "client-api", "emulator-apis", "errors", "events", "figures", "metrics", "settings")
"""The pages whose tables are in Chinese on the Chinese site; those of the SDK APIs' fields are not."""

pytestmark = pytest.mark.parametrize("language", LANGUAGES)


def reference(language: str, name: str) -> str:
    return (DOCS / language / "reference" / f"{name}.md").read_text("utf-8")


def first_cells(page: str) -> set[str]:
    return set(re.findall(r"^\| \[?`([^`]+)`", page, re.MULTILINE))


def test_every_public_name(language: str) -> None:
    for page, module in (("api", wwspec_router), ("client-api", client)):
        text = reference(language, page)
        listed = set(re.findall(rf"(?:::: |{{#){module.__name__}\.(\w+)", text))
        assert listed == set(module.__all__)


def test_every_option_and_argument_of_every_verb(language: str) -> None:
    page, set_by_topic = reference(language, "cli"), first_cells(reference(language, "settings"))
    for name, command in commands():
        section = page.partition(f"{{#wwspec-{name.replace(' ', '-')}}}")[2].partition("\n##")[0]
        assert section, name
        shown = set(re.findall(r"--[\w-]+", section)) | set_by_topic
        for parameter in command.params:
            if parameter.param_type_name == "option" and not getattr(parameter, "hidden", False):
                assert set(parameter.opts) & shown or parameter.opts[0][:2] != "--", f"{name}: {parameter.opts}"


def test_every_setting(language: str) -> None:
    page = reference(language, "settings")
    for each in settings().values():
        assert Say(language).of_code(each.text) in page
        assert f"`{variable(each.option)}`" in page
        if each.secret is Secret.ALWAYS:
            continue
        assert language == "zh" or each.allowed in page
        [row] = re.findall(rf"^\| `--{each.option}` .*$", page, re.MULTILINE)
        limits = [f"{limit:.0f}" for limit in (each.least, each.most, each.above) if limit is not None]
        assert all(limit in row for limit in (*limits, *each.choices)), each.option


def test_every_error(language: str) -> None:
    page = reference(language, "errors")
    everything = list(errors())
    assert len(everything) > 50
    for each in everything:
        assert f"| `{each.__module__.removeprefix('wwspec_router.')}.{each.__name__}` |" in page


def test_every_errcode_has_a_cause_and_a_fix(language: str) -> None:
    assert set(advice()) == set(codes())
    page = reference(language, "errcodes")
    for errcode in codes():
        assert re.search(rf"^\| `{errcode}` \| [^|-][^|]* \| [^|-][^|]* \|$", page, re.MULTILINE), errcode


def test_every_figure(language: str) -> None:
    assert set(Status.__struct_fields__) <= first_cells(reference(language, "figures"))


def test_every_metric(language: str) -> None:
    names = {re.sub("_total$", "", each) for each in first_cells(reference(language, "metrics"))}
    assert names == {each.name for each in families()}


def test_every_sdk_api_and_its_fields(language: str) -> None:
    page = reference(language, "contracts")
    assert set(apis()) == set(SDK_APIS)
    for name, module in apis().items():
        section = page.partition(f"{{#{name}}}")[2].partition("\n## ")[0]
        fields = {*module.Request.__struct_fields__, *module.Response.__struct_fields__} - {"errcode", "errmsg"}
        assert fields <= first_cells(section), name
        assert re.search(r"document/path/\d+\)", section), name


def test_every_event_and_its_fields(language: str) -> None:
    page = reference(language, "events")
    assert len(events()) == 9
    for name, module in events().items():
        section = page.partition(f"{{#{name}}}")[2].partition("\n## ")[0]
        assert set(module.Event.__struct_fields__) <= first_cells(section), name


def test_every_api_and_fault_of_the_emulator(language: str) -> None:
    cells = first_cells(reference(language, "emulator-apis"))
    assert {*APIS, *EFFECTS, *(effect for effects in EFFECTS.values() for effect in effects)} <= cells
    assert {f"/cgi-bin/{path}" for path in (*calls.APIS, uploads.API)} <= cells


@pytest.mark.parametrize("page", TRANSLATED)
def test_no_cell_of_these_tables_is_english_on_the_chinese_page(language: str, page: str) -> None:
    rows = re.findall(r"^\| (.+) \|$", reference(language, page), re.MULTILINE)
    cells = [re.sub(r"`[^`]*`|list of \w+", "", cell) for row in rows for cell in row.split(" | ")]
    english = [each for each in cells if re.search("[a-z]+ [a-z]+", each) and not re.search("[\u4e00-\u9fff]", each)]
    if language == "en":
        assert len(english) > 10
    else:
        assert not english, "chinese.toml lacks a text"


def test_every_translation_is_of_a_text_of_the_code(language: str) -> None:
    pages = "".join(reference(language, page) for page in TRANSLATED)
    for english, chinese in chinese_texts().items():
        text = re.sub("<(?!br>)", "&lt;", chinese if language == "zh" else english)
        assert text in pages or text.replace("&lt;", "<") in pages, f"chinese.toml: {english}"
