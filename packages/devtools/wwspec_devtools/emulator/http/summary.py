"""One exchange in ten lines, the cause of a failure first: what `wwspec zone show`, `call`, `fire` and pytest print."""

import re
from collections.abc import Callable, Collection, Iterator
from time import monotonic, sleep
from typing import Any

import msgspec

from wwspec_contracts.source_text import width
from wwspec_contracts.support.printable import printable
from wwspec_devtools.emulator.http.client import EmulatorClient, EmulatorError
from wwspec_devtools.emulator.state.traffic.entries import CALL, CALLBACK
from wwspec_devtools.emulator.state.traffic.traces import JOB

Json = dict[str, Any]

PATIENCE = 1.0
"""Seconds to wait for the program's report, which comes in the background; other frameworks send none."""
_PAUSE = 0.05
_WIDEST = 100
"""Characters of a request or reply."""
_FRAMEWORK = re.compile(r"([0-9a-f]{6} )?(ability |event:)\S+ (failed|refused, .*)")
"""The program's own lines about the error."""


def summary(
    client: EmulatorClient,
    entry: Json,
    *,
    say: Callable[[str], str] = str,
    language: int = 0,
    where: str = "",
    leave_out: Collection[str] = (),
) -> list[str]:
    """Return the lines about an exchange.

    Args:
        client: The emulator that has it.
        entry: As `EmulatorClient.entry` returns it.
        say: Returns a text of this module in the language.
        language: 0 for English, 1 for Chinese.
        where: What names the emulator in a command: an option behind a space, or nothing.
        leave_out: Labels of lines that are not wanted.
    """
    number, name, took, machine = entry["number"], entry["name"], entry["duration_ms"], entry["machine"]
    title = name if entry["ability"] in ("", name) else f"{name} {entry['ability']}"
    ended = say(": ").join(filter(None, (say(entry["verdict"]), entry["reason"][language])))
    tries = entry["attempts"] if entry["kind"] == CALLBACK else 0
    facts = [say("{} by the program").format(entry["program_errcode"])] if entry["program_errcode"] else []
    facts += [say("1 try" if tries == 1 else "{} tries").format(tries)] if tries else []
    facts += [] if took is None else [f"{took:.0f} ms"]
    facts += [] if machine is None else [say("machine {}").format(machine)]
    found = _callback(client, entry, say, language) if entry["kind"] == CALLBACK else _call(entry, say, language)
    rows = {label: text for label, text in found if text and label not in leave_out}
    if "next" not in leave_out:
        again = [f"zone replay {number}", f"zone test {number}"] if entry["replayable"] else []
        rows["next"] = " | ".join(f"wwspec {each}{where}" for each in (*again, f"zone show {number} --all"))
        rows["page"] = f"{client.url}/#/timeline/{number}"
    labels = {label: say(label) for label in rows}
    widest = max(map(width, labels.values()), default=0)
    head = printable(f"#{number} {title}  {ended}")
    return [
        f"{head}{' ' * (54 - width(head))}  {', '.join((*facts, *entry['faults']))}".rstrip(),
        *(printable(f"  {each}{' ' * (widest - width(each))}  {rows[label]}") for label, each in labels.items()),
    ]


def reported_entry(client: EmulatorClient, number: int) -> Json:
    """Return an exchange; a call that the program refused once its report is there, or when that is late."""
    ends = monotonic() + PATIENCE
    while True:
        entry = client.entry(number)
        kind = JOB if entry["call"] and entry["call"]["is_async"] else CALL
        is_reported = any(trace["kind"] == kind for trace in entry["traces"])
        if is_reported or entry["kind"] != CALL or entry["outcome"] != "ok" or monotonic() > ends:
            return entry
        sleep(_PAUSE)


def kept(client: EmulatorClient, number: int | None) -> Json | None:
    """Return an exchange; None for one that is not kept."""
    try:
        return client.entry(number) if number else None
    except EmulatorError:
        return None


def own_frames(failure: Json | None) -> list[Json]:
    """Return the frames of the application that an error came through, the innermost first."""
    return [frame for frame in reversed(failure["frames"]) if frame["own"]] if failure else []


def times(milliseconds: Json) -> Iterator[str]:
    """Yield where the time of a program's work went."""
    for key, name in {"queue": "queue", "check": "check", "sdk": "SDK", "handler": "handler"}.items():
        if milliseconds[key]:
            yield f"{name} {milliseconds[key]:.1f}"


def _call(entry: Json, say: Callable[[str], str], language: int) -> Iterator[tuple[str, str]]:
    traces = entry["traces"]
    trace = next((each for each in reversed(traces) if each["outcome"] != "ok"), traces[-1] if traces else None)
    frames = own_frames(trace["failure"]) if trace else []
    places = [place(each, trace["folder"] if trace else "") for each in frames]
    yield "value", entry["value"]
    if entry["declared"]:
        yield "handler", "     ".join((places[0].partition("     ")[0] if places else "", entry["declared"])).strip()
    elif places:
        yield "at", places[0]
        yield "from", places[-1] if len(places) > 1 else ""
    if entry["fix"]:  # else the lines of the error say more
        yield "fix", entry["fix"][language]
    yield "asked", _short(entry["request"])
    yield "got", _short(entry["reply"])
    if trace is not None:
        own = [line["text"] for line in trace["lines"] if not _FRAMEWORK.fullmatch(line["text"])]
        yield "log", own[-1] if own else ""
        spent = "  ".join(times(trace["milliseconds"]))
        yield "time", f"{spent} ms" if spent else ""


def _callback(
    client: EmulatorClient, entry: Json, say: Callable[[str], str], language: int
) -> Iterator[tuple[str, str]]:
    attempt, request = entry["attempt"], entry["request"]
    if attempt is not None:
        unverified = say("(the URL is not verified, so nothing was posted)") if attempt["method"] == "GET" else ""
        yield "to", f"{attempt['method']} {attempt['url']}    {unverified}".rstrip()
        yield "answer", f"{attempt['status']} {_short(attempt['body'])}" if attempt["status"] else say("none")
    if (first := kept(client, entry["flow"])) is not None and first["number"] != entry["number"]:
        also = (
            f"   {say('its code failed')}: wwspec zone show {first['number']}" if first["verdict"] == "failed" else ""
        )
        yield "event", f"#{first['number']} {first['name']}{also}"
    if entry["verdict"] == "failed" and isinstance(request, dict) and "notify_id" in request:
        yield "stored", say("{} is kept; the app can still fetch it").format(request["notify_id"])
    if entry["fix"]:
        yield "fix", entry["fix"][language]


def place(frame: Json, folder: str) -> str:
    """Return the line of a frame; files below the program's folder are shown from there."""
    file = frame["file"].removeprefix(f"{folder}/") if folder else frame["file"]
    return f"{file}:{frame['line']} {frame['function']}     {frame['code'].strip()}".rstrip()


def _short(value: Any) -> str:
    """Return the beginning of a body."""
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= _WIDEST else f"{text[:_WIDEST]}…"
