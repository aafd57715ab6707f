"""The language of help pages and errors: English, or Chinese where it is asked for."""

import re
import sys
from collections.abc import Mapping, Sequence

LANGUAGES = ("en", "zh")
VARIABLE = "WWSPEC_LANG"
CHINESE: dict[str, str] = {}
"""Maps English texts to Chinese ones. Empty, except in a run in Chinese, for which `chinese.speaking` fills it."""
ERRORS: dict[str, str] = {}
"""Maps templates of errors, such as `unknown key {key}`, to Chinese ones: the longest first. Filled as `CHINESE` is."""
_LONGEST = 1000
"""Characters of a line that is looked up."""
_LOCALE = ("LC_ALL", "LC_MESSAGES", "LANG")
"""The variables of the locale; the first that is set counts."""


def wants_chinese(arguments: Sequence[str], environment: Mapping[str, str]) -> bool:
    """Return whether a run shall be in Chinese: `--lang` goes before the variable, and that before the locale.

    Args:
        arguments: Of `wwspec`, as they are typed. click reads `--lang` too late for `wwspec --lang zh --help`.
        environment: The variables.
    """
    asked = _language_option(arguments) or environment.get(VARIABLE, "")
    if asked not in LANGUAGES:
        locale = next(filter(None, map(environment.get, _LOCALE)), "")
        asked = "zh" if locale.startswith("zh") else "en"
    return asked == "zh" and _can_print("中文")


def is_chinese() -> bool:
    """Return whether this run is in Chinese."""
    return bool(CHINESE)


def text(english: str) -> str:
    """Return a text in the language of this run."""
    return CHINESE.get(english, english)


def translated(error: str) -> str:
    """Return the text of an error in the language of this run; what no template fits stays in English."""
    return "\n".join(map(_line, error.split("\n")))


def _line(words: str) -> str:
    """Return a line by the first template that fits all of it, else part by part, between `: ` and `; `."""
    for english, chinese in ERRORS.items() if len(words) < _LONGEST else ():
        fixed, names = re.split(r"\{\w+\}", english), re.findall(r"\{(\w+)\}", english)
        if all(each in words for each in fixed) and (found := re.fullmatch("(.*?)".join(map(re.escape, fixed)), words)):
            # an errmsg is what the app reads: it stays as it is
            values = {
                name: each if name == "errmsg" else _line(each)
                for name, each in zip(names, found.groups(), strict=True)
            }
            return chinese.format_map(values)
    for mark, shown in ((": ", ": "), ("; ", "；")):
        head, between, tail = words.partition(mark)
        if between and ERRORS:
            return f"{_line(head)}{shown}{_line(tail)}"
    return words


def _language_option(arguments: Sequence[str]) -> str:
    """Return the value of the last `--lang` before the verb."""
    asked, rest = "", list(arguments)
    while rest and rest[0].startswith("-"):
        name, equals, value = rest.pop(0).partition("=")
        if name == "--lang":
            asked = value if equals or not rest else rest.pop(0)
    return asked


def _can_print(characters: str) -> bool:
    try:
        characters.encode(sys.stdout.encoding)
    except UnicodeEncodeError:
        return False
    return True
