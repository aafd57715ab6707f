"""How a verb ends by Ctrl-C or SIGTERM. Imports the standard library only."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

__all__ = ["until_interrupted"]


@contextmanager
def until_interrupted() -> Iterator[None]:
    """End the block quietly on Ctrl-C or SIGTERM. Later signals are ignored, so that the block's clean-up can end."""

    def interrupt(number: int, frame: object) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupt)
    signal.signal(signal.SIGTERM, interrupt)
    with suppress(KeyboardInterrupt):
        yield
