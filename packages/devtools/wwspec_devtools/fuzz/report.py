"""Writes what was found as a pytest test that repeats the case, with the fixture `zone`."""

import msgspec

from wwspec_contracts.errors import HandlerTimeoutError
from wwspec_contracts.source_text import literal
from wwspec_devtools.emulator.pytests.python import STEP, call, replaced
from wwspec_devtools.emulator.pytests.steps import EVENT_TOKEN, TOKEN, ability_call, add_fault, function, under_faults
from wwspec_devtools.fuzz.campaign import MISFITS, UNANSWERED, Case, FailureKind, Finding
from wwspec_router.kernel.crashes import SAID

_NAMES: dict[FailureKind, str] = {
    "misfit": "answers_within_its_contract",
    "crash": "does_not_crash",
    "hang": "answers_in_time",
}
HEAD = '''"""Cases that wwspec fuzz has found."""

from wwspec_devtools.fuzz.crashes import listening  # noqa: F401 - for code on events
from wwspec_devtools.testing.zone import Zone
'''
"""The beginning of a file of tests."""


def repeating_test(finding: Finding, number: int, token: str) -> str:
    """Return the text of a test function that fails as long as the application answers the case badly.

    Args:
        finding: What was found.
        number: Makes the function's name unique.
        token: The token of the search's event; the test gets another one, and uses that.
    """
    case = finding.case
    lines = _of_code(case) if case.runs_code else _of_answer(finding, token)
    comment = f"{finding.what}{f': {finding.text}' if finding.text else ''}"
    return function(f"{number}_{case.target}", _NAMES[finding.kind], lines, [comment])


def _of_code(case: Case) -> list[str]:
    """Return the lines of a test of code on an event. The test needs a zone in its own process, to read the log."""
    waiting = ["        crashes.wait_for_run()", "        zone.client.clear_faults()"] if case.disturbances else []
    return [
        "    with listening() as crashes:",
        *(add_fault(each, 2 * STEP) for each in case.disturbances),
        call("zone.client.fire", [literal(case.target)], 2 * STEP),
        *waiting,
        '        assert crashes.wait_for_code(), "the code has not ended"',
        '        assert crashes.pop() == ("", "")',
    ]


def _of_answer(finding: Finding, token: str) -> list[str]:
    case = finding.case
    indent = 2 * STEP if case.disturbances else STEP
    if case.is_event:
        before, sent = [], call("reply = zone.client.fire", [literal(case.target)], indent, after='["reply"]')
    else:
        is_holder = isinstance(case.request, dict | list)  # `Zone.call` takes other values as JSON text
        given = case.request if is_holder else msgspec.json.encode(case.request).decode()
        request = replaced(given, lambda _, value: TOKEN if value == token else value)
        *before, sent = ability_call("answer = zone.call", case.target, request, indent=indent)
        before = [*(EVENT_TOKEN if request != given else ()), *before]
    check = f"{' ' * indent}assert {_expected(finding)}, {'reply' if case.is_event else 'answer.refusal'}"
    return [*before, *under_faults(case.disturbances, [sent, check])]


def _expected(finding: Finding) -> str:
    errmsg = "reply" if finding.case.is_event else "answer.errmsg"
    match finding.kind:
        case "misfit":
            return f"answer.errcode not in {MISFITS}"
        case "crash":
            return f'"{SAID}" not in {errmsg}'
        case "hang":
            in_time = f'"{HandlerTimeoutError.default_message}" not in {errmsg}'
            return in_time if finding.case.is_event else f"answer.errcode not in {UNANSWERED} and {in_time}"
