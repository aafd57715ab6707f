"""The pages of the documentation: the same in each language.

Needs no more than the standard library, since the tests read it, too.
"""

import re
from collections.abc import Iterator
from pathlib import Path

__all__ = ["DOCS", "LANGUAGES", "SECTIONS", "blocks_of", "diagrams_of", "pages_of", "tree_faults"]

DOCS = Path(__file__).resolve().parents[2] / "docs"
LANGUAGES = {"en": "English", "zh": "中文"}
"""Folders of `docs/`, and how the language names itself. The first is what the others are translated from."""

SECTIONS = {
    "Tutorial": "教程",
    "The program": "程序",
    "The app": "应用",
    "Operation": "运维",
    "Reference": "参考",
    "Program": "程序",
    "Python": "Python",
    "WeCom": "企业微信接口",
    "Figures": "指标",
    "Emulator": "模拟器",
    "Explanation": "原理",
}
"""The titles of the navigation's sections, and their translations."""


def pages_of(language: str) -> set[str]:
    """Return the pages of a language, such as `program/start.md`."""
    folder = DOCS / language
    return {page.relative_to(folder).as_posix() for page in folder.rglob("*.md")}


def blocks_of(page: Path) -> list[str]:
    """Return the blocks of a page that are files or commands, which the tests run."""
    text = page.read_text("utf-8")
    return re.findall(r"^ *```(?:bash|python|toml|json)\n.*?^ *```$", text, re.MULTILINE | re.DOTALL)


def diagrams_of(page: Path) -> list[str]:
    """Return the source of each diagram of a page."""
    return re.findall(r"^```mermaid\n(.*?)^```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def tree_faults() -> Iterator[str]:
    """Give what differs between the languages, each in a line that names the fix."""
    english, chinese = pages_of("en"), pages_of("zh")
    for page in sorted(english - chinese):
        yield f"docs/zh/{page} is missing: write it"
    for page in sorted(chinese - english):
        yield f"docs/zh/{page} has no English page: add docs/en/{page}"
