"""`wwspec fuzz`: cases that an application answers badly, each as a test that repeats it."""

import ast
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import Phase, given, settings, strategies as st

from tests.support.apps import write_files
from tests.support.command import Done, pytest_session, wwspec
from wwspec_contracts import create_rule, get_group_chat, search_msg, sync_msg
from wwspec_devtools.emulator.state.faults import FaultSpec
from wwspec_devtools.fuzz.campaign import Case, Finding, repeating_test
from wwspec_devtools.fuzz.requests import almost_fitting, fitting
from wwspec_router.registry.loader import Application

SLOW = pytest.mark.slow  # plays hundreds of calls, some of them late

REGISTRY = """
[abilities.greet]
handler = "abilities.greet:greet"
[abilities.wait]
handler = "abilities.greet:wait"
timeout = 0.2
[abilities.sound]
handler = "abilities.greet:sound"
[events.auth_knowledge_base]
handler = "abilities.greet:on_knowledge_base"
notify = "after"
[events.hit_keyword]
handler = "abilities.greet:on_keyword"
notify = "after"
"""
HANDLERS = """
import threading

from wwspec_router import ApiError, Context, Contract, EventContext, Output, ability
from wwspec_contracts import get_group_chat, get_rule_list
from wwspec_contracts.events import auth_knowledge_base, hit_keyword

class Ask(Contract):
    names: list[str] = []
    limit: int = 0

class Result(Output):
    text: str = ""

@ability
def greet(request: Ask, ctx: Context) -> Result:
    return Result(text=request.names[0])  # LINE

@ability
def wait(request: Ask, ctx: Context) -> Result:
    if len(request.names) > 1:
        threading.Event().wait(0.5)
    return Result()

@ability
def sound(request: Ask, ctx: Context) -> Result:
    try:
        group = ctx.invoke(get_group_chat.Request(chatid="".join(request.names)))
    except ApiError as error:
        return Result(text=error.message)
    return Result(text=group.creator)

def on_knowledge_base(event: auth_knowledge_base.Event, ctx: EventContext) -> None:
    rules = ctx.invoke(get_rule_list.Request(), check=False)
    if rules.errcode != 0:
        raise LookupError(rules.errmsg)  # EVENT LINE

def on_keyword(event: hit_keyword.Event, ctx: EventContext) -> Result:
    return Result(text="seen")
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    return write_files(
        tmp_path / "app",
        {"abilities/__init__.py": "", "abilities/greet.py": HANDLERS, "abilities/registry.toml": REGISTRY},
    )


def fuzz(app: Path, *arguments: str) -> Done:
    return wwspec(app, "fuzz", "--seed", "1", "--examples", "50", *arguments)


def require_red_until(app: Path, test: str, fixed: str) -> None:
    """Run the printed test as a person does: it fails, and passes once the handlers are fixed."""
    write_files(app, {"tests/test_found.py": test})
    assert pytest_session(app, "-q", "tests").returncode == 1
    write_files(app, {"abilities/greet.py": fixed})
    done = pytest_session(app, "-q", "tests")
    assert done.returncode == 0, done.stdout


@SLOW
def test_a_crash_is_found_at_its_line_and_its_test_is_red_until_it_is_fixed(app: Path) -> None:
    found = fuzz(app, "greet")
    assert found.returncode == 1, found.stderr
    line = 1 + HANDLERS.splitlines().index("    return Result(text=request.names[0])  # LINE")
    assert f"# IndexError at abilities/greet.py:{line}: list index out of range" in found.stdout
    assert found.stdout.count("def test_") == 1, "one fault is found once, however many cases show it"
    assert 'zone.call("greet")' in found.stdout, "the case is as small as it can be"
    assert "add_fault" not in found.stdout
    assert found.stderr.splitlines()[-1] == "1 ability or event, seed 1: 1 finding"
    assert fuzz(app, "greet").stdout == found.stdout, "the same seed tries the same cases"
    require_red_until(app, found.stdout, HANDLERS.replace("request.names[0]", "''.join(request.names)"))


@SLOW
def test_a_handler_that_takes_too_long_is_found(app: Path) -> None:
    found = fuzz(app, "wait")
    assert found.returncode == 1, found.stderr
    assert "def test_1_wait_answers_in_time(zone: Zone) -> None:" in found.stdout
    assert '{"names": ["", ""]}' in found.stdout


@SLOW
def test_handlers_that_answer_whatever_happens_and_events_have_no_findings(app: Path) -> None:
    found = fuzz(app, "sound", "hit_keyword")
    assert (found.returncode, found.stdout) == (0, ""), found.stdout
    assert found.stderr.splitlines() == [
        "sound: 50 cases, no findings",
        "hit_keyword: 50 cases, no findings",
        "2 abilities and events, seed 1: no findings",
    ]


@SLOW
def test_a_crash_of_code_on_an_event_is_found_and_its_test_is_red_until_it_is_fixed(app: Path) -> None:
    found = fuzz(app, "auth_knowledge_base")
    assert found.returncode == 1, found.stderr
    line = next(number for number, text in enumerate(HANDLERS.splitlines(), 1) if text.endswith("# EVENT LINE"))
    assert f"# LookupError at abilities/greet.py:{line}: " in found.stdout
    require_red_until(app, found.stdout, HANDLERS.replace("raise LookupError(rules.errmsg)", "return"))


def test_a_name_that_is_not_there_names_the_near_one(app: Path) -> None:
    found = fuzz(app, "great")
    assert found.returncode == 1
    assert "there is no ability and no event great; did you mean greet?" in found.stderr


@pytest.mark.parametrize("type_", [sync_msg.Request, search_msg.Request, create_rule.Request, get_group_chat.Request])
@given(data=st.data())
def test_requests_that_fit_are_taken_by_msgspec(type_: Any, data: st.DataObject) -> None:
    msgspec.convert(data.draw(fitting(type_)), type_)


def test_every_contract_of_wecom_has_requests_that_fit_and_some_that_do_not(tmp_path: Path) -> None:
    for contract in Application(tmp_path).api_contracts().values():
        assert outcomes_of(contract.request) == {True, False}, contract.name


class BothError(Exception):
    """There are both outcomes, so no further request is tried."""


def outcomes_of(request: Any) -> set[bool]:
    """Return whether requests that almost fit did fit."""
    outcomes: set[bool] = set()

    @settings(max_examples=15, database=None, phases=[Phase.generate])  # of each of 43 contracts
    @given(value=almost_fitting(request))
    def try_it(value: Any) -> None:
        try:
            msgspec.convert(value, request)
        except msgspec.ValidationError:
            outcomes.add(False)
        else:
            outcomes.add(True)
        if len(outcomes) == 2:
            raise BothError

    with suppress(BothError):
        try_it()
    return outcomes


TEXTS = st.text(st.characters(exclude_categories=())) | st.sampled_from(['"', "'", '"""', "\\", "\n", "\x00", "\ud800"])
REQUESTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
)


@pytest.mark.slow  # generated texts; the tests above have some
@given(target=TEXTS, what=TEXTS, text=TEXTS, request=st.dictionaries(TEXTS, REQUESTS), faults=st.booleans())
def test_whatever_a_program_says_the_printed_test_is_one_function_that_sends_the_request(
    target: str, what: str, text: str, request: dict[str, Any], faults: bool
) -> None:
    disturbances = (FaultSpec(on="sdk", effect="latency", value=0.1, count=1),) if faults else ()
    case = Case(target, is_event=False, request=request, disturbances=disturbances)
    source = repeating_test(Finding(case, "crash", what, text), 1, "an event's token")
    (function,) = ast.parse(source).body
    assert isinstance(function, ast.FunctionDef)
    values = {
        each.targets[0].id: each.value
        for each in ast.walk(function)
        if isinstance(each, ast.Assign) and isinstance(each.targets[0], ast.Name)
    }
    call = values["answer"]
    assert isinstance(call, ast.Call)
    ability, *given = (values["request"] if isinstance(each, ast.Name) else each for each in call.args)
    assert ast.literal_eval(ability) == target
    assert [ast.literal_eval(each) for each in given] == ([request] if request else [])


def test_a_request_that_is_no_object_is_sent_as_its_json_text_and_a_token_as_that_of_an_event() -> None:
    case = Case("greet", is_event=False, request="x")
    assert """zone.call("greet", '"x"')""" in repeating_test(Finding(case, "crash", "ValueError"), 1, "t1")
    case = Case("greet", is_event=False, request={"token": "t1", "text": "t12"})
    source = repeating_test(Finding(case, "crash", "ValueError"), 1, "t1")
    assert 'answer = zone.call("greet", {"token": token, "text": "t12"})' in source
    assert 'token = event["conversation_new_message"]["token"]' in source


@given(data=st.data())
def test_known_values_are_asked_with(data: st.DataObject) -> None:
    value = data.draw(fitting(get_group_chat.Request, {"chatid": ["known"]}))
    assert isinstance(value["chatid"], str)
