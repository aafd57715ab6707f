"""Describes an error, a thread or a task by files, lines and names, without any of their data.

The text of an unknown exception may quote a body or a token, so no function here reads it. Errors come from handlers,
and their classes may do anything when they are touched: `describe` never raises. Imports neither asyncio nor logging.
"""

import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import CoroutineType, FrameType, GeneratorType
from typing import TYPE_CHECKING, Any, TypeGuard, TypeVar

if TYPE_CHECKING:
    import asyncio

ErrorT = TypeVar("ErrorT", bound=BaseException)

FRAMES = 20
"""Innermost frames of a thread or a task that are shown."""
ERROR_FRAMES = 4
"""Innermost frames of an error that are shown."""
NOT_DESCRIBABLE = "an error that can't be described"


def describe(error: BaseException) -> str:
    """Return an exception's type and where it was raised, innermost frame first, but not its text. Never raises."""
    try:
        frames = traceback.extract_tb(error.__traceback__)[-ERROR_FRAMES:]
        places = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in reversed(frames)]
        return f"{type(error).__name__} at {' < '.join(places) or 'an unknown place'}"
    except BaseException:  # its own class raises
        return NOT_DESCRIBABLE


def is_a(error: BaseException, kind: type[ErrorT]) -> TypeGuard[ErrorT]:
    """Return whether an error is of a class. Unlike `isinstance`, this does not trust `__class__` of the object."""
    return issubclass(type(error), kind)


def class_of(error: BaseException) -> str:
    """Return the name of an error's class; empty when it has none. Never raises."""
    try:
        name = type(error).__name__
    except BaseException:  # its metaclass raises
        return ""
    return name if type(name) is str else ""


def errcode_of(error: BaseException) -> int | None:
    """Return the errcode that an error has, if any. Never raises."""
    try:
        errcode = getattr(error, "errcode", None)
    except BaseException:  # its own class raises
        return None
    return errcode if type(errcode) is int else None


def describe_thread(ident: int) -> str:
    """Return where a thread is, innermost frame first."""
    frame = sys._current_frames().get(ident)
    if frame is None:
        return "its thread has ended"
    return _places(traceback.walk_stack(frame))


def describe_task(task: "asyncio.Task[Any]") -> str:
    """Return where a task waits that does not run at this moment. Call it on the thread of the task's loop.

    `Task.get_stack` knows the outermost coroutine only, which is never a handler's.
    """
    frames: list[tuple[FrameType, int]] = []
    waiting: object = task.get_coro()
    while isinstance(waiting, CoroutineType | GeneratorType):
        if isinstance(waiting, CoroutineType):
            frame, waiting = waiting.cr_frame, waiting.cr_await
        else:
            frame, waiting = waiting.gi_frame, waiting.gi_yieldfrom
        if frame is not None:
            frames.append((frame, frame.f_lineno))
    return _places(reversed(frames)) or "its end"


def _places(frames: Iterator[tuple[FrameType, int]]) -> str:
    found = traceback.StackSummary.extract(frames, limit=FRAMES, lookup_lines=False)
    return " < ".join(f"{Path(each.filename).name}:{each.lineno} {each.name}" for each in found)
