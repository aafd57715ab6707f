"""The extras of the package: the modules of each, and the error when one is missing."""

import sys
import tomllib
from collections.abc import Mapping
from importlib.metadata import packages_distributions

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.apps import ROOT
from wwspec_contracts.errors import ExtraMissingError
from wwspec_contracts.extras import MODULES, require

PROJECTS = [
    tomllib.loads(path.read_text("utf-8"))["project"]
    for path in (ROOT / "pyproject.toml", *ROOT.glob("packages/*/pyproject.toml"))
]
OPTIONAL = {project["name"]: project.get("optional-dependencies", {}) for project in PROJECTS}
EXTRAS = [(package, extra) for package, extras in OPTIONAL.items() for extra in extras if extra != "dev"]


@pytest.fixture(scope="module")
def distributions() -> Mapping[str, list[str]]:
    """The distributions that a module comes from; each of them is read for it."""
    return packages_distributions()


@pytest.mark.parametrize(("package", "extra"), EXTRAS)
def test_the_modules_of_an_extra_are_those_that_its_requirements_install(
    package: str, extra: str, distributions: Mapping[str, list[str]]
) -> None:
    named = {Requirement(row).name for row in OPTIONAL[package][extra]}
    installed = set()
    for module in MODULES[package][extra]:  # a namespace comes from several distributions
        of_module = set(map(canonicalize_name, distributions[module]))
        installed |= of_module & named or of_module
    assert installed == named


def test_every_extra_is_in_the_table_or_made_of_others() -> None:
    assert OPTIONAL["wwspec-devtools"]["dev"] == ["wwspec-devtools[metrics,proxy,testing]"]
    assert {(package, extra) for package, extras in MODULES.items() for extra in extras} == set(EXTRAS)


def test_a_missing_module_is_an_error_with_the_command_unless_it_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "trustme", None)
    with pytest.raises(ExtraMissingError) as caught:
        require("proxy", "the proxy")
    said = "the proxy needs the extra proxy (trustme not found): pip install 'wwspec-devtools[proxy]'"
    assert str(caught.value) == said
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    require("testing", "the fixture zone", unused=("hypothesis",))
    with pytest.raises(ExtraMissingError, match="hypothesis not found"):
        require("testing", "StoreSuite")
