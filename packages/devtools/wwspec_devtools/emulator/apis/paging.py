"""Cursors of the paged APIs. A cursor belongs to one corp, one API and one query."""

import zlib

from wwspec_devtools.emulator.answers import OR_EARLIER_LIFE, RefusedError
from wwspec_devtools.emulator.state.accounts import App
from wwspec_devtools.emulator.state.world import World


class Paging:
    """The cursors of one API.

    Args:
        kind: One letter that no other kind of cursor has.
        errcode: The errcode for a cursor of another corp, API or query.
    """

    def __init__(self, kind: str, errcode: int = 50100) -> None:
        self._kind = kind
        self._errcode = errcode

    def read(self, world: World, app: App, cursor: str, question: str = "") -> int | None:
        """Return the position of a cursor; None for an empty cursor.

        Raises:
            RefusedError: The cursor is of something else.
        """
        if not cursor:
            return None
        numbers = world.marks.read(self._kind, app.corpid, cursor)
        if numbers is None or numbers[1:] != (_digest(app, question),):
            raise RefusedError(self._errcode, f"cursor was not given for this request, {OR_EARLIER_LIFE}")
        return numbers[0]

    def write(self, world: World, app: App, position: int, question: str = "") -> str:
        """Return the cursor of a position."""
        return world.marks.write(self._kind, app.corpid, position, _digest(app, question))


def _digest(app: App, question: str) -> int:
    return zlib.crc32(f"{app.agentid}\n{question}".encode(errors="replace"))
