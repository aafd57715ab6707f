"""The fixture `zone`: no test sees what another one leaves behind, and none touches the developer's files.

Each session of pytest runs in a process of its own.
"""

import os
import sys
from pathlib import Path

import pytest

from tests.support.apps import ROOT, write_files
from tests.support.command import pytest_session, wwspec
from tests.support.processes import UNMEASURED, finished

APPLICATION = {
    "abilities/registry.toml": """
[program]
lifespan = "abilities.visits:lifespan"
[passthrough]
prefix = "invoke_"
[abilities.get_callback_data]
kind = "callback_data"
[abilities.visit]
handler = "abilities.visits:visit"
[abilities.order]
handler = "abilities.visits:order"
[abilities.order.once]
key = "id"
[abilities.greet]
handler = "abilities.visits:greet"
""",
    "abilities/visits.py": """
import os
import sqlite3
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path

from schemas.api import say_hello
from wwspec_router import Context, Contract, Output, ability

NUMBERS = count(1)

@contextmanager
def lifespan():
    var = Path(os.environ.get("WWSPEC_VAR", Path(__file__).parents[1] / "var"))
    with closing(sqlite3.connect(var / "visits.db", isolation_level=None, check_same_thread=False)) as db:
        db.execute("CREATE TABLE IF NOT EXISTS visits (number)")
        yield db

class Count(Output):
    visits: int = 0

@ability
def visit(request: Contract, ctx: Context[sqlite3.Connection]) -> Count:
    ctx.state.execute("INSERT INTO visits VALUES (1)")
    return Count(visits=ctx.state.execute("SELECT count(*) FROM visits").fetchone()[0])

class Order(Contract):
    id: str

@ability
def order(request: Order) -> Count:
    return Count(visits=next(NUMBERS))

class Greeting(Output):
    text: str = ""

@ability
def greet(request: Contract, ctx: Context) -> Greeting:
    return Greeting(text=ctx.invoke(say_hello.Request()).text)
""",
    "schemas/api/say_hello.py": """
from wwspec_contracts.base import ApiRequest, Output

class Response(Output):
    text: str = ""

class Request(ApiRequest[Response]):
    pass
""",
    "var/visits.db": "",
    "pytest.ini": "[pytest]\ntestpaths = tests\npythonpath = .\n",
    "tests/test_isolation.py": """
import pytest

ORDERS = []

@pytest.mark.parametrize("number", [1, 2])
def test_nothing_is_left_of_another_test(zone, number):
    assert zone.call("visit").reply["visits"] == 1, "of the program's own files"
    assert zone.client.faults() == []
    assert zone.client.notifications() == []
    assert zone.client.rules()["rules"] == []
    assert [each["name"] for each in zone.client.traffic(kind="call")] == ["visit"]
    ORDERS.append(zone.call("order", {"id": "a"}).reply["visits"])
    assert zone.call("order", {"id": "a"}).reply["visits"] == ORDERS[-1]
    zone.fire("hit_keyword")
    zone.answer("sync_msg", {"errcode": 45009})
    zone.submit("visit").result()

def test_a_call_that_runs_once_has_run_once_in_each(zone):
    assert len(ORDERS) == 2
    assert list(zone.var.iterdir()) == [zone.var / "visits.db"]

def test_an_api_that_the_emulator_lacks_is_answered_by_hand(zone):
    assert "-10006" in zone.call("greet").errmsg
    zone.answer("say_hello", {"errcode": 0, "errmsg": "ok", "text": "hello"}, times=1)
    assert zone.call("greet").reply["text"] == "hello"
    assert "-10006" in zone.call("greet").errmsg

def test_a_zone_that_a_test_has_ended(zone):
    zone.close()

def test_is_replaced_by_another_one(zone):
    assert zone.call("visit").reply["visits"] == 1
""",
}


def session(folder: Path, *arguments: str) -> tuple[str, int]:
    """Return what a session of pytest prints, and its exit code."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = pytest_session(folder, "-q", *arguments, environment=environment)
    return done.stdout + done.stderr, done.returncode


@pytest.mark.parametrize("form", ["in-process", pytest.param("served", marks=pytest.mark.slow)])  # seven processes
def test_each_test_has_a_zone_for_itself_and_none_touches_var(tmp_path: Path, form: str) -> None:
    folder = write_files(tmp_path, APPLICATION)
    said, code = session(folder, "--zone", form, "tests/test_isolation.py")
    assert code == 0, said
    assert "6 passed" in said
    assert (folder / "var" / "visits.db").read_bytes() == b""
    assert [each.name for each in (folder / "var").iterdir()] == ["visits.db"]


def test_tests_share_a_zone_when_the_settings_say_so(tmp_path: Path) -> None:
    text = 'def test_one(zone):\n    zone.call("visit")\n\n\ndef test_two(zone):\n    '
    text += 'assert zone.call("visit").reply["visits"] == 2\n'
    folder = write_files(tmp_path, {**APPLICATION, "tests/test_shared.py": text})
    said, code = session(folder, "-o", "wwspec_zone_scope=module", "tests/test_shared.py")
    assert code == 0, said


SCENE = """
[[employees]]
userid = "anna"

[emulator]
app_type = "self"

[[faults]]
on = "sdk"
effect = "errcode"
value = 45009
api = "sync_msg"
"""


@pytest.mark.parametrize("form", ["in-process", pytest.param("served", marks=pytest.mark.slow)])  # two processes
def test_a_zone_has_the_registry_file_and_the_scene_that_the_settings_name(tmp_path: Path, form: str) -> None:
    text = """
def test_it(zone):
    info = zone.client.info()
    assert (list(info["employees"]), info["app_type"]) == (["anna"], "self")
    assert zone.call("invoke_sync_msg").errcode == 45009
    assert zone.call("visit").reply["visits"] == 1
"""
    named = {"wwspec.toml": '[serve]\nregistry = "registry.toml"\n', "tests/scene.toml": SCENE}
    folder = write_files(tmp_path, {**APPLICATION, **named, "tests/test_named.py": text})
    (folder / "abilities" / "registry.toml").rename(folder / "registry.toml")
    assert wwspec(folder, "check").returncode == 0
    said, code = session(folder, "--zone", form, "-o", "wwspec_scene=tests/scene.toml", "tests/test_named.py")
    assert code == 0, said
    said, code = session(folder, "--zone", form, "-o", "wwspec_scene=tests/none.toml", "tests/test_named.py")
    assert (code, f"{folder}/tests/none.toml: there is no such file" in said) == (1, True)


def test_a_scope_that_there_is_not_is_refused_with_the_others(tmp_path: Path) -> None:
    said, code = session(write_files(tmp_path, APPLICATION), "-o", "wwspec_zone_scope=modul", "tests/test_isolation.py")
    assert code != 0
    assert "wwspec_zone_scope: one of function, class, module, package, session, not modul" in said


SAYING = """
import sys

def pytest_unconfigure(config):
    print(f"imported: {'hypothesis' in sys.modules}, plugin: {config.pluginmanager.hasplugin('hypothesispytest')}")
"""
USING = """
from hypothesis import given, strategies

@given(strategies.integers())
def test_a_number(number):
    assert number == 0
"""


@pytest.mark.slow  # a new interpreter
def test_a_session_with_tests_of_hypothesis_keeps_its_plugin(tmp_path: Path) -> None:
    write_files(tmp_path, {"conftest.py": SAYING, "test_one.py": USING})
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q"]
    environment = {**os.environ, **UNMEASURED, "PYTHONPATH": str(ROOT)}
    done = finished(*command, cwd=tmp_path, env=environment)
    assert done.returncode == 1
    assert "test_a_number(\n" in done.stdout
    assert done.stdout.endswith("imported: True, plugin: True\n")
