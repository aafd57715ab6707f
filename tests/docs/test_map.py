"""The map of the code names what is there."""

import pkgutil
import re

from tests.support.apps import ROOT

CONSOLE = "packages/devtools/wwspec_devtools/emulator/console"
BASES = (
    "",
    "wwspec_router",
    "packages/devtools/wwspec_devtools/emulator",
    CONSOLE,
    f"{CONSOLE}/static",
    "scripts/website",
    "docs/en",
)


def test_every_file_and_folder_that_the_map_names_is_there() -> None:
    missing = []
    for line in (ROOT / "AGENTS.md").read_text("utf-8").splitlines():
        named = re.findall(r"`(\w[\w./-]*/|\w[\w./-]*\.(?:c|html|js|json|md|py|toml|yml))`", line)
        folders = [f"{base}/{each}".lstrip("/") for base in BASES for each in named if each.endswith("/")]
        missing += [each for each in named if not any((ROOT / base / each).exists() for base in (*BASES, *folders))]
    assert missing == []


def test_every_symbol_of_what_it_is_is_in_its_module() -> None:
    text = (ROOT / "AGENTS.md").read_text("utf-8")
    _, _, *rows = re.findall(r"^\|.*\|$", text.partition("\n# ")[0], re.MULTILINE)
    named = {row: re.findall(r"`(wwspec_router[\w.]*:[\w.]+)`", row) for row in rows}
    assert len(rows) == 6
    assert [row for row, symbols in named.items() if not symbols] == []
    for symbol in (each for symbols in named.values() for each in symbols):
        pkgutil.resolve_name(symbol)  # raises an error that names what is missing
