"""Stores and logs failures of the app's functions. Their errors may be of any class, so nothing here may raise."""

import logging
import traceback
from contextlib import suppress

from wwspec_client.errors import NotInstalledError
from wwspec_contracts.support.printable import printable
from wwspec_contracts.support.stacks import NOT_DESCRIBABLE, class_of, is_a

LONGEST_REASON = 2000
"""Characters of an error that a store keeps."""

_log = logging.getLogger("wwspec_client.notify")


def reason_of(error: BaseException) -> str:
    """Return an error as one line, which every store can keep and every terminal can show."""
    _hide_parameters(error)
    try:
        text = f"{class_of(error)}: {error}"[:LONGEST_REASON]
    except BaseException:  # its own class raises
        text = class_of(error) or NOT_DESCRIBABLE
    return printable(text)


def log_failure(text: str, error: BaseException, *, level: int = logging.ERROR) -> None:
    """Log what failed, with the traceback if it can be written."""
    if is_a(error, NotInstalledError):  # passes when the callback of the installation is handled
        _log.log(level, "%s: %s", text, error)
        return
    _hide_parameters(error)
    try:
        "".join(traceback.format_exception(error)).encode()
        _log.log(level, "%s", text, exc_info=error)
    except BaseException:  # its class raises, or its text can't be written to a file
        _log.log(level, "%s: %s", text, reason_of(error))


def _hide_parameters(error: BaseException | None) -> None:
    """Let an error of SQLAlchemy show no values of its statement, such as a private key."""
    with suppress(BaseException):  # its class raises
        while error is not None:
            if hasattr(error, "hide_parameters"):
                error.hide_parameters = True
            error = error.__cause__ or error.__context__
