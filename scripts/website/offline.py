"""Finds what a built site would ask another host for: fonts, scripts, pictures.

A link that a reader may follow is no such thing. Knows files only: no browser and no MkDocs.
"""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

__all__ = ["IFRAME_WORKER", "MERMAID", "requests_elsewhere"]

MERMAID = "assets/mermaid.js"
"""Draws the diagrams of a site; at its top, or at that of a language."""
IFRAME_WORKER = "assets/iframe-worker.js"
"""Lets the search run where the site is opened from a folder; mkdocs.yml names it."""

_FETCHED = {"script": "src", "img": "src", "source": "srcset", "iframe": "src", "video": "src", "audio": "src"}
_FETCHED_LINKS = ("stylesheet", "preload", "preconnect", "dns-prefetch", "icon", "manifest", "modulepreload")
_TAGS = re.compile(
    r"""</?(?:script|img|source|iframe|video|audio|link)\b(?:[^>"']|"[^"]*"|'[^']*')*>"""
    r"""|<[a-z]+\b[^>]*\bclass="?[^">]*\b(?:mermaid|md-source)\b[^>]*>"""
)
"""What of a page is parsed: tags that may ask for something; the rest is a hundred times as much."""
_CSS = re.compile(r"""(?:url\(\s*|@import\s+)["']?((?:https?:)?//[^"')\s]+)""")
_JS = re.compile(r"""["'`](https?://[^"'`\s]+)""")

_TEXTS = "search/search_index.js"
"""The texts of all pages, which the search reads where the site is opened from a folder: it runs nothing."""

_NEVER_ASKED = {
    "http://www.w3.org/": "",
    "https://unpkg.com/resize-observer-polyfill": "",
    "https://unpkg.com/mermaid": "mermaid",  # unless the page loads MERMAID
    "https://api.github.com/": "md-source",
    "https://${e}/api/v4/": "md-source",
}
"""Beginnings of addresses in the theme's script that it asks for only where a page has an element of this class; those
without a class are names, or for browsers of before 2020."""


class _Fetches(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.classes: set[str] = set()
        self.scripts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.classes |= set(values.get("class", "").split())
        address = values.get(_FETCHED.get(tag, ""), "")
        if tag == "script":
            self.scripts.append(address)
        if tag == "link" and values.get("rel") in _FETCHED_LINKS:
            address = values.get("href", "")
        if re.match(r"(https?:)?//", address):
            self.found.append(address)


def requests_elsewhere(site: Path) -> Iterator[str]:
    """Give each address of another host that the pages of a site, their styles or scripts ask for, with its file."""
    classes: set[str] = set()
    for page in sorted(site.rglob("*.html")):
        parser = _Fetches()
        text = page.read_text("utf-8")
        parser.feed("".join(_TAGS.findall(text)))
        if any(each.endswith(MERMAID) and (page.parent / each).is_file() for each in parser.scripts):
            parser.classes.discard("mermaid")
        classes |= parser.classes
        for address in (*parser.found, *_CSS.findall(text)):
            yield f"{page.relative_to(site)}: {address}"
    for style in sorted(site.rglob("*.css")):
        for address in _CSS.findall(style.read_text("utf-8")):
            yield f"{style.relative_to(site)}: {address}"
    for script in sorted(each for each in site.rglob("*.js") if not each.as_posix().endswith(_TEXTS)):
        for address in _JS.findall(script.read_text("utf-8")):
            needs = next((needs for start, needs in _NEVER_ASKED.items() if address.startswith(start)), None)
            if needs is None or needs in classes:
                yield f"{script.relative_to(site)}: {address}"
