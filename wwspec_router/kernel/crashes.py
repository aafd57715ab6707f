"""What is said of a crash: an error of the application, or of the framework, that is no refusal.

The app reads a short random reference, and nothing of the error. The log line that has the same reference at its head
names the ability, the class of the error, and files, lines and names of code: never a value.
"""

import secrets
import traceback
from pathlib import Path

from wwspec_contracts.errors import CrashError
from wwspec_contracts.support.stacks import describe, is_application

SAID = "internal error"
"""What the errmsg of every crash begins with."""

_REFERENCE_BYTES = 3


def new_reference() -> str:
    """Return six hexadecimal digits."""
    return secrets.token_hex(_REFERENCE_BYTES)


def crash_error(reference: str) -> CrashError:
    """Return the error that the app gets.

    Args:
        reference: Of the log line about the crash; empty when there is none.
    """
    return CrashError(f"{SAID} {reference}") if reference else CrashError()


def crash_line(reference: str, name: str, error: BaseException) -> str:
    """Return the line about a crash, without the text of the error.

    The reference, and with usual names all up to the class of the error, are in the 128 bytes that WeCom keeps of a
    line.

    Args:
        reference: Of the crash; empty for none.
        name: Of the call.
        error: Anything that a handler can raise.
    """
    place = _last_frame(error)
    head = f"{reference} {name}" if reference else name
    return f"{head} failed{f' in {place}' if place else ''}: {describe(error)}"


def _last_frame(error: BaseException) -> str:
    """Return the innermost frame of the application as `module:line`; empty when there is none."""
    try:
        frames = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
        own = [(file, line) for file, line in frames if is_application(file)]
    except BaseException:  # its own class raises
        return ""
    return f"{Path(own[-1][0]).stem}:{own[-1][1]}" if own else ""
