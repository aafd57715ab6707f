"""What the pages are written with: a text for each language, tables, and docstrings taken apart."""

import inspect
import re
import tomllib
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from wwspec_router.cli.chinese import read_texts

__all__ = [
    "Say",
    "Summary",
    "chinese_texts",
    "code",
    "deeper",
    "documents",
    "first_paragraph",
    "linked",
    "paragraphs",
    "summary",
    "table",
]

_DOCUMENT = "https://developer.work.weixin.qq.com/document/path/"


class Say:
    """Chooses the text of one language.

    Args:
        language: `en` or `zh`.
    """

    def __init__(self, language: str) -> None:
        self.language = language
        self.untranslated: set[str] = set()
        """Texts of the code that were asked for and have no Chinese."""

    def __call__(self, english: str, chinese: str) -> str:
        """Return the text of the language."""
        return english if self.language == "en" else chinese

    def of_code(self, english: str) -> str:
        """Return a text of the code, translated where `chinese.toml` has it."""
        if self.language == "en":
            return english
        if english not in chinese_texts():
            self.untranslated.add(english)
        return chinese_texts().get(english, english)

    def head(self, title: str, introduction: str) -> str:
        """Return the beginning of a page: how it came about, its title, and what it is for."""
        mark = "<!-- Made from the code by scripts/fix: change scripts/reference, not this page. -->"
        return f"# {title}\n\n{mark}\n\n{introduction}\n"


@cache
def chinese_texts() -> dict[str, str]:
    """Return texts of the code, and what they are in Chinese: `chinese.toml`, and that of `wwspec --help`."""
    texts: dict[str, str] = tomllib.loads(Path(__file__).with_name("chinese.toml").read_text("utf-8"))
    return texts | read_texts()["help"]


class Summary(NamedTuple):
    """The docstring of one of WeCom's APIs or events, taken apart."""

    english: str
    chinese: str
    documents: str
    rest: str


_SUMMARY = re.compile(
    r"(?P<english>.+?) \((?P<chinese>[^()]*[\u4e00-\u9fff].*?)\) \[(?P<documents>[\d, ]+)\]\.", re.DOTALL
)


def summary(docstring: str) -> Summary:
    """Take `Pull conversation records (获取会话记录) [99824].` and what follows apart.

    Raises:
        ValueError: It has another form.
    """
    text = inspect.cleandoc(docstring)
    found = _SUMMARY.match(text)
    if found is None:
        raise ValueError(f"not of the form `English (中文) [document].`: {text}")
    return Summary(found["english"], found["chinese"], found["documents"], paragraphs(text[found.end() :]))


def documents(ids: str) -> str:
    """Return links to WeCom's documents."""
    return ", ".join(f"[{each}]({_DOCUMENT}{each})" for each in re.findall(r"\d+", ids))


def linked(text: str) -> str:
    """Return a text whose `[99824]` are links to WeCom's documents."""
    return re.sub(r"(?<!\[)\[(\d{5,6}(?:, \d{5,6})*)\](?!\()", lambda found: f"[{documents(found[1])}]", text)


def deeper(text: str) -> str:
    """Return a text whose links are those of a page of `reference/`, for a page two folders below."""
    return re.sub(r"\]\((?!https?:|#)", "](../../", text)


def paragraphs(text: str) -> str:
    """Return a docstring with each paragraph in one line; lists keep theirs."""
    blocks = re.split(r"\n\s*\n", inspect.cleandoc(text).strip())
    return "\n\n".join(block if re.search(r"^\s*[*-] ", block, re.M) else " ".join(block.split()) for block in blocks)


def first_paragraph(docstring: str | None) -> str:
    """Return the first paragraph of a docstring in one line."""
    return paragraphs(docstring or "").partition("\n\n")[0]


def code(text: object) -> str:
    """Return a text as code; nothing for an empty one."""
    return f"`{text}`" if f"{text}" else ""


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table, with one line a row."""
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    lines += [f"| {' | '.join(_cell(each) for each in row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def _cell(value: object) -> str:
    text = " ".join(f"{value}".split())
    parts = re.split(r"(`[^`]*`)", text)  # code is left as it is, but for the bar
    parts = [each if each.startswith("`") else re.sub(r"<(?!br>|/?a\b)", "&lt;", each) for each in parts]
    return "".join(parts).replace("|", "\\|") or "-"
