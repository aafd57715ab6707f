"""`from wwspec_contracts import sync_msg` works for programs and for type checkers, and imports nothing else."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import wwspec_contracts as wecom
from tests.support.apps import ROOT
from tests.support.tables import for_each

PACKAGE = Path(wecom.__file__).parent
APIS = {path.stem for path in (PACKAGE / "api").glob("[!_]*.py")}


def test_the_names_that_type_checkers_are_told_are_those_of_the_files() -> None:
    tree = ast.parse((PACKAGE / "__init__.py").read_text("utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    of_apis = [node for node in imports if node.module == "wwspec_contracts.api"]
    exported = [(alias.name, alias.asname) for node in of_apis for alias in node.names]
    assert exported == [(name, name) for name in sorted(APIS)]


@for_each(sorted(APIS))
def test_an_api_can_be_imported_from_the_package(api: str) -> None:
    assert getattr(wecom, api) is importlib.import_module(f"wwspec_contracts.api.{api}")


def test_a_name_that_wecom_does_not_have_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match=r"module 'wwspec_contracts' has no attribute 'snyc_msg'"):
        wecom.snyc_msg  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(ImportError, match="snyc_msg"):
        from wwspec_contracts import snyc_msg  # type: ignore[attr-defined]  # noqa: F401


def test_the_package_imports_no_contract_before_one_is_named() -> None:
    program = """
import sys
def imported():
    return sorted(name for name in sys.modules if name.startswith(("wwspec_contracts.api", "wwspec_contracts.base")))
import wwspec_router, wwspec_contracts
print(imported())
from wwspec_contracts import get_group_chat
print(imported())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=600, check=True)
    assert done.stdout.splitlines() == [
        "[]",
        "['wwspec_contracts.api', 'wwspec_contracts.api.get_group_chat', 'wwspec_contracts.base']",
    ]


def test_own_functions_beside_every_api_are_checked_without_a_contract_of_wecom(tmp_path: Path) -> None:
    registry = tmp_path / "registry.toml"
    registry.write_text("[func]\nprefix='f_'\n[func.functions]\ncount='tests.support.words:count'")
    program = f"""
import sys
from pathlib import Path
from wwspec_router.registry.table import build_table
table = build_table(Path({str(ROOT)!r}), Path({str(registry)!r}))
print(len(table.abilities) > len(table.api_contracts))
packages = ("wwspec_contracts.api.", "wwspec_contracts.events.")
print(sorted(name for name in sys.modules if name.startswith(packages)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=600, check=True)
    assert done.stdout.splitlines() == ["True", "[]"]
