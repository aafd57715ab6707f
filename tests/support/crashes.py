"""What the app reads of a crash: an errmsg that has a random reference, when a line of the log has the same."""

import re
from typing import Any


class _InternalError:
    """Equals the errmsg of any crash."""

    def __eq__(self, errmsg: object) -> bool:
        known = re.compile(r"internal error ([0-9a-f]{6}|of the program)")
        return isinstance(errmsg, str) and known.fullmatch(errmsg) is not None

    def __hash__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return "an internal error"


INTERNAL_ERROR: Any = _InternalError()
INTERNAL = {"errcode": 710660, "errmsg": INTERNAL_ERROR}
"""The reply to a call that crashed."""
