"""`python -m wwspec_router`: the command line."""

import os
import sys

from wwspec_router.cli.main import main


def _goes_on() -> bool:
    """Wait for the word to go on, if this process is held; see `process.prestart`, which no other run imports."""
    if "WWSPEC_HELD" not in os.environ:
        return True
    from wwspec_router.process.prestart import wait_for_word

    return wait_for_word(os.environ)


if __name__ == "__main__":
    if not _goes_on():
        sys.exit()
    main()
