"""What a developer is told of an error, beside its frames."""

from dataclasses import dataclass

import pytest

from wwspec_devtools.observer import message_of


@dataclass
class Page:
    has_more: bool = False


class Closed:
    def __dir__(self) -> list[str]:
        raise RuntimeError("no names")


class MuteError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


def raised(function: object) -> BaseException:
    """Return what a function raises."""
    with pytest.raises(BaseException) as caught:
        function()  # type: ignore[operator]  # each of them is one
    return caught.value


def test_the_text_of_an_error_has_suggestions_notes_and_causes_if_there_are_any() -> None:
    error = raised(lambda: Page().has_mor)  # type: ignore[attr-defined]
    error.add_note("of page 2")
    assert message_of(error) == "'Page' object has no attribute 'has_mor'. Did you mean: 'has_more'?\nof page 2"

    assert message_of(raised(lambda: lenn("a"))) == "name 'lenn' is not defined. Did you mean: 'len'?"  # type: ignore[name-defined]  # noqa: F821
    assert message_of(raised(lambda: Page().total)) == "'Page' object has no attribute 'total'"  # type: ignore[attr-defined]
    assert message_of(raised(lambda: Closed().total)) == "'Closed' object has no attribute 'total'"  # type: ignore[attr-defined]

    def fail() -> None:
        try:
            raise KeyError("group")
        except KeyError as error:
            raise ValueError("no such group") from error

    assert message_of(raised(fail)) == "no such group\ncaused by KeyError: 'group'"
    assert message_of(ValueError()) == ""
    assert message_of(MuteError()) == "<exception str() failed>"
