"""Plays generated calls and events against an application in a zone, and finds those that it answers badly.

A finding is a reply that the platform would refuse, a handler that crashes, or a handler that hangs. A request that
the program refuses is no finding. Each finding is written as a pytest test that repeats it, with the fixture `zone`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec
from hypothesis import HealthCheck, Phase, given, seed as seeded, settings, strategies as st
from hypothesis.errors import Flaky

from wwspec_contracts.errcodes import ERRCODES
from wwspec_contracts.errors import HandlerTimeoutError
from wwspec_contracts.source_text import literal
from wwspec_devtools.emulator.http.client import EmulatorError
from wwspec_devtools.emulator.pytests.python import STEP, call, replaced
from wwspec_devtools.emulator.pytests.steps import EVENT_TOKEN, TOKEN, ability_call, add_fault, function, under_faults
from wwspec_devtools.emulator.state.faults import RETURN_CODES, FaultSpec
from wwspec_devtools.fuzz.crashes import Crashes
from wwspec_devtools.fuzz.requests import almost_fitting, fitting
from wwspec_devtools.testing.answer import read_reply
from wwspec_devtools.testing.zone import Answer, Zone
from wwspec_router.kernel.refusals import SAID
from wwspec_router.registry.events import EventTarget

FailureKind = Literal["misfit", "crash", "hang"]

SDK_ERRCODES = [code for code, row in ERRCODES.items() if code >= -1 and row.met_by != "app"]
"""Errcodes that an SDK API may return."""
MISFITS = (790013, 790014)
"""The platform's errcodes for a reply that is not JSON, or outside its contract."""
UNANSWERED = (710675, 710676, 710677)
"""The platform's errcodes for a program that did not answer in time, or broke the protocol."""
PAUSES = (0.01, 0.1)
"""Seconds by which an SDK call is delayed."""
CODE_LIMIT = 10.0
"""Seconds within which code on an event must end, its retries included."""
MOST_FINDINGS = 3
"""The most kinds of failure that are searched for in one ability, one after the other."""
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


class Case(msgspec.Struct, frozen=True):
    """One call, or one event, and what goes wrong meanwhile."""

    target: str
    """An ability ID, or an event type."""
    is_event: bool
    request: Any
    """The request of a call."""
    runs_code: bool = False
    """Whether code of the application runs on the event."""
    disturbances: tuple[FaultSpec, ...] = ()
    """Faults of the emulator during the case."""


class Finding(msgspec.Struct, frozen=True):
    """A case that is answered badly."""

    case: Case
    kind: FailureKind
    what: str
    """What went wrong and where. Cases of the same fault have the same text."""
    text: str = ""
    """What the error says, which may differ from case to case."""


class _FoundError(Exception):
    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.what)


def search(
    zone: Zone,
    target: str,
    request: Any,
    *,
    examples: int,
    seed: int,
    crashes: Crashes,
    known: Mapping[str, Sequence[Any]] | None = None,
    on_case: Callable[[], None] = lambda: None,
) -> Iterator[Finding]:
    """Search for cases of one ability or event that are answered badly; each found case is made as small as possible.

    Args:
        zone: The application in a zone.
        target: An ability ID or an event type.
        request: The msgspec type of the ability's request; for an event the code that runs on it, or None.
        examples: Cases that are tried.
        seed: The same seed gives the same cases.
        crashes: What the program logs.
        known: Values of the emulated world by key.
        on_case: Called before each case.
    """
    found: set[tuple[FailureKind, str]] = set()
    while len(found) < MOST_FINDINGS:
        failed: list[Finding] = []

        def play(case: Case, failed: list[Finding] = failed) -> None:
            on_case()
            finding = _play(zone, case, crashes)
            if finding is not None and (finding.kind, finding.what) not in found:
                failed.append(finding)
                raise _FoundError(finding)

        try:
            _searching(play, _cases(target, request, known), examples, seed)
        except (
            _FoundError,
            Flaky,
        ):  # flaky: code on an event runs beside the notification, and the fault hits one or the other
            found.add((failed[-1].kind, failed[-1].what))
            yield failed[-1]
        else:
            return


def _searching(play: Callable[[Case], None], cases: st.SearchStrategy[Case], examples: int, seed: int) -> None:
    limits = settings(
        max_examples=examples,
        database=None,
        deadline=None,
        derandomize=False,
        report_multiple_bugs=False,
        print_blob=False,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    seeded(seed)(limits(given(cases)(lambda case: play(case))))()


def _cases(target: str, request: Any, known: Mapping[str, Sequence[Any]] | None) -> st.SearchStrategy[Case]:
    disturbances = st.lists(_disturbances(), max_size=2).map(tuple)
    if isinstance(request, EventTarget | None):
        runs_code = st.just(request is not None)
        return st.builds(Case, st.just(target), st.just(True), st.none(), runs_code, disturbances)
    requests = fitting(request, known) | almost_fitting(request, known)
    return st.builds(Case, st.just(target), st.just(False), requests, st.just(False), disturbances)


def _disturbances() -> st.SearchStrategy[FaultSpec]:
    def fault(on: str, effect: st.SearchStrategy[str], **more: st.SearchStrategy[Any]) -> st.SearchStrategy[FaultSpec]:
        return st.builds(FaultSpec, on=st.just(on), effect=effect, **more)

    counts = st.sampled_from([None, 1, 2])
    return st.one_of(
        fault("sdk", st.just("errcode"), value=st.sampled_from(SDK_ERRCODES), count=counts),
        fault("sdk", st.just("return_code"), value=st.sampled_from(RETURN_CODES), count=counts),
        fault("sdk", st.just("latency"), value=st.sampled_from(PAUSES), count=st.just(1)),
        fault("sdk", st.just("drop"), count=counts),
        fault("callback", st.sampled_from(["never", "twice"]), count=counts),
    )


def _play(zone: Zone, case: Case, crashes: Crashes) -> Finding | None:
    """Play one case; return what is wrong with the answer, if anything is."""
    crashes.pop()
    for each in case.disturbances:
        zone.client.add_fault(each.on, each.effect, value=each.value, count=each.count)
    try:
        if case.is_event:
            answer = read_reply(f"event {case.target}", zone.client.fire(case.target)["reply"])
        else:
            answer = zone.call(case.target, msgspec.json.encode(case.request).decode())
    except EmulatorError as error:  # the platform got no reply to its event
        return Finding(case, "hang", str(error))
    else:
        if case.runs_code and answer.refused_by is None:  # its first run meets the faults
            crashes.wait_for_run(CODE_LIMIT)
    finally:
        zone.client.clear_faults()
    if case.runs_code and answer.refused_by is None:
        return _judge_code(case, crashes)
    kind = _kind_of(answer, is_delayed=any(each.effect == "latency" for each in case.disturbances))
    if kind is None:
        return None
    raised, text = crashes.pop() if kind == "crash" else ("", "")
    return Finding(case, kind, raised or f"{answer.errmsg} ({answer.errcode})", text)


def _judge_code(case: Case, crashes: Crashes) -> Finding | None:
    """Return what is wrong with the code on an event that was accepted, if anything is."""
    has_ended = crashes.wait_for_code(CODE_LIMIT)
    raised, text = crashes.pop()
    if raised:
        return Finding(case, "crash", raised, text)
    return None if has_ended else Finding(case, "hang", f"the code has not ended within {CODE_LIMIT:g} seconds")


def _kind_of(answer: Answer[Any], *, is_delayed: bool) -> FailureKind | None:
    if answer.refused_by == "platform":
        return "misfit" if answer.errcode in MISFITS else "hang" if answer.errcode in UNANSWERED else None
    if answer.refused_by == "program" and answer.errmsg.startswith(SAID):
        return "crash"
    if answer.refused_by == "program" and answer.errmsg == HandlerTimeoutError.default_message:
        return None if is_delayed else "hang"
    return None


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
    check = f"{' ' * indent}assert {_expectation(finding)}, {'reply' if case.is_event else 'answer.refusal'}"
    return [*before, *under_faults(case.disturbances, [sent, check])]


def _expectation(finding: Finding) -> str:
    errmsg = "reply" if finding.case.is_event else "answer.errmsg"
    match finding.kind:
        case "misfit":
            return f"answer.errcode not in {MISFITS}"
        case "crash":
            return f'"{SAID}" not in {errmsg}'
        case "hang":
            in_time = f'"{HandlerTimeoutError.default_message}" not in {errmsg}'
            return in_time if finding.case.is_event else f"answer.errcode not in {UNANSWERED} and {in_time}"
