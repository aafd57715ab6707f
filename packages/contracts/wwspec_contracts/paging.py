"""What the replies of the paged APIs have in common."""

from typing import Annotated

from msgspec import Meta

from wwspec_contracts.base import Flag, Output

BooleanFlag = Annotated[bool, Meta(extra={"also": "int"})]
"""A boolean. WeCom's pages disagree on some flags: 0 and 1 are accepted from WeCom, passed on as booleans."""


def page_limit(most: int | None = None) -> Meta:
    """Bound the `limit` of a paged request.

    0 is what clients in Java and C++ send for a limit that they leave out, as on WeCom's own page about its demos.
    """
    return Meta(ge=0, le=most)


class Page(Output):
    """One page of a longer result."""

    has_more: Flag = 0
    """1 = there is more: call again with next_cursor. A page may be short, so don't judge by its length."""
    next_cursor: str = ""
    """Opaque; the `cursor` of the next call. Keep it where a restart finds it."""
