"""A pytest plugin: the fixture `zone` gives tests of an application a zone to call it in.

pytest finds it as soon as the package is installed. `--zone` chooses the form: `in-process` (the default), `served`, or
the URL of an emulator that runs already. What a zone needs is imported when a test asks for one, and not before. A test
that fails shows what its zones exchanged meanwhile.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from wwspec_router.errors import ExtraMissingError
from wwspec_router.host.extras import require
from wwspec_router.testing.failures import FailureReports

if TYPE_CHECKING:
    from wwspec_router.testing.zone import Zone

SCOPE = "wwspec_zone_scope"
SCOPES = ("function", "class", "module", "package", "session")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--zone`, and the setting `wwspec_app`."""
    parser.getgroup("wwspec_router").addoption(
        "--zone",
        default="in-process",
        metavar="FORM",
        help="zone of the tests: in-process, served, or an emulator's URL",
    )
    parser.addini("wwspec_app", "application folder of the fixture zone, from the root folder", default=".")
    parser.addini(SCOPE, f"which tests share a fixture zone: {', '.join(SCOPES)}", default="function")


def pytest_configure(config: pytest.Config) -> None:
    """Let failed tests show what their zone exchanged."""
    config.pluginmanager.register(FailureReports(), "wwspec_router.failures")


def _scope(fixture_name: str, config: pytest.Config) -> Any:
    """Return which tests share a zone."""
    scope = config.getini(SCOPE)
    if scope not in SCOPES:
        raise pytest.UsageError(f"{SCOPE}: one of {', '.join(SCOPES)}, not {scope}")
    return scope


@pytest.fixture(scope=_scope)
def zone(pytestconfig: pytest.Config) -> "Iterator[Zone]":
    """The application in a zone of its own for each test; the setting `wwspec_zone_scope` lets tests share one."""
    try:
        require("testing", "the fixture zone", unused=("hypothesis",))
    except ExtraMissingError as error:
        missing = str(error)
    else:
        missing = ""
    if missing:  # outside of `except`: pytest would show both errors
        pytest.fail(missing, pytrace=False)
    from wwspec_router.testing.zone import Zone

    form = pytestconfig.getoption("--zone")
    app = pytestconfig.rootpath / pytestconfig.getini("wwspec_app")
    if form == "in-process":
        zone = Zone.in_process(app)
    elif form == "served":
        zone = Zone.serve(app)
    else:
        zone = Zone.connect(form, app)
    with zone:
        yield zone
