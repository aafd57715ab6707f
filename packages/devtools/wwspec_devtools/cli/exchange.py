"""What `wwspec zone show --all` prints of one exchange: what caused it, each run, and its request and reply."""

from collections.abc import Iterator
from typing import Any

import msgspec

from wwspec_contracts.support.printable import counted, printable
from wwspec_devtools.cli.tables import moment, styled
from wwspec_devtools.emulator.http.summary import own_frames, place, times
from wwspec_router.cli.language import is_chinese, text

Json = dict[str, Any]


def lines(entry: Json, cause: Json | None) -> Iterator[str]:
    """Yield the lines about an exchange.

    Args:
        entry: As `EmulatorClient.entry` returns it.
        cause: The exchange that caused it, if one did and it is kept.
    """
    yield ""
    yield f"{entry['kind']} at {moment(entry['time_ms'] // 1000, entry['time_ms'] % 1000)}"
    yield from _cause(entry, cause)
    for hit in entry["hits"]:
        if hit["effect"] == "answer":
            yield f"answered by hand ({hit['id']}), not by the emulator"
    language = is_chinese()  # each text comes in English and in Chinese
    meanings = [f"{errcode}: {means[language]}" for errcode, means in entry["causes"].items()]
    if texts := [*meanings, *([entry["advice"][language]] if entry["advice"] else ())]:
        yield from _section(text("what it means, and what to do"), texts)
    # a run may be told of before its request
    for trace in sorted(entry["traces"], key=lambda trace: trace["kind"] == "job"):
        yield from _trace(trace)
    for side in ("request", "reply"):
        if entry[side] not in ("", None):
            yield from _section(side, _shown(entry[side]))


def _section(title: str, texts: list[str]) -> Iterator[str]:
    yield ""
    yield styled(title, bold=True)
    yield from (f"  {printable(text)}" for text in texts)


def _cause(entry: Json, cause: Json | None) -> Iterator[str]:
    if cause is not None:
        yield f"caused by {cause['number']}  {cause['kind']}  {printable(cause['name'])}"
    elif entry["parent"]:
        yield f"caused by {entry['parent']}, which is not kept"
    if entry["replay_of"]:
        yield f"sent again: a copy of {entry['replay_of']}"
    if (made := entry["cause"]) is not None:
        if made["fired"]:
            yield "fired by a test, `wwspec fire` or the console"
        if (message := made["message"]) is not None:
            to = message["chatid"] or ", ".join(message["to"])
            yield printable(f"{message['from']} ({message['name']}) to {to}: {message['text']}")
    if entry["children"]:
        yield f"caused {', '.join(map(str, entry['children']))}"


def _trace(trace: Json) -> Iterator[str]:
    """Yield the program's report on one attempt."""
    if trace["kind"] == "job":
        most = f" of {trace['attempts']}" if trace["attempts"] else ""
        again = "" if trace["next_run"] is None else f", again in {trace['next_run']:.1f} s"
        title = f"run {trace['attempt']}{most} of the job: {trace['outcome']}{again}"
    else:
        title = f"the program: {trace['outcome']}"
    if trace["errcode"]:
        title += f" ({trace['errcode']})"
    yield from _section(title, list(_failure(trace)))
    texts = [f"{line['at']:>9.1f} ms  {line['level']:<8}  {line['text']}" for line in trace["lines"]]
    if trace["lines_left_out"]:
        texts.append(f"and {trace['lines_left_out']} lines more")
    yield from (f"  {printable(text)}" for text in texts)
    spent = ", ".join(times(trace["milliseconds"]))
    yield f"  {trace['milliseconds']['total']:.1f} ms: {spent}".removesuffix(": ")
    if trace_id := trace.get("trace_id"):
        yield f"  trace_id {printable(trace_id)}"


def _failure(trace: Json) -> Iterator[str]:
    """Yield the error, then the frames of the application, then how many others there are, the innermost first."""
    if (failure := trace["failure"]) is None:
        if trace["errmsg"] and trace["errcode"]:
            yield trace["errmsg"]
        return
    yield f"{failure['name']}: {failure['text']}" if failure["text"] else failure["name"]
    frames = failure["frames"]
    shown = own_frames(failure) or frames[-1:]
    yield from (f"  {place(frame, trace['folder'])}" for frame in shown)
    if others := len(frames) - len(shown):
        yield f"  and {counted(others, 'line')} of libraries (--json has them)"


def _shown(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode().splitlines()
