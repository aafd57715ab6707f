"""What type checkers say of a new program, and of the calls in its tests."""

import json
import os
import sys
from pathlib import Path

import pytest

from tests.support.apps import ROOT, write_files
from tests.support.processes import finished
from wwspec_devtools.scaffold.project import make_project, project_files

CHECKERS = {"mypy": ("mypy", "--strict"), "pyright": ("basedpyright", "--pythonpath", sys.executable)}
"""basedpyright is Pyright with its Node.js in a wheel; these settings make it as strict as Pyright's own "strict"."""
SETTINGS = json.dumps({"typeCheckingMode": "strict", "include": ["abilities", "schemas", "tests"]})
REVEALED = """
from typing import reveal_type

from wwspec_devtools.testing.zone import Zone
from wwspec_contracts import sync_msg

def reveal(zone: Zone) -> None:
    reveal_type(zone.call(sync_msg.Request(limit=200)).reply)
    reveal_type(zone.submit(sync_msg.Request(limit=200)).result().reply)
"""
MISSPELT = """
from wwspec_devtools.testing.zone import Zone
from wwspec_contracts import sync_msg

def look(zone: Zone) -> None:
    assert zone.call(sync_msg.Request()).reply.msg_lists
"""


@pytest.mark.slow  # each reads all of the package: 3 s of a processor
@pytest.mark.parametrize("checker", CHECKERS)
def test_a_request_knows_the_type_of_its_reply_and_a_misspelt_key_is_the_only_fault(
    tmp_path: Path, checker: str
) -> None:
    shop = tmp_path / "shop"
    make_project(shop, project_files("shop"))
    write_files(shop, {"tests/revealed.py": REVEALED, "tests/misspelt.py": MISSPELT, "pyrightconfig.json": SETTINGS})
    done = finished(sys.executable, "-m", *CHECKERS[checker], cwd=shop)
    assert done.returncode == 1, done.stderr
    faults = [line for line in done.stdout.splitlines() if " error: " in line]
    assert faults
    assert all("misspelt.py:6:" in fault and "msg_lists" in fault for fault in faults), done.stdout
    revealed = [line for line in done.stdout.splitlines() if "revealed.py" in line and "ype " in line]
    assert len(revealed) == 2, done.stdout
    for line in revealed:
        assert line.endswith('is "wwspec_contracts.api.sync_msg.Response"' if checker == "mypy" else 'is "Response"')


@pytest.mark.slow  # Pyright reads all of the package: 2 s of a processor
def test_pyright_finds_the_mistakes_of_an_apps_calls_that_mypy_finds_and_no_others() -> None:
    """`scripts/check` runs mypy over the page; its comments name the lines."""
    page = ROOT / "tests" / "typing" / "typed_client.py"
    done = finished(sys.executable, "-m", *CHECKERS["pyright"], "--level", "error", "--outputjson", page, cwd=ROOT)
    found = {each["range"]["start"]["line"] for each in json.loads(done.stdout)["generalDiagnostics"]}
    lines = page.read_text("utf-8").splitlines()
    assert found == {number for number, line in enumerate(lines) if "# type: ignore" in line}


@pytest.mark.slow  # Pyright reads all of the package: 8 s of a processor
@pytest.mark.parametrize("module", ["wwspec_client", "wwspec_devtools.testing.stores"])
def test_each_public_name_has_a_type_that_every_checker_reads_in_the_same_way(tmp_path: Path, module: str) -> None:
    """As Pyright sees it: a name without an annotation may be read in several ways."""
    command = [sys.executable, "-m", "basedpyright", "--verifytypes", module, "--ignoreexternal", "--outputjson"]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # where Pyright looks for a python
    environment = {**os.environ, "PATH": path}
    done = finished(*command, cwd=tmp_path, env=environment)
    found = json.loads(done.stdout)["typeCompleteness"]
    lacking = [
        f"{symbol['name']}: {each['message']}"
        for symbol in found["symbols"]
        for each in symbol["diagnostics"]
        if each["severity"] == "error"
    ]
    assert found["exportedSymbolCounts"]["withKnownType"] > 50, done.stdout[:500]
    assert not lacking, "\n".join([f"{len(lacking)} names lack a type, among them:", *lacking[:5]])
    assert found["completenessScore"] == 1
