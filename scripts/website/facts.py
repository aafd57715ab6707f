"""Facts about WeCom in pages that people write: a number beside a time or a corp needs the page that has it.

Needs no more than the standard library, since the tests read it, too.
"""

import re
from collections.abc import Iterator
from pathlib import Path

__all__ = ["unproved_facts"]

_NUMBER = r"\d[\d,]*"
_LIMITS = {
    "en": re.compile(rf"{_NUMBER}\b[^|]*\b(?:(?:a|an|per|each) (?:minute|hour|day|corp)\b|for (?:a|one|each) corp\b)"),
    "zh": re.compile(rf"每(?:分钟|小时|天|日|个企业|家企业|企业)[^|，。]{{0,12}}{_NUMBER}"),
}
_WECOM = {"en": re.compile(r"WeCom|\bcorp\b|\bqyapi\b"), "zh": re.compile(r"企业微信|企业|平台|qyapi")}
_PAGE = re.compile(r"\[\d{5,6}\b")
_SENTENCE = {"en": re.compile(r"(?<=[.:;]) "), "zh": re.compile(r"(?<=[。；：])")}
GENERATED = "reference/"
"""Pages that are made from the code name WeCom's page for each contract."""


def unproved_facts(folder: Path, language: str) -> Iterator[str]:
    """Give each limit of WeCom whose sentence or row of a table names no page of WeCom, with its place.

    Args:
        folder: Of the pages of a language.
        language: `en` or `zh`.
    """
    for page in sorted(folder.rglob("*.md")):
        name = page.relative_to(folder).as_posix()
        if name.startswith(GENERATED):
            continue
        for line, text in _passages(page.read_text("utf-8")):
            for sentence in [text] if text.startswith("|") else _SENTENCE[language].split(text):
                limit = _LIMITS[language].search(sentence) and _WECOM[language].search(sentence)
                if limit and not _PAGE.search(sentence):
                    yield f"docs/{language}/{name}:{line}: name WeCom's page, such as [100057], for: {sentence.strip()}"


def _passages(text: str) -> Iterator[tuple[int, str]]:
    """Give each paragraph as one line, and each row of a table or item of a list, with the number of its first line."""
    paragraph: list[str] = []
    start = 0
    fenced = False
    for number, line in enumerate([*text.splitlines(), ""], 1):
        fence = line.lstrip().startswith("```")
        fenced ^= fence
        alone = line.startswith(("|", "#")) or not line.strip() or fence or fenced
        if paragraph and (alone or line.lstrip().startswith(("- ", "* "))):
            yield start, " ".join(paragraph)
            paragraph = []
        if line.startswith("|"):
            yield number, line
        elif not alone:
            start = start if paragraph else number
            paragraph.append(line.strip())
