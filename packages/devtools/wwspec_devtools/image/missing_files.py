"""What an image would lack: files that `.dockerignore` keeps out, packages that `requirements.txt` lacks."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from wwspec_devtools.image.imports import Sources
from wwspec_devtools.image.requirements import Requirements
from wwspec_router.registry.file import Registry
from wwspec_router.sdk.vendor import MODULE

IGNORE_FILE, REQUIREMENTS = ".dockerignore", "requirements.txt"
_PARTS = re.compile(r"\*\*/?|\*|\?|\[[^\]]*\]|\\?.", re.DOTALL)
_WILD = {"**": ".*", "**/": "(?:.*/)?", "*": "[^/]*", "?": "[^/]"}


def lacking(app: Path, registry: Registry) -> list[str]:
    """Return a line about each file and each package that the image would lack, with the fix.

    A folder without a `.dockerignore` or a `requirements.txt` is not checked for what belongs to that file.

    Args:
        app: The program's folder, from which the image is built.
        registry: Its registry file.
    """
    sources = Sources(app, _modules(app, registry))
    needed = {**dict(_data(app, registry)), **sources.files}
    return [*_kept_out(app, needed), *_not_brought(app, sources)]


def _kept_out(app: Path, needed: dict[str, str]) -> Iterator[str]:
    ignored = Ignored(app / IGNORE_FILE)
    said = set[str]()
    for path, place in needed.items():
        if (line := ignored.keeps_out(path)) is None:
            continue
        top = path.partition("/")[0]
        let_in = top if ignored.keeps_out(top) else path
        if let_in not in said:
            said.add(let_in)
            fix = f"add a line !{let_in} at its end"
            yield f"{IGNORE_FILE}:{line.number}: `{line.text}` keeps {path} out of the image ({place}); {fix}"


def _not_brought(app: Path, sources: Sources) -> Iterator[str]:
    known = {MODULE, *sys.stdlib_module_names}
    packaged = {module: place for module, place in sources.others.items() if module not in known}
    if not (packaged and (app / REQUIREMENTS).is_file()):
        return
    requirements = Requirements(app / REQUIREMENTS)
    for module, place in packaged.items():
        if not requirements.bring(module):
            line = requirements.line_for(module)
            yield f"{place}: imports {module}, which no line of {REQUIREMENTS} brings; add the line {line}"


def _modules(app: Path, registry: Registry) -> Iterator[tuple[str, str]]:
    """Yield the modules that the program imports by itself, and where each is named."""
    for module in registry.program.modules:
        yield module, registry.place("program")
    for target, place in registry.targets():
        yield target.partition(":")[0], place
    for kind in ("api", "events"):
        for file in sorted((app / "schemas" / kind).glob("*.py")):
            yield f"schemas.{kind}.{file.stem}", "a contract of its own"


def _data(app: Path, registry: Registry) -> Iterator[tuple[str, str]]:
    """Yield the files that the registry needs beside modules, and where each is named."""
    folder = app.resolve()
    files = [(registry.path, "the registry file")]
    for ability_id, row in registry.abilities.items():
        place = registry.place("abilities", ability_id)
        files += [(app / name, place) for name in (row.input, row.output) if name]
    for file, place in files:
        if file.resolve().is_relative_to(folder):
            yield file.resolve().relative_to(folder).as_posix(), place


class Line(NamedTuple):
    """A line of `.dockerignore`."""

    number: int
    text: str
    """The line as it is written."""
    matches: re.Pattern[str]
    lets_in: bool


class Ignored:
    """What the `.dockerignore` of a folder keeps out of an image.

    Its rules are Docker's: the last line that matches a path, or a folder above it, decides. A line with `!` lets the
    path in.

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
