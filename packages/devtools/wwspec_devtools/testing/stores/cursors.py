"""What every `CursorStore` does."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from wwspec_client.stores import CursorMovedError, CursorStore, Position
from wwspec_devtools.testing.stores.rig import DEADLINE, SETTINGS, TEXTS, Loop, Suite, together

PULLS = st.text("0123456789abcdef", max_size=32)
SECONDS = st.integers(0, 2**53)
FIRST = Position("cursor-1", covered_until=1_700_000_000, pages=1, pull="a")


def after(position: Position | None, pull: str) -> Position:
    """Return the place one page further."""
    pages = (position.pages if position else 0) + 1
    return Position(f"cursor-{pages}", covered_until=1_700_000_000 + pages, pages=pages, pull=pull)


class CursorStoreSuite(Suite):
    """What every store of a pull's place does; its fixture is `open_cursor`.

    `open_cursor` returns a function. Each call returns one more store of the same place, such as another process would
    have it. It is called on the thread that uses the store. Nothing is stored at first.
    """

    @pytest.fixture
    def open_cursor(self) -> Callable[[], Any]:
        """Give the stores to try."""
        raise NotImplementedError("give the fixture open_cursor")

    @pytest.fixture
    def cursor(self, open_cursor: Callable[[], Any]) -> Any:
        """Return a store of the place."""
        return open_cursor()

    def test_before_the_first_pull_nothing_is_stored(self, cursor: CursorStore, call: Loop) -> None:
        assert call(cursor.load()) is None
        assert call(cursor.load()) is None

    @SETTINGS
    @given(text=TEXTS, covered=SECONDS, pages=st.integers(2, 2**53), pull=PULLS)
    def test_a_place_is_read_as_it_was_kept(
        self, cursor: CursorStore, call: Loop, text: str, covered: int, pages: int, pull: str
    ) -> None:
        before, place = call(cursor.load()), Position(text, covered_until=covered, pages=pages, pull=pull)
        call(cursor.keep(before, place, commit=True))
        assert call(cursor.load()) == place

    def test_to_keep_a_place_twice_is_the_same_as_once(self, cursor: CursorStore, call: Loop) -> None:
        call(cursor.load())
        for _ in range(2):
            call(cursor.keep(None, FIRST, commit=True))
            assert call(cursor.load()) == FIRST

    @pytest.mark.parametrize("before", [None, after(FIRST, "a"), Position("cursor-1", 1_700_000_000, 1, "b")])
    def test_a_pull_that_goes_on_from_another_place_is_refused(
        self, cursor: CursorStore, call: Loop, before: Position | None
    ) -> None:
        call(cursor.load())
        call(cursor.keep(None, FIRST, commit=True))
        with pytest.raises(CursorMovedError):
            call(cursor.keep(before, after(FIRST, "c"), commit=True))
        assert call(cursor.load()) == FIRST

    def test_of_two_pulls_at_once_one_keeps_its_page_and_the_other_is_told(
        self, open_cursor: Callable[[], CursorStore], call: Loop
    ) -> None:
        call(open_cursor().load())
        both_have_loaded = threading.Barrier(2, timeout=DEADLINE)

        def pull(number: int) -> list[Position]:
            cursor, kept = open_cursor(), []
            for count in range(self.rounds):
                before = call(cursor.load())
                both_have_loaded.wait()
                place = after(before, f"{number}")
                try:
                    call(cursor.keep(before, place, commit=True))
                    kept.append(place)
                except CursorMovedError:
                    pass
                both_have_loaded.wait()
                stored = call(cursor.load())
                assert stored is not None
                assert stored.pages == count + 1
                both_have_loaded.wait()
            return kept

        kept = sorted((place for each in together(pull, 2) for place in each), key=lambda place: place.pages)
        assert [place.pages for place in kept] == list(range(1, self.rounds + 1)), "a page was kept twice, or never"
        assert call(open_cursor().load()) == kept[-1]

    def test_in_every_history_of_pulls_it_does_the_same_as_a_variable(
        self, open_cursor: Callable[[], CursorStore], call: Loop
    ) -> None:
        self.try_histories(_Machine, [open_cursor(), open_cursor()], call)


class _Machine(RuleBasedStateMachine):
    """Compares the stores of two pulls with a variable."""

    def __init__(self, cursors: list[CursorStore], call: Loop) -> None:
        super().__init__()
        self.cursors = cursors
        self.call = call
        self.seen: list[Position | None] = [call(each.load()) for each in cursors]
        self.stored = self.seen[0]

    @rule(number=st.integers(0, 1))
    def load(self, number: int) -> None:
        self.seen[number] = self.call(self.cursors[number].load())

    @rule(number=st.integers(0, 1))
    def keep(self, number: int) -> None:
        before = self.seen[number]
        place = after(before, f"{number}")
        if self.stored in (before, place):
            self.call(self.cursors[number].keep(before, place, commit=True))
            self.stored = self.seen[number] = place
        else:
            with pytest.raises(CursorMovedError):
                self.call(self.cursors[number].keep(before, place, commit=True))

    @invariant()
    def both_have_the_same_place(self) -> None:
        assert [self.call(each.load()) for each in self.cursors] == [self.stored] * 2
