"""The words for how an exchange ended and why: the same on the page, in a terminal, in a log and in a test's report.

Each text comes in English and Chinese. The observer of a program words what the program's log says here, too.
"""

import re

import msgspec

from wwspec_contracts.decoding import decode_json
from wwspec_contracts.errors import JsonError
from wwspec_devtools.emulator.display.masking import masked_value
from wwspec_devtools.emulator.state.traffic.traces import Failure, Trace

UNDER_WAY, OK, FAILED, POSTPONED, WAITING, DROPPED = "under way", "ok", "failed", "postponed", "waiting", "dropped"
FAILURES = (FAILED, DROPPED)
"""The verdicts of what failed."""

Texts = tuple[str, str]
"""A text in English and in Chinese."""

NO_REASON: Texts = ("", "")
LONGEST = 200
"""Characters of what others say that are quoted."""

_MISFIT = r"(input|output) contract: (.*) at (\$\S*)"
_EXPECTED = r"expected (.+), got (.+)"
_DEEP = r"nested deeper than (\d+) levels"
_KEY = r"(missing|unknown) key (.+)"
_LIMIT = r"\(([\d.e+]+) s\)$"
_RETURN_CODE = r"\((-\d+)\)"
_WRONG_TYPE = r"output \$(?:\S*\.(\w+)|\S*): (.+) expected, (.+) found"
_PATH = r"\$(?:\.[^.\[]+|\[\d+\])*"
_STEP = r"\.([^.\[]+)|\[(\d+)\]"
_SIDES = {"input": "输入", "output": "输出"}
_KINDS = {
    "a boolean": "布尔值",
    "an integer": "整数",
    "a number with a fraction": "带小数的数字",
    "a string": "字符串",
    "an array": "数组",
    "an object": "对象",
}
"""Maps kinds of values, as `matching` names them, to their Chinese; a program names Python's types."""
_PROBLEMS = {
    "this key is not in the contract": "协议中没有这个键",
    "the contract's array is empty, so no element is known": "协议中的数组为空，无法确定元素的类型",
    "not valid JSON": "不是有效的 JSON",
}
"""Maps what else `matching` finds to its Chinese."""


def reason_of(trace: Trace) -> Texts:
    """Return why a program's attempt failed, as the program tells it."""
    failure = trace.failure
    if failure is None and trace.refused_api:
        return api_refused(trace.refused_api, trace.errcode)
    if failure is None or failure.name == "AbilityError":
        return refused(trace.errcode, trace.errmsg)
    text = failure.text.partition("\n")[0]
    api = text.partition(":")[0]
    match failure.name:
        case "InputError" | "OutputError" if found := re.fullmatch(_MISFIT, text):
            side, problem, path = found.groups()
            return misfit(side, path, problem)
        case "HandlerTimeoutError":
            return _time_out(trace, failure)
        case "ApiError":
            return api_refused(api, trace.errcode)
        case "SdkCallError" if found := re.search(_RETURN_CODE, text):
            return not_called(api, found[1])
    named = quoted(f"{failure.name} {text}".rstrip())
    return named, named


def refused(errcode: int, errmsg: str, chinese: str = "") -> Texts:
    """Return the reason for a refusal with an errcode and an errmsg, which may be empty."""
    english, chinese = quoted(errmsg), quoted(chinese or errmsg)
    return f"errcode {errcode}: {english}".removesuffix(": "), f"errcode {errcode}：{chinese}".removesuffix("：")


def api_refused(api: str, errcode: int) -> Texts:
    """Return the reason when the platform refuses an SDK API."""
    return f"errcode {errcode} of {api}", f"{api} 返回 errcode {errcode}"


def not_called(api: str, code: int | str) -> Texts:
    """Return the reason when an SDK API fails with a return code."""
    return f"return code {code} of {api}", f"{api} 返回码 {code}"


def misfit(side: str, path: str, problem: str) -> Texts:
    """Return the reason when a value does not fit a contract.

    Args:
        side: `input` or `output`.
        path: Where it does not fit.
        problem: What is wrong there.
    """
    english, chinese = problem_texts(quoted(problem))
    english = re.sub(_EXPECTED, r"\1 expected, \2 found", english)
    return f"{side} {path}: {english}", f"{_SIDES[side]} {path}：{chinese}"


def problem_texts(problem: str) -> Texts:
    """Return what is wrong at a place, as a contract's check says it, in English and Chinese."""
    if found := re.fullmatch(_EXPECTED, problem):
        wanted, there = found.groups()
        return problem, f"应为{_chinese(wanted)}，实为{_chinese(there)}"
    if found := re.fullmatch(_DEEP, problem):
        return problem, f"嵌套超过 {found[1]} 层"
    if found := re.fullmatch(_KEY, problem):
        return problem, f"{'缺少' if found[1] == 'missing' else '未知的'}键 {found[2]}"
    return problem, _PROBLEMS.get(problem, problem)


def fix_of(reason: Texts) -> Texts | None:
    """Return what to do about an output with a value of another type than its contract says; None for the rest."""
    if (found := re.fullmatch(_WRONG_TYPE, reason[0])) is None:
        return None
    key, wanted, there = found.groups()
    named, chinese_named = (f"{key}: {there}", f" {key}:{_chinese(there)}") if key else (there, _chinese(there))
    return (
        f"return {wanted} there, or declare {named} and register the contract anew",
        f"在该处返回{_chinese(wanted)}，或声明为{chinese_named} 并重新登记协议",
    )


def value_at(text: str | bytes | int, path: str) -> str:
    """Return the beginning of the JSON of what is at a path of a JSON text, masked; empty where nothing is.

    Args:
        text: The text; the length of one that is not kept.
        path: Such as `$.lines[1].messages`.
    """
    if isinstance(text, int) or re.fullmatch(_PATH, path) is None:
        return ""
    try:
        value = masked_value(decode_json(text))
        for key, index in re.findall(_STEP, path):
            value = value[key] if key else value[int(index)]
    except (JsonError, LookupError, TypeError):
        return ""
    return quoted(msgspec.json.encode(value).decode())


def _chinese(kind: str) -> str:
    return _KINDS.get(kind, f" {kind}")


def quoted(text: str) -> str:
    """Return the beginning of what others say."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _time_out(trace: Trace, failure: Failure) -> Texts:
    found, own = re.search(_LIMIT, failure.text), [frame for frame in failure.frames if frame.own]
    place = f"{own[-1].file.removeprefix(f'{trace.folder}/')}:{own[-1].line} {own[-1].function}" if own else ""
    english, chinese = (f" of {found[1]} s", f" {found[1]} 秒") if found else ("", "")
    return f"time-out{english}{place and f' at {place}'}", f"超时{chinese}{place and f'，位于 {place}'}"
