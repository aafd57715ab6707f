"""A pytest plugin: the fixture `zone` gives tests of an application a zone to call it in.

pytest finds it as soon as the package is installed. `--zone` chooses the form: `in-process` (the default), `served`, or
the URL of an emulator that runs already. What a zone needs is imported when a test asks for one, and not before. A test
that fails shows what its zones exchanged meanwhile.
"""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from wwspec_contracts.errors import ConfigurationError, ExtraMissingError, WWSpecError
from wwspec_contracts.extras import require
from wwspec_devtools.testing.failures import FailureReports

if TYPE_CHECKING:
    from wwspec_devtools.testing.zone import ServedZone, Zone

SCENE = "wwspec_scene"
SCOPE = "wwspec_zone_scope"
_MISSING = "[app]: missing "
_NO_ENV = (
    "; a zone of a test does not read .env: set the variables in conftest.py, or give the settings to "
    "Zone.in_process(app, settings={...})"
)
SCOPES = ("function", "class", "module", "package", "session")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--zone`, and the settings `wwspec_app`, `wwspec_scene` and `wwspec_zone_scope`."""
    parser.getgroup("wwspec_router").addoption(
        "--zone",
        default="in-process",
        metavar="FORM",
        help="zone of the tests: in-process, served, or an emulator's URL",
    )
    parser.addini("wwspec_app", "application folder of the fixture zone, from the root folder", default=".")
    parser.addini(SCENE, "scene file of the fixture zone's emulator, from the root folder", default="")
    parser.addini(SCOPE, f"which tests share a fixture zone: {', '.join(SCOPES)}", default="function")


def pytest_configure(config: pytest.Config) -> None:
    """Let failed tests show what their zone exchanged."""
    config.pluginmanager.register(FailureReports(), "wwspec_devtools.failures")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Spare tests that don't use Hypothesis its import, half a second: its plugin imports it to print a summary."""
    plugins = session.config.pluginmanager
    if "hypothesis" in sys.modules or plugins.hasplugin("dsession"):  # with pytest-xdist other processes have used it
        return
    if (plugin := plugins.get_plugin("hypothesispytest")) is not None:
        plugins.unregister(plugin)


def _scope(fixture_name: str, config: pytest.Config) -> Any:
    """Return which tests share a zone."""
    scope = config.getini(SCOPE)
    if scope not in SCOPES:
        raise pytest.UsageError(f"{SCOPE}: one of {', '.join(SCOPES)}, not {scope}")
    return scope


@pytest.fixture(scope="session")
def _wwspec_processes() -> "Iterator[list[ServedZone]]":
    """The processes of `--zone served`: they are renewed for each zone, which is faster than new ones."""
    processes: list[ServedZone] = []
    yield processes
    for each in processes:
        each.close()


@pytest.fixture(scope=_scope)
def zone(request: pytest.FixtureRequest, _wwspec_processes: "list[ServedZone]") -> "Iterator[Zone]":
    """The application in a zone of its own for each test; the setting `wwspec_zone_scope` lets tests share one."""
    try:
        require("testing", "the fixture zone", unused=("hypothesis",))
    except ExtraMissingError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None  # pytest.fail() would show both errors
    _import_httpx()
    from wwspec_devtools.child import ChildError
    from wwspec_devtools.testing.zone import Zone

    config = request.config
    form = config.getoption("--zone")
    app = config.rootpath / config.getini("wwspec_app")
    scene = config.rootpath / named if (named := config.getini(SCENE)) else None
    opened: Zone
    try:
        if form == "served":
            opened = _renew(_wwspec_processes, app, scene)
        else:
            opened = Zone.in_process(app, scene=scene) if form == "in-process" else Zone.connect(form, app)
    except (ConfigurationError, ChildError) as error:
        hint = _NO_ENV if _MISSING in str(error) and (app / ".env").is_file() else ""
        raise pytest.fail.Exception(f"{error}{hint}", pytrace=False) from None
    if form == "served":
        yield opened  # the next test renews it
        return
    with opened:
        yield opened


def _import_httpx() -> None:
    """Import it without its own command line, whose rich, where installed, takes longer than all the rest of it."""
    if "httpx" in sys.modules:
        return
    sys.modules["httpx._main"] = None  # type: ignore[assignment]  # no such module
    importlib.import_module("httpx")
    del sys.modules["httpx._main"]  # a test may want it


def _renew(processes: "list[ServedZone]", app: Path, scene: Path | None) -> "ServedZone":
    """Return processes that know nothing of what was before."""
    from wwspec_devtools.testing.zone import Zone

    for each in [*processes]:
        try:
            each.renew()
        except (WWSpecError, RuntimeError, OSError):  # a test has ended the emulator, or closed the zone
            processes.remove(each)
            each.close()
    if not processes:
        processes.append(Zone.serve(app, scene=scene))
    return processes[0]
