"""Every public name, option, setting, error, figure and API is in the reference, in both languages.

Names, verbs and APIs have a line in an index of the repository, and an entry on a page that only the site has.
"""

import inspect
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from itertools import takewhile
from typing import get_type_hints

import pytest

from scripts.reference.__main__ import only_built
from scripts.reference.cli import commands
from scripts.reference.contracts import apis
from scripts.reference.entries import INTERNAL, place
from scripts.reference.errors import errors, imported_from
from scripts.reference.events import events
from scripts.reference.metrics import families
from scripts.reference.public import METHODS, NAMES
from scripts.reference.text import Say, chinese_texts, first_paragraph, linked
from scripts.website.pages import DOCS, LANGUAGES
from tests.support.docstrings import Documented, members_of
from wwspec_contracts.errcodes import ERRCODES
from wwspec_contracts.errors import WWSpecError
from wwspec_devtools.emulator.apis.table import APIS
from wwspec_devtools.emulator.http.client import EmulatorClient
from wwspec_devtools.emulator.standin.wwspec_standin.names import SDK_APIS
from wwspec_devtools.emulator.state.faults import EFFECTS
from wwspec_router.config import Secrecy, Topic, settings, variable
from wwspec_router.monitoring.status import Status

INDEXES = ("emulator-apis", "errors", "events", "figures", "metrics", "names", "settings", "verbs")
"""The pages of the repository whose tables are in Chinese on the Chinese site."""

API = "reference/api/"
"""The folder of the pages that only the site has. The fields of SDK APIs are in English there."""

pytestmark = pytest.mark.parametrize("language", LANGUAGES)
BUILT = pytest.mark.nightly  # makes all pages that only the site has; `scripts/check` says which text lacks its Chinese


@cache
def built(language: str) -> dict[str, str]:
    """Return the pages that only the site has, by their paths."""
    return only_built(Say(language))


def reference(language: str, name: str) -> str:
    return (DOCS / language / "reference" / f"{name}.md").read_text("utf-8")


def first_cells(page: str) -> set[str]:
    return set(re.findall(r"^\| (?:<a [^|]*>)?\[?`([^`]+)`", page, re.MULTILINE))


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


def page_of(language: str, module: str, name: str) -> str:
    """Return the page that has the entry of a public name."""
    return built(language)[f"{API}{module}/{place(module, name).partition('#')[0]}"]


def public() -> Iterator[tuple[str, str, object]]:
    """Yield every public name: its module, the name, and what it is."""
    for module, names in NAMES.items():
        for name in names:
            yield module, name, getattr(import_module(module), name)


@BUILT
def test_every_public_name_has_its_signature_and_summary(language: str) -> None:
    for module, name, value in public():
        text = entry(page_of(language, module, name), name)
        if inspect.isclass(value) and value.__module__.startswith("wwspec_"):
            assert re.search(rf"^class {name}\b", text, re.MULTILINE), name
            assert linked(Say(language).of_code(first_paragraph(value.__doc__))) in text, name
        elif inspect.isfunction(value):
            says_all_of(Documented(name, value), text, language)
        else:
            assert re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL).strip(), name


@BUILT
def test_every_public_member_has_its_signature_and_summary(language: str) -> None:
    checked = 0
    methods = {function.__name__ for _, function in METHODS}
    of_both_clients = built(language)[f"{API}wwspec_client/methods.md"]
    for module, name, value in public():
        if not inspect.isclass(value):
            continue
        page = page_of(language, module, name)
        shown = [value, *takewhile(lambda base: base.__name__.startswith("_"), value.__mro__[1:])]
        for each in members_of(name, value):
            member = each.name.partition(".")[2]
            is_internal = member.startswith("__") or not INTERNAL.isdisjoint((member, each.name))
            if each.owner not in shown or not each.text or is_internal:  # or it is in the entry of the base
                continue
            checked += 1
            if isinstance(inspect.getattr_static(value, member), property):
                assert re.search(rf"^- `{member}\b.*\w", entry(page, name), re.MULTILINE), each.name
            elif member in methods:
                says_all_of(each, entry(of_both_clients, member), language)
            else:
                says_all_of(each, entry(page, each.name), language)
    assert checked > 100


def test_the_index_has_every_public_name_and_every_control_of_the_emulator(language: str) -> None:
    index, errors_page = reference(language, "names"), reference(language, "errors")
    for module, name, value in public():
        if inspect.isclass(value) and issubclass(value, WWSpecError):
            assert f"| `{module}.{name}` |" in errors_page or f".{name}` |" in errors_page, name
        else:
            section = section_of(index, module)
            assert re.search(rf"^\|.*`{name}`.* \| .*\w", section, re.MULTILINE), f"{module}: {name}"
    for each in members_of("EmulatorClient", EmulatorClient):
        if each.text and not each.is_constructor:
            assert f"| `{each.name}` |" in index, each.name


def section_of(index: str, module: str) -> str:
    """Return the lines of the index that a link to a module leads to."""
    [section] = re.findall(rf"^## `{re.escape(module)}`\n(.*?)(?=^## |\Z)", index, re.MULTILINE | re.DOTALL) or [
        "\n".join(re.findall(rf"^\| (?:<a id[^|]*)?`{re.escape(module)}` \|.*$", index, re.MULTILINE))
    ]
    return str(section)


@BUILT
def test_the_indexes_of_the_site_lead_to_its_own_pages(language: str) -> None:
    pages = built(language)
    for name in ("names", "verbs"):
        text = pages[f"reference/{name}.md"]
        targets = re.findall(r"\]\((api/[\w./]+)(?:#[\w-]+)?\)", text)
        assert len(targets) > 20
        assert {f"reference/{target}" for target in targets} <= pages.keys()
        assert re.sub(r"\[(`[^`]+`)\]\(api/[^)]+\)", r"\1", text) == reference(language, name)


@BUILT
def test_every_option_and_argument_of_every_verb(language: str) -> None:
    set_by_topic, index = first_cells(reference(language, "settings")), first_cells(reference(language, "verbs"))
    for name, command in commands():
        verb = name.split()[0]
        page = built(language)[f"{API}wwspec/{verb}.md"]
        section = page.partition(f"# `wwspec {name}`\n")[2].partition("\n#")[0]
        assert section, name
        assert f"wwspec {verb}" in index
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
        assert f"| `{imported_from(each)}.{each.__name__}` |" in page
        assert getattr(import_module(imported_from(each)), each.__name__) is each


@BUILT
def test_every_errcode_has_a_cause_and_a_fix(language: str) -> None:
    everything, short = built(language)["reference/errcodes.md"], reference(language, "errcodes")
    assert len(ERRCODES) > 130
    for errcode, row in ERRCODES.items():
        line = rf"^\| `{errcode}` \| [^|-]+ \| [^|-][^|]* \| [^|-][^|]* \|$"
        assert re.search(line, everything, re.MULTILINE), errcode
        assert row.met_by != "both" or re.search(line, short, re.MULTILINE), errcode


def test_every_figure_and_metric(language: str) -> None:
    assert set(Status.__struct_fields__) <= first_cells(reference(language, "figures"))
    names = {re.sub("_total$", "", each) for each in first_cells(reference(language, "metrics"))}
    assert names == {each.name for each in families()}


@BUILT
def test_every_sdk_api_and_its_fields(language: str) -> None:
    index = first_cells(section_of(reference(language, "names"), "wwspec_contracts"))
    assert set(apis()) == set(SDK_APIS) == index
    for name, module in apis().items():
        page = built(language)[f"{API}wwspec_contracts/{name}.md"]
        fields = {*module.Request.__struct_fields__, *module.Response.__struct_fields__} - {"errcode", "errmsg"}
        assert fields <= first_cells(page), name
        assert re.search(r"document/path/\d+\)", page), name
        assert linked(Say(language).of_code(first_paragraph(APIS[name].__doc__))) in page, name


def test_every_event_and_its_fields(language: str) -> None:
    page = reference(language, "events")
    assert len(events()) == 9
    for name, module in events().items():
        assert f'<a id="{name}"></a>' in page
        assert len(module.Event.__struct_fields__) == 3, "the page says so of all"
        [inner] = (each for each in get_type_hints(module.Event).values() if hasattr(each, "__struct_fields__"))
        for each in inner.__struct_fields__:
            assert re.search(rf"^\| `{each}` \|.*`{name}`", page, re.MULTILINE), name


def test_every_fault_of_the_emulator(language: str) -> None:
    cells = first_cells(reference(language, "emulator-apis"))
    assert {*EFFECTS, *(effect for effects in EFFECTS.values() for effect in effects)} <= cells


@BUILT
def test_no_cell_of_these_tables_is_english_on_the_chinese_page(language: str) -> None:
    pages = {name: reference(language, name) for name in INDEXES}
    pages |= {path: text for path, text in built(language).items() if "/wwspec_contracts/" not in path}
    found = 0
    for name, text in pages.items():
        rows = re.findall(r"^\| (.+) \|$", text, re.MULTILINE)
        cells = [re.sub(r"`[^`]*`|list of \w+|<a [^>]*>", "", cell) for row in rows for cell in row.split(" | ")]
        english = [
            each for each in cells if re.search("[a-z]+ [a-z]+", each) and not re.search("[\u4e00-\u9fff]", each)
        ]
        assert language == "en" or not english, f"chinese.toml lacks a text of {name}"
        found += len(english)
    assert language == "zh" or found > 500


@BUILT
def test_every_translation_is_of_a_text_of_the_code(language: str) -> None:
    pages = "".join((*(reference(language, page) for page in INDEXES), *built(language).values()))
    pages += "".join(Say(language).of_code(each.value) for each in Topic)  # only help shows them
    pages = re.sub(r"\[(\d+)\]\(https:[^)]*\)", r"\1", pages)  # links to WeCom's documents
    for english, chinese in chinese_texts().items():
        text = re.sub("<(?!br>)", "&lt;", chinese if language == "zh" else english)
        assert text in pages or text.replace("&lt;", "<") in pages, f"chinese.toml: {english}"


def test_what_has_no_chinese_is_known_on_the_chinese_page(language: str) -> None:
    say = Say(language)
    say.of_code(next(iter(chinese_texts())))
    assert say.of_code("Nobody has translated this.") == "Nobody has translated this."
    assert say.untranslated == ({"Nobody has translated this."} if language == "zh" else set())
