import io
import json
import logging
import sys
from collections.abc import Iterator

import pytest
from hypothesis import given, strategies as st

from wwspec_router.logs import SdkLogHandler, current_request, describe, pieces, setup_logging, short


@pytest.fixture(autouse=True)
def no_request() -> Iterator[None]:
    """An exchange leaves its number on its thread."""
    request = current_request.set("")
    yield
    current_request.reset(request)


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Standard output, with logging set up as the program does it, and undone afterwards."""
    root, noisy = logging.getLogger(), [logging.getLogger(name) for name in ("httpx", "httpcore", "asyncio")]
    before = (root.handlers[:], root.level, [each.level for each in noisy])
    output = io.StringIO()
    monkeypatch.setattr(sys, "stdout", output)
    setup_logging("DEBUG")
    yield output
    root.handlers[:], level, levels = before[0], before[1], before[2]
    root.setLevel(level)
    for logger, each in zip(noisy, levels, strict=True):
        logger.setLevel(each)


def test_a_record_is_one_line_on_standard_output(lines: io.StringIO) -> None:
    logging.getLogger("wwspec_router.any").debug("one\ntwo %s", "three\nfour")

    [line] = lines.getvalue().splitlines()
    assert " DEBUG wwspec_router.any " in line
    assert line.endswith("one | two three | four")


def test_an_exception_is_logged_by_type_and_place_without_its_text(lines: io.StringIO) -> None:
    try:
        raise ValueError("a-secret")
    except ValueError:
        logging.getLogger("uvicorn.error").exception("it failed")

    [line] = lines.getvalue().splitlines()
    assert ": ValueError at test_logs.py:" in line
    assert "a-secret" not in line


def test_noisy_libraries_log_warnings_only(lines: io.StringIO) -> None:
    logging.getLogger("httpx").info("GET a-url")
    logging.getLogger("httpx").warning("odd")

    [line] = lines.getvalue().splitlines()
    assert line.endswith("odd")


def test_an_exception_that_was_never_raised_has_no_place() -> None:
    assert describe(ValueError("a-secret")) == "ValueError at an unknown place"


def test_a_deep_failure_is_described_by_its_innermost_frames() -> None:
    def deep(level: int) -> None:
        if level:
            deep(level - 1)
        raise KeyError

    with pytest.raises(KeyError) as caught:
        deep(10)
    assert describe(caught.value).count("test_logs.py") == 4


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("a" * 12, "a" * 12),
        ("a" * 13, "a" * 12 + "…"),
        ("a\nb", "a\\nb"),
        ("中", "\\u4e2d"),
        ("\ud800", "\\ud800"),
    ],
    ids=ascii,
)
def test_an_id_is_shortened_and_escaped(text: str, shown: str) -> None:
    assert short(text) == shown


def test_the_sdk_is_given_every_record_in_pieces_that_it_keeps_whole() -> None:
    written: list[tuple[str, str]] = []
    logger = logging.Logger("wwspec_router.any")
    logger.addHandler(SdkLogHandler(lambda level, text: written.append((level, text))))

    logger.debug("one")
    logger.info("two\nlines")
    logger.warning("three")
    logger.error("数" * 100)

    assert written[:3] == [
        ("debug", "DEBUG wwspec_router.any one"),
        ("info", "INFO wwspec_router.any two | lines"),
        ("error", "WARNING wwspec_router.any three"),
    ]
    assert "".join(text for _, text in written[3:]) == "ERROR wwspec_router.any " + "数" * 100
    assert all(level == "error" for level, _ in written[3:])


@given(text=st.text(), limit=st.integers(4, 40))
def test_pieces_keep_to_the_limit_and_lose_nothing(text: str, limit: int) -> None:
    parts = list(pieces(text, limit))

    assert "".join(parts) == text.encode("utf-8", "backslashreplace").decode()
    assert all(len(part.encode()) <= limit for part in parts)


def test_an_sdk_whose_log_fails_does_not_disturb_the_caller(capsys: pytest.CaptureFixture[str]) -> None:
    def fail(level: str, text: str) -> None:
        raise OSError("the log is full")

    logger = logging.Logger("wwspec_router.any")
    logger.addHandler(SdkLogHandler(fail))

    logger.error("one")

    assert "the log is full" in capsys.readouterr().err


@pytest.mark.usefixtures("lines")
def test_a_record_as_json_is_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    setup_logging("INFO", as_json=True)

    logging.getLogger("wwspec_router.any").info("one\n%s", '"two"')

    record = json.loads(capsys.readouterr().out)
    assert (record["level"], record["logger"], record["message"]) == ("INFO", "wwspec_router.any", 'one | "two"')
