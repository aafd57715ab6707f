"""Describes an error, a thread or a task by files, lines and names, without any of their data.

The text of an unknown exception may quote a body or a token, so no function here reads it. Errors come from handlers,
and their classes may do anything when they are touched: `describe` never raises. Imports neither asyncio nor logging.
"""

import linecache
import sys
import traceback
from collections.abc import Callable
from functools import cache
from itertools import islice
from pathlib import Path
from types import CodeType, CoroutineType, FrameType, GeneratorType, TracebackType
from typing import TYPE_CHECKING, Any, TypeGuard, TypeVar

if TYPE_CHECKING:
    import asyncio

ErrorT = TypeVar("ErrorT", bound=BaseException)

Frames = list[tuple[FrameType, int]]
"""Frames with their lines, the innermost first."""
FramesOf = Callable[[int], Frames]
"""Returns where the code is that a thread runs or waits for, given its ident."""

FRAMES = 20
"""Innermost frames of a thread or a task that are shown."""
ERROR_FRAMES = 4
"""Innermost frames of an error that are shown."""
INNER_FRAMES = 2
"""Innermost frames of libraries that are shown after those of the application."""
_HANDLER = "__wwspec_handler__"
NOT_DESCRIBABLE = "an error that can't be described"
_OURS = ("wwspec_contracts", "wwspec_router", "wwspec_client", "wwspec_devtools")


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


def where(error: BaseException) -> str:
    """Return where in the application an error was raised, without any data; empty when it is not known.

    The application's frames come first, the innermost first, then those of libraries that they have called. An error
    that came through no code of the application is that of the handler that is noted in it, if one is.
    """
    try:
        frames = [(frame.f_code, line) for frame, line in traceback.walk_tb(error.__traceback__)]
        own = [number for number, (code, _) in enumerate(frames) if is_application(code.co_filename)]
        if not own:
            code = code_of(error)
            return "" if code is None else _place(code, line_of(code))
        inner = [each for each in frames[own[-1] + 1 :] if not is_ours(each[0].co_filename)]
        texts = (
            " < ".join(_place(*each) for each in islice(reversed(chosen), most))
            for chosen, most in (([frames[number] for number in own], ERROR_FRAMES), (inner, INNER_FRAMES))
        )
        return ", in ".join(filter(None, texts))
    except BaseException:  # its own class raises
        return ""


def note_handler(error: BaseException, code: CodeType | None) -> None:
    """Note in an error the code of the handler that it is about, which may have returned by now."""
    setattr(error, _HANDLER, code)


def code_of(error: BaseException) -> CodeType | None:
    """Return the code of the handler that was noted in an error."""
    code = getattr(error, _HANDLER, None)
    return code if isinstance(code, CodeType) else None


def line_of(code: CodeType) -> int:
    """Return the line of a function's `def`; that of its first decorator when the source is not there."""
    first = code.co_firstlineno
    lines = islice(enumerate(linecache.getlines(code.co_filename), 1), first - 1, None)
    return next((number for number, line in lines if line.lstrip().startswith(("def ", "async def "))), first)


def _place(code: CodeType, line: int | None) -> str:
    return f"{Path(code.co_filename).name}:{line} {code.co_name}"


def traceback_at(frames: Frames) -> TracebackType | None:
    """Return a traceback for code that still runs: of the application's frames and what they have called."""
    own = [number for number, (frame, _) in enumerate(frames) if is_application(frame.f_code.co_filename)]
    linked = None
    for frame, line in frames[: own[-1] + 1] if own else frames:
        linked = TracebackType(linked, frame, max(frame.f_lasti, 0), line or frame.f_code.co_firstlineno)
    return linked


def thread_frames(ident: int) -> Frames:
    """Return the frames of a thread, the innermost first; none when it has ended."""
    frame = sys._current_frames().get(ident)
    return [] if frame is None else list(traceback.walk_stack(frame))


def task_frames(task: "asyncio.Task[Any]") -> Frames:
    """Return the frames of a task that does not run at this moment, the innermost first. Call it on its loop's thread.

    `Task.get_stack` knows the outermost coroutine only, which is never a handler's.
    """
    frames: Frames = []
    waiting: object = task.get_coro()
    while isinstance(waiting, CoroutineType | GeneratorType):
        if isinstance(waiting, CoroutineType):
            frame, waiting = waiting.cr_frame, waiting.cr_await
        else:
            frame, waiting = waiting.gi_frame, waiting.gi_yieldfrom
        if frame is not None:
            frames.append((frame, frame.f_lineno))
    return frames[::-1]


def describe_thread(ident: int) -> str:
    """Return where a thread is, innermost frame first."""
    return _places(thread_frames(ident)) or "its thread has ended"


def describe_task(task: "asyncio.Task[Any]") -> str:
    """Return where a task waits, as `task_frames` finds it."""
    return _places(task_frames(task)) or "its end"


def _places(frames: Frames) -> str:
    found = traceback.StackSummary.extract(iter(frames), limit=FRAMES, lookup_lines=False)
    return " < ".join(f"{Path(each.filename).name}:{each.lineno} {each.name}" for each in found)


def is_application(file: str) -> bool:
    """Return whether a file of code is the application's: neither one of our packages' nor a library's."""
    return not is_ours(file) and not file.startswith(("<", *_libraries()))


def is_ours(file: str) -> bool:
    """Return whether a file of code is one of our packages'."""
    loaded = filter(None, map(sys.modules.get, _OURS))
    return file.startswith(tuple(f"{module.__path__[0]}/" for module in loaded))


@cache
def _libraries() -> tuple[str, ...]:
    """Return the folders of the standard library and of installed packages."""
    import sysconfig  # here, since a deployed program needs none of it

    folders = (sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib"))
    return tuple(f"{folder}/" for folder in folders if folder)
