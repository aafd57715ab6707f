from pathlib import Path

import pytest

from tests.support.apps import ROOT, check_app, python, write_files
from wwspec_router.errors import LoaderError
from wwspec_router.registry.loader import Application

EMPTY = "from wwspec_router.contracts import ApiRequest, Contract, Output\n"
APP = {
    "abilities/__init__.py": "",
    "abilities/hello.py": (
        "from wwspec_router import Contract, Output, ability\n\n\n@ability\n"
        "def hello(request: Contract) -> Output:\n    return Output()\n"
    ),
    "abilities/registry.toml": "[abilities.hello]\nhandler = 'abilities.hello:hello'\n",
    "schemas/__init__.py": "",
    "schemas/api/__init__.py": "",
    "schemas/api/ping.py": EMPTY
    + "class Response(Output):\n    pass\n\n\nclass Request(ApiRequest[Response]):\n    pass\n",
    "schemas/events/__init__.py": "",
    "schemas/events/pinged.py": EMPTY + "class Event(Contract):\n    event_type: str\n    timestamp: int\n",
    "schemas/api/_private.py": "raise RuntimeError('private modules are not contracts')\n",
}


def fault(app: Path, *path: Path) -> str:
    """Return what `wwspec check` says of an application that does not load."""
    code, printed = check_app(app, path=path)
    assert (code, printed[:7]) == (1, "Error: ")
    assert "Traceback" not in printed
    return printed[7:].rstrip("\n").replace(str(app.resolve()), "APP")


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """A small application without a fault."""
    return write_files(tmp_path / "app", APP)


def test_a_small_application_loads_from_any_folder(app: Path) -> None:
    assert check_app(app) == (0, f"{app}/abilities/registry.toml: 1 abilities, 1 SDK APIs, 1 events: no fault\n")


def test_the_application_goes_before_a_foreign_package_of_the_same_name(app: Path, tmp_path: Path) -> None:
    foreign = write_files(tmp_path / "site", {"schemas/__init__.py": "raise RuntimeError", "abilities/__init__.py": ""})

    assert check_app(app, path=(foreign,))[0] == 0


def test_a_foreign_package_that_comes_before_the_application_is_refused(app: Path, tmp_path: Path) -> None:
    foreign = write_files(tmp_path / "site", {"schemas/__init__.py": "", "schemas/api/__init__.py": ""})

    assert fault(app, foreign, app) == (
        f"schemas was imported from {foreign}/schemas, not from APP: "
        "another package named schemas comes first; uninstall or rename it"
    )


def test_a_foreign_package_without_the_wanted_module_is_told_as_such(app: Path, tmp_path: Path) -> None:
    foreign = write_files(tmp_path / "site", {"schemas/__init__.py": ""})

    assert fault(app, foreign, app) == (
        f"schemas was imported from {foreign}/schemas, not from APP: "
        "another package named schemas comes first; uninstall or rename it"
    )


def test_a_package_that_was_imported_from_elsewhere_before_is_refused(app: Path, tmp_path: Path) -> None:
    foreign = write_files(tmp_path / "site", {"schemas/__init__.py": "", "schemas/api/__init__.py": ""})
    program = (
        "import sys, schemas\nfrom pathlib import Path\nfrom wwspec_router.errors import LoaderError\n"
        "from wwspec_router.registry.loader import Application\n"
        "try:\n    Application(Path(sys.argv[1])).api_contracts()\nexcept LoaderError as error:\n    print(error)\n"
    )

    assert "another package named schemas comes first" in python(program, app, path=(foreign,))


@pytest.mark.parametrize("package", ["schemas", "abilities"])
def test_a_folder_without_init_is_told_with_the_mend(app: Path, package: str) -> None:
    (app / package / "__init__.py").unlink()

    assert fault(app).endswith(f"{package} has no __init__.py; add an empty one in APP")


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        (
            "ping",
            "\n1 / 0\n",
            "schemas.api.ping can't be imported: ZeroDivisionError: division by zero (ping.py, line 2)",
        ),
        (
            "ping",
            "import nowhere.deep\n",
            "schemas.api.ping can't be imported: it needs nowhere, which is not installed",
        ),
        ("ping", "\nx = = 1\n", "schemas.api.ping can't be imported: SyntaxError: invalid syntax (ping.py, line 2)"),
        (
            "ping",
            "from schemas.api import _helper\n",
            "schemas.api.ping can't be imported: NameError: name 'undefined' is not defined (_helper.py, line 1)",
        ),
        ("ping", "\nraise SystemExit\n", "schemas.api.ping can't be imported: SystemExit: (ping.py, line 2)"),
        (
            "ping",
            EMPTY + "class Response(Output): pass\n",
            "schemas.api.ping must define Request as a subclass of wwspec_router.contracts.ApiRequest",
        ),
        (
            "ping",
            EMPTY + "class Request(ApiRequest): pass\n",
            "schemas.api.ping must define Response as a subclass of wwspec_router.contracts.Output",
        ),
        (
            "ping",
            EMPTY + "Request = 3\n",
            "schemas.api.ping must define Request as a subclass of wwspec_router.contracts.ApiRequest",
        ),
    ],
    ids=["error", "missing package", "syntax", "error in an import", "exit", "no Request", "no Response", "no class"],
)
def test_a_contract_module_that_does_not_load_is_told(app: Path, name: str, text: str, told: str) -> None:
    write_files(app, {f"schemas/api/{name}.py": text, "schemas/api/_helper.py": "undefined\n"})

    assert fault(app) == told


def test_an_event_module_must_define_its_event(app: Path) -> None:
    write_files(app, {"schemas/events/pinged.py": ""})

    assert fault(app) == "schemas.events.pinged must define Event as a subclass of wwspec_router.contracts.Contract"


def test_a_broken_application_does_not_hide_the_faults_of_its_registry(app: Path) -> None:
    write_files(app, {"schemas/events/pinged.py": "", "abilities/registry.toml": "[progam]\n"})

    told = fault(app)
    assert "[progam]: unknown table; did you mean program?" in told
    assert "schemas.events.pinged must define Event" in told


@pytest.mark.parametrize("missing", ["schemas", "schemas/api", "schemas/events"])
def test_a_missing_package_is_told(tmp_path: Path, missing: str) -> None:
    files = {name: text for name, text in APP.items() if not name.startswith(f"{missing}/")}
    app = write_files(tmp_path / "app", files)

    assert fault(app) == f"{missing.replace('/', '.')}: there is no such module in APP"


def test_a_missing_folder_is_told_with_the_option_that_names_another(tmp_path: Path) -> None:
    with pytest.raises(LoaderError, match="there is no such folder; name the application's folder with --app"):
        Application(tmp_path / "nowhere")


def test_contracts_are_found_by_the_name_of_their_module() -> None:
    application = Application(ROOT)
    contracts, events = application.api_contracts(), application.event_contracts()

    assert set(contracts) == {path.stem for path in (ROOT / "schemas" / "api").glob("[!_]*.py")}
    assert set(events) == {path.stem for path in (ROOT / "schemas" / "events").glob("[!_]*.py")}
    for name, contract in contracts.items():
        assert contract.request.__module__ == contract.response.__module__ == f"schemas.api.{name}"
