"""The zone: which ability a request of an SDK API calls, and what an answer says."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.apps import ROOT
from tests.support.waiting import DEADLINE
from wwspec_contracts.base import Contract, Output
from wwspec_contracts.errors import ConfigurationError, JsonError
from wwspec_devtools.testing.answer import Answer, read_reply
from wwspec_devtools.testing.notifications import ability_id_of
from wwspec_devtools.testing.zone import Zone

PASSTHROUGH = "[passthrough]\nprefix = 'ask_'\napis = {}\n"
ROWS = "[abilities.history]\napi = 'sync_msg'\n"


@pytest.mark.parametrize(
    ("text", "ability_id"),
    [
        (PASSTHROUGH.format("'*'"), "ask_sync_msg"),
        (PASSTHROUGH.format("['sync_msg']") + ROWS, "ask_sync_msg"),
        (PASSTHROUGH.format("['get_group_chat']") + ROWS, "history"),
        (ROWS, "history"),
    ],
)
def test_the_registry_file_says_which_ability_calls_an_api(tmp_path: Path, text: str, ability_id: str) -> None:
    assert ability_id_of("sync_msg", registry(tmp_path, text)) == ability_id


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no ability calls SDK API sync_msg: name the ability"),
        (ROWS + "[abilities.again]\napi = 'sync_msg'\n", "history, again all call SDK API sync_msg: name the ability"),
    ],
)
def test_an_api_that_not_exactly_one_ability_calls_is_refused_with_the_fix(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(ConfigurationError, match=said):
        ability_id_of("sync_msg", registry(tmp_path, text))


def registry(folder: Path, text: str) -> Path:
    path = folder / "registry.toml"
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize("raw", ["[1]", '"text"', "{}", '{"errcode": 0}', '{"errcode": "none", "errmsg": 5}', "7"])
def test_any_reply_without_an_errcode_refuses_nothing(raw: str) -> None:
    answer = read_reply("echo", raw)
    assert (answer.errcode, answer.errmsg, answer.refused_by, answer.refusal) == (0, "ok", None, "")
    assert answer.raise_for_error() is answer
    assert answer.reply is answer.reply, "it is decoded once"
    assert repr(answer) == "<Answer echo: ok>"


def test_a_refusal_is_one_line_and_a_failed_job_has_the_text_of_its_result() -> None:
    answer: Answer[object] = Answer("echo", 790014, "no fit", "platform", "", "read the contract")
    assert answer.refusal == "echo: refused by the platform with errcode 790014: no fit; read the contract"
    answer = read_reply("job_1", '{"errcode": 9, "errmsg": "own"}', reported=9)
    assert (answer.refused_by, answer.errcode, answer.errmsg) == ("program", 9, "own")
    assert read_reply("job_1", "", reported=9).errmsg == "the program gives no errmsg"


def test_a_reply_of_another_type_is_named() -> None:
    class Wanted(Contract):
        size: int

    answer = read_reply("echo", '{"size": "x"}', Wanted)
    with pytest.raises(JsonError, match=r"^echo: the reply is no .*Wanted: Expected `int`, got `str` - at `\$.size`"):
        _ = answer.reply


def test_answers_are_equal_when_they_say_the_same() -> None:
    one, other = read_reply("echo", '{"size": 1}'), read_reply("echo", '{"size": 1}', Output)
    assert one.reply == {"size": 1}
    assert one == other


def test_several_machines_within_one_process_are_refused_with_the_way_to_get_them() -> None:
    said = r"one process is one machine: several need Zone.serve\(app, machines=3"
    with pytest.raises(ConfigurationError, match=said):
        Zone.in_process(ROOT, machines=3)


OPENED = f"""
import sys
import threading
from pathlib import Path
from wwspec_devtools.testing.zone import Zone

with Zone.in_process(Path({str(ROOT)!r})) as zone:
    answer = zone.call("invoke_sync_msg", {{"limit": 1}})
print(answer.errcode, *sys.modules)
for thread in threading.enumerate()[1:]:
    thread.join({DEADLINE})  # anyio's are told to end, and not awaited
print(*(thread.name for thread in threading.enumerate()))
"""


def test_a_zone_loads_the_contracts_of_the_apis_that_are_called_and_leaves_no_thread_behind() -> None:
    """To make the examples of all 43 takes longer than all else at its start; tests make thousands of zones."""
    done = subprocess.run([sys.executable, "-c", OPENED], cwd=ROOT, capture_output=True, text=True, check=True)
    reply, threads = done.stdout.splitlines()
    errcode, *modules = reply.split()
    assert (errcode, threads) == ("0", "MainThread")
    assert "wwspec_contracts.api.sync_msg" in modules
    assert "wwspec_contracts.api.create_customer_tag_task" not in modules
