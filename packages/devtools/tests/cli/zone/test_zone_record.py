"""What an emulator has recorded, as a terminal shows it: lists, one exchange with its cause and why, and its test."""

import ast
import json
import os
import pty
import signal
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from click.testing import Result

from tests.cli.zone.conftest import Wwspec
from tests.support.emulator import Emulator, SealedProgram
from tests.support.forks import fork
from tests.support.waiting import DEADLINE, wait_until
from tests.support.zones import running_child
from wwspec_contracts.errcodes import ERRCODES, PROGRAM_ERRCODES, advice
from wwspec_devtools.cli.tables import moment
from wwspec_devtools.emulator.http.client import EmulatorClient

CRASH = '{"errcode": 710660, "errmsg": "internal error"}'
FRAMES = [
    {"file": "/shop/abilities/shop.py", "line": 12, "function": "buy", "code": "price = of(item)", "own": True},
    {"file": "/shop/prices.py", "line": 3, "function": "of", "code": "return 1 / 0", "own": True},
    {"file": "/lib/numbers.py", "line": 9, "function": "divide", "code": "raise", "own": False},
]


def rows(result: Result) -> list[tuple[str, str]]:
    """Return kind and name of each exchange that is printed as JSON."""
    assert result.exit_code == 0, result.output
    return [(row["kind"], row["name"]) for row in json.loads(result.stdout)]


def number_of(emulator: Emulator, kind: str, name: str) -> str:
    """Return the number of the newest entry of a kind and a name."""
    with EmulatorClient(emulator.url) as client:
        return str([row for row in client.traffic(kind=kind) if row["name"] == name][-1]["number"])


def send_trace(emulator: Emulator, **trace: Any) -> None:
    """Send what the program tells of its latest call or event."""
    call = next(each.call for each in reversed(emulator.platform.world.traffic.kept_entries()) if each.call)
    given = {"kind": "call", "outcome": "failed", "errcode": 710660, "milliseconds": {"total": 12.34, "sdk": 3.0}}
    emulator.http.post("/emulator/traces", json=[{"reference": call.request_id, **given, **trace}])


def test_a_failed_call_is_shown_with_its_error_the_applications_lines_first_and_its_log(
    wwspec: Wwspec, emulator: Emulator, program: SealedProgram
) -> None:
    program.reply = lambda call: CRASH
    emulator.call_program('{"item": "rice"}', "buy")
    failure = {"name": "ZeroDivisionError", "text": "division\nby zero", "frames": FRAMES}
    send_trace(
        emulator, failure=failure, lines=[{"at": 1.5, "level": "WARNING", "text": "no \x1b[2Jprice"}], lines_left_out=2
    )
    shown = wwspec("zone", "show", number_of(emulator, "call", "buy"), "--all").stdout
    lines = shown.splitlines()
    assert "buy  failed: ZeroDivisionError division" in lines[0]
    assert f"caused by {number_of(emulator, 'app', 'sync_call_program')}  app  sync_call_program" in lines
    at = lines.index(r"  ZeroDivisionError: division\nby zero")
    assert [line.strip() for line in lines[at + 1 : at + 7]] == [
        "/shop/prices.py:3 of     return 1 / 0",
        "/shop/abilities/shop.py:12 buy     price = of(item)",
        "and 1 line of libraries (--json has them)",
        r"1.5 ms  WARNING   no \x1b[2Jprice",
        "and 2 lines more",
        "12.3 ms: SDK 3.0",
    ]
    assert '    "item": "rice"' in lines
    fix, _ = advice(710660) or ("", "")
    at = lines.index("what it means, and what to do")
    assert lines[at + 1 : at + 3] == [f"  710660: {ERRCODES[710660].cause}", f"  {fix}"]
    assert all(line.isprintable() for line in lines)


def test_what_a_number_of_the_programs_own_means_is_shown_as_the_program_says(
    wwspec: Wwspec, emulator: Emulator, program: SealedProgram
) -> None:
    program.reply = lambda call: CRASH.replace("710660", "9003")
    emulator.call_program("{}", "buy")
    number = number_of(emulator, "call", "buy")
    assert "what it means" not in wwspec("zone", "show", number, "--all").stdout
    send_trace(emulator, errcode=9003, meaning="crash_errcode")
    lines = wwspec("zone", "show", number, "--all").stdout.splitlines()
    at = lines.index("what it means, and what to do")
    row = PROGRAM_ERRCODES["crash_errcode"]
    assert lines[at + 1 : at + 3] == [f"  9003: {row.cause}", f"  {row.fix}"]


def test_the_runs_of_a_job_are_shown_in_their_order_with_what_comes_next(wwspec: Wwspec, emulator: Emulator) -> None:
    emulator.receive_events()
    emulator.fire("hit_keyword")
    job = {"kind": "job", "attempts": 2}
    send_trace(emulator, **job, outcome="postponed", attempt=1, next_run=30)
    send_trace(emulator, kind="event", outcome="ok", errcode=0)
    send_trace(emulator, **job, attempt=2)
    shown = wwspec("zone", "show", number_of(emulator, "event", "hit_keyword"), "--all").stdout
    assert [line for line in shown.splitlines() if line.startswith(("run ", "the program"))] == [
        "the program: ok",
        "run 1 of 2 of the job: postponed, again in 30.0 s (710660)",
        "run 2 of 2 of the job: failed (710660)",
    ]


def test_an_event_is_shown_with_the_message_and_the_speaker_that_caused_it(wwspec: Wwspec, emulator: Emulator) -> None:
    emulator.receive_events()
    emulator.sdk("create_rule", {"name": "price", "keyword": {"word_list": ["offer"]}})
    wwspec("zone", "say", "lina", "an offer", "--to", "mahui")
    wait_until(lambda: len(rows(wwspec("zone", "traffic", "--kind", "event"))) == 2)
    for name in ("conversation_new_message", "hit_keyword"):
        number = number_of(emulator, "event", name)
        assert "\nlina (李娜) to mahui: an offer\n" in wwspec("zone", "show", number, "--all").stdout
    emulator.fire("hit_keyword")
    fired = wwspec("zone", "show", number_of(emulator, "event", "hit_keyword"), "--all").stdout
    assert "fired by a test" in fired
    assert "lina" not in fired
    emulator.fire("conversation_new_message")
    cause = json.loads(
        wwspec("zone", "show", number_of(emulator, "event", "conversation_new_message"), "--json").stdout
    )["cause"]
    newest = json.loads(wwspec("zone", "messages", "--limit", "1").stdout)[0]
    assert (cause["fired"], cause["message"]["msgid"]) == (True, newest["msgid"]), "the emulator makes a message of it"


def test_show_prints_text_in_a_pipe_and_names_an_entry_that_is_not_kept(wwspec: Wwspec, emulator: Emulator) -> None:
    emulator.call_program()
    assert wwspec("zone", "show", "2").stdout.startswith("#2 sync_call_program echo  ok ")
    assert json.loads(wwspec("zone", "show", "2", "--json").stdout)["name"] == "sync_call_program"
    missing = wwspec("zone", "show", "99")
    assert (missing.exit_code, missing.stdout) == (1, "")
    assert "no entry 99 is kept; there are 1 to 3" in missing.stderr
    assert wwspec("zone", "show", "x").exit_code == 2


def test_traffic_is_chosen_by_ability_errcode_failure_text_kind_and_number(
    wwspec: Wwspec, emulator: Emulator, program: SealedProgram
) -> None:
    emulator.call_program('{"item": "rice"}', "sell")
    program.reply = lambda call: CRASH
    emulator.call_program('{"item": "tea"}', "buy")
    failed = [("app", "sync_call_program"), ("call", "buy")]
    assert rows(wwspec("zone", "traffic", "--failed")) == failed
    assert rows(wwspec("zone", "traffic", "--errcode", "710660")) == failed
    assert rows(wwspec("zone", "traffic", "--errcode", "-10002")) == []
    assert rows(wwspec("zone", "traffic", "--ability", "sell", "--kind", "call")) == [("call", "sell")]
    assert rows(wwspec("zone", "traffic", "--text", "RICE")) == [("app", "sync_call_program"), ("call", "sell")]
    kinds = ("--kind", "call", "--kind", "sdk")
    assert rows(wwspec("zone", "traffic", *kinds)) == [("call", "sell"), ("call", "buy")]
    assert rows(wwspec("zone", "traffic", *kinds, "--since", "3")) == [("call", "buy")]
    assert wwspec("zone", "traffic", "--errcode", "many").exit_code == 2


def test_what_took_longest_is_printed_first_when_that_is_asked(
    wwspec: Wwspec, emulator: Emulator, program: SealedProgram
) -> None:
    def answer_later_than_before(call: Any) -> str:
        kept = emulator.platform.world.traffic.kept_entries()
        longest = max((each.duration or 0.0 for each in kept), default=0.0)
        begun = monotonic()
        wait_until(lambda: monotonic() > begun + longest + 0.002)  # durations are told in milliseconds
        return "{}"

    program.reply = answer_later_than_before
    for name in ("fast", "slow", "slower"):
        emulator.call_program("{}", name)
    slowest = ("zone", "traffic", "--kind", "call", "--slowest")
    assert rows(wwspec(*slowest, "2")) == [("call", "slower"), ("call", "slow")]
    assert [line.split()[5] for line in wwspec(*slowest, "--table").stdout.splitlines()] == ["call"] * 3
    assert "slower" in wwspec(*slowest, "--table").stdout.splitlines()[0]
    assert wwspec(*slowest, "0").exit_code == 2


def test_only_what_fails_is_followed_when_that_is_asked(
    emulator: Emulator, program: SealedProgram, tmp_path: Path
) -> None:
    output = tmp_path / "output"
    emulator.call_program("{}", "sell")
    program.reply = lambda call: CRASH
    emulator.call_program("{}", "buy")
    arguments = ["zone", "tail", "--since", "0", "--failed", "--kind", "call", "--url", emulator.url]
    with running_child(arguments, output=output) as child:
        wait_until(lambda: "buy" in output.read_text())
        emulator.call_program("{}", "sell")
        emulator.call_program("{}", "again")
        wait_until(lambda: '"again"' in output.read_text())
        child.process.send_signal(signal.SIGINT)
        assert child.process.wait(DEADLINE) == 0
    followed = {json.loads(line)["name"] for line in output.read_text().splitlines()}
    assert followed == {"buy", "again", "sell"}, "sell failed the second time"


def test_a_list_is_a_table_on_a_terminal_and_json_in_a_pipe(wwspec: Wwspec, emulator: Emulator) -> None:
    emulator.sdk("spec_notify_app", {"notify_id": "n1", "notify_scene": 7})
    [row] = json.loads(wwspec("zone", "notifications").stdout)
    assert (row["notify_id"], row["state"]) == ("n1", "recorded")
    ours, its = pty.openpty()
    command = ["zone", "notifications", "--url", emulator.url]
    assert fork(command, {**os.environ, "NO_COLOR": "1"}, [its] * 3).wait(DEADLINE) == 0
    os.close(its)
    head, line, *_ = os.read(ours, 10_000).decode().splitlines()
    os.close(ours)
    assert head.split() == ["time", "notify_id", "scene", "state", "attempts"]
    assert line.rstrip() == f"{moment(row['create_time'])}  n1         7      recorded  0"
    assert wwspec("zone", "notifications", "--table").stdout.splitlines() == [head, line]


def test_the_test_of_an_entry_is_the_console_s(wwspec: Wwspec, emulator: Emulator, program: SealedProgram) -> None:
    program.reply = lambda call: '{"price": 5}'
    emulator.call_program('{"item": "rice"}', "buy")
    printed = wwspec("zone", "test", "2")
    answer = emulator.http.post("/emulator/test", json={"number": 2}).json()
    assert printed.stdout == answer["test"]["source"]
    assert 'assert answer.reply == {"price": 5}' in printed.stdout
    ast.parse(printed.stdout)
    assert "shape" in wwspec("zone", "test", "2", "--asserts", "shape").stdout
    assert wwspec("zone", "test", "2", "--asserts", "nothing").exit_code == 2
    refused = wwspec("zone", "test", "1")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr.startswith("Error: no test repeats entry 1: name an event, a call of an ability, or")
    assert "no entry 9 is kept" in wwspec("zone", "test", "9").stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["call", "buy", "--wait", "7m"], "'--wait': must be a number of seconds from 0 on, such as 30, not '7m'"),
        (["task", "jobid_1", "--wait", "-1"], "'--wait': must be a number of seconds from 0 on, such as 30, not '-1'"),
        (["emulate", "--call-timeout", "5s"], "'--call-timeout': must be a number of seconds from 0.1 on, such as 30"),
        (["serve", "--grace", "1h"], "'--grace': must be a number of seconds from 0 on, not '1h'"),
        (
            ["zone", "fault", "sdk", "latency", "2s"],
            "must be a code such as 45009, or a number of seconds such as 2.5, not '2s'",
        ),
    ],
)
def test_a_wrong_time_is_answered_with_the_unit_it_has(wwspec: Wwspec, arguments: list[str], said: str) -> None:
    wrong = wwspec(*arguments)
    assert wrong.exit_code == 2
    assert said in wrong.stderr
