"""The map of the code names what is there."""

import pkgutil
import re

from scripts.rooms import PACKAGES, ROOMS
from tests.support.apps import ROOT

EMULATOR = "packages/devtools/wwspec_devtools/emulator"
CONSOLE = f"{EMULATOR}/console"
FOLDERS = [package.as_posix() for package, _ in ROOMS.values()]
BASES = ["", *(package.parent.as_posix() for package, _ in ROOMS.values())]
BASES += [EMULATOR, CONSOLE, f"{CONSOLE}/static", "scripts/website", "docs/en"]


def test_every_file_and_folder_that_the_map_names_is_there() -> None:
    missing, own = [], FOLDERS
    for line in (ROOT / "AGENTS.md").read_text("utf-8").splitlines():
        if not line.startswith("|"):
            own = FOLDERS
        elif head := re.match(r"\| `((?:packages/\w+/)?wwspec_\w+)/` \|", line):
            own = [head[1]]  # the table of one package: its paths are below it
        named = re.findall(r"`(\w[\w./-]*/|\w[\w./-]*\.(?:c|html|js|json|md|py|toml|yml))`", line)
        bases = [*BASES, *own]
        folders = [f"{base}/{each}".lstrip("/") for base in bases for each in named if each.endswith("/")]
        missing += [each for each in named if not any((ROOT / base / each).exists() for base in (*bases, *folders))]
    assert missing == []


def test_the_map_is_short() -> None:
    assert len((ROOT / "AGENTS.md").read_text("utf-8").splitlines()) <= 90


def test_the_map_has_a_table_of_each_package() -> None:
    heads = re.findall(
        r"^\| `((?:packages/\w+/)?wwspec_\w+)/` \|.*\n\|---", (ROOT / "AGENTS.md").read_text("utf-8"), re.MULTILINE
    )
    assert sorted(heads) == sorted(FOLDERS)


def test_every_symbol_of_what_it_is_is_in_its_module() -> None:
    text = (ROOT / "AGENTS.md").read_text("utf-8")
    _, _, *rows = re.findall(r"^\|.*\|$", text.partition("\n# ")[0], re.MULTILINE)
    named = {row: re.findall(rf"`((?:{'|'.join(PACKAGES)})[\w.]*:[\w.]+)`", row) for row in rows}
    assert len(rows) == 8
    assert [row for row, symbols in named.items() if not symbols] == []
    for symbol in (each for symbols in named.values() for each in symbols):
        pkgutil.resolve_name(symbol)  # raises an error that names what is missing
