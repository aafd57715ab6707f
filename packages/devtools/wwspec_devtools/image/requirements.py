"""Which packages a requirements file brings, with those that they need."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, requires, version
from pathlib import Path

_FRAMEWORK = "wwspec-router"
_NAME = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[(?P<extras>[^\]]*)\])?\s*(?:[=<>!~;@,]|$)")
_WHEEL = re.compile(r"(?:.*/)?(?P<name>[A-Za-z0-9._]+)-[^/\s]+\.(?:whl|tar\.gz)\s*(?:\[(?P<extras>[^\]]*)\])?")
_FILE = re.compile(r"(?:-r|--requirement)[\s=]+(?P<file>\S+)")
_EXTRA = re.compile(r"""extra\s*==\s*["']([^"']+)["']""")


class Requirements:
    """The packages of a requirements file.

    Args:
        file: The file.
    """

    def __init__(self, file: Path) -> None:
        self._may_bring_any = False
        """Whether a line names no package: a folder, for example, may bring any module."""
        self._has_unknown = False
        """Whether the file names a package that is not installed here: nobody knows which modules it has."""
        self._brought = set[tuple[str, str]]()
        self._bring(_FRAMEWORK)
        self._read(file)

    def bring(self, module: str) -> bool:
        """Return whether a top-level module is in one of the packages, or may be in one that is not known."""
        if self._may_bring_any:
            return True
        packages = _packages().get(module)
        if packages is None and self._has_unknown:
            return True
        return any((_normal(each), "") in self._brought for each in packages or [module])

    def line_for(self, module: str) -> str:
        """Return the line that brings a module."""
        package = _packages().get(module, [module])[0]
        return f"{package}=={version(package)}" if _is_installed(package) else package

    def _read(self, file: Path) -> None:
        for line in _lines(file):
            if found := _FILE.match(line):
                self._read(file.parent / found["file"])
            elif found := _WHEEL.match(line) or _NAME.match(line):
                for extra in ("", *re.split(r"\s*,\s*", found["extras"] or "")):
                    self._bring(found["name"], extra)
                self._has_unknown |= not _is_installed(found["name"])
            elif not line.startswith("-") or line.startswith(("-e", "--editable")):
                self._may_bring_any = True

    def _bring(self, package: str, extra: str = "") -> None:
        """Add a package, or one of its extras, with what it needs where it is installed here."""
        name = _normal(package)
        if (name, extra) in self._brought:
            return
        self._brought.add((name, extra))
        try:
            needed = requires(package) or []
        except PackageNotFoundError:
            return
        for each in needed:
            wanted, found = _EXTRA.search(each), _NAME.match(each)
            if found and (wanted is None or wanted[1] == extra):
                for inner in ("", *re.split(r"\s*,\s*", found["extras"] or "")):
                    self._bring(found["name"], inner)


@cache
def _packages() -> Mapping[str, list[str]]:
    """Return the installed packages of each top-level module; it reads the names of all of their files."""
    return packages_distributions()


def _is_installed(package: str) -> bool:
    try:
        return bool(version(package))
    except PackageNotFoundError:
        return False


def _lines(file: Path) -> Iterator[str]:
    text = file.read_text("utf-8", "replace") if file.is_file() else ""
    for line in re.sub(r"\\\r?\n", " ", text).splitlines():
        if stripped := re.sub(r"(^|\s)#.*$", "", line).strip():
            yield stripped


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
