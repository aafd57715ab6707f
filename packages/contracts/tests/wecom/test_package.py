"""`from wwspec_contracts import sync_msg` works for programs and for type checkers, and imports nothing else."""

import ast
import importlib
from pathlib import Path

import pytest

import wwspec_contracts as wecom
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
