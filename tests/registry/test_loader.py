from pathlib import Path

import pytest

from tests.support.apps import ROOT, check_app, python, write_files
from wwspec_contracts.errors import LoaderError
from wwspec_router.registry.loader import Application

EMPTY = "from wwspec_contracts.base import ApiRequest, Contract, Output\n"
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
ONLY_REGISTRY = "[passthrough]\nprefix = 'invoke_'\napis = '*'\n[abilities.get_callback_data]\nkind = 'callback_data'\n"
WECOM = ROOT / "packages/contracts/wwspec_contracts"
SHIPPED_APIS = {path.stem for path in (WECOM / "api").glob("[!_]*.py")}
SHIPPED_EVENTS = {path.stem for path in (WECOM / "events").glob("[!_]*.py")}


def fault(app: Path, *path: Path) -> str:
    """Return what `wwspec check` says of an application that does not load."""
    code, printed = check_app(app, path=path)
    assert (code, printed[:7]) == (1, "Error: ")
    assert "Traceback" not in printed
    return printed[7:].rstrip("\n").replace(str(app.resolve()), "APP")


@pytest.fixture
def app(tmp_path: Path) -> Path:
    return write_files(tmp_path / "app", APP)


def test_a_small_application_loads_from_any_folder(app: Path) -> None:
    assert check_app(app) == (
        0,
        f"{app}/abilities/registry.toml: 1 ability, {len(SHIPPED_APIS) + 1} SDK APIs, "
        f"{len(SHIPPED_EVENTS) + 1} events (2 of these contracts of its own): no fault\n",
    )


def test_the_application_goes_before_a_foreign_package_of_the_same_name(app: Path, tmp_path: Path) -> None:
    foreign = write_files(tmp_path / "site", {"schemas/__init__.py": "raise RuntimeError", "abilities/__init__.py": ""})
    assert check_app(app, path=(foreign,))[0] == 0


@pytest.mark.parametrize("wanted_module", [{"schemas/api/__init__.py": ""}, {}])
def test_a_foreign_package_in_front_is_refused(app: Path, tmp_path: Path, wanted_module: dict[str, str]) -> None:
    foreign = write_files(tmp_path / "site", {"schemas/__init__.py": "", **wanted_module})
    assert fault(app, foreign, app) == (
        f"schemas was imported from {foreign}/schemas, not from APP: "
        "another package named schemas comes first; uninstall or rename it"
    )


@pytest.mark.parametrize("package", ["schemas", "abilities"])
def test_a_folder_without_init_is_a_package_before_a_foreign_one(app: Path, tmp_path: Path, package: str) -> None:
    foreign = write_files(tmp_path / "site", {f"{package}/__init__.py": "raise RuntimeError"})
    (app / package / "__init__.py").unlink()
    assert check_app(app, path=(foreign,))[0] == 0


def test_a_folder_that_is_named_as_a_module_of_python_is_refused(app: Path) -> None:
    write_files(app, {"abilities/registry.toml": "[abilities.a]\nhandler = 'wave.hello:hello'\n", "wave/hello.py": ""})
    assert fault(app).endswith("wave is a module of Python itself; the application's own modules are in APP")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("\n1 / 0\n", "ping.py:2: ZeroDivisionError: division by zero"),
        (
            "import nowhere.deep\n",
            "ping.py:1: it needs nowhere, which is not installed: pip install it, and name it in requirements.txt",
        ),
        ("\nx = = 1\n", "ping.py:2: SyntaxError: invalid syntax"),
        ("from schemas.api import _helper\n", "_helper.py:1: NameError: name 'undefined' is not defined"),
        (
            "from wwspec_router import Output\nclass Reply(Output):\n    members: int\n",
            "ping.py:2: TypeError: members needs a default: a field above has one, in an Output errcode",
        ),
        (
            "from wwspec_router import Contract\nclass Asked(Contract):\n    names: list[str] = ['a']\n",
            "ping.py:2: TypeError: ['a'] would be shared: write msgspec.field(default_factory=lambda: ['a'])",
        ),
        ("class Stop(BaseException): pass\nraise Stop('now')\n", "ping.py:2: Stop: now"),
    ],
)
def test_a_contract_module_that_does_not_load_is_told(app: Path, text: str, reason: str) -> None:
    write_files(app, {"schemas/api/ping.py": text, "schemas/api/_helper.py": "undefined\n"})
    assert fault(app) == f"schemas.api.ping can't be imported: schemas/api/{reason}"


REQUEST = "Request as a subclass of wwspec_contracts.base.ApiRequest"


@pytest.mark.parametrize(
    ("name", "text", "lacks"),
    [
        ("api/ping", "class Response(Output): pass\n", REQUEST),
        ("api/ping", "class Request(ApiRequest): pass\n", "Response as a subclass of wwspec_contracts.base.Output"),
        ("api/ping", "Request = 3\n", REQUEST),
        ("events/pinged", "", "Event as a subclass of wwspec_contracts.base.Contract"),
    ],
)
def test_a_contract_module_must_define_its_classes(app: Path, name: str, text: str, lacks: str) -> None:
    write_files(app, {f"schemas/{name}.py": EMPTY + text})
    assert fault(app) == f"schemas/{name}.py: must define {lacks}"


def test_a_broken_application_does_not_hide_the_faults_of_its_registry(app: Path) -> None:
    write_files(app, {"schemas/events/pinged.py": "", "abilities/registry.toml": "[progam]\n"})
    message = fault(app)
    assert "[progam]: unknown table; did you mean program?" in message
    assert "schemas/events/pinged.py: must define Event" in message


@pytest.mark.parametrize(
    ("api", "message"),
    [
        ("table: dict[str, int] = {}", "Request $.table: a mapping: the platform lets only listed keys pass"),
        ("text: str | None = None", "Request $.text: may be null, which the platform refuses"),
        ("one: 'Nowhere'", "Request $: not a type that msgspec takes: name 'Nowhere' is not defined"),
        ("one: Request | Response", "Request $: not a type that msgspec takes: If a type union contains multiple "),
    ],
)
def test_a_contract_that_the_platform_can_not_take_is_told_with_its_path(app: Path, api: str, message: str) -> None:
    module = f"class Response(Output):\n    pass\n\n\nclass Request(ApiRequest[Response]):\n    {api}\n"
    write_files(app, {"schemas/api/ping.py": f"from __future__ import annotations\n{EMPTY}{module}"})
    assert fault(app).startswith(f"schemas/api/ping.py: {message}")


def test_an_event_of_the_application_that_disagrees_with_a_shipped_one_is_told_as_the_culprit(app: Path) -> None:
    event = EMPTY + "class Event(Contract):\n    hit_keyword: str\n"
    write_files(app, {"schemas/events/another.py": event})  # sorted by name it comes before the shipped one
    assert fault(app).startswith("schemas/events/another.py: hit_keyword has another type than in another event")


def test_a_registry_file_is_an_application(tmp_path: Path) -> None:
    app = write_files(tmp_path / "app", {"abilities/registry.toml": ONLY_REGISTRY})
    assert check_app(app) == (
        0,
        f"{app}/abilities/registry.toml: {len(SHIPPED_APIS) + 1} abilities, {len(SHIPPED_APIS)} SDK APIs, "
        f"{len(SHIPPED_EVENTS)} events: no fault\n",
    )


def test_a_missing_folder_is_told_with_the_option_that_names_another(tmp_path: Path) -> None:
    with pytest.raises(LoaderError, match="there is no such folder; name the application's folder with --app"):
        Application(tmp_path / "nowhere")


REPLACING = {
    "abilities/registry.toml": "".join(
        [
            "[passthrough]\nprefix = 'invoke_'\n\n[abilities.get_callback_data]\nkind = 'callback_data'\n",
            *(f"[abilities.{name}]\nhandler = 'abilities.asking:{name}'\n" for name in ("own", "shipped")),
        ]
    ),
    "abilities/asking.py": """
from schemas.api import sync_msg
from wwspec_router import Context, Contract, Output, ability
from wwspec_contracts import sync_msg as shipped_sync_msg

class Result(Output):
    text: str = ""

@ability
def own(request: Contract, ctx: Context) -> Result:
    return Result(text=ctx.invoke(sync_msg.Request(brand="new")).colour)

@ability
def shipped(request: Contract, ctx: Context) -> Result:
    return Result(text=ctx.invoke(shipped_sync_msg.Request(limit=7)).next_cursor)
""",
    "schemas/api/sync_msg.py": """
from wwspec_contracts.base import ApiRequest, Output

class Response(Output):
    colour: str = ""

class Request(ApiRequest[Response]):
    brand: str
""",
    "schemas/events/hit_keyword.py": """
from wwspec_contracts.base import Contract

class Event(Contract):
    event_type: str
    timestamp: int
    hit_keyword: str
""",
}


def test_a_contract_of_the_application_is_used_instead_of_the_shipped_one_unless_a_handler_imports_that(
    tmp_path: Path,
) -> None:
    app = write_files(tmp_path / "app", REPLACING)
    program = """
import logging, sys
from pathlib import Path
from wwspec_devtools.console_contracts.described import console_contract
from wwspec_router.envelope import Call
from wwspec_router.kernel.dispatch import Dispatcher
from wwspec_router.registry.table import build_table
from wwspec_router.stores import open_store

class Sdk:
    is_emulated = False

    def client(self, *_):
        return self

    def invoke(self, api, request):
        print(api, request)
        return '{"colour": "red", "next_cursor": "next"}'

logging.disable()
app = Path(sys.argv[1])
table = build_table(app, app / "abilities" / "registry.toml")
kernel = Dispatcher(table, Sdk(), open_store("memory:"))

def ask(ability_id):
    call = Call(corpid="corp", agentid=1, call_type=1, ability_id=ability_id, data="{}", notify_id="")
    return kernel.dispatch(call).text

sync_msg = console_contract(table.abilities["invoke_sync_msg"])
print(list(sync_msg.input), list(sync_msg.output))
print(console_contract(table.abilities["get_callback_data"]).output["hit_keyword"])
print(list(console_contract(table.abilities["invoke_get_group_chat"]).input))
print(ask("own"))
print(ask("shipped"))
"""
    assert python(program, app).splitlines() == [
        "['brand'] ['errcode', 'errmsg', 'colour']",
        "text",
        "['chatid']",
        'sync_msg {"brand":"new"}',
        '{"errcode":0,"errmsg":"ok","text":"red"}',
        'sync_msg {"limit":7}',
        '{"errcode":0,"errmsg":"ok","text":"next"}',
    ]
