"""The site's llms.txt: one line for each page of the navigation, for assistants, which read no menu.

Needs no more than the standard library, since the tests read it, too.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from scripts.website.pages import DOCS

__all__ = ["index_text"]

_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")
_SENTENCE = re.compile(r".+?(?:\.(?= |$)|。|$)")


def index_text(navigation: Sequence[Any], folder: str = "") -> str:
    """Return the text for a site.

    Args:
        navigation: Names the pages of a language, such as `en/index.md`.
        folder: Where the site is from the text's place, such as `en/`.
    """
    first, *others = _lines(navigation, folder)
    title, about = re.findall(r"^- \[(.*)\]\(.*?\): (.*)", first)[0]
    return "\n".join((f"# {title}", "", f"> {about}", "", first, *others)) + "\n"


def _lines(entries: Sequence[Any], folder: str, section: str = "") -> Iterator[str]:
    for entry in entries:
        if isinstance(entry, str):
            yield _page(entry, folder)
        else:
            for name, inside in entry.items():
                within = f"{section}{name}"
                yield from ("", f"## {within}", "", *_lines(inside, folder, f"{within}: "))


def _page(uri: str, folder: str) -> str:
    """Return the line of a page: its title, a link, and the first sentence below the title."""
    text = re.sub(r"<!--.*?-->", "", (DOCS / uri).read_text("utf-8"), flags=re.DOTALL)
    title, first, *_ = re.split(r"\n\s*\n", text.strip().removeprefix("# "), maxsplit=2)
    sentence = _SENTENCE.match(_LINK.sub(r"\1", " ".join(first.split())))
    address = uri.partition("/")[2].removesuffix(".md")
    return f"- [{title}]({folder}{address}.html): {sentence[0] if sentence else ''}"
