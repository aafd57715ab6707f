"""The public application: in a test client, with what a team adds, and what it refuses to be built from.

`serving/test_servers.py` has it under servers.
"""

import os
import re
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from tests.support.apps import python_anew, write_files
from tests.support.sdk import standin_as_vendor
from wwspec_contracts.errors import ConfigurationError
from wwspec_devtools.testing.memory import MemoryServer
from wwspec_router.asgi import create_app
from wwspec_router.process.cores import Cores

APP = {
    "abilities/__init__.py": "",
    "abilities/registry.toml": "[abilities.greet]\nhandler = 'abilities.own:greet'\n",
    "abilities/own.py": """
from wwspec_router import Contract, Output, ability

class Request(Contract):
    name: str = ""

class Reply(Output):
    text: str = ""

@ability
def greet(request: Request) -> Reply:
    return Reply(text=f"Hello, {request.name}!")
""",
    "wwspec.toml": "[serve]\nsdk = 'emulator'\n",
}


IN_A_TEST_CLIENT = """
import asyncio, gc, logging, signal, sys, time, warnings
from pathlib import Path

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Starlette has begun to ask for httpx2
    from starlette.testclient import TestClient

from wwspec_router.asgi import create_app
from wwspec_devtools.emulator.standin.wwspec_standin import seal

def effects():
    return (
        gc.isenabled(), gc.get_threshold(), gc.get_freeze_count(), logging.getLogger().handlers[:],
        logging.getLogger().level, signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT), sys.excepthook,
    )

async def loop_handler():
    return asyncio.get_running_loop().get_exception_handler()

before = effects()
with TestClient(create_app()) as client:
    assert client.portal.call(loop_handler) is None
    assert effects() == before, (before, effects())
    assert (client.get("/readyz").text, client.get("/").status_code) == ("ok\\n", 405)
    key = Path("zone.key").read_bytes()
    content = seal.CallContent(
        corpid="wwtest", agentid=1, call_type=1, ability_id="greet", data='{"name": "Ann"}', request_id="1_1",
        is_async=False, job_info="", timestamp=int(time.time()),
    )
    sealed = seal.seal_call(key, content)
    answer = client.post("/", content=sealed.body, headers=sealed.headers)
    print(seal.open_reply(key, answer.headers.items(), answer.text).text)
without_lifespan = TestClient(create_app())
print(without_lifespan.post("/").status_code, without_lifespan.get("/readyz").text, end="")
"""


def test_a_test_client_calls_it_and_nothing_of_the_process_is_changed(tmp_path: Path) -> None:
    """With a vendor's SDK, whose log the root logger would get, and settings from the environment."""
    write_files(tmp_path, APP)
    (tmp_path / "zone.key").write_bytes(os.urandom(32))
    sdk = standin_as_vendor(tmp_path / "sdk")
    settings = {"APP": str(tmp_path), "SDK": "vendor", "EMULATOR_URL": f"local:{tmp_path}"}
    environment = {**os.environ, **{f"WWSPEC_{name}": value for name, value in settings.items()}}
    script = f"import os\nos.chdir({str(tmp_path)!r})\n{IN_A_TEST_CLIENT}"
    assert python_anew(script, path=[sdk], env=environment).splitlines() == [
        '{"errcode":0,"errmsg":"ok","text":"Hello, Ann!"}',
        "503 not running",
    ]


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WWSPEC_APP", str(tmp_path))
    registry = {"abilities/registry.toml": "[abilities.messages]\napi = 'sync_msg'\n"}
    return write_files(tmp_path, registry | {"wwspec.toml": "[serve]\nsdk = 'emulator'\nstore = 'memory:'\n"})


@pytest.mark.parametrize("processes", ["", "2", "auto"])
def test_a_store_that_processes_do_not_share_is_refused_unless_one_process_is_declared(
    app: Path, monkeypatch: pytest.MonkeyPatch, processes: str
) -> None:
    if processes:
        monkeypatch.setenv("WWSPEC_WORKERS", processes)
    monkeypatch.setattr("wwspec_router.config.usable_cores", lambda: Cores(2, "a test says so"))
    with pytest.raises(ConfigurationError, match=r"--store memory:: .* or one process with .* WWSPEC_WORKERS=1$"):
        create_app()
    monkeypatch.setenv("WWSPEC_WORKERS", "1")
    create_app()
    monkeypatch.delenv("WWSPEC_WORKERS")
    with (app / "wwspec.toml").open("a") as file:
        file.write("workers = 1\n")
    create_app()


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("QUEUE", "many", "WWSPEC_QUEUE: must be a whole number from 0 on, not 'many'"),
        ("SDK", "vendor", "wwspecapisdk"),
        ("DEBUG_TOKEN", "a-token", "WWSPEC_ACCESS_TOKEN go together"),
    ],
)
def test_settings_that_serve_refuses_are_refused(
    app: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, problem: str
) -> None:
    monkeypatch.setenv("WWSPEC_WORKERS", "1")
    create_app()
    monkeypatch.setenv(f"WWSPEC_{name}", value)
    with pytest.raises(ConfigurationError, match=re.escape(problem)):
        create_app()


@pytest.mark.parametrize(
    ("client", "allowed", "status"),
    [
        ("127.0.0.1", "", 200),
        ("::1", "", 200),
        ("192.0.2.1", "", 403),
        ("2001:db8::1", "", 403),
        ("192.0.2.1", "1", 200),
    ],
)
async def test_with_the_emulators_sdk_other_machines_are_refused(
    app: Path, monkeypatch: pytest.MonkeyPatch, client: str, allowed: str, status: int
) -> None:
    monkeypatch.setenv("WWSPEC_WORKERS", "1")
    monkeypatch.setenv("WWSPEC_ALLOW_REMOTE", allowed or "0")
    assert (await asked(create_app(), "GET", "/healthz", client)).status_code == status


async def mark(request: Request, call_next: RequestResponseEndpoint) -> Response:
    response = await call_next(request)
    response.headers["x-mark"] = "1"
    return response


def own(_: Request) -> PlainTextResponse:
    return PlainTextResponse("own")


async def asked(app: ASGIApp, method: str, path: str, client: str = "127.0.0.1") -> httpx.Response:
    transport = httpx.ASGITransport(app, client=(client, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://program") as http:
        return await http.request(method, path)


@pytest.fixture
def direct(app: Path, monkeypatch: pytest.MonkeyPatch) -> Starlette:
    """An application without middleware: calls take the short way."""
    for name in ("WORKERS", "ALLOW_REMOTE"):
        monkeypatch.setenv(f"WWSPEC_{name}", "1")
    return create_app()


async def test_middleware_that_a_team_adds_sees_calls_and_all_else(direct: Starlette) -> None:
    direct.add_middleware(BaseHTTPMiddleware, dispatch=mark)
    for method, path, status in (("POST", "/", 503), ("GET", "/healthz", 200), ("GET", "/none", 404)):
        answer = await asked(direct, method, path)
        assert (answer.status_code, answer.headers.get("x-mark")) == (status, "1")


def test_middleware_is_refused_once_the_application_runs(direct: Starlette) -> None:
    with MemoryServer(direct, "program"), pytest.raises(RuntimeError, match="after an application has started"):
        direct.add_middleware(BaseHTTPMiddleware, dispatch=mark)


async def test_a_route_and_a_mount_that_a_team_adds_are_reached_and_ours_stay(direct: Starlette) -> None:
    direct.add_route("/own", own)
    direct.mount("/below", Starlette(routes=[Route("/own", own)]))
    for path, text in (("/own", "own"), ("/below/own", "own"), ("/readyz", "not running")):
        assert (await asked(direct, "GET", path)).text.strip() == text
    assert [(await asked(direct, *each)).status_code for each in (("GET", "/"), ("GET", "/none"), ("POST", "/"))] == [
        405,
        404,
        503,
    ]


async def test_a_route_before_ours_goes_first(direct: Starlette) -> None:
    direct.router.routes.insert(0, Route("/", own, methods=["POST"]))
    assert (await asked(direct, "POST", "/")).text == "own"


async def test_mounted_under_a_path_it_answers_there(direct: Starlette) -> None:
    parent = Starlette(routes=[Mount("/zone", direct)])
    for method, path, status in (("GET", "/zone/healthz", 200), ("POST", "/zone/", 503), ("GET", "/zone/none", 404)):
        assert (await asked(parent, method, path)).status_code == status
    assert (await asked(parent, "GET", "/zone/")).status_code == 405
