"""The built site in Debian's Chromium: it asks no other host, fits its window, and its search finds words."""

import json
import re
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from scripts.website.pages import DOCS, LANGUAGES, diagrams_of, pages_of
from tests.support.apps import ROOT
from tests.support.made_once import made_once
from tests.support.processes import finished
from tests.support.tools import tool
from tests.support.waiting import DEADLINE

pytestmark = pytest.mark.nightly  # builds the site, which takes half a minute, and starts a browser

API = "reference/api"
DIAGRAMS = {page[:-3]: len(found) for page in sorted(pages_of("en")) if (found := diagrams_of(DOCS / "en" / page))}
"""How many each page has that has one."""

PAGES = ["index", "operation/console", *DIAGRAMS, "reference/names"]
PAGES += [f"{API}/wwspec_contracts/sync_msg", f"{API}/wwspec_client/zoneclient", f"{API}/wwspec/zone"]
"""The start, pictures, diagrams, long tables, signatures, options."""

OPEN_ROOTS = """const attach = Element.prototype.attachShadow;
Element.prototype.attachShadow = function (options) { return attach.call(this, {...options, mode: "open"}); };"""
"""The theme draws a diagram where no script can look at it."""

Scheme = Literal["light", "dark"]
PALETTES = {"light": "default", "dark": "slate"}
WINDOWS: dict[str, list[tuple[int, Scheme]]] = {
    "en": [(1280, "light"), (420, "dark")],
    "zh": [(420, "light"), (1280, "dark")],
}
"""Pages are opened in the first, which then becomes the second: to open one takes half a second of a processor."""

WIDE = re.compile(r"<tr>\s*(?:<th[^>]*>.*?</th>\s*){4,}</tr>")
"""The head of a table of four columns or more."""
ARTICLE = re.compile(r'(?<=<article class="md-content__inner md-typeset">).*?(?=</article>)', re.DOTALL)
HIDDEN_SIDEBAR = re.compile(r'<div class="md-sidebar [^>]*\bhidden\b')
"""On a page without it the column is wider."""
CUT = """() => [...document.querySelectorAll(".md-typeset__table")]
    .filter((table) => table.parentElement.scrollWidth > table.parentElement.clientWidth)
    .map((table) => table.closest("[data-page]").dataset.page)"""
"""Names the page of each table that scrolls."""

FIELDS = {name: {"boost": 1} for name in ("title", "text", "tags")}
NOTHING_TO_FIND = {"config": {"fields": FIELDS, "lang": ["en"], "pipeline": [], "separator": " "}, "docs": []}
"""Takes the place of the search's index, of which each opened page makes a table, for a second of a processor."""
SEARCHES = "Searches"
"""The header of a browser that gets the search's index itself."""


class Site(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        """Answer here, not in the browser's requests: a browser whose requests are answered for it keeps no files."""
        if not self.path.endswith("/search_index.json") or SEARCHES in self.headers:
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(NOTHING_TO_FIND).encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    def build(folder: Path) -> None:
        done = finished(ROOT / "scripts" / "docs", "--into", folder)
        assert done.returncode == 0, done.stdout + done.stderr

    return made_once(tmp_path_factory, "site", build)


@pytest.fixture(scope="module")
def url(site: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Site, directory=str(site))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = tool("chromium")
    expect.set_options(timeout=DEADLINE * 1000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


def opened(browser: Browser, width: int, scheme: Scheme = "light", *, searches: bool = False) -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
        extra_http_headers={SEARCHES: "yes"} if searches else {},
    )
    context.set_default_timeout(DEADLINE * 1000)
    return context.new_page()


def test_assistants_find_a_line_about_each_page_in_the_sites_text_and_in_those_of_its_languages(site: Path) -> None:
    for place, folder, language in (("", "en/", "en"), ("en/", "", "en"), ("zh/", "", "zh")):
        text = (site / place / "llms.txt").read_text("utf-8")
        assert text.startswith("# wwspec_router\n\n> ")
        named = re.findall(r"^- \[.+?\]\((.+?)\): .+[.。]$", text, re.MULTILINE)
        assert sorted(named) == sorted(f"{folder}{page[:-3]}.html" for page in pages_of(language))
        assert all((site / place / each).is_file() for each in named)


def opened_in_each(page: Page, address: str, windows: list[tuple[int, Scheme]]) -> Iterator[int]:
    """Open an address in the first of some windows, which then becomes the others; yield the width of each."""
    for number, (width, scheme) in enumerate(windows):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        if number == 0:
            page.goto(address, wait_until="networkidle")
        expect(page.locator("body")).to_have_attribute("data-md-color-scheme", PALETTES[scheme])
        yield width


def test_pages_fit_their_window_draw_their_diagrams_and_ask_no_other_host(browser: Browser, url: str) -> None:
    asked: list[str] = []
    failed: list[str] = []
    drawn: dict[str, list[int]] = {"en": [], "zh": []}
    for language, windows in WINDOWS.items():
        page = opened(browser, *windows[0])
        page.add_init_script(OPEN_ROOTS)
        page.on("request", lambda request: asked.append(request.url))
        page.on("response", lambda response: failed.append(response.url) if response.status >= 400 else None)
        page.on("pageerror", lambda error: failed.append(str(error)))
        for each in PAGES:
            for width in opened_in_each(page, f"{url}/{language}/{each}.html", windows):
                # The theme moves its parts for a moment after a window has become another one.
                expect(page.locator("html"), each).to_have_js_property("scrollWidth", width, timeout=DEADLINE * 1000)
                assert failed == [], f"{language}/{each}"
                drawn[language] += parts_of_diagrams(page, DIAGRAMS.get(each, 0))
        page.context.close()
    assert {f"{url}/{language}/{each}.html" for language in LANGUAGES for each in PAGES} <= {*asked}
    assert [each for each in asked if not each.startswith((url, "data:", "blob:"))] == []
    assert drawn["zh"] == drawn["en"]
    assert min(drawn["en"]) >= 8, "the four rooms and their arrows are the fewest"


def parts_of_diagrams(page: Page, count: int) -> Iterator[int]:
    """Yield how many parts each diagram of a page has, when its letters are large enough to be read."""
    diagrams = page.locator("div.mermaid > svg")
    expect(diagrams).to_have_count(count)
    for diagram in diagrams.all():
        shrunk = diagram.evaluate("it => it.getBoundingClientRect().width / it.viewBox.baseVal.width")
        assert shrunk * 14 >= 10, f"{page.url}: letters of {shrunk * 14:.1f} pixels"
        yield diagram.locator(".node, .flowchart-link, text.actor, .messageText, .note").count()


def found_by_the_search(page: Page, query: str) -> list[str]:
    """Type a query on a page that is open, and return the addresses of what is found."""
    field, results = page.locator("input.md-search__input"), page.locator(".md-search-result__item")
    field.click()
    field.fill("")
    page.keyboard.press("End")  # the page listens to keys
    expect(results).to_have_count(0)  # of the query before
    page.keyboard.insert_text(query)
    page.keyboard.press("End")
    results.first.wait_for()
    targets: list[str] = page.locator(".md-search-result__link").evaluate_all("links => links.map(link => link.href)")
    return targets


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_search_finds_pages_of_the_language(browser: Browser, url: str, language: str) -> None:
    page = opened(browser, 1280, searches=True)
    page.goto(f"{url}/{language}/index.html", wait_until="networkidle")
    for query in ("notify_id", "能力"):
        targets = found_by_the_search(page, query)
        assert targets, query
        assert all(target.startswith(f"{url}/{language}/") for target in targets)
    page.context.close()


def test_no_table_is_cut_at_its_last_column(browser: Browser, url: str, site: Path) -> None:
    """Looks at one page with the articles of all: to open each takes a third of a second of a processor."""
    texts = {each.relative_to(site).as_posix(): each.read_text("utf-8") for each in site.glob("en/**/*.html")}
    assert [name for name, text in texts.items() if HIDDEN_SIDEBAR.search(text)] == [], "their columns differ"
    articles = [
        f'<section data-page="{name}">{ARTICLE.findall(text)[0]}</section>'
        for name, text in texts.items()
        if WIDE.search(text)
    ]
    assert len(articles) > 40
    body = ARTICLE.sub(lambda _: "".join(articles), texts["en/index.html"])
    page = opened(browser, 1280)
    page.route(f"{url}/en/all.html", lambda route: route.fulfill(body=body, content_type="text/html; charset=utf-8"))
    page.goto(f"{url}/en/all.html")
    expect(page.locator("section table:not(.md-typeset__table > table)")).to_have_count(0)  # each is in what scrolls
    assert page.evaluate(CUT) == []
    page.context.close()


def test_badges_and_the_open_menu_of_languages_fit_the_window_of_a_phone(browser: Browser, url: str) -> None:
    page = opened(browser, 420)
    for language in LANGUAGES:
        page.goto(f"{url}/{language}/index.html")
        badges = page.locator('img[src*="badges-"]')
        assert badges.evaluate("it => it.getBoundingClientRect().width >= it.naturalWidth && it.naturalWidth > 100")
    page.locator(".md-select").hover()
    expect(page.locator(".md-select__inner")).to_have_css("opacity", "1")
    assert page.evaluate("document.documentElement.scrollWidth") <= 420
    page.context.close()


def test_headings_have_the_colour_of_the_text_in_the_dark(browser: Browser, url: str) -> None:
    page = opened(browser, 1280, "dark")
    page.goto(f"{url}/en/explanation/scale.html")
    colour, weight = page.locator(".md-content .md-typeset").evaluate(
        "it => [getComputedStyle(it).color, getComputedStyle(it).fontWeight]"
    )
    assert weight == "400"
    for heading in ("h1", "h2"):
        expect(page.locator(heading).first).to_have_css("color", colour)
        expect(page.locator(heading).first).to_have_css("font-weight", "500")
    page.context.close()


def test_the_switch_of_languages_leads_to_the_same_page(browser: Browser, url: str) -> None:
    page = opened(browser, 1280)
    page.goto(f"{url}/en/reference/verbs.html", wait_until="networkidle")
    page.locator(".md-select").hover()
    page.locator('.md-select__link[hreflang="zh"]').click()
    page.wait_for_url(f"{url}/zh/reference/verbs.html")
    expect(page.locator("h1")).to_contain_text("子命令")
    page.context.close()


def test_the_site_begins_in_the_language_of_the_reader(browser: Browser, url: str) -> None:
    for locale, language in (("zh-CN", "zh"), ("de-DE", "en")):
        context = browser.new_context(locale=locale)
        context.set_default_timeout(DEADLINE * 1000)
        context.route(f"{url}/*/index.html", lambda route: route.fulfill(body=""))  # which other tests open
        page = context.new_page()
        page.goto(f"{url}/index.html")
        page.wait_for_url(f"{url}/{language}/index.html")
        context.close()


def test_the_folder_can_be_read_without_a_server(browser: Browser, site: Path) -> None:
    page = opened(browser, 1280)
    page.goto((site / "zh" / "index.html").as_uri())
    page.get_by_role("link", name="参考").first.click()
    page.wait_for_url((site / "zh" / "reference" / "index.html").as_uri())
    page.goto((site / "zh" / "explanation" / "call.html").as_uri())
    expect(page.locator("div.mermaid")).to_have_count(DIAGRAMS["explanation/call"])
    assert found_by_the_search(page, "能力")
    page.context.close()
