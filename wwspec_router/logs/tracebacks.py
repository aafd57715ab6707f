"""Tracebacks for developers: with the text of exceptions, and of the frames only the application's own.

For the emulator only, which has no real data; see `stacks` for the logs of a deployed program. Errors come from
handlers, and their classes may do anything when they are touched: nothing here raises.
"""

import sys
import traceback
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from wwspec_contracts.errors import did_you_mean
from wwspec_contracts.support.stacks import NOT_DESCRIBABLE, code_of, is_a, is_application, is_ours, line_of

T = TypeVar("T")

MOST_CHARACTERS = 10_000
"""Characters of the text of one error that are shown."""

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]
"""What `logging` takes as `exc_info`."""


def shown(error: BaseException) -> ExcInfo:
    """Return an error for a log record, with the frames of the application only."""
    try:
        return type(error), error, _link(error.__traceback__)
    except BaseException:  # its own class raises
        return type(error), error, None


def traceback_of(error: BaseException) -> str:
    """Return an error with its text, its causes, and the frames of the application, as Python shows them."""
    try:
        whole = as_python_shows(error)
        for each in _all(whole):
            frames: list[traceback.FrameSummary] = list(each.stack)
            kept = _trim(frames, [frame.filename for frame in frames])
            each.stack = traceback.StackSummary.from_list([*kept])
            for frame in each.stack:
                frame.filename = _readable(frame.filename)
        return "".join(map(_bounded, whole.format())).rstrip("\n")
    except BaseException:  # its own class raises
        return NOT_DESCRIBABLE


def as_python_shows(error: BaseException) -> traceback.TracebackException:
    """Return what Python shows of an error. On Python 3.11 this adds the name that later ones suggest. May raise."""
    whole = traceback.TracebackException(type(error), error, error.__traceback__)
    if sys.version_info < (3, 12) and (is_a(error, AttributeError) or is_a(error, NameError)):
        with suppress(Exception):  # a class of the application raises when it is asked for its names
            known = set(_names(error)) - {error.name}
            whole._str += did_you_mean(error.name or "", known, question=". Did you mean: '{}'?")  # type: ignore[attr-defined]
    return whole


def _names(error: AttributeError | NameError) -> list[str]:
    """Return the names of where one was not found."""
    if is_a(error, AttributeError):
        return dir(error.obj)
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    return [*frame.f_locals, *frame.f_globals, *frame.f_builtins]


def _bounded(part: str) -> str:
    """Return a part of a traceback, such as the text of one error, whose end is left out if it is long."""
    if len(part) <= MOST_CHARACTERS:
        return part
    return f"{part[:MOST_CHARACTERS]}… ({len(part)} characters)\n"


def frames_of(error: BaseException) -> list[tuple[traceback.FrameSummary, bool]]:
    """Return the frames of an error that `traceback_of` shows, and whether each is the application's."""
    try:
        return [(frame, is_application(frame.filename)) for frame in _frames(error)]
    except BaseException:  # its own class raises
        return []


def place_of(error: BaseException) -> str:
    """Return the innermost line of the application that an error came through; empty when there is none."""
    own = [frame for frame, is_own in frames_of(error) if is_own]
    return f"{_readable(own[-1].filename)}:{own[-1].lineno}" if own else ""


def _frames(error: BaseException) -> list[traceback.FrameSummary]:
    """Return the frames that are shown; the handler's own line when the error came through no code of the application.

    So is a reply that does not fit: the handler has returned by then.
    """
    frames: list[traceback.FrameSummary] = list(traceback.extract_tb(error.__traceback__))
    code = code_of(error)
    if code is not None and not any(is_application(frame.filename) for frame in frames):
        return [traceback.FrameSummary(code.co_filename, line_of(code), code.co_name)]
    return _trim(frames, [frame.filename for frame in frames])


def _all(error: traceback.TracebackException) -> Iterator[traceback.TracebackException]:
    """Yield an error, its causes, and the errors that it holds."""
    waiting = [error]
    while waiting:
        each = waiting.pop()
        yield each
        further = (each.__cause__, each.__context__, *(each.exceptions or ()))
        waiting += [one for one in further if one is not None]


def _trim(frames: list[T], files: list[str]) -> list[T]:
    """Return the frames from the first one of the application on, without those of this package."""
    first = next((number for number, file in enumerate(files) if is_application(file)), 0)
    kept = [frame for frame, file in zip(frames[first:], files[first:], strict=True) if not is_ours(file)]
    return kept or frames  # an error of this package itself


def _link(trace: TracebackType | None) -> TracebackType | None:
    """Return a traceback of the frames that `_trim` keeps. The error keeps its own."""
    links = []
    while trace is not None:
        links.append(trace)
        trace = trace.tb_next
    linked = None
    for link in reversed(_trim(links, [link.tb_frame.f_code.co_filename for link in links])):
        linked = TracebackType(linked, link.tb_frame, link.tb_lasti, link.tb_lineno)
    return linked


def _readable(file: str) -> str:
    """Return a file from the folder in which the program runs, if it is in there."""
    path = Path(file)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else file
