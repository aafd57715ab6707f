"""Parts of the tests of recorded exchanges and of `wwspec fuzz`. The tests use the fixture `zone`."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from wwspec_contracts.source_text import Name
from wwspec_contracts.support.printable import printable
from wwspec_devtools.emulator.pytests.python import STEP, assignment, call, fits, literal
from wwspec_devtools.emulator.state.faults import ANSWER, FaultSpec

TOKEN = Name("token")
"""The token of an event, in a request."""
EVENT_TOKEN = (
    '    event = zone.fire("conversation_new_message")["event"]',
    '    token = event["conversation_new_message"]["token"]',
)
"""Lines of a test that get the token."""


def function(subject: str, what: str, lines: Iterable[str], comments: Iterable[str] = ()) -> str:
    """Return a test.

    Args:
        subject: What is tested: any text.
        what: What it does, as part of the name.
        lines: Of the body.
        comments: Before the body: any texts.
    """
    name = re.sub(r"[^a-z0-9_]+", "_", subject.lower()).strip("_") or "ability"
    notes = (f"    # {printable(each)}" for each in comments)
    return "\n".join([f"def test_{name}_{what}(zone: Zone) -> None:", *notes, *lines, ""])


def ability_call(
    head: str, ability: str, request: Any, *more: str, name: str = "request", indent: int = STEP, after: str = ""
) -> list[str]:
    """Return the lines of a call of an ability. The last one is the call; a long request is assigned before it.

    Args:
        head: Such as `answer = zone.call`.
        ability: Its ID.
        request: A JSON value with names in it; a text is JSON text.
        more: Python source of further arguments.
        name: Of the variable for a long request.
        indent: Columns before the call.
        after: What follows the call.
    """
    if request == {} and not more:
        return [call(head, [literal(ability)], indent, after)]
    line = call(head, [literal(ability), literal(request), *more], indent, after)
    if fits(line):
        return [line]
    return [assignment(name, request), call(head, [literal(ability), name, *more], indent, after)]


def add_fault(fault: FaultSpec, indent: int = STEP) -> str:
    """Return the line that sets a fault, or an answer by hand."""
    if fault.effect == ANSWER:
        times = [] if fault.count is None else [f"times={fault.count}"]
        return call("zone.answer", [literal(fault.api), literal(fault.reply), *times], indent)
    named = {"api": fault.api or None, "value": fault.value or None, "count": fault.count}
    given = [f"{name}={literal(each)}" for name, each in named.items() if each is not None]
    return call("zone.client.add_fault", [literal(fault.on), literal(fault.effect), *given], indent)


def under_faults(faults: Sequence[FaultSpec], lines: Sequence[str]) -> list[str]:
    """Return lines that run while faults work; with faults they are indented by two steps, else by one."""
    if not faults:
        return [*lines]
    return [*map(add_fault, faults), "    try:", *lines, "    finally:", "        zone.client.clear_faults()"]
