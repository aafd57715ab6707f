"""Makes the test data of a release: its pure wheel, and the list of its public names.

usage: python -m tests.upgrade.make    on the commit of the release, without changes; writes data/<version>/

Everything else that the tests need is made by the code of that wheel, in processes of its own, when they run. What
those processes execute is written by hand beside the wheel, for the names of that release, and never changed later:

* `app/` is added to the project of its `wwspec new`: handlers, and a registry file with every key.
* `keep_notifications.py`, `pull_messages.py` and `save_session.py` are programs of an enterprise app.

To add a release, copy the folder of the one before, adapt these files to the new names and keys, and run this. The
tests take every folder of `data/`.
"""

import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from tests.upgrade.names import public_names
from wwspec_router import __version__
from wwspec_router.registry import file as rows

ROOT = Path(__file__).parents[2]
DATA = Path(__file__).with_name("data")


def make(folder: Path) -> None:
    """Write the wheel and the names of this code into a folder, whose registry file must have every key."""
    missing = sorted(missing_keys(tomllib.loads((folder / "app/abilities/registry.toml").read_text("utf-8"))))
    if missing:
        sys.exit(f"{folder}/app/abilities/registry.toml: add these keys: {', '.join(missing)}")
    for old in folder.glob("*.whl"):
        old.unlink()
    command = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, env={**os.environ, "WWSPEC_PURE": "1"}, check=True)
    (folder / "names.txt").write_text("".join(f"{name}\n" for name in public_names()), "utf-8")


def missing_keys(registry: Mapping[str, Any]) -> Iterator[str]:
    """Yield the keys of the registry file that one does not use."""
    abilities = registry.get("abilities", {}).values()
    used: list[tuple[str, type[msgspec.Struct], list[Any]]] = [
        ("program", rows.Program, [registry.get("program", {})]),
        ("passthrough", rows.Passthrough, [registry.get("passthrough", {})]),
        ("func", rows.FuncTable, [registry.get("func", {})]),
        ("abilities", rows.AbilityRow, [*abilities]),
        ("abilities.once", rows.OnceRow, [row.get("once", {}) for row in abilities]),
        ("events", rows.EventRow, [*registry.get("events", {}).values()]),
        ("notifications", rows.NotificationRow, [*registry.get("notifications", {}).values()]),
    ]
    for table, type_, tables in used:
        yield from (f"{table}.{name}" for name in type_.__struct_fields__ if not any(name in each for each in tables))
    if not registry.get("notify_scenes"):
        yield "notify_scenes"


if __name__ == "__main__":
    make(DATA / __version__)
