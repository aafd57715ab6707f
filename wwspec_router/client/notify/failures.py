"""Stores and logs failures of the app's functions. Their errors may be of any class, so nothing here may raise."""

import logging
import traceback

from wwspec_router.logs.printable import printable
from wwspec_router.logs.stacks import NOT_DESCRIBABLE, class_of

_LONGEST_REASON = 2000

_log = logging.getLogger("wwspec_router.notify")


def reason_of(error: BaseException) -> str:
    """Return an error as one line, which every store can keep and every terminal can show."""
    try:
        text = f"{class_of(error)}: {error}"[:_LONGEST_REASON]
    except BaseException:  # its own class raises
        text = class_of(error) or NOT_DESCRIBABLE
    return printable(text)


def log_failure(text: str, error: BaseException, *, level: int = logging.ERROR) -> None:
    """Log what failed, with the traceback if it can be written."""
    try:
        "".join(traceback.format_exception(error)).encode()
        _log.log(level, "%s", text, exc_info=error)
    except BaseException:  # its class raises, or its text can't be written to a file
        _log.log(level, "%s: %s", text, reason_of(error))
