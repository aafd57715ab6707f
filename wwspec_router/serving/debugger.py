"""`breakpoint()` in a program that has a terminal: pdb, on whichever thread the code runs.

Threads share the terminal, so one prompt is open at a time. Ctrl-C stays with the server.
"""

import os
import pdb
import sys
from threading import RLock
from types import BuiltinFunctionType
from typing import Any, ClassVar


def stop_in_terminal() -> None:
    """Let `breakpoint()` open a prompt in the terminal, unless the user or an editor has chosen another debugger."""
    if not os.environ.get("PYTHONBREAKPOINT") and isinstance(sys.breakpointhook, BuiltinFunctionType):
        sys.breakpointhook = _stop


def prompt_is_open() -> bool:
    """Return whether a debugger waits for input."""
    return _Debugger.open > 0


class _Debugger(pdb.Pdb):
    """pdb for one `breakpoint()`."""

    open: ClassVar = 0
    """Prompts that are open: 0 or 1, more while commands are debugged."""
    _terminal: ClassVar = RLock()

    def __init__(self) -> None:
        super().__init__(nosigint=True)
        self.stdout = sys.__stdout__ or self.stdout  # not the one whose lines are noted as the handler's

    def interaction(self, *args: Any, **kwargs: Any) -> None:
        """Open the prompt, once no other thread has one."""
        with _Debugger._terminal:
            _Debugger.open += 1
            try:
                super().interaction(*args, **kwargs)
            finally:
                _Debugger.open -= 1


def _stop(*, header: str | None = None) -> None:
    """Stop where `breakpoint` was called."""
    debugger = _Debugger()
    if header is not None:
        debugger.message(header)
    debugger.set_trace(sys._getframe(1))
