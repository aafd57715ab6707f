"""`python -m wwspec_router`: the command line."""

import os

from wwspec_router.cli.main import main
from wwspec_router.host.held import VARIABLE, wait_for_word

if __name__ == "__main__" and (VARIABLE not in os.environ or wait_for_word(os.environ)):
    main()
