"""What pytest says of tests that call a handler that crashes. Each session runs in a process of its own."""

import os
import re

import pytest

from tests.support.apps import ROOT, write_files
from tests.support.command import pytest_session

APPLICATION = {
    "abilities/registry.toml": """
[passthrough]
prefix = "invoke_"

[abilities.shop]
handler = "abilities.shop:shop"
""",
    "abilities/shop.py": """
from wwspec_router import Context, Contract, Output, ability
from wwspec_contracts import sync_msg

class Request(Contract):
    token: str = ""
    cents: int = 0

class Reply(Output):
    share: int = 0

@ability
def shop(request: Request, ctx: Context) -> Reply:
    ctx.invoke(sync_msg.Request(limit=1))
    return Reply(share=100 // request.cents)
""",
    "pytest.ini": "[pytest]\ntestpaths = tests\npythonpath = .\n",
    "tests/test_shop.py": """
def test_before(zone):
    assert zone.call("shop", {"cents": 7}).reply == {"share": 14, "errcode": 0, "errmsg": "ok"}

def test_errcode(zone):
    assert zone.call("shop", {"token": "in clear"}).errcode == 0

def test_reply(zone):
    assert zone.call("shop").reply

def test_submitted(zone):
    assert zone.submit("shop").result().reply

def test_without_a_look(zone):
    zone.call("shop")

def test_the_platform_refuses(zone):
    assert zone.call("shop", {"cents": "many"}).errcode == 0
""",
}


@pytest.fixture(scope="module", params=["in-process", pytest.param("served", marks=pytest.mark.slow)])
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What pytest prints of the tests, in both forms of the zone that it starts itself."""
    folder = write_files(tmp_path_factory.mktemp("app"), APPLICATION)
    own = {"in-process": (), "served": ("-o", "wwspec_zone_scope=module")}[request.param]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = pytest_session(folder, "--zone", request.param, *own, environment=environment)
    assert done.returncode == 1, done.stdout + done.stderr
    return re.sub(r"internal error [0-9a-f]{6}", "internal error 7f3a9c", done.stdout)


def failure(report: str, test: str) -> str:
    """Return what is printed of one failed test."""
    found = re.search(rf"^_+ {test} _+$(.*?)(?=^_+ test_|^=+ )", report, re.MULTILINE | re.DOTALL)
    assert found, report
    return found[1]


def test_an_errcode_of_0_is_never_that_of_a_crashed_handler(report: str) -> None:
    assert "5 failed, 1 passed" in report
    text = failure(report, "test_errcode")
    assert "assert 710660 == 0" in text
    assert "<Answer shop: refused by the program with errcode 710660: internal error 7f3a9c>" in text


@pytest.mark.parametrize("test", ["test_reply", "test_submitted"])
def test_the_reply_of_a_crashed_handler_is_an_error_at_the_line_of_the_test(report: str, test: str) -> None:
    refusal = "CallRefusedError: shop: refused by the program with errcode 710660: internal error 7f3a9c"
    text = failure(report, test)
    assert refusal in text
    assert re.search(r"^tests/test_shop.py:\d+: CallRefusedError$", text, re.MULTILINE)
    assert "def raise_for_error" not in text


def test_a_test_that_does_not_look_at_the_answer_of_a_crashed_handler_is_red(report: str) -> None:
    text = failure(report, "test_without_a_look")
    refusal = "shop: refused by the program with errcode 710660: internal error 7f3a9c"
    assert f"a call was refused, and the test did not look at its answer:\n{refusal}\n" in text
    assert "failed: ZeroDivisionError integer division or modulo by zero" in text


def test_a_failed_test_shows_where_the_handler_raised_and_its_requests_masked(report: str) -> None:
    text = failure(report, "test_errcode")
    _, _, shown = text.partition("zone: requests and replies of this test, and the log of the program")
    assert (
        """
    request {
      "token": "***"
    }
    reply {
      "errcode": 710660,
      "errmsg": "internal error 7f3a9c"
    }
    sdk sync_msg: ok
        request {
          "limit": 1
        }
        reply {
"""
        in shown
    )
    assert '"cents": 7' not in shown, "an earlier test's"
    _, _, logged = shown.partition("ability shop failed")
    assert "ZeroDivisionError" in logged
    assert "shop.py" in logged


def test_a_call_that_the_platform_refuses_is_shown_too(report: str) -> None:
    text = failure(report, "test_the_platform_refuses")
    assert "assert 790016 == 0" in text
    assert "app sync_call_program: failed: input $.cents: " in text
