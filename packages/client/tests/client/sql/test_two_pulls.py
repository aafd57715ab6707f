"""Two pulls of one name at once, 1,000 rounds on each store: each page is kept exactly once, and the loser is told."""

from collections.abc import Callable
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from tests.support.waiting import DEADLINE
from wwspec_client import CursorMovedError, CursorStore, FileCursor, Position
from wwspec_client.sql import SqlCursor
from wwspec_client.sql.tables import TOKENS
from wwspec_devtools.testing.stores.rig import together

pytestmark = pytest.mark.slow  # 1,000 rounds, each of which waits for both threads
ROUNDS = 1000
Kept = list[tuple[int, str]]
Keep = Callable[[CursorStore, Any, Position], object]


def two_pulls(open_cursor: Callable[[int], tuple[CursorStore, Keep]], rounds: int = ROUNDS) -> Kept:
    """Let two threads keep the same page, round by round; return the pages that were kept, and by whom."""
    both = Barrier(2, timeout=DEADLINE)
    losers: list[int] = []

    def pull(number: int) -> Kept:
        cursor, keep = open_cursor(number)
        kept: Kept = []
        for _ in range(rounds):
            before: Any = cursor.load()
            pages = (before.pages if before else 0) + 1
            both.wait()
            try:
                keep(cursor, before, Position(f"s{pages}", 1_700_000_000 + pages, pages, str(number)))
                kept.append((pages, str(number)))
            except CursorMovedError:
                losers.append(pages)
            both.wait()
        return kept

    kept = sorted(page for each in together(pull, 2) for page in each)
    assert [page for page, _ in kept] == list(range(1, rounds + 1)), "a page was kept twice, or never"
    assert sorted(losers) == list(range(1, rounds + 1)), "a loser was not told"
    return kept


def test_of_two_pulls_through_sqlalchemy_one_has_its_rows_and_the_other_is_told(sync_engine: Engine) -> None:
    """The row of a page, here in a table with other columns, is written in the transaction that keeps its place."""
    connections = [sync_engine.connect() for _ in range(2)]

    def opened_cursor(number: int) -> tuple[CursorStore, Keep]:
        connection = connections[number]

        def keep(cursor: CursorStore, before: Position | None, after: Position) -> None:
            with connection.begin():
                cursor.keep(before, after, commit=False)
                connection.execute(TOKENS.insert(), {"name": f"{after.pages}/{number}", "value": after.pull})

        return SqlCursor(connection, name="corp"), keep

    kept = two_pulls(opened_cursor)
    with sync_engine.connect() as connection:
        names = connection.execute(select(TOKENS.c.name)).scalars().all()
        assert connection.scalar(select(func.count()).select_from(TOKENS)) == ROUNDS
    assert sorted(names) == sorted(f"{pages}/{number}" for pages, number in kept)
    for each in connections:
        each.close()


def test_of_two_pulls_with_a_file_one_is_told(tmp_path: Path) -> None:
    path = tmp_path / "messages.cursor"
    two_pulls(lambda _: (FileCursor(path), lambda cursor, before, after: cursor.keep(before, after, commit=True)))


def test_the_rounds_find_a_store_that_keeps_a_page_twice() -> None:
    """What the tests above compare can fail."""

    class Careless(CursorStore):
        place: Position | None = None

        def load(self) -> Position | None:
            return self.place

        def keep(self, before: Position | None, after: Position, *, commit: bool) -> None:
            self.place = after

    store = Careless()
    with pytest.raises(AssertionError, match="kept twice"):
        two_pulls(lambda _: (store, lambda cursor, before, after: cursor.keep(before, after, commit=True)))
