"""Writes what was found as a pytest test that repeats the case, with the fixture `zone`."""

import re
from pprint import pformat

from wwspec_router.errors import CallError, HandlerTimeoutError
from wwspec_router.testing.fuzz.campaign import MISFITS, UNANSWERED, Case, Disturbance, Finding, Kind

__all__ = ["HEAD", "test_of"]

_NAMES: dict[Kind, str] = {
    "misfit": "answers_within_its_contract",
    "crash": "does_not_crash",
    "hang": "answers_in_time",
}
WIDTH = 100
HEAD = '''"""Cases that wwspec fuzz has found."""

from wwspec_router.testing.fuzz.crashes import listening  # noqa: F401 - for code on events
from wwspec_router.testing.zone import Zone
'''
"""The beginning of a file of tests."""


def test_of(finding: Finding, number: int, token: str) -> str:
    """Return the text of a test function that fails while the application answers the case badly.

    Args:
        finding: What was found.
        number: Makes the function's name its own.
        token: Of an event; the test gets one of its own.
    """
    case = finding.case
    name = re.sub(r"\W+", "_", case.target).strip("_").lower() or "ability"
    lines = [
        f"def test_{number}_{name}_{_NAMES[finding.kind]}(zone: Zone) -> None:",
        f"    # {finding.what}{f': {finding.text}' if finding.text else ''}",
    ]
    if case.runs_code:
        return "\n".join([*lines, *_of_code(case)]) + "\n"
    call = [line.replace(repr(token), "token") for line in _call(case)]
    if call != _call(case):
        lines += [
            '    event = zone.fire("conversation_new_message")["event"]',
            '    token = event["conversation_new_message"]["token"]',
        ]
    lines += [f"    {_fault(each)}" for each in case.disturbances]
    shown = "reply" if case.is_event else "answer.refusal"
    body = [*call, f"assert {_expected(finding)}, {shown}"]
    if case.disturbances:
        lines += [
            "    try:",
            *(f"        {line}" for line in body),
            "    finally:",
            "        zone.client.clear_faults()",
        ]
    else:
        lines += [f"    {line}" for line in body]
    return "\n".join(lines) + "\n"


test_of.__test__ = False  # type: ignore[attr-defined]  # not one of pytest's


def _of_code(case: Case) -> list[str]:
    """Return the lines of a test of code on an event; it sees the program's log when the zone is in this process."""
    return [
        "    with listening() as crashes:",
        *(f"        {_fault(each)}" for each in case.disturbances),
        f'        zone.client.fire("{case.target}")',
        *(["        crashes.wait_for_run()", "        zone.client.clear_faults()"] if case.disturbances else []),
        '        assert crashes.wait_for_code(), "the code has not ended"',
        '        assert crashes.take() == ("", "")',
    ]


def _fault(fault: Disturbance) -> str:
    value = f", value={fault.value:g}" if fault.value else ""
    count = f", count={fault.count}" if fault.count is not None else ""
    return f'zone.client.add_fault("{fault.on}", "{fault.effect}"{value}{count})'


def _call(case: Case) -> list[str]:
    if case.is_event:
        return [f'reply = zone.client.fire("{case.target}")["reply"]']
    request = pformat(case.request, width=WIDTH - 24, sort_dicts=False).splitlines()
    request = [request[0], *(f"    {line}" for line in request[1:])]
    first, *rest = f'answer = zone.call("{case.target}", {request[0]}', *request[1:]
    return [*[first, *rest][:-1], f"{[first, *rest][-1]})"]


def _expected(finding: Finding) -> str:
    errmsg = "reply" if finding.case.is_event else "answer.errmsg"
    match finding.kind:
        case "misfit":
            return f"answer.errcode not in {MISFITS}"
        case "crash":
            return f'"{CallError.default_message}" not in {errmsg}'
        case "hang":
            in_time = f'"{HandlerTimeoutError.default_message}" not in {errmsg}'
            return in_time if finding.case.is_event else f"answer.errcode not in {UNANSWERED} and {in_time}"
