"""Why a call failed, below its answer in a terminal: the error, the line of the application, where all of it is."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.support.emulator import Emulator, SealedProgram
from tests.support.failing_app import failing_app
from tests.support.waiting import wait_until
from tests.support.zones import running_child, serve_zone
from wwspec_devtools.testing.zone import Zone
from wwspec_router.cli.main import main

REGISTRY = "abilities/registry.toml"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return failing_app(tmp_path_factory.mktemp("app"))


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[Zone]:
    with serve_zone(folder, serve=("--retry-pause", "0.02")) as zone:
        yield zone


def run(url: str, *arguments: str) -> Result:
    """Run the command line with the emulator's URL in the environment."""
    return CliRunner().invoke(main, arguments, env={"WWSPEC_EMULATOR_URL": url, "NO_COLOR": "1"})


def line_of(file: Path, text: str) -> int:
    """Return the number of the first line with a text."""
    return 1 + next(number for number, line in enumerate(file.read_text("utf-8").splitlines()) if text in line)


def place(folder: Path, function: str, code: str) -> str:
    """Return the line about a frame."""
    return f"{folder}/shop.py:{line_of(folder / 'shop.py', code)} {function}     {code}"


def page(zone: Zone, kind: str) -> str:
    """Return the address of the latest entry of a kind."""
    return f"{zone.client.url}/#/timeline/{zone.client.traffic(kind=kind)[-1]['number']}"


def test_a_call_prints_its_error_and_the_line_that_raised_below_the_answer(served: Zone, folder: Path) -> None:
    result = run(served.client.url, "call", "total", '{"text": "no number"}')
    assert result.exit_code == 1
    assert json.loads(result.stdout)["errcode"] == 710660, "and nothing else"
    *shown, error = result.stderr.splitlines()
    assert (
        "total  failed: JSONDecodeError Expecting value: line 1 column 1 (char 0)  710660 by the program, " in shown[0]
    )
    assert [line.split()[0] for line in shown[1:]] == ["at", "from", "asked", "got", "log", "time", "next", "page"]
    assert shown[1] == f"  at     {place(folder, 'parsed', 'return int(json.loads(text))')}"
    assert shown[2] == f"  from   {place(folder, 'total', 'return Sum(sum=parsed(request.text))')}"
    assert shown[3] == '  asked  {"text":"no number"}'
    assert shown[5] == "  log    printed <img src=x onerror=alert(1)>"
    assert shown[-1] == f"  page   {page(served, 'call')}"
    assert error.startswith("Error: total: refused by the program with errcode 710660")
    number = shown[0].split()[0].removeprefix("#")
    assert run(served.client.url, "zone", "show", number).stdout.splitlines() == shown, "the same"


def test_an_asynchronous_call_prints_the_error_of_its_job(served: Zone, folder: Path) -> None:
    result = run(served.client.url, "call", "--async", "later", '{"text": "no number"}')
    assert json.loads(result.stdout)["errcode"] == 710660
    assert f"  at     {place(folder, 'parsed', 'return int(json.loads(text))')}" in result.stderr.splitlines()
    assert f"  page   {page(served, 'call')}" in result.stderr.splitlines()


def test_a_call_that_is_answered_prints_nothing_more(served: Zone) -> None:
    assert run(served.client.url, "call", "later", '{"text": "3"}').stderr == ""


def test_a_wrong_output_is_shown_with_its_value_its_handler_its_row_and_what_to_do(served: Zone, folder: Path) -> None:
    shown = run(served.client.url, "call", "wrong", '{"text": "three"}').stderr.splitlines()
    assert "wrong  failed: output $.sum: int expected, str found  " in shown[0]
    handler, row = line_of(folder / "shop.py", "def wrong("), line_of(folder / REGISTRY, "[abilities.wrong]")
    assert shown[1:4] == [
        '  value    "three"',
        f"  handler  {folder}/shop.py:{handler} wrong     {folder / REGISTRY}:{row} [abilities.wrong]",
        "  fix      return int there, or declare sum: str and register the contract anew",
    ]


def test_an_event_prints_where_to_see_what_becomes_of_it(served: Zone) -> None:
    fired = run(served.client.url, "fire", "hit_keyword")
    assert fired.exit_code == 0
    assert json.loads(fired.stdout)["event"]["event_type"] == "hit_keyword"
    number = fired.stderr.rsplit("/", 1)[1].strip()
    url = served.client.url
    assert fired.stderr == f"what becomes of it: `wwspec zone show {number} --url {url}`, {page(served, 'event')}\n"
    wait_until(lambda: served.client.entry(int(number))["verdict"] == "failed")
    shown = run(url, "zone", "show", number).stdout
    assert shown.startswith(f"#{number} hit_keyword  failed: ValueError no such group <script>")


def test_tail_of_what_failed_prints_the_same_lines(served: Zone, folder: Path, tmp_path: Path) -> None:
    failed = run(served.client.url, "call", "total", '{"text": "no number"}').stderr.splitlines()[:-1]
    output = tmp_path / "output"
    with running_child(["zone", "tail", "--failed", "--table", "--url", served.client.url], output=output):
        wait_until(lambda: "\n".join(failed) in output.read_text())


def test_what_a_program_tells_steers_no_terminal(zone: tuple[Emulator, SealedProgram]) -> None:
    emulator, program = zone

    def reply(call: Any) -> str:
        frame = {"file": "/shop\x1b[2J.py", "line": 1, "function": "f", "code": "x\ny", "own": True}
        failure = {"name": "KeyError", "text": "\x1b]0;title\x07", "frames": [frame]}
        trace = {"kind": "call", "outcome": "failed", "milliseconds": {"total": 1}, "failure": failure}
        emulator.http.post("/emulator/traces", json=[{"reference": call.request_id, **trace}])
        return '{"errcode": 710660, "errmsg": "internal error"}'

    program.reply = reply
    printed = run(emulator.url, "call", "echo").stderr
    assert r"failed: KeyError \x1b]0;title\x07" in printed
    assert all(line.isprintable() for line in printed.splitlines())
