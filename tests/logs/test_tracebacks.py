"""What a developer is told of an error."""

import pytest

from wwspec_router.logs.tracebacks import frames_of


def raised(function: object) -> BaseException:
    with pytest.raises(BaseException) as caught:
        function()  # type: ignore[operator]  # each of them is one
    return caught.value


def test_the_frames_of_an_error_say_which_are_the_application_s() -> None:
    [(frame, is_own)] = frames_of(raised(lambda: 1 // 0))[-1:]
    assert (frame.filename, frame.line, is_own) == (
        __file__,
        "[(frame, is_own)] = frames_of(raised(lambda: 1 // 0))[-1:]",
        True,
    )
