"""A child process that is started before it is needed: it imports its modules and then waits for the word to go on.

`Child` writes in the environment what is read here, and runs this module in place of the command line, with the same
arguments. It knows nothing of verbs.
"""

import gc
import importlib
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

VARIABLE = "WWSPEC_HELD"
"""The variable that names the pipe at which the child waits, and what it does before; see `order`."""
GO = b"1"


def order(word: int, steps: Sequence[str]) -> str:
    """Return the value of `VARIABLE`.

    Args:
        word: The end of a pipe at which the child waits.
        steps: What it does before: `module` imports one, `module:function` calls a function, too.
    """
    return f"{word}:{','.join(steps)}"


def wait_for_word() -> bool:
    """Import and wait, as the environment orders it.

    Returns:
        Whether to go on; not when the process that would give the word is gone.
    """
    word, _, steps = os.environ.pop(VARIABLE).partition(":")
    gc.disable()  # modules stay
    for each in steps.split(","):
        module, _, function = each.partition(":")
        imported = importlib.import_module(module)
        if function:
            getattr(imported, function)()
    gc.freeze()
    gc.enable()
    goes_on = os.read(int(word), len(GO)) == GO
    os.close(int(word))
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # forgets the one that waits
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    signal.signal(signal.SIGINT, before)
    return goes_on


@contextmanager
def without_interrupts() -> Iterator[None]:
    """Keep Ctrl-C, which is for the process that holds others, from those that are started in this block."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


if __name__ == "__main__":
    from wwspec_router.cli.main import main  # before it waits; who starts a child does not need it

    if not wait_for_word():
        sys.exit()
    main(prog_name="wwspec")
