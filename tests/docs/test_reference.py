"""Every public name, option, setting, error, figure and API is on a page of the reference, in both languages."""

import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from itertools import takewhile

import pytest

import wwspec_router
from scripts.reference import client_api, emulator_client, testing_api
from scripts.reference.cli import commands
from scripts.reference.contracts import apis
from scripts.reference.errors import errors
from scripts.reference.events import events
from scripts.reference.metrics import families
from scripts.reference.text import Say, chinese_texts, first_paragraph, linked
from scripts.website.pages import DOCS, LANGUAGES
from tests.support.docstrings import Documented, members_of
from wwspec_contracts.errcodes import ERRCODES
from wwspec_devtools.emulator.apis.table import APIS
from wwspec_devtools.emulator.appside import table as appside, uploads
from wwspec_devtools.emulator.standin.wwspec_standin.names import SDK_APIS
from wwspec_devtools.emulator.state.faults import EFFECTS
from wwspec_router.config import Secrecy, settings, variable
from wwspec_router.monitoring.status import Status

TRANSLATED = ("api", "cli", "client-api", "emulator-apis", "errors", "events", "figures", "metrics", "settings")
"""The pages whose tables are in Chinese on the Chinese site; those of the SDK APIs' fields are not."""

METHODS = {"ensure_public_key", *(function.__name__ for function in client_api.ENDPOINTS.values())}
"""They have one entry, which is that of both clients."""

pytestmark = pytest.mark.parametrize("language", LANGUAGES)


def reference(language: str, name: str) -> str:
    return (DOCS / language / "reference" / f"{name}.md").read_text("utf-8")


def first_cells(page: str) -> set[str]:
    return set(re.findall(r"^\| \[?`([^`]+)`", page, re.MULTILINE))


def entry(page: str, name: str) -> str:
    """Return the part of a page below the heading of a name, or of a member such as `Task.status`."""
    owner, dot, member = name.rpartition(".")
    title = f"{owner}: `{member}`" if dot else f"`{name}`"
    [found] = re.findall(rf"^#+ {re.escape(title)}\n(.*?)(?=^#|\Z)", page, re.MULTILINE | re.DOTALL)
    return str(found)


def says_all_of(each: Documented, entry: str, language: str) -> None:
    """Check that an entry has the signature and the summary of a function."""
    [signatures] = re.findall(r"^```py\n(.*?)^```", entry, re.MULTILINE | re.DOTALL)
    missing = [name for name in each.parameters if not re.search(rf"[ (*]{name}\b", signatures)]
    assert missing == [], each.name
    assert linked(Say(language).of_code(first_paragraph(each.text))) in entry, each.name


def pages_of_names() -> Iterator[tuple[str, str, object]]:
    """Yield every public name with its page and what it is."""
    for name in wwspec_router.__all__:
        yield "api", name, getattr(wwspec_router, name)
    pages = {"client-api": client_api, "testing-api": testing_api, "emulator-client": emulator_client}
    for page, named in ((page, module.NAMES) for page, module in pages.items()):
        for module, names in named.items():
            for name in names:
                yield page, name, getattr(import_module(module), name)


def test_every_public_name_has_its_signature_and_summary(language: str) -> None:
    for page, name, value in pages_of_names():
        text = entry(reference(language, page), name)
        if inspect.isclass(value) and value.__module__.startswith("wwspec_"):
            assert re.search(rf"^class {name}\b", text, re.MULTILINE), name
            assert linked(Say(language).of_code(first_paragraph(value.__doc__))) in text, name
        elif inspect.isfunction(value):
            says_all_of(Documented(name, value), text, language)
        else:
            assert re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL).strip(), name


def test_every_public_member_has_its_signature_and_summary(language: str) -> None:
    checked = 0
    for page, name, value in pages_of_names():
        if not inspect.isclass(value):
            continue
        text = reference(language, page)
        shown = [value, *takewhile(lambda base: base.__name__.startswith("_"), value.__mro__[1:])]
        for each in members_of(name, value):
            member = each.name.partition(".")[2]
            is_internal = member.startswith("__") or member in ("open_mailbox", "timeout_error")
            if each.owner not in shown or not each.text or is_internal:  # or it is in the entry of the base
                continue
            checked += 1
            if isinstance(inspect.getattr_static(value, member), property):
                assert re.search(rf"^- `{member}\b.*\w", entry(text, name), re.MULTILINE), each.name
            else:
                says_all_of(each, entry(text, member if member in METHODS else each.name), language)
    assert checked > 100


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
        if each.secret is Secrecy.ALWAYS:
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
        assert f"| `{each.__module__}.{each.__name__}` |" in page


def test_every_errcode_has_a_cause_and_a_fix(language: str) -> None:
    page = reference(language, "errcodes")
    assert len(ERRCODES) > 130
    for errcode in ERRCODES:
        assert re.search(rf"^\| `{errcode}` \| [^|-]+ \| [^|-][^|]* \| [^|-][^|]* \|$", page, re.MULTILINE), errcode


def test_every_figure_and_metric(language: str) -> None:
    assert set(Status.__struct_fields__) <= first_cells(reference(language, "figures"))
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
    assert {f"/cgi-bin/{path}" for path in (*appside.APIS, uploads.API)} <= cells


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
    pages = "".join(reference(language, page) for page in (*TRANSLATED, "testing-api", "emulator-client"))
    pages = re.sub(r"\[(\d+)\]\(https:[^)]*\)", r"\1", pages)  # links to WeCom's documents
    for english, chinese in chinese_texts().items():
        text = re.sub("<(?!br>)", "&lt;", chinese if language == "zh" else english)
        assert text in pages or text.replace("&lt;", "<") in pages, f"chinese.toml: {english}"


def test_what_has_no_chinese_is_known_on_the_chinese_page(language: str) -> None:
    say = Say(language)
    say.of_code(next(iter(chinese_texts())))
    assert say.of_code("Nobody has translated this.") == "Nobody has translated this."
    assert say.untranslated == ({"Nobody has translated this."} if language == "zh" else set())
