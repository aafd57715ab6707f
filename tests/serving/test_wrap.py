"""`wwspec serve --wrap`: what a function of the application adds is served, and the process is watched as ever."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.serving.service import Serve, Service
from tests.support.apps import write_files
from tests.support.command import forked
from tests.support.sdk import standin_as_vendor
from tests.support.tables import for_each
from tests.support.waiting import DEADLINE, wait_until

WEB = """
from contextlib import contextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import Mount

class Marking:
    def __init__(self, app):
        self._app = app

    async def __call__(self, scope, receive, send):
        async def marked(message):
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-mark", b"1")]
            await send(message)

        await self._app(scope, receive, marked)

def marked(app):
    app.add_middleware(Marking)
    return app

def outside(app):
    return Marking(app)

def mounted(app):
    return Marking(Starlette(routes=[Mount("/", app)]))  # whose lifespan does not reach ours

def bare(app):
    return app

@contextmanager
def lifespan():
    yield
    Path(__file__).with_name("closed").touch()
"""


def wrapped(serve: Serve, function: str, *options: str) -> Service:
    rows = "\n[program]\nlifespan = 'web:lifespan'\n"
    return serve("--wrap", f"web:{function}", *options, files={"web.py": WEB}, rows=rows)


@pytest.mark.parametrize("function", ["marked", "outside", "mounted"])
def test_calls_and_all_else_pass_what_the_function_adds_until_the_program_stops(
    serve: Serve, tmp_path: Path, pool: ThreadPoolExecutor, function: str
) -> None:
    service = wrapped(serve, function, "--workers", "2")
    assert [service.get(path).headers["x-mark"] for path in ("/healthz", "/none")] == ["1", "1"]
    (first, *_) = service.pids(2)
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: "is replaced" in service.log)
    call, pid = service.begin(pool, "wait", "door")
    service.process.terminate()
    wait_until(service.refuses)
    (tmp_path / "door").touch()
    assert call.result(DEADLINE) == pid
    assert service.process.wait(DEADLINE) == 0
    assert (tmp_path / "closed").exists()


def test_a_call_that_runs_for_longer_than_the_grace_is_answered_as_without_the_function(
    serve: Serve, pool: ThreadPoolExecutor
) -> None:
    service = wrapped(serve, "bare", "--grace", "0.1")
    call, _ = service.begin(pool, "wait", "door")
    service.process.terminate()
    with pytest.raises(httpx.HTTPStatusError, match="503"):
        call.result(DEADLINE)
    service.process.wait(DEADLINE)
    assert "Exception in ASGI application" not in service.log


def test_connections_beyond_the_limit_are_refused(serve: Serve) -> None:
    service = wrapped(serve, "bare", "--connections", "2")
    with ExitStack() as stack:
        clients = [stack.enter_context(httpx.Client(base_url=service.url, trust_env=False)) for _ in range(3)]
        assert [client.get("/healthz").status_code for client in clients] == [200, 200, 503]


FAULTS = {
    "faults.py": """
async def no_lifespan(scope, receive, send):
    assert scope["type"] == "http"

number = 1

def raises(app):
    raise RuntimeError("no such folder")

def nothing(app):
    app.add_route("/own", nothing)

def without_lifespan(app):
    return no_lifespan
""",
    "broken.py": "import of nothing\n",
}
PLACE = "Error: --wrap"


@for_each(
    [
        ("faults", f'{PLACE}: "faults" must have the form "faults:function"'),
        ("fault:wrap", f"{PLACE}: fault: there is no such module in "),
        ("faults:raise", f'{PLACE}: "faults:raise": module faults has no attribute raise; did you mean raises?'),
        ("broken:wrap", f"{PLACE}: broken can't be imported: broken.py:1: SyntaxError: invalid syntax"),
        ("faults:number", f"{PLACE} faults:number: name a function, not int"),
        ("faults:raises", f"{PLACE} faults:raises: faults.py:8: RuntimeError: no such folder"),
        ("faults:nothing", f"{PLACE} faults:nothing: it returns an object of NoneType; let it return the application"),
        ("faults:without_lifespan", f"{PLACE} faults:without_lifespan: the lifespan of the application that it"),
    ]
)
def test_a_function_that_can_not_be_used_is_an_error_with_place_and_fix_at_the_start(
    wrap: str, message: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("program")
    write_files(folder, {**FAULTS, "abilities/registry.toml": "[abilities.messages]\napi = 'sync_msg'\n"})
    (folder / "zone.key").write_bytes(os.urandom(32))
    environment = {**os.environ, "WWSPEC_EMULATOR_URL": f"local:{folder}", "WWSPEC_WRAP": wrap}
    sdk = standin_as_vendor(folder / "sdk")
    done = forked(["serve", "--port", "0", "--store", "memory:"], folder, environment, path=[folder, sdk])
    assert done.returncode == 1, done.stderr
    assert done.stderr.startswith(message), done.stderr
    assert "Traceback" not in done.stdout + done.stderr
