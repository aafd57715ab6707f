"""How a verb ends by Ctrl-C or SIGTERM. Imports the standard library only."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

AGAIN = 0.01
"""Seconds after which an interrupt that was lost is raised again."""


@contextmanager
def until_interrupted() -> Iterator[None]:
    """End the block quietly on Ctrl-C or SIGTERM. Later signals are ignored, so that the block's clean-up can end.

    Python drops an exception that is raised in a destructor or in a callback of a weak reference; an import runs many
    of these. A signal that came there is raised again soon after.
    """

    def interrupt(number: int, frame: object) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise KeyboardInterrupt

    def show(unraisable: "sys.UnraisableHookArgs") -> None:
        if unraisable.exc_type is KeyboardInterrupt:
            signal.setitimer(signal.ITIMER_REAL, AGAIN)
        else:
            shown_before(unraisable)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
        signal.signal(number, interrupt)
    shown_before, sys.unraisablehook = sys.unraisablehook, show
    try:
        with suppress(KeyboardInterrupt):
            yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        sys.unraisablehook = shown_before
