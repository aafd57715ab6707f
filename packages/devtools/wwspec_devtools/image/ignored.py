"""What `.dockerignore` keeps out of an image.

Its rules are Docker's: the last line that matches a path, or a folder above it, decides; a line with `!` lets it in.
"""

import re
from pathlib import Path
from typing import NamedTuple

_PARTS = re.compile(r"\*\*/?|\*|\?|\[[^\]]*\]|\\?.", re.DOTALL)
_WILD = {"**": ".*", "**/": "(?:.*/)?", "*": "[^/]*", "?": "[^/]"}


class Line(NamedTuple):
    """A line of the file."""

    number: int
    text: str
    """As it is written."""
    matches: re.Pattern[str]
    lets_in: bool


class Ignored:
    """The file of one folder.

    Args:
        file: The file; one that does not exist keeps nothing out.
    """

    def __init__(self, file: Path) -> None:
        text = file.read_text("utf-8", "replace") if file.is_file() else ""
        self._lines = [line for number, each in enumerate(text.splitlines(), 1) if (line := _line(number, each))]

    def keeps_out(self, path: str) -> Line | None:
        """Return the line that keeps a path out; None when it goes into the image."""
        parts = path.split("/")
        folders = ["/".join(parts[: end + 1]) for end in range(len(parts))]
        deciding = next((line for line in reversed(self._lines) if any(map(line.matches.fullmatch, folders))), None)
        return None if deciding is None or deciding.lets_in else deciding


def _line(number: int, text: str) -> Line | None:
    pattern = text.strip()
    lets_in = pattern.startswith("!")
    pattern = pattern.removeprefix("!").strip().removeprefix("./").strip("/")
    if not pattern or text.startswith("#"):
        return None
    return Line(number, text.strip(), re.compile("".join(map(_regex, _PARTS.findall(pattern))), re.DOTALL), lets_in)


def _regex(part: str) -> str:
    if part.startswith("[") and len(part) > 1:
        return part.replace("[!", "[^", 1)
    return _WILD.get(part) or re.escape(part.removeprefix("\\") or part)
